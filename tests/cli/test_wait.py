"""`wait`: how each end is said, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.cli import ending, wait
from kaspad_taskd.cli.ending import code_of_all
from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task
from tests.fakes.kept import BEHIND, watched
from tests.fakes.set_time import SetTime
from tests.fakes.taskd import Error, Hangup, ScriptedTaskd

Ctl = Callable[..., Ran]


def then(*answers: Any) -> Callable[[Any], Any]:
    """Each answer in turn, the last one again and again."""
    left = list(answers)
    return lambda _params: left.pop(0) if len(left) > 1 else left[0]


def ended(service: str, **fields: Any) -> dict[str, Any]:
    return {**golden_task(service), **fields}


READY = ended("kaspa-node", status="complete", completedAt="2026-11-23T15:32:00.000Z")


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (READY, 0, "kaspa-node is ready after 4 hours 30 min"),
        (watched(), 0, "kaspa-node is ready after 4 hours 30 min"),
        (ended("kaspa-node", status="error", error="Wrong network."), 4,
         "kaspa-node failed: Wrong network."),
        (ended("kaspa-node", status="cancelled"), 5,
         "Watching kaspa-node was stopped before it was complete"),
        (Error(-32001, "gone", reason="not-found"), 1,
         "kaspa-node was removed before it was complete"),
    ],
)  # fmt: skip
def test_each_end_has_its_code(
    ctl: Ctl, taskd: ScriptedTaskd, end: Any, code: int, said: str
) -> None:
    """Complete 0, error 4, cancelled 5, removed 1; the verdict on stdout."""
    taskd.answers["waitTask"] = then(golden_task("kaspa-node"), end)
    assert ctl("wait", "kaspa-node") == (code, said + "\n", "")


def test_the_time_is_up(ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6, with how far it is and how long it will take still."""
    passed = SetTime()
    monkeypatch.setattr(wait, "time", passed)

    def later(params: Any) -> Any:
        passed.now += params["timeout"] / 1000
        return golden_task("kaspa-node")

    taskd.answers["waitTask"] = later
    code, out, _err = ctl("wait", "kaspa-node", "--timeout", "40s")
    assert (code, out) == (
        6, "kaspa-node is not ready after 40 seconds: ~71 %, 1 hour 20 min left\n")  # fmt: skip
    waits = [params["timeout"] for method, params in taskd.asked if method == "waitTask"]
    assert waits == [25_000, 15_000]


def test_what_has_ended_is_not_waited_for(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A task that is complete already answers at once."""
    assert ctl("wait", "headers-import")[0] == 0
    assert "waitTask" not in [method for method, _params in taskd.asked]


def test_what_is_wrong_since_is_told_beside_the_verdict(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Scripts read the verdict on stdout, a person what stands below it on stderr."""
    task = watched(**BEHIND)
    taskd.answers |= {"getTask": task, "getAllTasks": [task]}
    code, out, err = ctl("wait", "kaspa-node")
    assert (code, out) == (0, "kaspa-node is ready after 4 hours 30 min\n")
    assert " ".join(err.split()).startswith("kaspa-node is behind by 14 min since ")
    assert err.rstrip().endswith(": it has no peers.")


@pytest.mark.parametrize("health", ["behind", "stalled", "unreachable", "unknown"])
def test_what_is_complete_is_so_whatever_its_watch_says(
    ctl: Ctl, taskd: ScriptedTaskd, health: str
) -> None:
    """Status alone decides, of one and of several; --now asks for the other."""
    task = {**READY, "watch": "on", "health": health}
    taskd.answers |= {"getTask": task, "getAllTasks": [task]}
    code, out, _err = ctl("wait", "kaspa-node")
    assert code == 0
    assert out.startswith("kaspa-node is ready after 4 hours 30 min")
    assert "waitTask" not in [method for method, _params in taskd.asked]
    assert ctl("wait", "--all")[0] == 0  # nothing to wait for


def test_a_restart_is_waited_out(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A daemon that goes away in between and comes back is no end."""
    taskd.answers["waitTask"] = then(Hangup(), Hangup(), READY)
    assert ctl("wait", "kaspa-node")[0] == 0


def test_a_daemon_that_stays_away_is_exit_3(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script does not hang for ever on a daemon that was stopped."""
    monkeypatch.setattr(ending, "GRACE", 0.1)
    taskd.answers["waitTask"] = Hangup()
    assert ctl("wait", "kaspa-node")[0] == 3


def test_json_is_the_task_as_it_ended(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """With --json the task itself, the same exit code."""
    taskd.answers["waitTask"] = READY
    code, out, _err = ctl("wait", "kaspa-node", "--json")
    assert (code, json.loads(out)) == (0, READY)


def test_ctrl_c_is_exit_130(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's own end is neither success nor failure."""

    def interrupted(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(wait, "_next", interrupted)
    assert ctl("wait", "kaspa-node") == (130, "", "")


def test_of_several_ends_the_worst_counts() -> None:
    """One that goes on: no end yet; else error before cancelled before removed before complete."""
    done, failed = {"status": "complete"}, {"status": "error"}
    assert code_of_all([done, {"status": "paused"}]) is None
    assert code_of_all([done, done]) == 0
    assert code_of_all([done, None]) == 1
    assert code_of_all([None, {"status": "cancelled"}, failed]) == 4
