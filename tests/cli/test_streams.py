"""Streams that are closed, as cron jobs and containers leave them: never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kaspad_taskd.__main__ as program
import kaspad_taskd.daemon.offline as offline
from tests.fakes.golden import golden_tasks
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import answering, scripted

WORDS = ("list", "list --json", "status", "doctor", "events", "wait kaspa-node", "pause kaspa-node",
         "--version", "--help", "list --help", "")  # fmt: skip
TASKD = ("--check", "--version", "--help", "restore --help", "demo --help")


def run(module: str, words: str, closed: str) -> tuple[int, str, str]:
    """A process with these streams closed: exit code, what it wrote to 1, to 2."""
    script = f'exec "$0" -m {module} {words} {closed}'
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    env = {**bare, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(["/bin/sh", "-c", script, sys.executable], capture_output=True, text=True,
                         check=False, env=env)  # fmt: skip
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("words", WORDS)
def test_without_an_output_each_verb_says_so(tmp_path: Path, words: str) -> None:
    """In one line, before anything is done, as of a full disk."""
    with scripted(tmp_path / "s", answering(golden_tasks())) as taskd:
        words = f"{words} --socket {taskd.path}" if words[:2] != "--" else words
        code, _, err = run("kaspad_taskd.cli", words, ">&-")
        assert (code, err) == (
            1, "kaspad-taskctl: its output cannot be written: Bad file descriptor\n",
        )  # fmt: skip
        assert run("kaspad_taskd.cli", words, "<&- >&- 2>&-") == (1, "", "")
        assert taskd.asked == []


def test_without_a_place_for_complaints_the_answer_is_the_same(tmp_path: Path) -> None:
    """Nothing that is opened takes the place of what is closed: no socket hears a complaint."""
    with scripted(tmp_path / "s", answering(golden_tasks())) as taskd:
        words = f"list --json --socket {taskd.path}"
        code, out, _ = run("kaspad_taskd.cli", words, "<&- 2>&-")
        assert (code, out) == run("kaspad_taskd.cli", words, "")[:2]
        assert out
    assert run("kaspad_taskd.cli", f"list --socket {tmp_path}/none", "2>&-") == (3, "", "")


@pytest.mark.parametrize("words", TASKD)
@pytest.mark.parametrize("closed", [">&-", ">/dev/full"])
def test_the_daemons_own_words_need_an_output(words: str, closed: str) -> None:
    """What it says offline; as a daemon it needs none."""
    code, out, err = run("kaspad_taskd", words, closed)
    why = "Bad file descriptor" if closed == ">&-" else "No space left on device"
    assert (code, out) == (1, "")
    assert err.endswith(f"kaspad-taskd: its output cannot be written: {why}\n")
    assert "Traceback" not in err
    assert run("kaspad_taskd", words, f"{closed} 2>&-")[0] == 1


@pytest.mark.parametrize("words", [*TASKD, "--config /none --check", "restore /none"])
@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_has_gone_is_no_traceback(words: str, both: bool) -> None:
    """As of kaspad-taskctl: 141; what only complains needs its other output alone."""
    reader, writer = os.pipe()
    os.close(reader)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(
        [sys.executable, "-m", "kaspad_taskd", *words.split()], stdout=writer, text=True, env=env,
        stderr=writer if both else subprocess.PIPE, check=False, timeout=PATIENCE,
    )  # fmt: skip
    os.close(writer)
    if not both and words == "restore /none":
        assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    else:
        assert ran.returncode == 141
        assert "Traceback" not in (ran.stderr or "")


def test_ctrl_c_of_what_is_done_offline_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130, as of kaspad-taskctl; a daemon takes it as its order to stop."""

    def interrupted(*_given: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "hold_streams", lambda: None)
    for name in ("check", "put_back"):
        monkeypatch.setattr(offline, name, interrupted)
    assert program.main(["--check"]) == 130
    assert program.main(["restore", "x"]) == 130
