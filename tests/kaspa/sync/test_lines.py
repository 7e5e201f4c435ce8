"""The lines of kaspad's log."""

from __future__ import annotations

import json
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth import EXCERPTS, recordings
from kaspad_taskd.kaspa.sync.lines import patterns, stamp, understand

DATA = json.loads(pkgutil.get_data("kaspad_taskd.kaspa.sync", "log_patterns.json") or b"")
EXAMPLES = {name: entry["example"] for name, entry in DATA["patterns"].items()}


def matching(message: str) -> list[str]:
    return [name for name, pattern in patterns()[1].items() if pattern.search(message)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_its_own_pattern_and_no_other(name: str) -> None:
    """A line means one thing."""
    assert matching(EXAMPLES[name]) == [name]


def test_no_line_of_the_recordings_has_two_meanings() -> None:
    """Real lines of real nodes."""
    lines = [text for each in recordings(EXCERPTS) for _, text in each.logs]
    assert len(lines) > 150
    for text in lines:
        prefix = patterns()[0].match(text)
        assert len(matching(prefix["msg"] if prefix else text)) <= 1, text


def test_a_real_line_is_understood_with_its_stamp() -> None:
    """Prefix, groups, colours of a terminal, a line's end."""
    text = "\x1b[32m2026-11-24 05:36:54.397+00:00\x1b[0m [INFO ] SMT import 4096 of 9000 (45%)\r\n"
    line = understand(text)
    assert line is not None
    assert (line.name, line.groups["n"], line.groups["t"]) == ("smt", "4096", "9000")
    assert line.at_ms == stamp("2026-11-24 05:36:54.397+00:00") == 1795498614397


def test_the_go_node_is_understood() -> None:
    """Its prefix has no zone, and its words differ."""
    line = understand(
        "2026-11-24 05:36:54.397 [INF] PROT: IBD with peer 1.2.3.4:16111 finished successfully"
    )
    assert line is not None
    assert line.name == "ibd_ok"


def test_a_header_time_is_read_as_kaspad_writes_it() -> None:
    """A colon stands before the zone."""
    assert stamp("2026-11-24 05:11:01.000:+0000") == 1795497061000
    assert stamp("yesterday") is None


@given(st.text(max_size=3000))
def test_any_text_is_understood_or_not(text: str) -> None:
    """No line of a log breaks the reader."""
    understand(text)
