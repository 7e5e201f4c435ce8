"""How each verb is left: Ctrl-C, and a reader that has gone. Never a traceback, never a mess."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.golden import golden_task, golden_tasks
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import ScriptedTaskd, answering, scripted

EVENT = {"taskId": "a", "service": "a", "type": "report", "timestamp": "2026-11-23T14:05:40.000Z"}
EVENTS = [{"seq": n, "event": "sync:paused", "data": {"seq": n, **EVENT}} for n in (1, 2, 3)]
NODE = golden_task("kaspa-node")
ANSWERS: dict[str, Any] = {
    "getEvents": {"events": EVENTS, "seq": 3, "oldest": 1},
    "listDefinitions": [
        {"id": "a", "type": "report", "origin": "admin", "state": "masked", "file": None}
    ],
    "reload": {"added": [], "changed": [], "removed": [], "faults": [], "needRestart": []},
    "backup": {"path": "/x"},
    "getServices": [],
    "getSyncStrategy": {"recommended": "wait", "options": [], "estimatedTime": "Calculating..."},
    "ping": {"version": "0"},
    "registerTask": {"task": NODE, "created": True},
    "reportTask": {"task": NODE},
    "checkTaskStatus": {"task": NODE},
    **{
        each: {"task": NODE, "taskId": NODE["id"], "checkInterval": 10_000}
        for each in (
            "startMonitoring",
            "resumeTask",
            "pauseTask",
            "cancelTask",
            "retryTask",
            "removeTask",
        )
    },
}
VERBS = (
    "", "list", "list --ids", "list --json", "status", "status kaspa-node", "watch --json",
    "watch kaspa-node", "register report a", "start kaspa-node", "pause kaspa-node",
    "pause kaspa-node lonely", "resume --all", "wait --all --any", "list --failed", "ls kas*",
    "events --since 9999d --type sync:*", "definitions show a", "definitions unmask a",
    "call ping a=1", "check kaspa-node", "cancel kaspa-node", "retry kaspa-node",
    "remove kaspa-node", "report kaspa-node", "events", "events --json", "events --follow",
    "events --follow --last 0",
    "definitions", "reload", "switch", "strategy kaspa-node", "backup", "doctor", "call ping",
    "--help", "--version", "list --help",
)  # fmt: skip


@pytest.fixture
def taskd(tmp_path: Path) -> Iterator[ScriptedTaskd]:
    """A daemon that answers every verb."""
    with scripted(tmp_path / "s", {**answering(golden_tasks()), **ANSWERS}) as serving:
        yield serving


BARE = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def command(taskd: ScriptedTaskd, words: str) -> list[str]:
    socket = [] if words.endswith(("--help", "--version")) else ["--socket", str(taskd.path)]
    return [sys.executable, "-m", "kaspad_taskd.cli", *socket, *words.split()]


@pytest.mark.parametrize("words", VERBS)
def test_a_reader_that_has_gone_ends_each_verb_quietly(taskd: ScriptedTaskd, words: str) -> None:
    """By 141, as a shell tells a SIGPIPE; also those that wait for what comes next."""
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(command(taskd, words), stdout=writer, stderr=subprocess.PIPE, text=True,
                         timeout=PATIENCE, check=False, env=BARE)  # fmt: skip
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, "")


@pytest.mark.parametrize("words", ["events --follow", "events --follow --json", "watch"])
def test_who_follows_ends_when_the_reader_goes(taskd: ScriptedTaskd, words: str) -> None:
    """`| head -1`: though nothing happens any more that could be written."""
    process = subprocess.Popen(command(taskd, words), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("words", ["nonsense", "status nobody", "--socket /none list", "call x {"])
def test_a_complaint_that_nobody_reads_is_no_traceback(taskd: ScriptedTaskd, words: str) -> None:
    """Both outputs into a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        command(taskd, words), stdout=writer, stderr=writer, timeout=PATIENCE, check=False, env=BARE
    )
    os.close(writer)
    assert ran.returncode == 141


@contextmanager
def at_a_terminal(
    taskd: ScriptedTaskd, words: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The client in the foreground of a terminal that sends it what is typed."""
    master, slave = pty.openpty()
    argv = ["setsid", "--ctty", "env", "--default-signal=INT", *command(taskd, words)]
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read(master: int, enough: str | None) -> str:
    """Return what the terminal shows up to a text, or up to the end."""
    got, deadline = b"", time.monotonic() + PATIENCE
    while enough is None or enough.encode() not in got:
        ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{enough!r} never came: {got!r}"
        try:
            got += os.read(master, 65536)
        except OSError:  # the last of it has gone
            break
    return got.decode(errors="replace")


def column(shown: str) -> int:
    """The column in which the next prompt begins."""
    last = re.split(r"\r|\n", shown)[-1]
    return len(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last))


def held(taskd: ScriptedTaskd, method: str) -> threading.Event:
    """Let a method wait for the end of the test; set once it is asked."""
    asked = threading.Event()

    def hold(_given: Any) -> Any:
        asked.set()
        threading.Event().wait(0.5)
        return None

    taskd.answers[method] = hold
    return asked


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("events --follow", "paused"),
        ("watch", "18 hours behind"),
        ("watch kaspa-node", "18 hours behind"),
        ("watch --json", None),
        ("wait kaspa-node", "1 hour 20 min"),
    ],
)
def test_ctrl_c_leaves_a_clean_prompt(taskd: ScriptedTaskd, words: str, seen: str | None) -> None:
    """Exit 130, the cursor there and at the begin of a line, the terminal as it was."""
    taskd.answers.update(answering([NODE]))
    taskd.answers["waitTask"] = lambda _given: NODE
    with at_a_terminal(taskd, words) as (process, master):
        before = termios.tcgetattr(master)
        shown = read(master, seen) if seen else ""
        deadline = time.monotonic() + PATIENCE
        while not taskd.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(master, b"\x03")
        shown += read(master, None)
        assert process.wait(PATIENCE) == 130
        assert termios.tcgetattr(master) == before
    assert column(shown) == 0, shown
    assert "Traceback" not in shown
    assert shown.rfind("\x1b[?25h") >= shown.rfind("\x1b[?25l")


@pytest.mark.parametrize("words", ["list", "doctor", "status kaspa-node"])
def test_ctrl_c_while_there_is_no_answer(taskd: ScriptedTaskd, words: str) -> None:
    """Of a daemon that hangs."""
    asked = [held(taskd, each) for each in ("getAllTasks", "ping", "getTask")]
    with at_a_terminal(taskd, words) as (process, master):
        deadline = time.monotonic() + PATIENCE
        while not any(each.is_set() for each in asked) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(master, b"\x03")
        shown = read(master, None)
        assert process.wait(PATIENCE) == 130
    assert column(shown) == 0, shown
    assert "Traceback" not in shown
