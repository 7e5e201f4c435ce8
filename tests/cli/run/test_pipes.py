"""Without a terminal a command under `run` behaves as without: bytes, signals, exit codes."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run.terminal import RUN, environment
from tests.fakes.patience import PATIENCE


def ran(words: tuple[str, ...], place: Path, **how: Any) -> tuple[int, bytes, bytes]:
    if "input" not in how:
        how["stdin"] = subprocess.DEVNULL
    done = subprocess.run(
        words, capture_output=True, timeout=PATIENCE, env=environment(place), **how
    )
    return done.returncode, done.stdout, done.stderr


COMMANDS = (
    ("true",),
    ("false",),
    ("sh", "-c", "echo out; echo err >&2; exit 7"),
    ("sh", "-c", "kill -TERM $$"),
    ("sh", "-c", "kill -KILL $$"),
    ("sh", "-c", "kill -INT $$"),
    ("sh", "-c", "trap '' PIPE; kill -PIPE $$; echo still here"),
    ("sh", "-c", "kill -PIPE $$; echo not here"),
    ("sh", "-c", "for i in 0 1 2; do [ -t $i ] || echo none $i; done"),
    ("sh", "-c", "ulimit -n; umask; pwd; nice"),
    ("env",),
    (sys.executable, "-c", "import os; os.write(1, bytes(range(256)) * 4096)"),
    (sys.executable, "-c", "import signal; print(sorted(map(int, signal.pthread_sigmask(0, ()))))"),
    # but for 32 and 33, of the C library itself, which posix_spawn ignores for everybody
    (
        "sh",
        "-c",
        "grep -E 'Sig(Blk|Ign)' /proc/self/status | sed 's/00000001800/00000000000/'",
    ),
)


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(each)[:40] for each in COMMANDS])
def test_it_is_the_same(command: tuple[str, ...], tmp_path: Path) -> None:
    """Exit code or signal, both streams to the byte, what the command was given."""
    assert ran((*RUN, "--", *command), tmp_path) == ran(command, tmp_path)


def test_standard_input_is_passed(tmp_path: Path) -> None:
    """As it is: what the command leaves of it is for whoever reads next."""
    code, told, _ = ran((*RUN, "cat"), tmp_path, input=b"a\0b\n" * 50_000)
    assert (code, told) == (0, b"a\0b\n" * 50_000)


def test_closed_streams_stay_closed(tmp_path: Path) -> None:
    """No file of ours takes the place of one."""
    line = f"{shlex.join(RUN)} -- sh -c 'ls -l /proc/self/fd/ >&2' <&- >&-"
    code, _, told = ran(("sh", "-c", line), tmp_path)
    bare = ran(("sh", "-c", "sh -c 'ls -l /proc/self/fd/ >&2' <&- >&-"), tmp_path)
    assert code == bare[0]
    assert len(told.splitlines()) == len(bare[2].splitlines())


def test_both_streams_in_one_keep_their_order(tmp_path: Path) -> None:
    """Where both go to the same, they are written in the order in which they were said."""
    say = "import os\nfor n in range(5000): os.write(1 + n % 2, b'%d\\n' % n)"
    line = f"{shlex.join(RUN)} -- {sys.executable} -c {shlex.quote(say)} 2>&1"
    _, told, _ = ran(("sh", "-c", line), tmp_path)
    assert told == b"".join(b"%d\n" % n for n in range(5000))


def test_only_one_stream_is_a_file(tmp_path: Path) -> None:
    """Also one that is only added to."""
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    line = f"{shlex.join(RUN)} -- sh -c 'head -c 9000000 /dev/zero; echo err >&2' >>{log}"
    code, _, told = ran(("sh", "-c", line), tmp_path)
    assert (code, told) == (0, b"err\n")
    assert log.read_bytes() == b"before\n" + bytes(9_000_000)


def test_nobody_reads_any_more(tmp_path: Path) -> None:
    """The command learns of it as without us."""
    line = f"set -o pipefail; {shlex.join(RUN)} -- yes | head -n 1; echo ${{PIPESTATUS[0]}}"
    assert ran(("bash", "-c", line), tmp_path)[1] == b"y\n141\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("no-such-program",), 127),
        (("/etc/passwd",), 126),
        (("/etc",), 126),
        (("/nowhere/x",), 127),
    ],
)
def test_what_cannot_be_begun(command: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """The exit code is a shell's, and it is said why."""
    found, _, told = ran((*RUN, "--", *command), tmp_path)
    assert found == code
    assert command[0] in told.decode()


@pytest.mark.parametrize("files", range(4, 14))
def test_no_file_is_left(files: int, tmp_path: Path) -> None:
    """The command runs, its streams its own where there is none for us to read."""
    line = f"ulimit -n {files}; exec {shlex.join(RUN)} -- sh -c 'echo out; exit 6'"
    code, told, said = ran(("sh", "-c", line), tmp_path)
    if code == 1 and b"import" in said:
        pytest.skip("Python itself does not start")
    assert (code, told, said) == (6, b"out\n", b"")


def test_no_thread_is_left(tmp_path: Path) -> None:
    """Likewise: the command runs, and what it writes goes its own way."""
    script = """
import _thread, sys
def none(*_):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = none
from kaspad_taskd.cli import main
sys.argv[:] = ["kaspad-taskctl", "run", "--", "sh", "-c", "echo out; echo err >&2; exit 6"]
main()
"""
    assert ran((sys.executable, "-c", script), tmp_path) == (6, b"out\n", b"err\n")


def test_a_script_that_names_no_program(tmp_path: Path) -> None:
    """It is the shell's, as everywhere."""
    script = tmp_path / "script"
    script.write_text("echo from $0 $1\n")
    script.chmod(0o755)
    assert ran((*RUN, "--", str(script), "x"), tmp_path)[1] == f"from {script} x\n".encode()


def test_what_the_command_leaves_behind(tmp_path: Path) -> None:
    """It holds the pipe, as without us, and what it says arrives; `run` has ended long before."""
    left = "(sleep 2; head -c 300000 /dev/zero; echo later) & echo now"
    with subprocess.Popen(
        (*RUN, "--", "sh", "-c", left), stdout=subprocess.PIPE, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"now\n"
        assert process.wait(PATIENCE) == 0
        assert process.stdout.read() == bytes(300_000) + b"later\n"


def test_a_slow_reader_of_one_stream_holds_up_no_other(tmp_path: Path) -> None:
    """All of standard error comes through, though nobody reads standard output yet."""
    script = "head -c 3000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait"
    with subprocess.Popen(
        (*RUN, "--", "sh", "-c", script),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stderr.read(3_000_000)) == 3_000_000
        assert len(process.stdout.read()) == 3_000_000
        assert process.wait(PATIENCE) == 0


def test_a_signal_to_the_wrapper_alone(tmp_path: Path) -> None:
    """It is passed on, and who waits learns that it ended the command."""
    with subprocess.Popen(
        (*RUN, "--", "sh", "-c", "echo ready; exec sleep 600"),
        stdout=subprocess.PIPE, env=environment(tmp_path), start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM


def test_an_ignored_hangup_stays_ignored(tmp_path: Path) -> None:
    """`nohup kaspad-taskctl run ...` is what it says."""
    line = f"trap '' HUP; exec {shlex.join(RUN)} -- sh -c 'kill -HUP $$; echo on'"
    assert ran(("sh", "-c", line), tmp_path)[1] == b"on\n"


def test_a_killed_wrapper(tmp_path: Path) -> None:
    """The command learns that nobody reads, as ever; nothing else is left."""
    mark = tmp_path / "ended"
    script = f"trap 'echo x > {mark}; exit' PIPE; trap '' HUP; while sleep 0.05; do echo y; done"
    with subprocess.Popen(
        (*RUN, "--", "bash", "-c", script), stdout=subprocess.PIPE, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        process.stdout.read()  # the end: neither command nor canary holds the pipe
    deadline = time.monotonic() + PATIENCE
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_without_a_daemon_its_end_waits(tmp_path: Path) -> None:
    """For this user alone; of the command only its name is told."""
    assert ran((*RUN, "--", "sh", "-c", "exit 3", "secret"), tmp_path)[0] == 3
    (left,) = (tmp_path / "state/kaspad-taskd/run").iterdir()
    assert left.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in left.read_bytes()
    assert b"exit code 3" in left.read_bytes()
