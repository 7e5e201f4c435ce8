"""One command line: what it says, on which stream, with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaspad_taskd.cli.main import run
from kaspad_taskd.version import __version__
from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task, golden_tasks
from tests.fakes.kept import PAUSED, watched
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import Error, Hangup, ScriptedTaskd, answering

Ctl = Callable[..., Ran]
SIGNS = tuple("▸!·‖✓✗–")  # noqa: RUF001 - an en dash, meant


def test_without_a_verb_the_verdict_comes_first(ctl: Ctl) -> None:
    """The verdict, the list, then what is in trouble."""
    code, out, err = ctl()
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("▸ kaspa-node is syncing, about 1 hour 20 min left, ready around")
    assert lines[1].startswith("  SERVICE")
    assert sum(line.startswith(SIGNS) for line in lines[2:]) == len(golden_tasks()) + 3


def test_list_has_ids_for_scripts(ctl: Ctl) -> None:
    """--ids prints the ids alone."""
    code, out, _err = ctl("list", "--ids")
    assert (code, out.splitlines()) == (0, [task["id"] for task in golden_tasks()])


@pytest.mark.parametrize("name", ["kaspa-node", "node-sync-kaspa-node"])
def test_a_task_is_named_by_id_or_service(ctl: Ctl, name: str) -> None:
    """Both ways lead to the same page."""
    code, out, _err = ctl("status", name)
    assert code == 0
    assert "node-sync-kaspa-node, attempt 1" in out


def test_an_ambiguous_service_names_its_tasks(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Two tasks of a service: the error names them both."""
    twin = {**golden_task("kaspa-node"), "id": "twin"}
    taskd.answers.update(answering([golden_task("kaspa-node"), twin]))
    assert ctl("status", "kaspa-node") == (
        1,
        "",
        (
            "kaspad-taskctl: kaspa-node has more than one task\n"
            "  Name one of them: node-sync-kaspa-node, twin\n"
        ),
    )


def test_an_unknown_task_names_the_known_ones(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """No such task: the first known ids; without any, how to begin."""
    code, out, err = ctl("status", "nope")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: there is no task nope\n  Known: node-sync-kaspa-node, ")
    assert err.endswith(", ...\n")
    taskd.answers.update(answering([]))
    assert "register --help" in ctl("status", "nope")[2]


def test_json_is_the_answer_unchanged(ctl: Ctl) -> None:
    """--json prints the result on one line, in ASCII."""
    code, out, _err = ctl("list", "--json")
    assert code == 0
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == golden_tasks()
    assert json.loads(ctl("--json", "status", "lonely")[1]) == golden_task("lonely")


def test_a_failure_in_json_is_one_line_on_stderr(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """With --json a refusal is the error object, stdout empty, the same exit code."""
    taskd.answers["cancelTask"] = Error(-32003, "the task is complete", reason="not-allowed")
    code, out, err = ctl("cancel", "headers-import", "--json")
    assert (code, out) == (1, "")
    assert json.loads(err)["error"]["data"] == {"reason": "not-allowed"}
    code, out, err = ctl("status", "nope", "--json")
    assert (code, out) == (1, "")
    assert json.loads(err)["error"]["data"]["reason"] == "no-task"


@pytest.mark.parametrize(
    ("verb", "method", "said"),
    [
        ("start", "startMonitoring", "kaspa-node is watched, every 10 s"),
        ("pause", "pauseTask", "Watching kaspa-node is paused; the work itself goes on"),
        ("cancel", "cancelTask", "Watching kaspa-node is stopped"),
        ("retry", "retryTask", "kaspa-node is watched again, attempt 2"),
        ("remove", "removeTask", "node-sync-kaspa-node is removed"),
    ],
)
def test_a_change_is_made_and_said(
    ctl: Ctl, taskd: ScriptedTaskd, verb: str, method: str, said: str
) -> None:
    """The right method is called with the task's id; the sentence says what has become of it."""
    task = {**golden_task("kaspa-node"), "attempt": 2}
    taskd.answers[method] = {"success": True, "taskId": task["id"], "task": task,
                             "checkInterval": 10_000}  # fmt: skip
    code, out, _err = ctl(verb, "kaspa-node")
    assert (code, taskd.asked[-1]) == (0, (method, {"taskId": "node-sync-kaspa-node"}))
    assert out.startswith(said)


def test_a_watch_goes_on_at_its_own_pace_and_says_why_no_look_is_taken(
    ctl: Ctl, taskd: ScriptedTaskd
) -> None:
    """Of what is complete and kept watch on the pace is that of its watch."""
    paused = watched(**PAUSED, actions=["start"])
    taskd.answers["getTask"] = paused
    taskd.answers["startMonitoring"] = {"success": True, "checkInterval": 250}
    assert ctl("start", "kaspa-node")[1] == "kaspa-node is watched, every 30 s\n"
    taskd.answers["checkTaskStatus"] = {"success": True, "completed": True, "task": paused}
    out = ctl("check", "kaspa-node")[1]
    assert out.startswith("kaspa-node was not looked at: its watch is paused.")
    assert "Next       Go on: kaspad-taskctl start kaspa-node" in out


def test_check_shows_the_task_after_the_look(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """`check` shows what the look found."""
    task = golden_task("utxo-node")
    taskd.answers["checkTaskStatus"] = {"success": True, "completed": False, "task": task}
    assert "3,310,000 entries so far" in ctl("check", "utxo-node")[1]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ("headers-import", "it is complete"),
        ("failed-job", "it has failed"),
        ("stopped-job", "watching it was stopped"),
        ("paused-thing", "watching it is paused"),
        ("not-started", "it is not watched yet"),
    ],
)
def test_check_says_that_it_does_not_look(
    ctl: Ctl, taskd: ScriptedTaskd, service: str, why: str
) -> None:
    """Nobody takes what has ended for what was seen just now; what is known follows."""
    task = golden_task(service)
    taskd.answers["checkTaskStatus"] = {"success": True, "completed": True, "task": task}
    code, out, _err = ctl("check", service)
    assert code == 0
    assert out.startswith(f"{service} was not looked at: {why}")
    assert f"  Task       {task['id']}" in out


def test_check_does_not_look_at_what_reports(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """And says what was reported."""
    task = {**golden_task("headers-import"), "status": "in-progress", "health": "ok"}
    taskd.answers["getTasksByService"] = [task]
    taskd.answers["checkTaskStatus"] = {"success": True, "completed": False, "task": task}
    out = ctl("check", "headers-import")[1]
    assert out.startswith("headers-import was not looked at: its program reports by itself")


REFUSALS = [
    (Error(-32003, "the task is complete", reason="not-allowed"), "kaspad-taskctl status lonely"),
    (Error(-32006, "not saved: disk full", reason="store-unavailable"), "Nothing was changed"),
    (Error(-32603, "internal error", incident="1a2b"), "the cause under 1a2b."),
    (Error(-32601, "method not found"), "Stop it and start it in the installed version: kaspad-t"),
    (Error(-32008, "too many", reason="busy", limit=64), "Try again in a moment."),
]


@pytest.mark.parametrize(("refusal", "cure"), REFUSALS)
def test_a_refusal_has_its_cure(ctl: Ctl, taskd: ScriptedTaskd, refusal: Error, cure: str) -> None:
    """What the daemon said, then what to do."""
    taskd.answers["cancelTask"] = refusal
    code, out, err = ctl("cancel", "lonely")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: ")
    assert cure in err


def test_faults_of_a_definition_are_all_named(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Each key with its problem, on a line of its own."""
    faults = [{"key": "interval", "problem": "is no duration"}, {"key": "x", "problem": "unknown"}]
    taskd.answers["registerTask"] = Error(-32004, "bad", reason="invalid-definition", faults=faults)
    code, _out, err = ctl("register", "report", "import", "--interval", "soon")
    assert code == 1
    assert err.splitlines()[1:] == ["  interval: is no duration", "  x: unknown"]


def test_no_daemon_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong, where, and how to start it."""
    assert run(["--socket", str(tmp_path / "none"), "list"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "it has no socket at" in told.err
    assert f"Start it: kaspad-taskd --runtime-dir {tmp_path}" in told.err
    assert "systemctl" not in told.err


def test_a_connection_lost_amid_an_answer_is_exit_3(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The daemon went away: try again."""
    taskd.answers["getAllTasks"] = Hangup()
    code, out, err = ctl("list")
    assert (code, out) == (3, "")
    assert "closed the connection" in err


@pytest.mark.parametrize("answer", [None, 7, "x", [None], [{"id": 1}], {"tasks": 3}, [[]]])
def test_an_answer_of_another_shape_is_no_traceback(
    ctl: Ctl, taskd: ScriptedTaskd, answer: Any
) -> None:
    """A daemon of another version may answer anything: one sentence, never a traceback."""
    taskd.answers.update(getAllTasks=answer, getTask=answer, getEvents=answer, ping=answer,
                         listDefinitions=answer, getInfo=answer, waitTask=answer)  # fmt: skip
    for words in (["list"], ["status", "x"], ["events"], ["definitions"], ["doctor"]):
        code, _out, err = ctl(*words)
        assert code in (0, 1)
        assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [["bogus"], ["status", "a", "b"], ["wait"], ["list", "--nope"],
     ["wait", "x", "--timeout", "3w"], ["register"], ["report", "lonely", "novalue"],
     ["report", "x", "--complete", "--error", "y"],
     ["--color", "blue"], ["call", "x", "{"],
     ["call", "x", "3"], ["call", "x", "{}", "a=1"], ["call", "x", "a=1", "{}"],
     ["call", "x", "[NaN]"], ["register", "report", "x", "=1"]],
)  # fmt: skip
def test_a_wrong_command_line_is_exit_2(ctl: Ctl, words: list[str]) -> None:
    """Nothing on stdout, one sentence and where help stands on stderr."""
    code, out, err = ctl(*words)
    assert (code, out) == (2, "")
    assert err.startswith("kaspad-taskctl: ")
    assert err.count("\n") == 2


def test_register_takes_words(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """KEY=VALUE fill the checker; options stand beside; values are JSON where they read so."""
    task = golden_task("first-look")
    answer = {"success": True, "taskId": task["id"], "task": task, "created": True}
    for method in ("registerTask", "registerNodeSyncTask", "registerIndexerSyncTask"):
        taskd.answers[method] = answer
    code, out, _err = ctl("register", "node-sync", "n", "port=16210", "--interval", "5s", "host=h")
    assert (code, out) == (0, "http-json-first-look is registered: first check\n")
    assert taskd.asked[-1] == (
        "registerNodeSyncTask",
        {"service": "n", "port": 16210, "host": "h", "checkInterval": "5s"},
    )
    ctl("register", "node-sync", "n", "url=grpc://h:1")
    assert taskd.asked[-1][1] == {
        "type": "node-sync", "service": "n", "config": {"url": "grpc://h:1"}}  # fmt: skip
    ctl("register", "indexer-sync", "i", "indexerUrl=http://h:1", "--after", "a", "--no-start")
    assert taskd.asked[-1] == (
        "registerIndexerSyncTask",
        {"service": "i", "indexerUrl": "http://h:1", "after": ["a"], "start": False},
    )


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--keep-watching", "true"), {"keepWatching": True}),
        (("--keep-watching=false",), {"keepWatching": False}),
        (("--keep-watching",), {"keepWatching": True}),
        (("--no-keep-watching",), {"keepWatching": False}),
        (("--watch-interval", "1min"), {"watchInterval": "1min"}),
        (("--behind-after", "5min", "--relapse-after", "2h"),
         {"behindAfter": "5min", "relapseAfter": "2h"}),
        ((), {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_register_says_how_watch_is_kept(
    ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...], sent: dict[str, Any], first: bool
) -> None:
    """By options named as the keys are, before or behind type and service; unsaid, unsent."""
    named = ("report", "import")
    taskd.answers["registerTask"] = {
        "success": True, "taskId": "import", "created": True, "task": golden_task("headers-import"),
    }  # fmt: skip
    assert ctl("register", *(words + named if first else named + words))[0] == 0
    assert taskd.asked[-1][1] == {"type": "report", "service": "import", "config": {}, **sent}


def test_register_takes_a_definition_file(ctl: Ctl, taskd: ScriptedTaskd, tmp_path: Path) -> None:
    """TOML as in tasks.d becomes the wire's camelCase, the file's name the id."""
    task = golden_task("first-look")
    taskd.answers["registerTask"] = {"task": task, "created": False}
    file = tmp_path / "my-task.toml"
    file.write_text(
        'type = "http-json"\nservice = "s"\ninterval = "5s"\nstall_after = "1min"\n'
        '[checker]\nurl = "http://h"\nmax_lag = "60s"\n'
    )
    assert "was registered already" in ctl("register", "--file", str(file))[1]
    assert taskd.asked[-1][1] == {
        "id": "my-task", "type": "http-json", "service": "s", "checkInterval": "5s",
        "stallAfter": "1min", "config": {"url": "http://h", "maxLag": "60s"},
    }  # fmt: skip
    file.write_text("type = ")
    assert ctl("register", "--file", str(file))[0] == 1
    assert ctl("register", "--file", str(tmp_path))[0] == 1


def test_report_tells_what_is_given(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Only what is said is sent, metadata as KEY=VALUE."""
    task = golden_task("not-started")
    taskd.answers["reportTask"] = {"success": True, "task": task}
    assert ctl("report", "not-started", "--progress", "42.5", "rows=7", "stage=copy")[0] == 0
    assert taskd.asked[-1][1] == {
        "taskId": task["id"], "progress": 42.5, "metadata": {"rows": 7, "stage": "copy"},
    }  # fmt: skip


EVENT = {"timestamp": "2026-11-23T13:41:07.000Z", "taskId": "a", "service": "kasia-indexer"}


def _event(seq: int, **data: Any) -> dict[str, Any]:
    return {"seq": seq, "event": "sync:health", "data": {**EVENT, "seq": seq, **data}}


def test_events_are_one_sentence_a_line(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The newest --last of them, oldest first; with --json one object a line."""
    told = [_event(1042, health="unreachable", reason="refused"), _event(1043, health="ok")]
    taskd.answers["getEvents"] = {"events": told, "seq": 1043, "oldest": 1}
    code, out, _err = ctl("events", "--last", "2")
    assert (code, taskd.asked[-1][1]["limit"]) == (0, 2)
    assert [line.split("  ", 2)[-1].strip() for line in out.splitlines()] == [
        "kasia-indexer  not reachable: connection refused",
        "kasia-indexer  answers again",
    ]
    assert [json.loads(line) for line in ctl("events", "--json")[1].splitlines()] == told


def test_events_after_a_number_come_page_by_page(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """All that followed, however many: pages of a thousand."""

    def page(params: dict[str, Any]) -> dict[str, Any]:
        first = params["after"] + 1
        told = [_event(n, health="ok") for n in range(first, min(first + 1000, 2501))]
        return {"events": told, "seq": 2500, "oldest": 1}

    taskd.answers["getEvents"] = page
    _code, out, _err = ctl("events", "--after", "0", "--json")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == list(range(1, 2501))


def _journal(params: dict[str, Any]) -> dict[str, Any]:
    """2,500 events, answered as the daemon does."""
    every = [_event(n, health="ok") for n in range(1, 2501)]
    if "before" in params:
        told = [one for one in every if one["seq"] < params["before"]][-params["limit"] :]
    else:
        told = [one for one in every if one["seq"] > params["after"]][: params["limit"]]
    return {"events": told, "seq": 2500, "oldest": 1}


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("--after 2490", 2491),
        ("--after 2490 --last 3", 2498),
        ("--last 3 --after 2499", 2500),
        ("--after 100 --last 2000", 501),
        ("--last 1500", 1001),
        ("", 2481),
    ],
)
def test_after_and_last_go_together(ctl: Ctl, taskd: ScriptedTaskd, words: str, first: int) -> None:
    """The newest N of those that followed a number, also where they are several pages."""
    taskd.answers["getEvents"] = _journal
    out = ctl("events", "--json", *words.split())[1]
    assert [json.loads(line)["seq"] for line in out.splitlines()] == list(range(first, 2501))


def test_none_of_the_last_is_none(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Or none that followed."""
    taskd.answers["getEvents"] = _journal
    for words in ("--last 0", "--last 0 --after 3", "--last 5 --after 2500"):
        assert ctl("events", *words.split())[:2] == (0, "")


def test_what_is_not_kept_any_more_is_said_with_last_too(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A gap is not hidden by how few are asked for."""
    gap = Error(-32007, "not kept any more", reason="gap", oldest=7)
    taskd.answers["getEvents"] = lambda given: gap if "after" in given else _journal(given)
    code, _out, err = ctl("events", "--after", "1", "--last", "2")
    assert (code, "events --after 7" in err) == (1, True)


def test_events_of_tasks_with_one_service_have_their_ids(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Of those that are known, and of those that were removed; others have the name alone."""
    one, two, alone = "node-sync-" + "a" * 40, "node-sync-" + "a" * 39 + "b", "import"
    told = [
        _event(1, taskId=one, service="node", health="ok"),
        _event(2, taskId=two, service="node", health="ok"),
        _event(3, taskId=alone, service="import", health="ok"),
    ]
    tasks = [{**golden_task("kaspa-node"), "id": one, "service": "node"}]
    taskd.answers |= {"getEvents": {"events": told, "seq": 3, "oldest": 1}, "getAllTasks": tasks}
    lines = ctl("events")[1].splitlines()
    assert f"node ({one}) answers again" in lines[0]
    assert f"node ({two}) answers again" in lines[1]
    assert "(" not in lines[2]


def test_reload_with_faults_is_exit_1(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What changed is said, then each fault with its file."""
    fault = {"file": "/etc/kaspad-taskd/tasks.d/x.toml", "key": "interval", "problem": "is none"}
    taskd.answers["reload"] = {"added": ["a"], "changed": [], "removed": ["b", "c"],
                               "settings": ["bridge.listen", "log_level"],
                               "faults": [fault], "needRestart": ["bridge.listen"]}  # fmt: skip
    code, out, _err = ctl("reload")
    assert (code, out.splitlines()) == (
        1,
        ["added a", "removed b, c", "settings changed: bridge.listen, log_level",
         "takes effect at a restart: bridge.listen", "  x.toml, interval: is none"],
    )  # fmt: skip
    taskd.answers["reload"] = {}
    assert ctl("reload")[:2] == (0, "nothing changed\n")


def test_who_may_not_read_the_state_is_told_who_may(
    ctl: Ctl, taskd: ScriptedTaskd, tmp_path: Path
) -> None:
    """Before anything is made."""
    taskd.answers["getInfo"] = {"host": "h", "store": {"path": str(tmp_path / "closed/state.db")}}
    code, out, err = ctl("backup", "--to", str(tmp_path))
    assert (code, out) == (1, "")
    assert "you may not read it" in err
    assert f"sudo kaspad-taskctl backup --to {tmp_path}" in err
    assert taskd.times("backup") == 0


@pytest.mark.parametrize("kind", ["pipe", "link", "other", "missing", "directory"])
def test_what_is_no_copy_is_not_brought_anywhere(
    ctl: Ctl, taskd: ScriptedTaskd, tmp_path: Path, kind: str
) -> None:
    """Whatever is answered: root copies no other file, waits for no pipe, removes nothing."""
    state, to, secret = tmp_path / "state.db", tmp_path / "to", tmp_path / "secret"
    path = tmp_path / "backup-20261129T205300.123456Z.db"
    state.touch()
    to.mkdir()
    secret.write_text("hunter2")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(secret)
    elif kind == "directory":
        path.mkdir()
    elif kind == "other":
        path = secret
    taskd.answers["getInfo"] = {"host": "h", "store": {"path": str(state)}}
    taskd.answers["backup"] = {"path": str(path)}
    code, out, err = ctl("backup", "--to", str(to), "--keep", "1")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: ")
    assert "Traceback" not in err
    assert list(to.iterdir()) == []
    assert secret.read_text() == "hunter2"
    assert kind in ("missing", "pipe") or path.exists()


def test_backup_prints_the_path_alone(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Fit for $(kaspad-taskctl backup)."""
    taskd.answers["backup"] = {"path": "/var/lib/x.db"}
    assert ctl("backup") == (0, "/var/lib/x.db\n", "")


def test_token_new_says_where_it_is(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Not what it is; without its word, or with another one, nothing is made."""
    taskd.answers["newToken"] = {"success": True, "tokenFile": "/var/lib/x/bridge.token"}
    code, out, err = ctl("token", "new")
    assert (code, err) == (0, "")
    assert "/var/lib/x/bridge.token" in out
    assert ctl("token")[0] == ctl("token", "old")[0] == 2


def test_strategy_takes_the_only_node(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Without TASK it is the node; with several the error names them."""
    taskd.answers["getSyncStrategy"] = {
        "recommended": "background", "estimatedTime": "1 minute", "estimatedSeconds": 60,
        "note": None,
        "options": [{"id": "wait", "label": "Wait here", "description": "x"},
                    {"id": "background", "label": "Go on", "description": "y"}]}  # fmt: skip
    code, _out, err = ctl("strategy")
    assert (code, "more than one task" in err) == (1, True)
    out = ctl("strategy", "kaspa-node")[1]
    assert "about 1 minute left" in out
    assert "▸ Go on" in out
    assert "  Wait here\n    x\n" in out
    taskd.answers["getSyncStrategy"] |= {"note": "kaspa-node is behind.", "estimatedSeconds": None}
    assert ctl("strategy", "kaspa-node")[1].startswith("kaspa-node is behind.\n")
    taskd.answers["getSyncStrategy"] |= {"note": None}
    assert "the time left is not known\n" in ctl("strategy", "kaspa-node")[1]


def test_call_answers_in_json(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Any method, with an object or a list; an unknown one is said so."""
    taskd.answers["getHistory"] = lambda params: {"given": params}
    assert json.loads(ctl("call", "getHistory", '{"points": 3}')[1]) == {"given": {"points": 3}}
    words = [
        "points=3",
        "taskId=a=b",
        "from=2026-11-29",
        "x=[1]",
        "y=[NaN]",
        "z=-1",
        "--json",
        "n=",
    ]
    assert json.loads(ctl("call", "getHistory", *words)[1])["given"] == {
        "points": 3, "taskId": "a=b", "from": "2026-11-29", "x": [1], "y": "[NaN]", "z": -1,
        "n": "",
    }  # fmt: skip
    assert json.loads(ctl("call", "getHistory", '["a", 3]')[1]) == {"given": ["a", 3]}
    code, _out, err = ctl("call", "nothing")
    assert code == 1
    assert "rpc.discover" in err


def test_version_and_help_need_no_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    """--version, --help, and each verb's --help with an example."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"kaspad-taskctl {__version__}\n"
    assert run(["--help"]) == 0
    overview = capsys.readouterr().out
    assert max(map(len, overview.splitlines())) <= 80
    for verb in ("list", "watch", "doctor", "call"):
        assert run([verb, "--help"]) == 0
        text = capsys.readouterr().out
        assert f"example: kaspad-taskctl {verb}" in text
        assert max(map(len, text.splitlines())) <= 80


def test_a_reader_who_leaves_ends_it_quietly(taskd: ScriptedTaskd) -> None:
    """`kaspad-taskctl list | head -0` says nothing on stderr."""
    taskd.answers["getAllTasks"] = golden_tasks() * 400
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.path), "list"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(PATIENCE) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("words", [["list"], ["list", "--json"]])
def test_a_full_disk_is_no_traceback(taskd: ScriptedTaskd, words: list[str]) -> None:
    """What a script writes into a file may not fit there: one sentence, exit 1."""
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.path), *words]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == ("kaspad-taskctl: its output cannot be written: No space left on device\n")


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x07\r\n\u202e漢🙂")), max_size=400
)


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(HOSTILE, HOSTILE, st.booleans())
def test_no_escape_byte_of_the_data_reaches_the_terminal(
    ctl: Ctl, taskd: ScriptedTaskd, one: str, other: str, color: bool
) -> None:
    """Names, notes, errors, units, metadata: whatever they hold, they stay text."""
    one, other = (text.encode("utf-16", "replace").decode("utf-16") for text in (one, other))
    task = {
        **golden_task("lonely"), "service": one, "note": other, "endpoint": other, "rateUnit": one,
        "syncRate": 3, "reason": other, "hints": [{"code": one, "params": {one: other}}],
        "metadata": {"network": one, "version": other}, "error": one,
        "progressDetail": {"done": 1, "total": 2, "unit": other, "basis": "exact"},
    }  # fmt: skip
    tasks = [{**task, "status": status, "health": health}
             for status, health in (("in-progress", "ok"), ("in-progress", "stalled"),
                                    ("error", "unknown"), ("complete", "unknown"))]  # fmt: skip
    taskd.answers["getAllTasks"] = tasks
    words = ["--color", "always" if color else "never"]
    for index, command in enumerate([["list"], *[["status", "x"]] * 4]):
        taskd.answers["getTask"] = tasks[index - 1]
        code, out, _err = ctl(*words, *command)
        assert code == 0
        for escape in ("\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"):
            out = out.replace(escape, "") if color else out
        assert "\n" in out
        assert out.replace("\n", "").isprintable()


SLOW = {
    "argparse", "typing", "dataclasses", "logging", "pathlib", "asyncio", "datetime", "unicodedata",
    "importlib.metadata", "shutil", "tomllib", "subprocess", "inspect",
    # of ours, what these three need only when something is wrong, or where there is more to show
    "kaspad_taskd.cli.complaints", "kaspad_taskd.cli.options", "kaspad_taskd.cli.run.wish",
    "kaspad_taskd.cli.run.outbox", "kaspad_taskd.client.following", "kaspad_taskd.client.unit",
    "kaspad_taskd.words.record", "kaspad_taskd.words.service", "kaspad_taskd.words.status_line",
}  # fmt: skip


@pytest.mark.parametrize("words", [[], ["list"], ["status"], ["status", "kaspa-node"]])
def test_start_time_imports(taskd: ScriptedTaskd, words: list[str]) -> None:
    """`status` loads nothing that starts slowly: this is what keeps it near a bare Python."""
    code = (
        "import sys; from kaspad_taskd.cli import main;"
        f"sys.argv = {['x', '--socket', str(taskd.path), *words]!r}; main();"
        f"print(sorted({SLOW!r} & sys.modules.keys()), file=sys.stderr)"
    )
    env = {**os.environ, "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": str(taskd.path.parent)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    bare = subprocess.run([sys.executable, "-I", "-c", "import sys; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    loaded = set(json.loads(done.stderr.replace("'", '"')))
    assert loaded - set(bare.stdout.split()) == set()


@pytest.mark.parametrize("words", [(), ("list",), ("status",), ("status", "kaspa-node")])
def test_a_store_that_saves_nothing_is_said_first(
    ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...]
) -> None:
    """Whatever is asked: who sees tasks move must not think that they are kept."""
    full = {"durable": False, "problem": "the disk of /var/lib/kaspad-taskd is full"}
    taskd.answers["getInfo"] = {"store": full}
    lines = ctl(*words)[1].splitlines()
    assert lines[:2] == [
        "! Nothing is saved: the disk of /var/lib/kaspad-taskd is full.",
        "  kaspad-taskctl doctor",
    ]
    taskd.answers["getInfo"] = {"store": {"durable": True, "problem": None}}
    assert ctl(*words)[1].splitlines() == lines[2:]
