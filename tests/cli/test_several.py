"""Verbs that take several tasks, or all: each task's own line, one exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.cli import ending, wait_several
from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.options import parse
from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task, golden_tasks
from tests.fakes.set_time import SetTime
from tests.fakes.taskd import Error, ScriptedTaskd, answering

Ctl = Callable[..., Ran]
METHODS = {"start": "startMonitoring", "resume": "resumeTask", "pause": "pauseTask",
           "cancel": "cancelTask", "retry": "retryTask", "remove": "removeTask"}  # fmt: skip


def taken(params: Any) -> Any:
    task = next(task for task in golden_tasks() if task["id"] == params["taskId"])
    if task["status"] in ("complete", "error", "cancelled"):
        return Error(-32003, f"The task is {task['status']}.", reason="not-allowed")
    return {"success": True, "taskId": task["id"], "task": task}


@pytest.fixture
def acting(taskd: ScriptedTaskd) -> ScriptedTaskd:
    taskd.answers |= dict.fromkeys(METHODS.values(), taken)
    return taskd


def acted(taskd: ScriptedTaskd, verb: str) -> list[str]:
    return [params["taskId"] for method, params in taskd.asked if method == METHODS[verb]]


@pytest.mark.parametrize("verb", METHODS)
def test_each_of_several_has_its_line(ctl: Ctl, acting: ScriptedTaskd, verb: str) -> None:
    """By id or service, in the order in which they are named; one named twice is done once."""
    code, out, err = ctl(verb, "kaspa-node", "lonely", "node-sync-kaspa-node")
    assert (code, err) == (0, "")
    assert acted(acting, verb) == ["node-sync-kaspa-node", "node-sync-lonely"]
    assert ["kaspa-node" in line for line in out.splitlines()] == [True, False]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_what_fails_is_told_and_the_others_are_done(
    ctl: Ctl, acting: ScriptedTaskd, verb: str
) -> None:
    """A name that is none and a task that has ended among them: exit 1, each cause by name."""
    code, out, err = ctl(verb, "nope", "failed-job", "kaspa-node")
    assert code == 1
    assert len(out.splitlines()) == 1
    assert "there is no task nope" in err
    assert "kaspad-taskctl: failed-job: The task is error\n" in err
    assert "kaspad-taskctl status failed-job" in err


def test_json_is_a_document_a_line_on_each_stream(ctl: Ctl, acting: ScriptedTaskd) -> None:
    """Answers on standard output, failures on standard error, each with its task."""
    code, out, err = ctl("pause", "nope", "failed-job", "kaspa-node", "lonely", "--json")
    assert code == 1
    assert [json.loads(line)["taskId"] for line in out.splitlines()] == [
        "node-sync-kaspa-node", "node-sync-lonely",
    ]  # fmt: skip
    data = [json.loads(line)["error"]["data"] for line in err.splitlines()]
    assert [(each["reason"], each["task"]) for each in data] == [
        ("no-task", "nope"), ("not-allowed", "failed-job"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "statuses"),
    [
        ("pause", {"in-progress"}),
        ("resume", {"paused"}),
        ("start", {"paused", "pending"}),
        ("cancel", {"in-progress", "paused", "pending"}),
    ],
)
def test_all_are_those_of_use(
    ctl: Ctl, acting: ScriptedTaskd, verb: str, statuses: set[str]
) -> None:
    """What has ended or is so already is no failure; who waits for another is not started."""
    assert ctl(verb, "--all")[0] == 0
    known = {task["id"]: task for task in golden_tasks()}
    wanted = [
        task_id for task_id, task in known.items()
        if task["status"] in statuses and not (verb == "start" and task["waitingFor"])
    ]  # fmt: skip
    assert acted(acting, verb) == wanted
    assert {known[task_id]["status"] for task_id in wanted} == statuses


@pytest.mark.parametrize("words", [("--all",), ("kas*",)])
@pytest.mark.parametrize(
    ("verb", "wanted"),
    [("pause", ["on"]), ("resume", ["paused"]), ("start", ["paused"]), ("cancel", [])],
)
def test_what_is_complete_and_kept_watch_on_is_among_them(
    ctl: Ctl, acting: ScriptedTaskd, verb: str, wanted: list[str], words: tuple[str, ...]
) -> None:
    """A watch is paused and resumed as a live task is; one that has no watch is left alone."""
    done = {**golden_task("kaspa-node"), "status": "complete"}
    tasks = [{**done, "id": f"kaspa-{watch}", "service": f"kaspa-{watch}", "watch": watch}
             for watch in ("none", "on", "paused")]  # fmt: skip
    acting.answers["getAllTasks"] = tasks
    acting.answers |= dict.fromkeys(
        METHODS.values(), lambda params: {"success": True, "taskId": params["taskId"], "task": done}
    )
    assert ctl(verb, *words)[0] == 0
    assert acted(acting, verb) == [f"kaspa-{watch}" for watch in wanted]


@pytest.mark.parametrize("verb", ["pause", "resume", "start", "cancel"])
def test_a_pattern_is_each_of_such_a_name(ctl: Ctl, acting: ScriptedTaskd, verb: str) -> None:
    """For which the verb is of use, as with --all; one that is of no task is a failure."""
    assert ctl(verb, "--all")[0] == 0
    every = [task_id for task_id in acted(acting, verb) if task_id.startswith("node-sync-")]
    acting.asked.clear()
    code, _out, err = ctl(verb, "node-sync-*", "no*body")
    assert (code, acted(acting, verb)) == (1, every)
    assert err.startswith("kaspad-taskctl: there is no task no*body\n  Known: ")
    acting.asked.clear()
    assert ctl(verb, "*-node")[0] == 0
    assert {task_id[-5:] for task_id in acted(acting, verb)} <= {"-node"}
    assert ctl(verb, "failed-*")[:2] == (0, f"There is no task to {verb}.\n")


@pytest.mark.parametrize("words", ["*", "x", ""])
def test_what_ends_meanwhile_is_no_failure_of_all(
    ctl: Ctl, acting: ScriptedTaskd, words: str
) -> None:
    """It was of use when all were asked for; of one that is named it is told."""
    no = Error(-32003, "The task is complete.", reason="not-allowed")
    acting.answers["pauseTask"] = no
    code, out, err = ctl("pause", words or "--all") if words != "x" else ctl("pause", "lonely")
    assert (code, out, bool(err)) == (int(words == "x"), "", words == "x")
    acting.answers["pauseTask"] = Error(-32006, "disk full", reason="store-unavailable")
    assert ctl("pause", "--all")[0] == 1


def test_two_of_a_service_are_told_apart(ctl: Ctl, acting: ScriptedTaskd) -> None:
    """By their ids."""
    twin = {**golden_task("lonely"), "service": "kaspa-node"}
    acting.answers.update(answering([golden_task("kaspa-node"), twin]))
    out = ctl("pause", "--all")[1]
    assert [word in out for word in ("(node-sync-kaspa-node)", "(node-sync-lonely)")] == [True] * 2


@pytest.mark.parametrize("verb", ["pause", "resume", "start", "cancel", "wait"])
def test_all_of_none_is_well(ctl: Ctl, acting: ScriptedTaskd, verb: str) -> None:
    """And says so; with --json there is nothing."""
    acting.answers.update(answering([golden_task("failed-job")]))
    code, out, err = ctl(verb, "--all")
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    assert ctl(verb, "--all", "--json") == (0, "", "")


@pytest.mark.parametrize("verb", [*METHODS, "wait", "check"])
def test_no_name_is_not_all(verb: str) -> None:
    """Nor are both together anything; what has no --all does not speak of it."""
    with pytest.raises(UsageFault, match="TASK"):
        parse([verb])
    with pytest.raises(UsageFault):
        parse([verb, "a", "--all"])
    assert parse([verb, "a", "--json", "b"]).task == ["a", "b"]


@pytest.mark.parametrize(("alias", "verb"), [("ls", "list"), ("ps", "list"), ("rm", "remove")])
def test_verbs_have_the_names_of_elsewhere(
    ctl: Ctl, acting: ScriptedTaskd, alias: str, verb: str
) -> None:
    """The same to every way of reading a command line, --help too."""
    words = ["import"] if verb == "remove" else []
    assert parse([alias, *words]) == parse([verb, *words])
    assert ctl(alias, "lonely" if words else "--ids") == ctl(verb, "lonely" if words else "--ids")
    assert f"kaspad-taskctl {verb}" in ctl(alias, "--help")[1]


# -- wait

READY = "2026-11-23T15:32:00.000Z"


def ending_as(**statuses: str) -> list[dict[str, Any]]:
    """The tasks of these services, with `_` for `-`, as they ended."""
    return [
        {**golden_task(service.replace("_", "-")), "status": status, "completedAt": READY}
        for service, status in statuses.items()
    ]


def told(ctl: Ctl, taskd: ScriptedTaskd, *ends: dict[str, Any], words: str = "") -> Ran:
    """Wait for kaspa-node, lonely and utxo-node, which end like this, one after the other."""
    state = {task["id"]: task for task in golden_tasks()}
    names = ("kaspa-node", "lonely", "utxo-node")
    taskd.answers["getTask"] = lambda params: state.get(params["taskId"])
    taskd.answers["subscribe"] = lambda params: {
        "seq": 1, "tasks": [task for task in state.values() if task["id"] in params["tasks"]],
    }  # fmt: skip
    taskd.answers["getTasksByService"] = lambda params: [
        task for task in state.values() if task["service"] == params["service"]
    ]

    def happen() -> None:
        assert taskd.subscribed.wait(60)
        for seq, task in enumerate(ends, 2):
            state[task["id"]] = task
            taskd.tell(seq, f"sync:{task['status']}", taskId=task["id"])

    import threading

    other = threading.Thread(target=happen)
    other.start()
    try:
        return ctl("wait", *names, *words.split())
    finally:
        other.join()


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ({"kaspa_node": "complete", "lonely": "complete", "utxo_node": "complete"}, 0),
        ({"kaspa_node": "complete", "lonely": "cancelled", "utxo_node": "complete"}, 5),
        ({"kaspa_node": "cancelled", "lonely": "error", "utxo_node": "complete"}, 4),
    ],
)
def test_all_are_waited_for_and_the_worst_counts(
    ctl: Ctl, taskd: ScriptedTaskd, ends: dict[str, str], code: int
) -> None:
    """Each has its line; error before cancelled before complete."""
    got, out, err = told(ctl, taskd, *ending_as(**ends))
    assert (got, err, len(out.splitlines())) == (code, "", 3)
    assert all(service.replace("_", "-") in out for service in ends)


def test_with_any_the_first_end_is_enough(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Its line and its code alone."""
    assert told(ctl, taskd, *ending_as(lonely="error"), words="--any")[0] == 4
    code, out, _err = told(ctl, taskd, *ending_as(utxo_node="complete"), words="--any --json")
    assert (code, [json.loads(line)["service"] for line in out.splitlines()]) == (0, ["utxo-node"])


def test_one_that_has_ended_before_counts(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """With --any at once: the first that is named."""
    code, out, _err = ctl("wait", "kaspa-node", "failed-job", "headers-import", "--any")
    assert (code, "failed-job failed" in out, len(out.splitlines())) == (4, True, 1)


def test_a_pattern_is_waited_for(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Those of it that have not ended; one that is of no task is a failure."""
    done = [{**task, "status": "complete"} for task in golden_tasks()]
    taskd.answers["subscribe"] = lambda params: {
        "seq": 1, "tasks": [task for task in done if task["id"] in params["tasks"]],
    }  # fmt: skip
    code, out, _err = ctl("wait", "node-sync-*", "failed-*")
    assert (code, len(out.splitlines())) == (0, 3)
    assert ctl("wait", "failed-*")[0] == 0
    assert ctl("wait", "no*body")[0] == 1


def test_a_removed_one_is_a_failure(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Exit 1, whatever became of the others."""
    gone = {task["id"] for task in golden_tasks()} - {"node-sync-lonely"}
    taskd.answers["subscribe"] = {
        "seq": 1,
        "tasks": [{**task, "status": "complete"} for task in golden_tasks() if task["id"] in gone],
    }
    code, out, _err = ctl("wait", "lonely", "kaspa-node")
    assert (code, "lonely was removed before it was complete" in out) == (1, True)


def test_the_time_is_up_for_those_that_go_on(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 6; who has ended by then is told as ended."""
    passed = SetTime()
    monkeypatch.setattr(wait_several, "time", passed)
    monkeypatch.setattr(
        wait_several, "hear", lambda *_given: setattr(passed, "now", passed.now + 30)
    )
    taskd.answers["ping"] = {}
    code, out, _err = ctl("wait", "kaspa-node", "headers-import", "lonely", "--timeout", "100s")
    assert code == 6
    assert [line.split()[0] for line in out.splitlines()] == [
        "headers-import", "kaspa-node", "lonely",
    ]  # fmt: skip
    assert taskd.times("ping") > 0


def test_a_restart_is_waited_out(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What ended meanwhile is seen when the daemon is back."""
    live, done = golden_tasks(), [{**task, "status": "complete"} for task in golden_tasks()]
    left = [live, live, done]

    def subscribe(_params: Any) -> Any:
        tasks = left.pop(0) if len(left) > 1 else left[0]
        if tasks is live:
            import threading

            threading.Timer(0.05, taskd.drop).start()
        return {"seq": 1, "tasks": tasks}

    taskd.answers["subscribe"] = subscribe
    assert ctl("wait", "kaspa-node", "lonely")[0] == 0
    assert taskd.times("subscribe") == 3


def test_a_daemon_that_stays_away_is_exit_3(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script does not hang for ever."""
    monkeypatch.setattr(ending, "GRACE", 0.1)
    taskd.answers["subscribe"] = Error(-32601, "no such method")
    assert ctl("wait", "kaspa-node", "lonely")[0] == 1

    def stop(_params: Any) -> Any:
        import threading

        threading.Thread(target=taskd.stop).start()
        return {"seq": 1, "tasks": golden_tasks()}

    taskd.answers["subscribe"] = stop
    assert ctl("wait", "kaspa-node", "lonely")[0] == 3
