"""`watch`: in a pipe, as JSON, and in a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import ScriptedTaskd, answering

Ctl = Callable[..., Ran]


def tell_later(taskd: ScriptedTaskd, *told: Callable[[], None]) -> threading.Thread:
    """Do these things once somebody has subscribed, each time anew."""

    def telling() -> None:
        for one in told:
            assert taskd.subscribed.wait(PATIENCE)
            one()

    thread = threading.Thread(target=telling)
    thread.start()
    return thread


def changed(taskd: ScriptedTaskd, seq: int, **fields: Any) -> Callable[[], None]:
    """From now on the node is so; an event says that something has changed."""

    def change() -> None:
        task = {**golden_task("kaspa-node"), **fields}
        taskd.answers.update(answering([task]))
        taskd.tell(seq, "sync:progress", taskId=task["id"], service=task["service"])

    return change


def test_a_pipe_gets_a_line_per_change(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """One line at first, one per whole percent, state or step; the end of all ends it."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))
    teller = tell_later(
        taskd,
        changed(taskd, 1043, progress=71.9, estimatedTimeRemaining=4790),
        lambda: taskd.wait_asked("getTask", 2),  # the first one finds it
        changed(taskd, 1044, progress=72.0),
        lambda: taskd.wait_asked("getTask", 3),
        changed(taskd, 1045, status="complete", progress=100.0),
    )
    code, out, err = ctl("watch", "kaspa-node")
    teller.join()
    assert (code, err) == (0, "")
    assert [line.split(" ", 1)[1] for line in out.splitlines()] == [
        "kaspa-node in-progress ok ~71 % step=6/7 blocks eta=4800",
        "kaspa-node in-progress ok ~72 % step=6/7 blocks eta=4800",
        "kaspa-node complete ok 100 %",
    ]
    assert "\r" not in out
    assert "\x1b" not in out


def test_a_restart_is_survived(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The connection breaks, is made again, and the tasks are taken anew."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))

    def restart() -> None:
        taskd.answers.update(answering([{**golden_task("kaspa-node"), "status": "cancelled"}]))
        taskd.drop()

    teller = tell_later(taskd, restart)
    code, out, err = ctl("watch", "kaspa-node")
    teller.join()
    assert code == 5
    assert len(out.splitlines()) == 2
    assert "reconnecting since" in err


def test_json_is_an_event_per_line(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Events as they are told, until the tasks have ended."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))
    teller = tell_later(taskd, changed(taskd, 1043, status="error", error="x"))
    code, out, _err = ctl("watch", "kaspa-node", "--json")
    teller.join()
    assert code == 4
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [1043]


def test_time_is_up_is_exit_6(ctl: Ctl) -> None:
    """With --timeout the watching ends."""
    assert ctl("watch", "--timeout", "50ms")[0] == 6


def test_a_removed_task_ends_it(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What is no longer there cannot be watched: exit 1."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))

    def remove() -> None:
        taskd.answers.update(answering([]))
        taskd.tell(1043, "task:removed", taskId="node-sync-kaspa-node", service="kaspa-node")

    teller = tell_later(taskd, remove)
    assert ctl("watch", "kaspa-node")[0] == 1
    teller.join()


@contextmanager
def in_terminal(
    taskd: ScriptedTaskd, *words: str, columns: int = 80
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The client as a process in a pseudo terminal of 24 rows."""
    master, slave = pty.openpty()
    # the tests' own shell may ignore Ctrl-C for what it runs in the background
    command = ["env", "--default-signal=INT", sys.executable, "-m", "kaspad_taskd.cli"]
    command += ["--socket", str(taskd.path), *words]
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "LINES": "24"}
    env["COLUMNS"] = str(columns)
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env)
    os.close(slave)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(master: int, wanted: str) -> str:
    """Return what the terminal got, up to a text."""
    got, deadline = b"", time.monotonic() + PATIENCE
    while wanted.encode() not in got:
        ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} never came: {got!r}"
        try:
            got += os.read(master, 65536)
        except OSError:
            raise AssertionError(f"{wanted!r} never came: {got!r}") from None
    return got.decode(errors="replace")


def test_a_terminal_shows_changes_and_gives_back_the_cursor(taskd: ScriptedTaskd) -> None:
    """The frame is painted, a change rewrites its lines, Ctrl-C ends it with 130 and a cursor."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))
    with in_terminal(taskd, "watch") as (process, master):
        first = read_until(master, "18 hours behind")
        assert "\x1b[?25l" in first
        assert "node-1" in first
        changed(taskd, 1043, health="unreachable", reason="refused")()
        assert "kaspa-node" in read_until(master, "not reachable")
        process.send_signal(signal.SIGINT)
        assert read_until(master, "\x1b[?25h")
        assert process.wait(PATIENCE) == 130


def test_a_terminal_is_told_of_a_lost_daemon(taskd: ScriptedTaskd) -> None:
    """While the daemon is away the last numbers stay, and the heading says since when."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))
    with in_terminal(taskd, "watch", "kaspa-node") as (process, master):
        read_until(master, "18 hours behind")
        taskd.stop()
        read_until(master, "reconnecting since")
        taskd.answers.update(answering([{**golden_task("kaspa-node"), "status": "complete"}]))
        taskd.start()
        read_until(master, "\x1b[?25h")
        assert process.wait(PATIENCE) == 0


def test_wait_draws_one_line_and_takes_it_away(taskd: ScriptedTaskd) -> None:
    """On a terminal's stderr the bar is rewritten in place, and gone before the verdict."""
    ready = {**golden_task("kaspa-node"), "status": "complete",
             "completedAt": "2026-11-23T15:32:00.000Z"}  # fmt: skip
    taskd.answers["waitTask"] = ready
    with in_terminal(taskd, "wait", "kaspa-node") as (process, master):
        got = read_until(master, "kaspa-node is ready after 4 hours 30 min")
        assert "6/7 blocks" in got
        assert got.rstrip().endswith("\r\x1b[Kkaspa-node is ready after 4 hours 30 min")
        assert process.wait(PATIENCE) == 0


def test_an_event_of_no_task_asks_for_none(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Somebody's switch belongs to no task."""
    taskd.answers.update(answering([golden_task("kaspa-node")]))
    told = {"taskId": None, "service": "kasia-indexer"}
    teller = tell_later(
        taskd,
        lambda: taskd.tell(1043, "switch:progress", **told),
        changed(taskd, 1044, status="complete"),
    )
    assert ctl("watch", "kaspa-node")[0] == 0
    teller.join()
    assert taskd.times("getAllTasks") == 0


def test_many_changes_are_asked_for_at_once(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A burst of a thousand events costs a handful of questions: at most four a second."""
    task = golden_task("kaspa-node")
    taskd.answers.update(answering([task]))

    def burst() -> None:
        for seq in range(1043, 2043):
            taskd.tell(seq, "sync:progress", taskId=task["id"], service=task["service"])

    teller = tell_later(taskd, burst, changed(taskd, 2043, status="complete"))
    began = time.monotonic()
    assert ctl("watch", "kaspa-node")[0] == 0
    took = time.monotonic() - began
    teller.join()
    found, first = 1, 1
    assert taskd.times("getTask") <= found + first + 4 * took
    assert taskd.times("getAllTasks") == 0
