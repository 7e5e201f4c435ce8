"""What a task's public form means in words."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.words import task as words
from kaspad_taskd.words.event import sentence, step_began
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.status_line import status_line
from kaspad_taskd.words.table import entry
from kaspad_taskd.words.task import needed
from tests.fakes.golden import NOW, golden_task, golden_tasks


def running(service: str, **fields: Any) -> dict[str, Any]:
    return {**golden_task("kaspa-node"), "service": service, **fields}


def test_waiting_says_what_keeps_it_from_starting() -> None:
    """A task awaited that is missing, failed or stopped is named with its state."""
    text = words.waiting({"a": "in-progress", "b": None, "c": "error", "d": "cancelled"})
    assert text == (
        "Waits for a, b, c, d. b is not there (yet). c failed; try it again. "
        "d was stopped; try it again."
    )


@pytest.mark.parametrize(
    ("service", "condition", "state"),
    [
        ("kaspa-node", "ok", "6/7 blocks"),
        ("kasia-indexer", "unreachable", "not reachable"),
        ("k-indexer", "waiting", "after kaspa-node"),
        ("headers-import", "complete", "done 22 Nov"),
        ("lonely", "stalled", "stalled"),
        ("paused-thing", "paused", "paused"),
        ("failed-job", "error", "failed"),
        ("stopped-job", "cancelled", "stopped"),
        ("not-started", "not-started", "not started"),
        ("first-look", "first-check", "first check"),
    ],
)
def test_status_and_health_are_one_word(service: str, condition: str, state: str) -> None:
    """Each pair of status and health has its condition and its words."""
    task = golden_task(service)
    assert (words.condition(task), words.state(task)) == (condition, state)


def test_what_was_done_today_says_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date tells nothing on its own day."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    task = golden_task("headers-import")
    assert words.state(task, NOW) == "done 22 Nov"
    assert words.state(task, NOW - 86_400) == "done 15:32"
    monkeypatch.undo()
    time.tzset()


def test_the_first_sentence_is_about_the_node() -> None:
    """The live or failed node-sync, else the first live task, else the last that ended."""
    tasks = golden_tasks()
    assert words.most_urgent(tasks) == golden_task("kaspa-node")
    rest = [task for task in tasks if task["type"] != "node-sync"]
    assert words.most_urgent(rest) == golden_task("kasia-indexer")
    ended = [task for task in rest if task["status"] in ("complete", "cancelled")]
    assert words.most_urgent(ended) == golden_task("stopped-job")
    assert words.most_urgent([]) is None


def test_no_time_left_is_said_without_watching() -> None:
    """A paused task has an estimate in its record, but nobody may believe it."""
    assert words.left(running("x", status="paused")) is None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(
                ["pending", "in-progress", "paused", "complete", "error", "?"]
            ),
            "health": st.sampled_from(["unknown", "ok", "stalled", "unreachable", "new-word"]),
            "service": st.text(max_size=80),
            "reason": st.none() | st.text(max_size=20),
            "error": st.none() | st.text(max_size=400),
            "note": st.none() | st.text(max_size=400),
            "healthSince": st.none() | st.text(max_size=30),
            "progress": st.floats(0, 100),
            "etaReason": st.none() | st.text(max_size=10),
        },
    )
)
def test_any_task_has_its_words(task: dict[str, Any]) -> None:
    """Missing fields, unknown words and hostile text still make one visible line."""
    for text in (words.headline(task, NOW), words.state(task), words.why(task), words.name(task)):
        assert text.isprintable()
    assert status_line([task]).isprintable()


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ([], "shop-db is migrating"),
        ([{"code": "lock-wait"}], "shop-db is migrating"),
        ([{"code": "migration-idle", "params": {}}], "shop-db is not migrating now"),
        ([{"code": "migration-interrupted"}], "shop-db is interrupted"),
    ],
)
def test_nobody_is_said_to_migrate_where_nobody_does(hints: list[Any], said: str) -> None:
    """The headline stands above the hint that tells so."""
    task = {"service": "shop-db", "type": "database-migration", "status": "in-progress",
            "health": "ok", "lastUpdate": "2026-11-29T10:00:00.000Z", "hints": hints}  # fmt: skip
    assert words.headline(task, NOW) == said


@pytest.mark.parametrize(
    ("event", "data", "said"),
    [
        ("task:added", {"origin": "api"}, "added, from a program"),
        ("task:added", {}, "added"),
        ("sync:start", {"attempt": 2}, "watching began, attempt 2"),
        ("sync:health", {"health": "unreachable", "reason": "refused"},
         "not reachable: connection refused"),
        ("sync:health", {"health": "ok", "reason": None}, "answers again"),
        ("sync:complete", {"type": "node-sync", "duration": {"formatted": "2 hours 30 min"}},
         "ready after 2 hours 30 min"),
        ("sync:error", {"error": "It is broken."}, "failed: It is broken."),
        ("sync:epoch", {"reason": "db-reset"},
         "progress starts over: the node's database was reset"),
        ("sync:epoch", {"reason": "new-word"},
         "progress starts over: data was lost and the work began anew"),
        ("sync:brand-new", {}, "sync:brand-new"),
        ("x\x1b[2J", {}, "x?[2J"),
    ],
)  # fmt: skip
def test_events_are_sentences(event: str, data: dict[str, Any], said: str) -> None:
    """Each event says what happened; one of a later version its name, made safe."""
    assert sentence(event, data) == said


def test_a_step_begins() -> None:
    """The step's number, name, and how long the one before took."""
    assert step_began({"key": "blocks"}, 6, 7, 660) == (
        "step 6 of 7 began: downloading blocks; step 5 took 11 minutes"
    )


def test_a_standstill_that_never_moved_is_as_old_as_its_watching() -> None:
    """A program that never reported is silent since the task began, not since it is called so."""
    started, called = "2026-11-23T13:00:00.000Z", "2026-11-23T13:10:00.000Z"
    silent = {
        **golden_task("kaspa-node"), "health": "stalled", "startedAt": started,
        "healthSince": called, "lastMoved": None,
    }  # fmt: skip
    at = NOW - words.since(silent, NOW)
    assert at == seconds_of(started)
    moved = {**silent, "lastMoved": "2026-11-23T13:05:00.000Z"}
    assert words.since(silent, NOW) - words.since(moved, NOW) == 300


@pytest.mark.parametrize(
    ("log", "cure"),
    [
        ("journal:kaspad.service", "journalctl -u kaspad -g panicked -n 5"),
        ("journal:CONTAINER_NAME=node", "journalctl CONTAINER_NAME=node -g panicked -n 5"),
        ("/k.log", "grep panicked /k.log | tail -n 5"),
        (None, 'Look for "panicked" in its log.'),
    ],
)
def test_a_cure_names_the_log_of_the_definition(log: str | None, cure: str) -> None:
    """By unit, container or path."""
    known = words.params({"config": {"log": log}})
    assert words.hint("node-panicked", known)[1] == cure


@pytest.mark.parametrize("key", list(entry("condition")))
def test_every_condition_can_be_said(key: str) -> None:
    """Held or failed, with what was found or without it."""
    for holds in (True, False):
        assert "?" not in needed(key, holds) + needed(key, holds, 1, 2) + needed(key, holds, 5, 2)
        assert needed(key, holds) != key


def test_a_condition_of_a_plugin_is_said_by_its_key() -> None:
    """What has no sentence is not hidden."""
    assert needed("disk-spun", False) == "disk-spun"
    assert needed("disk-spun", False, 3) == "disk-spun: 3"
