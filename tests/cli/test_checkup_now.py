"""What `doctor` finds out just now: whom it asks, what it takes, and what comes too late."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from kaspad_taskd.cli import checkup_now
from kaspad_taskd.cli.checkup import GOOD, WARNING
from tests.cli.test_doctor import Ctl, _no_system, well
from tests.fakes.golden import golden_task
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import Error, ScriptedTaskd

__all__ = ["_no_system"]
MOMENT = "2026-11-23T14:12:09.000Z"


def told(ctl: Ctl, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ctl("doctor", "--json", *more)[1])
    return found


def test_what_is_told_is_of_now(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The list said that it syncs; the look just taken says that it is not there any more."""
    node = golden_task("kaspa-node")
    gone = {**node, "health": "unreachable", "reason": "refused", "note": "x: refused",
            "lastChecked": MOMENT, "lastUpdate": "2026-11-23T14:00:00.000Z"}  # fmt: skip
    well(taskd, checkTaskStatus={"success": True, "task": gone})
    (found,) = (one for one in told(ctl) if one["check"] == "node" and "kaspa-node" in one["text"])
    assert found["level"] == WARNING
    assert "; asked just now, for " in found["text"]
    here = {**node, "lastChecked": MOMENT, "lastUpdate": MOMENT}
    well(taskd, checkTaskStatus={"success": True, "task": here})
    found, *_ = (one for one in told(ctl) if one["check"] == "node")
    assert (found["level"], "; answered just now, in " in found["text"]) == (GOOD, True)
    (looks,) = (one for one in told(ctl) if one["check"] == "looks")
    assert looks["text"].startswith("1 service was asked just now and answered in ")


def test_who_is_asked(taskd: ScriptedTaskd) -> None:
    """What is in progress, but for reports, which nobody can ask; nodes first, then trouble."""
    report = {**golden_task("headers-import"), "type": "report", "status": "in-progress"}
    well = {**golden_task("kaspa-node"), "id": "job", "type": "http-json", "health": "ok"}
    ill = {**well, "id": "ill", "health": "unreachable", "reason": "refused"}
    tasks = [report, {**well, "id": "ended", "status": "complete"}, well, ill]
    tasks += [golden_task("kaspa-node")]
    taskd.answers["checkTaskStatus"] = lambda params: {
        "task": next(task for task in tasks if task["id"] == params["taskId"])
    }
    found = checkup_now.look(str(taskd.path), tasks, PATIENCE)
    asked = [params["taskId"] for name, params in taskd.asked if name == "checkTaskStatus"]
    assert asked == [golden_task("kaspa-node")["id"], "ill", "job"]
    assert [task["id"] for task in found.tasks] == [task["id"] for task in tasks]


def test_what_comes_too_late_is_named(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The deadline is of all of it; what was known is told, as old as it is."""
    held = threading.Event()

    def never(_params: Any) -> Any:
        held.wait(PATIENCE)
        return {"task": golden_task("kaspa-node")}

    well(taskd, checkTaskStatus=never, getServices=[])
    try:
        found = told(ctl, "--timeout", "500ms")
    finally:
        held.set()
    (late,) = (one for one in found if one["check"] == "looks")
    assert late["level"] == WARNING
    assert late["text"].startswith("no look at kaspa-node ended within 500 ms")
    assert late["cure"].startswith("kaspad-taskctl check ")
    assert [one["text"] for one in found if one["check"] == "node"]


def test_services_that_are_not_told_in_time_are_said(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Not that there are none."""
    held = threading.Event()
    well(taskd, getServices=lambda _params: held.wait(PATIENCE) and [])
    try:
        found = told(ctl, "--timeout", "500ms")
    finally:
        held.set()
    texts = [one["text"] for one in found if one["check"] == "looks"]
    assert any("services" in text for text in texts)


def test_who_may_only_read_is_told_so(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What follows is of the last looks."""
    no = Error(-32005, "for reading", reason="forbidden")
    well(taskd, checkTaskStatus=no)
    (found,) = (one for one in told(ctl) if one["check"] == "looks")
    assert (found["level"], "last looks" in found["text"]) == (GOOD, True)


@pytest.mark.parametrize("answer", [b"no json\n", b"[1]\n", b'{"id":7}\n{"x":1}\n'])
def test_a_strange_answer_ends_no_checkup(ctl: Ctl, taskd: ScriptedTaskd, answer: bytes) -> None:
    """The other checks are told all the same."""
    well(taskd, checkTaskStatus=answer)
    found = told(ctl, "--timeout", "500ms")
    assert {"store", "node"} <= {one["check"] for one in found}


def test_an_answer_about_another_task_is_none(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What was known is told, and nothing is said to have answered."""
    other = {**golden_task("headers-import"), "lastChecked": MOMENT, "lastUpdate": MOMENT}
    well(taskd, checkTaskStatus={"success": True, "task": other})
    found = told(ctl)
    assert not [one for one in found if one["check"] == "looks"]
    assert "kaspa-node" in next(one["text"] for one in found if one["check"] == "node")
