"""`wait --now`: each task is asked at this moment; what its answer means, and is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from kaspad_taskd.cli import wait_now
from tests.cli.conftest import Ran
from tests.fakes.golden import NOW, golden_task
from tests.fakes.taskd import Error, ScriptedTaskd

Ctl = Callable[..., Ran]
NOON = "2026-11-23T12:00:00.000Z"
NODE = {**golden_task("kaspa-node"), "status": "complete", "watch": "on", "health": "ok",
        "healthSince": NOON, "progress": 100, "reason": None, "note": None}  # fmt: skip


@pytest.fixture(autouse=True)
def that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_now, "time", SimpleNamespace(time=lambda: NOW))


def asked(taskd: ScriptedTaskd, in_sync: bool | None, **fields: Any) -> None:
    task = {**NODE, **fields}
    taskd.answers["checkTaskStatus"] = {
        "success": True, "completed": task["status"] == "complete", "inSync": in_sync, "task": task,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "in_sync", "code", "said"),
    [
        ({}, True, 0, "kaspa-node is in sync now"),
        ({"reason": "no-peers"}, False, 7, "kaspa-node is not in sync now: it has no peers"),
        ({"health": "behind", "behind": 840.2, "reason": "no-peers"}, False, 7,
         "kaspa-node is behind by 15 min: it has no peers"),
        ({"health": "stalled"}, False, 7, "kaspa-node is stalled"),
        ({"health": "unreachable", "reason": "refused"}, False, 7,
         "kaspa-node is not reachable since 12:00: 127.0.0.1:16110 refuses"),
        ({"health": "unknown", "reason": "clock-skew"}, None, 7,
         ("kaspa-node is complete, but whether it is in sync is not known: the clock of\n"
          "this host is wrong")),
        ({"health": "unknown"}, None, 7,
         "kaspa-node is complete, but whether it is in sync is not known"),
        ({"watch": "paused", "health": "unknown"}, None, 7,
         ("kaspa-node is complete, but its watch is paused: nobody knows how it is now\n"
          "  To go on: kaspad-taskctl resume node-sync-kaspa-node")),
        ({"watch": "none", "health": "unknown"}, None, 7,
         "kaspa-node is complete, but no watch is kept over it: nobody knows how it is now"),
        ({"status": "error", "error": "Wrong network."}, None, 4,
         "kaspa-node failed: Wrong network."),
        ({"status": "cancelled"}, None, 5,
         "Watching kaspa-node was stopped before it was complete"),
    ],
)  # fmt: skip
def test_the_answer_of_this_moment(
    ctl: Ctl, taskd: ScriptedTaskd, fields: dict[str, Any], in_sync: bool | None, code: int,
    said: str,
) -> None:  # fmt: skip
    """0 only where it is in sync now; a sentence for each other case."""
    asked(taskd, in_sync, **fields)
    assert ctl("wait", "--now", "kaspa-node") == (code, said + "\n", "")
    assert ("checkTaskStatus", {"taskId": "node-sync-kaspa-node"}) in taskd.asked
    assert "waitTask" not in [method for method, _params in taskd.asked]


def test_what_goes_on_is_asked_and_not_waited_for(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Exit 6, as where the time is up: how far it is."""
    taskd.answers["checkTaskStatus"] = {"completed": False, "task": golden_task("kaspa-node")}
    assert ctl("wait", "kaspa-node", "--now") == (
        6, "kaspa-node is not ready yet: ~71 %, 1 hour 20 min left\n", "",
    )  # fmt: skip


def test_a_daemon_that_does_not_say_it_is_believed_by_the_health(
    ctl: Ctl, taskd: ScriptedTaskd
) -> None:
    """An earlier one: its health is all that it tells."""
    taskd.answers["checkTaskStatus"] = {"completed": True, "task": NODE}
    assert ctl("wait", "--now", "kaspa-node")[0] == 0


def test_what_was_removed_meanwhile(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """As with plain wait: exit 1."""
    taskd.answers["checkTaskStatus"] = Error(-32001, "gone", reason="not-found")
    assert ctl("wait", "--now", "kaspa-node")[:2] == (
        1, "kaspa-node was removed before it was complete\n")  # fmt: skip


def test_json_is_the_task(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """As plain wait prints it, with the exit code of this moment."""
    asked(taskd, False, health="behind")
    code, out, _err = ctl("wait", "--now", "kaspa-node", "--json")
    assert (code, json.loads(out)["health"]) == (7, "behind")


def each(params: Any) -> Any:
    """One that is in sync, one behind, one that goes on."""
    task = {**NODE, "id": params["taskId"], "service": params["taskId"]}
    if task["id"] == "b":
        return {"inSync": False, "task": {**task, "health": "behind"}}
    if task["id"] == "c":
        return {"inSync": None, "task": {**task, "status": "in-progress"}}
    return {"inSync": True, "task": task}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("a",), 0), (("a", "b"), 7), (("a", "c"), 6), (("a", "b", "c"), 7), (("a", "nope"), 1),
        (("a", "b", "--any"), 0), (("b", "c", "--any"), 7), (("--all",), 7), (("[ac]",), 6),
        (("d*",), 0),
    ],
)  # fmt: skip
def test_of_several_the_worst_counts(
    ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...], code: int
) -> None:
    """4, 5, 1, 7, 6, 0 in this order; with --any one in sync is enough. All: live, and on watch."""
    tasks = [{**NODE, "id": task_id, "service": task_id} for task_id in "abc"]
    tasks.append({**NODE, "id": "d", "service": "d", "watch": "none"})
    by_id = {task["id"]: task for task in tasks}
    taskd.answers |= {
        "getAllTasks": tasks, "checkTaskStatus": each,
        "getTask": lambda params: by_id.get(params["taskId"]),
        "getTasksByService": [],
    }  # fmt: skip
    ran, out, err = ctl("wait", "--now", *words)
    assert ran == code
    assert ("there is no task nope" in err) == ("nope" in words)
    lines = out.splitlines()
    assert len(lines) == {"--all": 3, "[ac]": 2, "d*": 1}.get(
        words[0], len([word for word in words if len(word) == 1])
    )
