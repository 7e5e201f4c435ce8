"""In a terminal a command under `run` behaves as without: to the byte, the signal, the job."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from kaspad_taskd.cli.run.canary import masked
from tests.cli.run.terminal import RUN, Terminal
from tests.fakes.patience import PATIENCE

BINARY = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40 + b'\\x1b[31m\\r\\n\\x08x\\t')"
COMMANDS = (
    ("printf", r"a\nb\tc\r\033[1;31mred\033[0m\n"),
    (sys.executable, "-c", BINARY),
    ("sh", "-c", "echo out; echo err >&2; echo again"),
    ("sh", "-c", "for i in 0 1 2; do [ -t $i ] && echo terminal $i; done; stty size"),
    ("sh", "-c", "stty size <&1; stty size </dev/tty; exit 7"),
    ("sh", "-c", "echo x >/dev/tty"),
    ("sh", "-c", "[ -t 1 ] || echo no terminal"),
    ("sh", "-c", "kill -TERM $$"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(each)[:40] for each in COMMANDS])
def test_what_is_shown_is_the_same(command: tuple[str, ...], tmp_path: Path) -> None:
    """Bytes, sizes, terminals and how it ends."""
    found = []
    for words in (command, (*RUN, "--", *command)):
        with Terminal(words, tmp_path, (31, 97)) as terminal:
            found.append(terminal.end())
    assert found[1] == found[0]


ASKS = """
import os, signal, sys
def told(*_):
    os.write(1, b"size %d %d\\n" % os.get_terminal_size(1))
signal.signal(signal.SIGWINCH, told)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


def test_a_resized_terminal(tmp_path: Path) -> None:
    """The command is told, and asks for the size that it has now."""
    with Terminal((*RUN, "--", sys.executable, "-c", ASKS), tmp_path) as terminal:
        terminal.until("ready")
        terminal.resize(50, 123)
        terminal.until("size 123 50")


COUNTS = """
import os, signal, sys
seen = []
def told(number, _):
    seen.append(number)
    os.write(1, b"signal %d %d\\n" % (number, len(seen)))  # print cannot be begun within print
    if number == signal.SIGUSR1:
        sys.exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, told)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


def test_a_signal_comes_once(tmp_path: Path) -> None:
    """From the terminal, to the group, or to the wrapper alone: never twice, never lost."""
    with Terminal((*RUN, "--", sys.executable, "-c", COUNTS), tmp_path) as terminal:
        at = terminal.until("ready")
        terminal.type("\x03")
        at = terminal.until(f"signal {signal.SIGINT} 1\r\n", at)
        terminal.type("\x03")
        at = terminal.until(f"signal {signal.SIGINT} 2\r\n", at)
        os.kill(terminal.pid, signal.SIGTERM)
        at = terminal.until(f"signal {signal.SIGTERM} 3\r\n", at)
        os.killpg(terminal.pid, signal.SIGTERM)
        at = terminal.until(f"signal {signal.SIGTERM} 4\r\n", at)
        taken(terminal.pid, signal.SIGTERM)  # two that wait for one process are one
        os.kill(terminal.pid, signal.SIGTERM)
        at = terminal.until(f"signal {signal.SIGTERM} 5\r\n", at)
        os.kill(terminal.pid, signal.SIGUSR1)
        told, code = terminal.end()
        assert told.count(b"signal") == 6
        assert code == 0


def taken(pid: int, number: int) -> None:
    """Wait until a signal does not wait any more for the process that it was sent to."""
    deadline = time.monotonic() + PATIENCE
    while number in masked(pid, "ShdPnd"):
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_ctrl_c_ends_it_as_without_us(tmp_path: Path) -> None:
    """Who waits for it learns that the signal ended it."""
    with Terminal((*RUN, "--", "sh", "-c", "echo ready; exec sleep 600"), tmp_path) as terminal:
        terminal.until("ready")
        terminal.type("\x03")
        assert terminal.end()[1] == -signal.SIGINT


def shell(place: Path) -> Terminal:
    return Terminal(("bash", "--norc", "--noprofile", "-i"), place)


def test_a_terminal_that_goes(tmp_path: Path) -> None:
    """Its session's leader alone is told: with us in its place the command is, as without us."""
    told = tmp_path / "told"
    script = f"trap 'echo x >> {told}; kill $!; exit 5' HUP; sleep 600 & echo ready; wait"
    for before in ((), (*RUN, "--")):
        told.unlink(missing_ok=True)
        terminal = Terminal((*before, "sh", "-c", script), tmp_path)
        with terminal:
            terminal.until("ready")
            os.close(terminal.master)
            terminal.master = os.open(os.devnull, os.O_RDWR)
            deadline = time.monotonic() + PATIENCE
            while not (ended := os.waitpid(terminal.pid, os.WNOHANG))[0]:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert os.waitstatus_to_exitcode(ended[1]) == 5
        assert told.read_text() == "x\n"


def until_stopped(terminal: Terminal, at: int) -> int:
    """Wait until the shell knows that its job has stopped: before, its `fg` would not wake it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        terminal.type("echo stopped $(jobs -s | wc -l)\n")
        at = terminal.until("\r\nstopped ", at)
        end = terminal.until("\r\n", at)
        at, known = terminal.until("$ ", end), terminal.told[at:end].strip() == b"1"
        if known:
            return at
        assert time.monotonic() < deadline


def test_jobs_of_a_shell(tmp_path: Path) -> None:
    """Ctrl-Z stops it, fg and bg let it go on, what it says meanwhile is shown, Ctrl-C ends it."""
    script = "i=0; echo ready; while read line; do i=$((i+1)); echo got $line $i; done"
    with shell(tmp_path) as terminal:
        at = terminal.until("$ ")
        terminal.type(f"{shlex.join(RUN)} -- sh -c {shlex.quote(script)}\n")
        at = terminal.until("ready\r\n", at)
        terminal.type("one\n")
        at = terminal.until("got one 1", at)
        terminal.type("\x1a")
        at = terminal.until("Stopped", at)
        at = terminal.until("$ ", at)
        terminal.type("jobs -r | wc -l; jobs -s | wc -l\n")
        at = terminal.until("0\r\n1\r\n", at)
        terminal.type("fg\n")
        at = terminal.until("\r\n", at)
        time.sleep(0.2)
        terminal.type("two\n")
        at = terminal.until("got two 2", at)
        terminal.type("\x1a")
        at = terminal.until("Stopped", at)
        terminal.type("bg\n")  # it reads from the terminal, which it has not: stopped again
        at = until_stopped(terminal, terminal.until("$ ", at))
        terminal.type("fg\n")
        time.sleep(0.2)
        terminal.type("three\n")
        at = terminal.until("got three 3", at)
        terminal.type("\x03")
        at = terminal.until("$ ", at)
        terminal.type("echo code $?\n")
        terminal.until("code 130\r\n", at)


def test_a_job_in_the_background(tmp_path: Path) -> None:
    """It goes on, says what it says, and `kill %1` ends it."""
    with shell(tmp_path) as terminal:
        at = terminal.until("$ ")
        terminal.type(f"{shlex.join(RUN)} -- sh -c 'echo begun; exec sleep 600' &\n")
        at = terminal.until("begun\r\n", at)
        terminal.type("kill %1; wait %1; echo code $?\n")
        terminal.until("code 143\r\n", at)


def test_the_shell_is_free_when_the_command_ends(tmp_path: Path) -> None:
    """What it has left behind goes on, and is shown."""
    left = "(sleep 2; echo later) & echo now"
    with shell(tmp_path) as terminal:
        at = terminal.until("$ ")
        terminal.type(f"{shlex.join(RUN)} -- sh -c {shlex.quote(left)}\n")
        at = terminal.until("now\r\n", at)
        at = terminal.until("$ ", at)
        terminal.type("echo mine\n")
        at = terminal.until("mine\r\n", at)
        terminal.until("later\r\n", at)


def test_a_killed_wrapper_leaves_terminal_and_command(tmp_path: Path) -> None:
    """The terminal is as it was, the command goes on."""
    beat = tmp_path / "beat"
    script = f"trap '' HUP; echo ready; while sleep 0.1; do echo x >> {beat}; done"
    with shell(tmp_path) as terminal:
        at = terminal.until("$ ")
        terminal.type(f"{shlex.join(RUN)} -- sh -c {shlex.quote(script)} & \n")
        at = terminal.until("ready\r\n", at)
        terminal.type("kill -9 $!; wait $!; echo code $?\n")
        at = terminal.until("code 137\r\n", at)
        before = beat.stat().st_size if beat.exists() else 0
        deadline = time.monotonic() + PATIENCE
        while (beat.stat().st_size if beat.exists() else 0) <= before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        terminal.type("stty -a | grep -c ' echo '\n")
        terminal.until("1\r\n", at)
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if str(beat).encode() in (each / "cmdline").read_bytes():
                os.kill(int(each.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
