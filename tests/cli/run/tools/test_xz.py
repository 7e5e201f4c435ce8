"""xz: what SIGUSR1 makes it say, and -v on a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kaspad_taskd.cli.run.splitting import Splitter
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING
from kaspad_taskd.cli.run.tools.xz import TOOL
from tests.cli.run.tools.playing import (
    checked,
    ended,
    names,
    percents,
    read,
)

PACK = "xz -k x"


@pytest.mark.parametrize("name", names("xz"))
def test_recordings(name: str) -> None:
    """Never ahead of what it has read, never falling, never 100 %; -v tells nothing on a pipe."""
    moments = checked(name)
    assert bool(moments) == ("-v-" not in name)
    assert bool(percents(moments)) == (bool(moments) and "stdin" not in name)


def test_a_percentage_is_not_rounded_up() -> None:
    """13.8 is at least 13.75."""
    row = " 13.8 %          2.6 MiB / 2.6 MiB = 0.983   894 KiB/s       0:03             "
    ((done, total, phase),) = read(TOOL, PACK, row)
    assert (done, total, phase) == (pytest.approx(13.75), 100, None)


@pytest.mark.parametrize("debian", ["12", "13"])
def test_each_file_is_a_phase(debian: str) -> None:
    """It says the how manieth of how many in front of the first row of one."""
    moments = checked(f"xz-many-{debian}")
    seen = list(
        dict.fromkeys((m.reading.phase, m.reading.after, m.reading.phases) for m in moments)
    )
    assert seen[0] == ("file 1", 0, 3)
    assert len(seen) > 1


def test_from_standard_input_no_percentage() -> None:
    """The bytes that it has read are known."""
    moments = checked("xz-stdin-12")
    assert all(each.reading.total is None and each.reading.done for each in moments)


@pytest.mark.parametrize(
    ("argv", "code", "outcome", "rerun"),
    [
        (PACK, 0, COMPLETE, None),
        (PACK, 2, WARNING, None),
        (PACK, 1, FAILED, "run.rerun.removed"),
        (PACK, -15, FAILED, "run.rerun.removed"),
        (PACK, -9, FAILED, None),
        ("xz -dc x.xz", -2, FAILED, None),
    ],
)
def test_how_it_ends(argv: str, code: int, outcome: str, rerun: str | None) -> None:
    """2 is a warning; what is not whole is removed, but by SIGKILL."""
    found = ended(TOOL, argv, code)
    assert (found.outcome, found.rerun) == (outcome, rerun)


def test_it_is_asked() -> None:
    """Also without -v."""
    assert TOOL.asking(PACK.split()) == "SIGUSR1"
    assert TOOL.asking(["xz", "-l", "x.xz"]) is None
    assert TOOL.offer(PACK.split()) is None


def test_for_real(tmp_path: Path) -> None:
    """The one installed here, asked when it catches the signal, says how far it is."""
    if shutil.which("xz") is None:
        pytest.skip("xz is not installed (apt install xz-utils)")
    words = b"".join(
        b"%d words that repeat\n" % (number * 7919 % 99991) for number in range(40_000)
    )
    (tmp_path / "f").write_bytes(words)
    argv = ["xz", "-6", "-T1", str(tmp_path / "f")]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stderr is not None
        until = time.monotonic() + 60
        while not catches(process.pid) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGUSR1)
        text = process.stderr.read()
    assert process.returncode == 0
    reader = TOOL.reader(argv)
    seen = [reader.read(2, piece) for piece in Splitter().feed(text + b"\n")]
    told = [each.percent for each in seen if each]
    assert all(percent is not None and percent < 100 for percent in told)
    assert told or not text


def catches(pid: int) -> bool:
    """Whether a process has a handler for SIGUSR1."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
    return bool(caught >> (signal.SIGUSR1 - 1) & 1)
