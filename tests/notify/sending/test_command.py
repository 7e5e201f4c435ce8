"""Commands of the administrator: real programs, their ends, and what is left of them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from kaspad_taskd.notify.model import How, Outcome, Target, Why
from kaspad_taskd.notify.sending import accepts, send
from tests.notify.sending.conftest import MESSAGE
from tests.notify.servers import PATIENCE

pytestmark = pytest.mark.system


def target(*command: str) -> Target:
    return Target("phone", "phone (sh)", How.COMMAND, command=command)


def run(script: str, *arguments: str, stop: Event | None = None) -> Outcome:
    return send(target("sh", "-c", script, "sh", *arguments), MESSAGE, PATIENCE, stop)


def test_a_command_gets_the_message_on_stdin_and_a_few_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell of ours, and nothing else of our environment."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/other")
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = run('cat >"$1/in"; env >"$1/env"; pwd >"$1/pwd"; echo "$2"', str(tmp_path), "$(id)")
    assert outcome == Outcome(True, status=0, words="$(id)")
    assert json.loads((tmp_path / "in").read_text())["title"] == "Node is behind"
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    ours = {name: value for name, value in env.items() if name.startswith("KASPAD_TASKD_")}
    assert ours == {
        "KASPAD_TASKD_MESSAGE": "5f-1",
        "KASPAD_TASKD_RULE": "phone",
        "KASPAD_TASKD_KIND": "trouble",
        "KASPAD_TASKD_TITLE": "Node is behind",
    }
    assert env["HOME"] == str(tmp_path)
    assert set(env) - set(ours) <= {"PATH", "HOME", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"}
    assert (tmp_path / "pwd").read_text() == "/\n"


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 0", Outcome(True, status=0)),
        ("echo; echo queued; echo more", Outcome(True, status=0, words="queued")),
        ("echo no route >&2; exit 3", Outcome(False, Why.COMMAND, status=3, words="no route")),
        ("kill -TERM $$", Outcome(False, Why.COMMAND, status=-15)),
        ("exec 0<&-; exit 0", Outcome(True, status=0)),
        ("exec 1>&- 2>&-; sleep 0.1; exit 4", Outcome(False, Why.COMMAND, status=4)),
        ("head -c 9000000 /dev/zero | tr '\\0' x", Outcome(True, status=0, words="x" * 299 + "…")),
    ],
)
def test_its_exit_code_says_whether_it_was_delivered(script: str, outcome: Outcome) -> None:
    assert run(script) == outcome


@pytest.mark.parametrize("command", [(), ("no-such-program",), ("/etc/passwd",), ("a\0b",)])
def test_what_cannot_be_started_is_said(command: tuple[str, ...]) -> None:
    outcome = send(target(*command), MESSAGE)
    assert (outcome.why, outcome.delivered, outcome.final) == (Why.COMMAND, False, False)
    assert outcome.words
    (checked,) = accepts([target(*command)])
    assert checked is not None
    assert checked.why is Why.COMMAND


def test_a_program_that_is_there_is_accepted() -> None:
    assert accepts([target("sh"), target("/bin/sh", "-c", "exit 7")]) == [None, None]


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and nobody looks after it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_it_leaves_running_ends_with_it(tmp_path: Path) -> None:
    """A program in the background that holds our pipe is not waited for."""
    outcome = run('sleep 600 & echo $! >"$1/pid"; echo done', str(tmp_path))
    assert outcome == Outcome(True, status=0, words="done")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: ended(pid))


def test_at_its_deadline_the_whole_group_is_killed(
    tmp_path: Path, held: Callable[[Event], None]
) -> None:
    """Also who ignores the kind signals."""
    fifo, reached = tmp_path / "fifo", Event()
    os.mkfifo(fifo)
    held(reached)

    def listen() -> None:
        fifo.read_text()
        reached.set()

    listener = threading.Thread(target=listen)
    listener.start()
    script = 'trap "" TERM INT HUP; sleep 600 & echo $! >"$1/pid"; echo here; echo >"$1/fifo"; wait'
    outcome = run(script, str(tmp_path))
    listener.join()
    assert outcome == Outcome(False, Why.TIMEOUT, sent=True, words="here")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: ended(pid))


def test_it_is_given_up_when_we_are_to_end() -> None:
    stop = Event()
    stop.set()
    assert run("sleep 600", stop=stop) == Outcome(False, Why.STOPPED, sent=True)


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    for script in ("exit 0", "exit 1", "sleep 600 & exit 0"):
        run(script)
    send(target("no-such-program"), MESSAGE)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
