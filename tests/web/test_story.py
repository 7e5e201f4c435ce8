"""What happened, as people read it."""

from __future__ import annotations

from kaspad_taskd.web.story import story
from tests.web.snapshots import EVENTS, event


def test_an_outage_that_ended_is_one_line() -> None:
    """The newest is first; not reachable and its end are one line at its beginning."""
    told = [(entry["when"], entry["name"], entry["text"]) for entry in story(EVENTS)]
    assert told == [
        ("14:05 UTC", "kasia-indexer", "not reachable: connection refused"),
        ("12:02 UTC", "kaspa-node", "not reachable for 3 min: connection refused"),
        ("11:02 UTC", "kaspa-node", "watching began, attempt 1"),
        ("11:02 UTC", "kaspa-node", "added, from the package"),
    ]


def test_a_pause_within_an_outage_keeps_both_lines() -> None:
    """Only a recovery that follows directly belongs to an outage."""
    events = [
        event(1, "sync:health", "10:00:00", health="unreachable", reason="refused"),
        event(2, "sync:paused", "10:01:00"),
        event(3, "sync:health", "10:02:00", health="ok", reason=None),
    ]
    assert [entry["text"] for entry in story(events)] == [
        "answers again",
        "watching was paused",
        "not reachable: connection refused",
    ]


def test_each_day_is_named_once() -> None:
    """A heading stands before the newest entry of a day."""
    old = event(1, "sync:paused", "10:00:00")
    old["data"]["timestamp"] = "2026-11-22T10:00:00.000Z"
    days = [entry["day"] for entry in story([old, *EVENTS])]
    assert [day for day in days if day] == ["23 Nov", "22 Nov"]


def test_progress_is_no_event() -> None:
    """It is state, and stands in the card."""
    assert story([event(1, "sync:progress", "10:00:00", progress=1)]) == []


def test_who_was_behind_and_is_in_sync_again_is_one_line() -> None:
    """For how long and why, at its beginning, as an outage is."""
    events = [
        event(1, "sync:health", "10:00:00", health="behind", reason="no-peers", behind=200.0),
        event(2, "sync:health", "10:14:00", health="ok", reason=None, was="behind"),
        event(3, "sync:health", "10:20:00", health="behind", reason=None, behind=130.0),
    ]
    assert [entry["text"] for entry in story(events)] == [
        "behind by 3 min",
        "behind for 14 min: it has no peers",
    ]
