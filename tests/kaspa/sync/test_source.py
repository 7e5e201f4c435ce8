"""A log that is followed and tells nothing is said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth import EXCERPTS, recordings
from kaspad_taskd import words
from kaspad_taskd.kaspa.sync.source import (
    SILENT_MS,
    STRANGE,
    STRANGE_LATER,
    listen,
    not_understood,
    source_hints,
)
from kaspad_taskd.kaspa.sync.story import Story, from_json

NOW = 1_795_960_800_000  # 2026-11-29 14:00 UTC
REAL = [text for each in recordings(EXCERPTS) for _, text in each.logs]
START = "2026-11-29 14:00:00.000+00:00 [INFO ] kaspad v2.1.0"
ODD = ["level=info msg=hello", "-", "\x00\xff", '{"a": 1}']


def codes(story: Story, now: int = NOW) -> list[str]:
    return [hint.code for hint in source_hints(story, now)]


def test_where_no_log_is_followed_nothing_is_said() -> None:
    """Also of a memory from before."""
    assert source_hints(Story(), NOW) == ()
    assert not_understood(Story()) == ()


@pytest.mark.parametrize("odd", ODD)
def test_lines_of_which_none_is_kaspad_s_are_said(odd: str) -> None:
    """With how many; a few are no proof; kaspad's own takes it back."""
    story = listen(Story(), [odd] * (STRANGE - 1), NOW)
    assert codes(story) == []
    story = listen(story, [odd], NOW)
    (hint,) = source_hints(story, NOW)
    assert (hint.code, hint.params) == ("log-not-understood", {"lines": STRANGE})
    assert not_understood(story) == (hint,)
    assert codes(listen(story, [START], NOW)) == []


def test_a_backtrace_is_no_strange_log() -> None:
    """A hundred lines without a prefix; five hundred are another program's."""
    story = listen(Story(), [START], NOW)
    assert codes(listen(story, ["   12: core::panicking::panic_fmt"] * 200, NOW)) == []
    assert codes(listen(story, ["x"] * STRANGE_LATER, NOW)) == ["log-not-understood"]


def test_a_real_log_is_never_called_strange_or_silent() -> None:
    """Line by line, whatever is around it."""
    for wrap in ("{}", "2026-11-24T05:00:00Z stdout F {}", "kaspad  | {}"):
        story = listen(Story(), [], NOW)
        for text in REAL:
            story = listen(story, [wrap.format(text)], NOW)
            assert codes(story) == []


def test_an_hour_without_a_line_is_said() -> None:
    """In whole hours, so that it does not change with each look; a line takes it back."""
    story = listen(Story(), [], NOW)
    assert codes(story, NOW + SILENT_MS - 1) == []
    (hint,) = source_hints(listen(story, [], NOW + SILENT_MS), NOW + 2 * SILENT_MS + 5)
    assert (hint.code, hint.params) == ("log-silent", {"seconds": 7200})
    story = listen(story, [START], NOW + SILENT_MS)
    assert codes(story, NOW + SILENT_MS + 5) == []
    assert codes(story, NOW + 2 * SILENT_MS) == ["log-silent"]


def test_a_log_that_nobody_writes_any_more_is_said_at_once() -> None:
    """The node writes elsewhere now: the newest line tells its age, if it names its zone."""
    old = START.replace("11-29 14", "11-27 14")
    assert source_hints(listen(Story(), [old], NOW), NOW)[0].params == {"seconds": 48 * 3600}
    assert codes(listen(Story(), [old.replace("+00:00", "")], NOW)) == []
    assert codes(listen(Story(), [START.replace("11-29", "11-30")], NOW)) == []
    assert codes(listen(listen(Story(), [], NOW), [old], NOW)) == []


def test_of_several_services_in_one_log_kaspad_s_lines_count() -> None:
    """Another one's panic is not kaspad's, nor are its lines strange or signs of life."""
    panic = "thread 'main' panicked at src/main.rs:1:1: x"
    rows = [f"kaspa-node-1  | {START}", f"indexer-1     | {panic}", *["db-1  | LOG"] * 600]
    story = listen(Story(), rows, NOW)
    assert (story.death, story.heard, story.strange, story.voice) == (None, 1, 0, "kaspa-node-1")
    assert codes(listen(story, ["db-1  | LOG"], NOW + SILENT_MS), NOW + SILENT_MS) == ["log-silent"]
    story = listen(story, [f"kaspa-node-1  | {panic}"], NOW)
    assert story.death == "panic"


def test_before_a_service_has_shown_that_it_is_kaspad_its_name_tells() -> None:
    """What kaspad says before its log begins, in a syslog that all share."""
    limit = "assertion failed: fd_total_budget > 0"
    row = "2026-11-29T14:00:00.123456+00:00 host {}[812]: {}"
    assert listen(Story(), [row.format("kaspad", limit)], NOW).death == "file-limit"
    assert listen(Story(), [row.format("other", limit)], NOW).death is None


@given(st.lists(st.sampled_from([*REAL[:40], *ODD, START, "", "a  | b"]), max_size=40))
def test_whatever_is_read_survives_json_and_stays_small(lines: list[str]) -> None:
    """It is kept with the task."""
    story = listen(Story(), lines, NOW)
    assert from_json(json.loads(json.dumps(story.to_json()))) == story
    assert len(json.dumps(story.to_json())) < 2_000


@given(st.lists(st.binary(max_size=80), max_size=30))
def test_any_bytes_are_heard(lines: list[bytes]) -> None:
    """No log breaks a look."""
    listen(Story(), [line.decode("utf-8", "replace") for line in lines], NOW)


def test_each_is_said_with_a_cure_that_fits_the_log() -> None:
    """By unit, container, path."""
    for where, cure in (
        ({"unit": "kaspad"}, "journalctl -u kaspad"),
        ({"container": "kaspad"}, "journalctl CONTAINER_NAME=kaspad"),
        ({"log": "/k.log"}, "tail -n 3 /k.log"),
        ({}, "Correct log in the definition."),
    ):
        says, do = words.hint("log-not-understood", {"lines": 20, **where})
        assert says.startswith("None of the newest 20 lines")
        assert str(do).startswith(cure)
    says, do = words.hint("log-silent", {"seconds": 7200})
    assert says == "Its log has had no line for 2 hours."
    assert "--loglevel=info" in str(do)
