"""What the fleet's soak compares with sees each kind of difference, and outlives a lost line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Taskd
from tests.fleet.trio import works
from tests.soak.alike import Seen, Truth, first, rows_differ

EVENTS = [{"seq": seq, "event": "sync:paused", "data": {"seq": seq}} for seq in range(1, 7)]
TASK = {"status": "paused", "health": "ok", "attempt": 1, "origin": "api", "createdAt": "then"}


def of(*places: int) -> list[dict[str, Any]]:
    return [EVENTS[place - 1] for place in places]


@pytest.mark.parametrize(
    "there", [(1, 2, 4, 5, 6), (1, 2, 3, 3, 4, 5, 6), (1, 3, 2, 4, 5, 6), (1, 2, 3, 4, 5), ()]
)
def test_a_missing_a_doubled_and_a_moved_event_are_seen(there: tuple[int, ...]) -> None:
    assert first(of(*there), EVENTS) != ""
    assert first(EVENTS, of(*there)) != ""
    assert first(EVENTS, EVENTS) == ""


@pytest.mark.parametrize(
    "seen",
    [
        Seen("it is not known"),
        Seen("", {}, EVENTS),
        Seen("", {"t": TASK | {"health": "unreachable"}}, EVENTS),
        Seen("", {"t": TASK}, of(3, 5, 6)),
        Seen("", {"t": TASK}, of(4, 5)),
        Seen("", {"t": TASK}, []),
    ],
)
def test_what_is_shown_otherwise_is_seen(tmp_path: Path, seen: Seen) -> None:
    """The newest events are enough: older ones are let go."""
    truth = Truth(Taskd(tmp_path))
    truth.events, truth.tasks = EVENTS, {"t": TASK}
    assert seen.differs(truth) != ""
    assert Seen("", {"t": TASK}, of(4, 5, 6)).differs(truth) == ""


def test_hubs_that_show_otherwise_are_seen() -> None:
    row = {"verdict": "ok", "fault": None, "gap": None}
    assert rows_differ([{"h": row}, {"h": row}], 1) == ""
    assert rows_differ([{"h": row}, {}], 1) != ""
    for odd in ({"verdict": "trouble"}, {"verdict": "silent"}, {"fault": "no"}, {"gap": [1, 3]}):
        assert rows_differ([{"h": row}, {"h": row | odd}], 1) != ""
    for odd in ({"verdict": "silent"}, {"fault": "no"}, {"gap": [1, 3]}):
        assert rows_differ([{"h": row | odd}, {"h": row | odd}], 1) != ""


async def test_a_daemon_that_ended_the_line_is_asked_over_another(tmp_path: Path) -> None:
    async with Taskd(tmp_path / "d") as taskd:
        await works(await taskd.start(), "a")
        truth = Truth(taskd)
        await truth.renew(time.monotonic())
        known = list(truth.events)
        assert set(truth.tasks) == {"a"}
        await taskd.kill()
        await works(await taskd.start(), "b")
        await truth.renew(time.monotonic() + 60)
        assert truth.events[: len(known)] == known
        assert len(truth.events) > len(known)
        assert set(truth.tasks) == {"a", "b"}
