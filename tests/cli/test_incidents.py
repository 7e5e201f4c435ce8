"""`incidents`, and the record in `status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.record import incident, line
from tests.cli.conftest import Ran
from tests.fakes.taskd import ScriptedTaskd

Ctl = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("utc")
REFUSES = "127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere."


def one(number: int, **more: Any) -> dict[str, Any]:
    """An incident as the daemon lists it."""
    known = {
        "id": number, "taskId": "node-sync-kaspa-node", "service": "kaspa-node",
        "began": f"2026-11-2{number}T09:12:00.000Z", "ended": f"2026-11-2{number}T09:26:30.000Z",
        "health": "unreachable", "reason": "refused", "note": REFUSES, "worstBehind": None,
        "ending": "ok",
    }  # fmt: skip
    return {**known, **more}


def record(**more: Any) -> dict[str, Any]:
    seconds = {"ok": 2_580_000, "behind": 3000, "stalled": 0, "unreachable": 1800, "unknown": 7200}
    known = {
        "taskId": "node-sync-kaspa-node", "service": "kaspa-node", "days": 30,
        "since": "2026-10-01T00:00:00.000Z", "until": None, "from": "2026-10-24T15:00:00.000Z",
        "to": "2026-11-23T14:40:00.000Z", "seconds": seconds, "series": [],
        "incidents": {"count": 3, "longest": 870},
    }  # fmt: skip
    return {**known, **more}


def test_incidents_are_told_the_newest_at_the_end(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """When, whose, how long, why; for programs as the daemon has them."""
    asked: list[Any] = []

    def answer(params: Any) -> Any:
        asked.append(params)
        return {"incidents": [one(2), one(1, health="behind", worstBehind=812.4, note=None)]}

    taskd.answers["getIncidents"] = answer
    code, out, err = ctl("incidents")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "21 Nov 09:12  kaspa-node     behind for 14 min, at most 14 minutes behind."
    assert " ".join(" ".join(lines[1:]).split()) == (
        f"22 Nov 09:12 kaspa-node not reachable for 14 min: {REFUSES}"
    )
    assert asked == [{"limit": 20}]
    told = json.loads(ctl("incidents", "--json", "--since", "2026-11-20", "-n", "5")[1])
    assert [each["id"] for each in told["incidents"]] == [2, 1]
    assert asked[-1] == {"limit": 5, "from": "2026-11-20T00:00:00Z"}


def test_of_a_task_and_of_one_that_is_gone(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """By service or id; a name that nothing is known of is said to be wrong."""
    known = {"node-sync-kaspa-node": [one(1)], "gone": [one(2, taskId="gone")]}
    taskd.answers["getIncidents"] = lambda params: {"incidents": known.get(params["taskId"], [])}
    service = taskd.answers["getAllTasks"]({})[0]["service"]
    assert REFUSES[:20] in ctl("incidents", service)[1]
    known.pop("node-sync-kaspa-node")
    assert ctl("incidents", service)[:2] == (0, "No incident is on record.\n")
    assert ctl("incidents", "gone")[0] == 0
    code, out, err = ctl("incidents", "nobody")
    assert (code, out) == (1, "")
    assert "nobody" in err


@pytest.mark.parametrize("wrong", [("-n", "0"), ("-n", "x"), ("--since", "soon"), ("a", "b")])
def test_what_is_no_use_of_it_is_said_so(ctl: Ctl, wrong: tuple[str, ...]) -> None:
    """Exit code 2, and what helps."""
    code, _, err = ctl("incidents", *wrong)
    assert code == 2
    assert "kaspad-taskctl incidents --help" in err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {},
            ("In sync 99.8 % of what was seen in 30 days, 3 incidents, the longest of 14 min;"
            " not known 2 hours."),
        ),
        (
            {"since": "2026-11-20T15:00:00.000Z", "from": "2026-11-20T15:00:00.000Z",
             "seconds": {"ok": 9, "behind": 0, "stalled": 0, "unreachable": 0, "unknown": 59},
             "incidents": {"count": 0, "longest": 0}},
            "In sync 100 % of what was seen in 2 days, no incident.",
        ),
        (
            {"seconds": {"ok": 0, "behind": 0, "stalled": 0, "unreachable": 0, "unknown": 59},
             "incidents": {"count": 1, "longest": 3700}},
            "Nobody looked at it in 30 days.",
        ),
        (
            {"seconds": {"ok": 999999, "behind": 1, "stalled": 0, "unreachable": 0, "unknown": 0},
             "incidents": {"count": 1, "longest": 3700}},
            "In sync 99.9 % of what was seen in 30 days, 1 incident of 1 hour.",
        ),
    ],
)  # fmt: skip
def test_a_record_in_a_line(more: dict[str, Any], said: str) -> None:
    """A hundred only of what was always in sync; a share of what was seen alone."""
    assert line(record(**more)) == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, f"not reachable for 14 min: {REFUSES}"),
        ({"ended": None, "ending": None}, f"not reachable for 2 hours now: {REFUSES}"),
        (
            {"health": "behind", "worstBehind": 90_000.0, "ending": "synced-again",
             "note": "The node's database was reset; it had to sync again."},
            ("behind for 14 min, at most 1 day 1 hr behind, in sync after another attempt:"
            " The node's database was reset; it had to sync again."),
        ),
        (
            {"health": "stalled", "note": None, "ending": "not-watched"},
            "no new block for 14 min, then nobody looked any more.",
        ),
    ],
)  # fmt: skip
def test_an_incident_in_a_sentence(more: dict[str, Any], said: str) -> None:
    """What it was, how long, how deep, how it ended, why."""
    now = seconds_of("2026-11-21T11:20:00.000Z")
    assert now is not None
    assert incident(one(1, **more), now) == said


def test_status_shows_the_record_of_what_is_watched_on(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """And of nothing else; an older daemon that knows of none is no trouble."""
    tasks = taskd.answers["getAllTasks"]({})
    for task in tasks:
        task.update(watch="on", status="complete", health="ok", attempt=1)
    taskd.answers["getRecord"] = record()
    name = tasks[0]["id"]
    shown = " ".join(ctl("status", name)[1].split())
    assert "Record In sync 99.8 % of what was seen in 30 days, 3 incidents" in shown
    taskd.answers["getRecord"] = record(since=None)
    assert "Record" not in ctl("status", name)[1]
    del taskd.answers["getRecord"]
    code, out, err = ctl("status", name)
    assert (code, err) == (0, "")
    assert "Record" not in out
