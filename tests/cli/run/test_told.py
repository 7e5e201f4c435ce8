"""What a real daemon is told of a run, and that nothing of it ever harms the command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kaspad_taskd
from kaspad_taskd.client import Client
from tests.cli.run.terminal import environment
from tests.fakes.patience import PATIENCE


class Host:
    """A daemon that may come and go, and runs of one user."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.socket = place / "run" / "rpc.sock"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._runs: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("tasks", "state", "run"):
            (self.place / name).mkdir(exist_ok=True)
        words = (
            sys.executable, "-m", "kaspad_taskd", "--config", "/dev/null", "--bridge", "off",
            "--tasks", self.place / "tasks", "--state-dir", self.place / "state",
            "--runtime-dir", self.place / "run",
        )  # fmt: skip
        self._daemon = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.until(self._answers)

    def _answers(self) -> bool:
        try:
            self.call("ping")
        except Exception:  # not yet
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(number)
            self._daemon.wait(PATIENCE)
            self._daemon = None

    def close(self) -> None:
        for run in self._runs:
            run.kill()
            run.communicate(timeout=PATIENCE)
        self.stop(signal.SIGKILL)

    def call(self, method: str, **params: Any) -> Any:
        with Client(str(self.socket), patience=0.0) as taskd:
            return taskd.call(method, params)

    def task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("getTask", taskId=task_id) or {}
        return found

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, self.call("getAllTasks")
            time.sleep(0.05)

    def line(self, *words: str, verb: str = "run") -> tuple[str, ...]:
        """The command line of a client of this daemon."""
        client = (sys.executable, "-m", "kaspad_taskd.cli")
        return (*client, verb, "--socket", str(self.socket), *words)

    def begin(self, *words: str, verb: str = "run") -> subprocess.Popen[bytes]:
        """Begin a run (options, --, command); its input stays open until it is closed."""
        line = self.line(*words, verb=verb)
        run = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(self.place),
        )  # fmt: skip
        self._runs.append(run)
        return run

    def ran(self, *words: str, verb: str = "run") -> tuple[int, str, str]:
        run = self.begin(*words, verb=verb)
        told, complaint = run.communicate(timeout=PATIENCE)
        return run.returncode, told.decode(), complaint.decode()

    @property
    def left(self) -> list[Path]:
        place = self.place / "state/kaspad-taskd/run"
        return list(place.iterdir()) if place.exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def up(host: Host) -> Host:
    host.start()
    return host


def is_over(host: Host, task_id: str) -> Callable[[], bool]:
    return lambda: host.task(task_id).get("status") in ("complete", "error")


def test_a_run_that_ends_well(up: Host) -> None:
    """It is complete, with exit code and seconds; of the command only its name is told."""
    assert up.ran("--title", "weekly", "--", "sh", "-c", ": secret; sleep 0.5") == (0, "", "")
    up.ran(verb="list")
    task = up.task("run-sh-1")
    assert (task["type"], task["service"], task["status"]) == ("report", "sh", "complete")
    known = task["metadata"]
    assert (known["program"], known["title"], known["exit"]) == ("sh", "weekly", 0)
    assert known["duration"] >= 0.5
    assert "secret" not in json.dumps(task)
    assert not up.left


def test_a_run_that_fails(up: Host) -> None:
    """Its exit code and its last words, as they were to be seen; not if unwanted."""
    script = r"printf 'one\rtwo\r\033[31mthe disk\033[0m is full\n' >&2; exit 9"
    up.ran("--id", "a", "--", "sh", "-c", script)
    up.ran("--id", "b", "--no-output", "--", "sh", "-c", script)
    up.ran("--id", "c", "--ok-codes", "8,9", "--", "sh", "-c", script)
    up.ran(verb="list")
    assert up.task("a")["status"] == "error"
    assert "exit code 9" in up.task("a")["error"]
    assert up.task("a")["error"].endswith("Its last words: the disk is full.")
    assert "disk" not in up.task("b")["error"]
    assert up.task("c")["status"] == "complete"
    assert up.task("c")["metadata"]["exit"] == 9


def test_a_title_of_other_bytes(up: Host) -> None:
    """What is no text, and what is not to be seen, is no reason to tell nothing at all."""
    title = os.fsdecode(b"caf\xe9\n\x1b[31m")
    up.ran("--id", "a", "--title", title, "--", "true")
    up.ran(verb="list")
    assert up.task("a")["status"] == "complete"
    assert up.task("a")["metadata"]["title"].startswith("caf")
    assert up.task("a")["metadata"]["title"].isprintable()


def test_nobody_reads_what_is_said(up: Host) -> None:
    """A line of ours that nobody reads costs nothing of what the daemon is told."""
    first = up.begin("--id", "a", "--", "cat")
    up.until(lambda: up.task("a").get("status") == "in-progress")
    second = up.begin("--id", "a", "--", "cat")
    assert second.stderr is not None
    second.stderr.close()
    second.stderr = None
    up.until(lambda: "pid" in up.task("a-2").get("metadata", ()))
    assert second.stdin is not None
    second.stdin.write(b"x")
    second.communicate(timeout=PATIENCE)
    up.until(is_over(up, "a-2"))
    assert up.task("a-2")["status"] == "complete"
    assert not up.left
    first.communicate(timeout=PATIENCE)


def test_what_it_reads(up: Host) -> None:
    """A number in JSON, a pattern, counted lines: as they are said, without any end of a line."""
    script = 'printf \'{"n": 5, "of": 20}\\n\'; cat'
    run = up.begin("--id", "j", "--as", "json:n/of", "--", "sh", "-c", script)
    up.until(lambda: up.task("j").get("progress") == 25)
    assert up.task("j")["progressDetail"]["total"] == 20
    lines = up.begin("--id", "l", "--as", "lines:1000", "--", "sh", "-c", "seq 500; cat")
    up.until(lambda: up.task("l").get("progress") == 50)
    share = up.begin(
        "--id", "p", "--as", r"percent:at (\d+)", "--", "sh", "-c", "printf 'at 7'; cat"
    )
    up.until(lambda: up.task("p").get("progress") == 7)
    for one in (run, lines, share):
        one.communicate(timeout=PATIENCE)
        assert one.returncode == 0


def test_a_pattern_takes_for_ever(up: Host) -> None:
    """It costs the command no byte and no signal, and finds what it can all the same."""
    script = f"echo {'a' * 60}; read go; echo still; printf 'at 7'; cat"
    run = up.begin("--id", "p", "--as", r"percent:(?:a+)+b|at (\d+)", "--", "sh", "-c", script)
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(b"\n")
    run.stdin.flush()
    assert run.stdout.readline() == b"a" * 60 + b"\n"
    assert run.stdout.readline() == b"still\n"
    up.until(lambda: up.task("p").get("progress") == 7)
    run.send_signal(signal.SIGTERM)
    assert run.wait(PATIENCE) == -signal.SIGTERM
    up.until(is_over(up, "p"))


def test_the_last_word_has_no_end(up: Host) -> None:
    """What stands in a line that never ended is read when the command has."""
    script = 'sleep 1; printf \'{"n": 5, "of": 20}\'; exit 1'
    up.ran("--id", "j", "--as", "json:n/of", "--", "sh", "-c", script)
    up.ran(verb="list")
    assert up.task("j")["status"] == "error"
    assert up.task("j")["progressDetail"]["done"] == 5


def test_ids_of_runs(up: Host) -> None:
    """The lowest without a live run; a live one that was asked for gets another, and it is said."""
    first = up.begin("--", "cat")
    up.until(lambda: up.task("run-cat-1").get("status") == "in-progress")
    second = up.begin("--", "cat")
    up.until(lambda: up.task("run-cat-2").get("status") == "in-progress")
    first.communicate(timeout=PATIENCE)
    up.until(is_over(up, "run-cat-1"))
    third = up.begin("--", "cat")
    up.until(lambda: up.task("run-cat-1")["attempt"] == 2)
    named = up.begin("--id", "mine", "--service", "copy", "--", "cat")
    up.until(lambda: up.task("mine").get("status") == "in-progress")
    other = up.begin("--id", "mine", "--service", "copy", "--", "cat")
    up.until(lambda: up.task("mine-2").get("status") == "in-progress")
    _, said = other.communicate(timeout=PATIENCE)
    assert "mine runs already: this run is told as mine-2" in said.decode()
    for run in (second, third, named):
        run.communicate(timeout=PATIENCE)


def test_many_at_once_get_one_each(up: Host) -> None:
    """Nobody takes the task of another."""
    runs = [up.begin("--quiet", "--id", "same", "--", "cat") for _ in range(6)]
    ids = ["same", *(f"same-{n}" for n in range(2, 7))]
    up.until(lambda: all("pid" in up.task(each).get("metadata", ()) for each in ids))
    assert len({up.task(each)["metadata"]["pid"] for each in ids}) == 6
    for run in runs:
        run.communicate(timeout=PATIENCE)


def test_a_task_that_waits_for_its_work(up: Host) -> None:
    """A task of a file, or one that another program registered, is the run's that names it."""
    up.call("registerTask", type="report", service="datadir", id="unpack")
    up.ran("--id", "unpack", "--", "true")
    up.ran(verb="list")
    assert up.task("unpack")["status"] == "complete"
    assert up.task("unpack")["service"] == "datadir"


def test_an_id_that_is_used_again(up: Host) -> None:
    """It is stalled as the run that has it now says, also where that is of another program."""
    for service, after in (("a", "5s"), ("a", "6s"), ("b", "7s")):
        up.ran("--id", "x", "--service", service, "--stall-after", after, "--", "true")
        up.ran(verb="list")
        assert up.task("x")["stallAfter"] == 1000 * int(after[:-1])
    assert (up.task("x")["attempt"], up.task("x")["status"]) == (3, "complete")


def test_the_daemon_is_absent(host: Host) -> None:
    """Nothing is said, the end waits, and the next client tells it, once."""
    assert host.ran("--id", "a", "--", "sh", "-c", "exit 3") == (3, "", "")
    assert host.ran("--id", "b", "--", "echo", "x") == (0, "x\n", "")
    assert len(host.left) == 2
    host.start()
    host.ran(verb="list")
    assert (host.task("a")["status"], host.task("b")["status"]) == ("error", "complete")
    assert not host.left
    host.ran(verb="list")
    assert host.task("a")["attempt"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_daemon_restarts_amid(up: Host, number: int) -> None:
    """The run goes on, and is the same task when the daemon is back."""
    run = up.begin("--id", "a", "--as", "lines:10", "--", "sh", "-c", "echo; read x; echo; cat")
    up.until(lambda: up.task("a").get("progress") == 10)
    up.stop(number)
    assert run.stdin is not None
    run.stdin.write(b"go\n")
    run.stdin.flush()
    time.sleep(1.5)
    assert run.poll() is None
    up.start()
    up.until(lambda: up.task("a").get("progress") == 20)
    assert up.task("a")["attempt"] == 1
    run.communicate(timeout=PATIENCE)
    up.ran(verb="list")
    assert (up.task("a")["status"], run.returncode) == ("complete", 0)


def test_the_daemon_goes_and_stays_away(up: Host) -> None:
    """The end waits; as the daemon saw that the process had gone, the next attempt has the end."""
    run = up.begin("--id", "a", "--", "cat")
    up.until(lambda: up.task("a").get("status") == "in-progress")
    up.stop()
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    assert len(up.left) == 1
    up.start()
    up.until(is_over(up, "a"))
    assert "ended without a word" in up.task("a")["error"]
    up.ran(verb="list")
    assert up.task("a")["status"] == "complete"
    assert not up.left


def test_the_daemon_hangs(up: Host) -> None:
    """It is not waited for, not even at the end."""
    run = up.begin("--id", "a", "--", "cat")
    up.until(lambda: up.task("a").get("status") == "in-progress")
    assert up._daemon is not None
    up._daemon.send_signal(signal.SIGSTOP)
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    assert len(up.left) == 1
    up._daemon.send_signal(signal.SIGCONT)
    up.until(is_over(up, "a"))
    up.ran(verb="list")
    assert up.task("a")["status"] == "complete"
    assert not up.left


def test_a_killed_wrapper_is_told(up: Host) -> None:
    """Within seconds, by a reason of its own; its id is free then."""
    run = up.begin("--id", "a", "--", "sh", "-c", "exec sleep 30")
    up.until(lambda: "pid" in up.task("a").get("metadata", ()))
    run.kill()
    run.wait()
    up.until(is_over(up, "a"))
    assert "nobody knows how the work ended" in up.task("a")["error"]
    up.ran("--id", "a", "--", "true")
    up.ran(verb="list")
    assert (up.task("a")["status"], up.task("a")["attempt"]) == ("complete", 2)


def test_a_run_that_was_stopped(up: Host) -> None:
    """That it was stopped is remembered, whatever exit code the command makes of it."""
    script = "trap 'exit 20' TERM; echo ready; while :; do sleep 0.05; done"
    run = up.begin("--id", "a", "--", "sh", "-c", script)
    up.until(lambda: up.task("a").get("status") == "in-progress")
    run.terminate()
    run.communicate(timeout=PATIENCE)
    assert run.returncode == 20
    up.ran(verb="list")
    assert "was stopped (SIGTERM)" in up.task("a")["error"]
    assert up.task("a")["metadata"]["exit"] == 20


@pytest.mark.parametrize("late", [False, True])
def test_an_upgrade_takes_the_client_away_amid(late: bool, up: Host) -> None:
    """The exit code is the command's; what is loaded by then tells the end."""
    place = up.place / "lib"
    shutil.copytree(Path(kaspad_taskd.__file__).parent, place / "kaspad_taskd")
    script = "echo; read x; exit 7"
    run = subprocess.Popen(
        up.line("--id", "a", "--as", "lines:9", "--", "sh", "-c", script),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=place,
        env={**environment(up.place), "PYTHONPATH": str(place)},
    )  # fmt: skip
    up._runs.append(run)
    if late:
        up.until(lambda: up.task("a").get("progress"))
        time.sleep(0.5)
    assert run.stdout is not None
    run.stdout.readline()
    shutil.rmtree(place)
    _, said = run.communicate(b"go\n", timeout=PATIENCE)
    assert (run.returncode, said) == (7, b"")
    if late:
        up.ran(verb="list")
        assert "exit code 7" in up.task("a")["error"]


def test_a_signal_that_is_ignored_stops_nothing(up: Host) -> None:
    """Under nohup a hangup is no reason for what comes of the command later."""
    script = "kill -HUP $PPID; sleep 0.5; exit 7"
    line = up.line("--id", "a", "--", "sh", "-c", script)
    words = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *line)
    done = subprocess.run(words, timeout=PATIENCE, env=environment(up.place), check=False)
    assert done.returncode == 7
    up.ran(verb="list")
    assert "exit code 7" in up.task("a")["error"]


def test_a_cancelled_task(up: Host) -> None:
    """Nothing more is told; the command goes on."""
    run = up.begin("--id", "a", "--as", "lines:9", "--", "cat")
    up.until(lambda: up.task("a").get("status") == "in-progress")
    up.call("cancelTask", taskId="a")
    assert run.stdin is not None
    run.stdin.write(b"x\n" * 3)
    run.stdin.flush()
    run.communicate(timeout=PATIENCE)
    assert (run.returncode, up.task("a")["status"], up.left) == (0, "cancelled", [])


def test_who_may_not_is_told_once(up: Host) -> None:
    """One line with the cure; the command runs."""
    for each in up.socket.parent.glob("*.sock"):
        each.chmod(0)
    if os.geteuid() == 0:
        words = ("setpriv", "--reuid=65534", "--clear-groups", *up.line("--", "echo", "x"))
        for each in (up.place, *up.place.parents):
            each.chmod(each.stat().st_mode | 0o055) if each.stat().st_uid == 0 else None
        done = subprocess.run(
            words, capture_output=True, timeout=PATIENCE, env=environment(up.place), cwd="/"
        )
        code, told, said = done.returncode, done.stdout.decode(), done.stderr.decode()
        if "No module named" in said or ("Permission denied" in said and not told):
            pytest.skip("nobody else may read this checkout")
    else:
        code, told, said = up.ran("--", "echo", "x")
    assert (code, told) == (0, "x\n")
    assert len(said.splitlines()) == 1
    assert "kaspad-taskd is not told" in said
