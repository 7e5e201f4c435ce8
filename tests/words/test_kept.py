"""What is said of a task that is complete and kept watch on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.words import kept
from kaspad_taskd.words import task as words
from kaspad_taskd.words.event import sentence
from kaspad_taskd.words.spans import lag
from kaspad_taskd.words.status_line import status_line
from kaspad_taskd.words.table import entry
from tests.fakes.golden import NOW, golden_task, golden_tasks
from tests.fakes.kept import BEHIND, LOST, STILL, watched


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day as the golden tasks have them."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "kaspa-node is in sync since 22 Nov 15:32, checked 12 s ago"),
        (
            {"healthSince": "2026-11-23T10:00:00.000Z"},
            "kaspa-node is in sync since 10:00, checked 12 s ago",
        ),
        (BEHIND, "kaspa-node is behind by 14 min since 09:12: it has no peers"),
        ({**BEHIND, "reason": None}, "kaspa-node is behind by 14 min since 09:12"),
        (
            {**BEHIND, "behind": None, "reason": "node-not-synced"},
            "kaspa-node is behind since 09:12: its node is not synced",
        ),
        (
            LOST,
            (
                "kaspa-node: in sync since 22 Nov 15:32, but not reachable for 6 min: "
                "127.0.0.1:16110 refuses"
            ),
        ),
        (
            STILL,
            (
                "kaspa-node: in sync since 22 Nov 15:32, but nothing new for 6 min: "
                "it, or the network, makes no blocks"
            ),
        ),
        (
            {"watch": "paused", "health": "unknown", "healthSince": "2026-11-23T13:00:00.000Z"},
            "kaspa-node: watch paused since 13:00",
        ),
        (
            {"health": "unknown", "healthSince": "2026-11-23T14:12:00.000Z"},
            "kaspa-node: complete, the first look on its way",
        ),
        (
            {"health": "unknown", "healthSince": "2026-11-23T14:00:00.000Z"},
            "kaspa-node: complete, not seen in sync since watched again",
        ),
        (
            {"health": "unknown", "reason": "clock-skew"},
            "kaspa-node: in sync since 22 Nov 15:32; whether still so cannot be told: "
            + words.brief("clock-skew"),
        ),
        ({"type": "http-json"}, "kaspa-node is complete since 22 Nov 15:32, checked 12 s ago"),
        (
            {**BEHIND, "type": "http-json", "reason": None},
            "kaspa-node is no longer complete since 09:12",
        ),
        (
            {"type": "database-migration"},
            "kaspa-node is migrated since 22 Nov 15:32, checked 12 s ago",
        ),
    ],
)
def test_the_first_sentence_of_what_is_watched(fields: dict[str, Any], says: str) -> None:
    """What it is, since when, and what is wrong with it now."""
    assert words.headline(watched(**fields), NOW) == says


@pytest.mark.parametrize(
    ("fields", "condition", "state"),
    [
        ({}, "in-sync", "in sync"),
        (BEHIND, "behind", "behind 14 min"),
        ({**BEHIND, "type": "command"}, "behind", "not complete"),
        (LOST, "unreachable", "not reachable"),
        (STILL, "stalled", "stalled"),
        ({"watch": "paused", "health": "unknown"}, "watch-paused", "watch paused"),
        ({"watch": "none", "health": "unknown"}, "complete", "done 22 Nov"),
        ({"status": "in-progress", "health": "ok"}, "ok", "syncing"),
    ],
)
def test_the_word_for_it(fields: dict[str, Any], condition: str, state: str) -> None:
    """Who is only complete is not in sync, and who syncs is not behind."""
    task = watched(**fields)
    assert (words.condition(task), words.state(task, NOW)) == (condition, state)


@pytest.mark.parametrize("fields", [BEHIND, LOST, STILL])
def test_who_is_watched_and_in_trouble_needs_somebody(fields: dict[str, Any]) -> None:
    """It counts, it comes first, and its sentence is the one below the list."""
    task = watched(**fields)
    assert words.troubled(task)
    assert words.attention(task, NOW) == words.headline(task, NOW)
    others = [one for one in golden_tasks() if one["type"] != "node-sync"]
    assert words.most_urgent([*others, task]) == task
    assert not words.troubled({**task, "watch": "none", "health": "unknown"})


def test_who_is_not_known_is_no_trouble() -> None:
    """Nobody is called because a watch is paused, begins, or the clock is wrong."""
    for fields in ({"watch": "paused"}, {}, {"reason": "clock-skew"}):
        assert not words.troubled(watched(**{"health": "unknown", **fields}))


def test_the_first_sentence_is_about_what_is_watched_before_what_ended() -> None:
    """Whether the node is still in sync matters more than what ended last."""
    done = {**golden_task("headers-import"), "completedAt": "2026-11-23T14:00:00.000Z"}
    indexer = watched("kasia-indexer", type="indexer-sync", id="i")
    assert words.most_urgent([done, indexer, watched()]) == watched()
    lost = {**indexer, **LOST}
    assert words.most_urgent([done, watched(), lost]) == lost
    live = golden_task("explorer-db")
    assert words.most_urgent([live, lost]) == live


def test_systemds_line_names_who_is_watched() -> None:
    """Trouble before what runs, what is well after it."""
    running = {**golden_task("kaspa-node"), "service": "n2", "progress": 45.29,
               "progressBasis": "exact"}  # fmt: skip
    line = status_line([watched("a"), running, watched("b", **BEHIND), watched("c", **LOST)])
    assert line == (
        "1 running, 3 complete: b behind 14 min, c unreachable, n2 45.2 % (1 hour 20 min),"
        " a in sync"
    )
    paused = watched(watch="paused", health="unknown")
    assert status_line([paused]) == "1 complete: kaspa-node watch paused"


@pytest.mark.parametrize(
    ("event", "data", "says"),
    [
        ("sync:health", {"health": "behind", "behind": 790.0, "reason": "no-peers"},
         "behind by 14 min: it has no peers"),
        ("sync:health", {"health": "ok", "was": "behind", "type": "node-sync"}, "in sync again"),
        ("sync:health", {"health": "ok", "was": "stalled", "type": "http-json"}, "complete again"),
        ("sync:health", {"health": "ok", "was": "unknown", "type": "node-sync"}, "in sync"),
        ("sync:health", {"health": "ok", "was": "unreachable"}, "answers again"),
        ("sync:start", {"attempt": 2, "because": "db-reset"},
         "it has to sync again: its data was lost: the node's database was reset"),
        ("sync:start", {"attempt": 2, "because": "far-behind"},
         "it has to sync again: it was too many blocks behind"),
        ("sync:start", {"attempt": 2, "because": "of-a-later-version"},
         "it has to sync again: its data was lost"),
        ("sync:start", {"attempt": 2}, "watching began, attempt 2"),
        ("sync:complete", {"type": "node-sync", "because": "db-reset",
                           "duration": {"formatted": "3 hours"}}, "ready again after 3 hours"),
    ],
)  # fmt: skip
def test_what_happens_under_a_watch(event: str, data: dict[str, Any], says: str) -> None:
    """Trouble, its end, and that all of it has to be done again."""
    assert sentence(event, data) == says


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (12.1, "13 s"), (60, "60 s"), (61, "2 min"), (790, "14 min"), (5940, "99 min"),
     (7000, "2 hours"), (7201, "3 hours"), (172800, "48 hours"), (172801, "3 days"),
     (float("inf"), "unknown")],
)  # fmt: skip
def test_a_lag_is_told_in_one_unit_and_never_too_small(seconds: float, text: str) -> None:
    """It fits a column, and does not flatter."""
    assert lag(seconds) == text


@pytest.mark.parametrize("where", ["state", "text", "watch", "line"])
def test_each_condition_has_its_sentences(where: str) -> None:
    """None is told by its key alone."""
    assert {*kept.CONDITIONS, "lapsed"} <= set(entry(f"kept.{where}"))


moments = st.sampled_from([None, "2026-11-22T15:32:00.000Z", "2026-11-23T14:00:00.000Z", "x"])


@given(
    st.fixed_dictionaries(
        {
            "watch": st.sampled_from(["on", "paused"]),
            "health": st.sampled_from(["ok", "behind", "stalled", "unreachable", "unknown", "?"]),
            "type": st.sampled_from(["node-sync", "indexer-sync", "command", "new", None]),
            "reason": st.sampled_from([None, "refused", "clock-skew", "new-reason"]),
            "behind": st.none() | st.floats(0, 1e9),
            **dict.fromkeys(("healthSince", "completedAt", "lastChecked", "lastMoved"), moments),
        }
    )
)
def test_whatever_is_missing_there_is_a_whole_sentence(fields: dict[str, Any]) -> None:
    """No place is left unfilled, no field is needed."""
    task = {"status": "complete", "id": "x", "service": "s", **fields}
    for text in (words.headline(task, NOW), words.state(task, NOW), status_line([task])):
        assert text
        assert "?" not in text.replace(json.dumps(fields["health"]), "")
        assert "None" not in text
