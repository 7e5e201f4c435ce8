"""JSON text: orjson and the standard library behave alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base import jsontext

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(params=["orjson", "json"], name="library")
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "json":
        monkeypatch.setattr(jsontext, "orjson", None)
    return str(request.param)


@pytest.mark.parametrize(
    "text",
    [
        b"NaN", b"Infinity", b"-Infinity", b"", b"{", b"'x'", b"\xff\xfe1\x00", b'"\xff"',
        b'"\\ud800"', b"[" * 200_000, b"1e999", b"[-1E400]",
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(library: str, text: bytes) -> None:
    """Both libraries refuse the same bad texts with a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the two say it in their own words
        jsontext.loads(text)


@given(VALUES)
def test_both_say_the_same(value: Any) -> None:
    """A value comes back as it was, and both libraries write the same bytes."""
    with_orjson = jsontext.dumps(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsontext, "orjson", None)
        assert jsontext.loads(with_orjson) == value
        assert jsontext.dumps(value) == with_orjson
    assert jsontext.loads(with_orjson) == value


@given(text=st.text(st.characters()))
def test_what_the_system_calls_text_is_said_all_the_same(text: str) -> None:
    """Names of files and headers may hold bytes that are none: each is a "?"."""
    said = "".join("?" if "\ud800" <= each <= "\udfff" else each for each in text)
    value = {"a": [text, {text: (1, None)}]}
    wanted = {"a": [said, {said: [1, None]}]}
    assert jsontext.loads(jsontext.dumps(value)) == wanted


def test_without_orjson_as_well(library: str) -> None:
    assert jsontext.dumps(["\udcff"]) == b'["?"]'
    with pytest.raises(TypeError):
        jsontext.dumps(["\udcff", object()])


class Name(StrEnum):
    """A key that is a string, and more than one."""

    A = "a"


def test_keys_that_are_no_strings_are_written_as_strings(library: str) -> None:
    """Both libraries write the same for them."""
    value = {1: 2, None: [{True: {Name.A: 4}}]}
    assert jsontext.dumps(value) == b'{"1":2,"null":[{"true":{"a":4}}]}'
