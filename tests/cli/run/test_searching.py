"""A user's pattern: it finds as `re` does, and one that takes for ever takes nobody's turn."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.run.searching import SEEN, Searching, compiled


def of(pattern: str) -> Searching:
    made = compiled(pattern)
    assert made is not None
    return Searching(made)


@pytest.fixture(scope="module")
def share() -> Iterator[Searching]:
    made = of(r"([0-9.]*)%")
    yield made
    made.end()


@given(text=st.text(max_size=50))
def test_it_finds_as_re_does(share: Searching, text: str) -> None:
    found = re.search(r"([0-9.]*)%", text)
    assert share.search(text) == (found[1] if found else None)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a+", "baab", "aa"),
        ("(a)|b", "b", ""),
        ("", "x", ""),
        ("", "", ""),
        ("x", "y" * SEEN + "x", None),
        (".", "\ud800", "\ud800"),
    ],
)
def test_a_group_or_all_of_it(pattern: str, text: str, found: str | None) -> None:
    searching = of(pattern)
    assert searching.search(text) == found
    searching.end()


def test_one_that_takes_for_ever_finds_nothing_and_then_goes_on() -> None:
    searching = of("(?:a+)+b|c")
    assert searching.search("a" * 60) is None
    assert searching.search("c") == "c"
    searching.end()


def test_without_its_process_nothing_is_found() -> None:
    searching = of("a")
    assert searching.search("a") == "a"
    os.kill(searching._pid, signal.SIGKILL)
    assert searching.search("a") is None
    assert searching.search("a") is None
    with pytest.raises(ChildProcessError):
        os.waitpid(searching._pid, 0)


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "[", "*"])
def test_what_is_no_pattern(pattern: str) -> None:
    assert compiled(pattern) is None
