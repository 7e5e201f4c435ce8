"""tar: the records of its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.tar import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import (
    checked,
    ended,
    made,
    names,
    percents,
    ran,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path

PACK = "tar -cf x.tar --checkpoint=500 x"


@pytest.mark.parametrize("name", names("tar"))
def test_recordings(name: str) -> None:
    """There is never a percentage; the bytes are known, and at most what was there."""
    moments = checked(name)
    assert bool(moments) == ("missing" not in name)
    assert not percents(moments)
    assert all(each.reading.done <= 84_500_000 for each in moments if each.reading.done)


@pytest.mark.parametrize(
    ("argv", "row", "done"),
    [
        (PACK, "tar: Write checkpoint 2000", 2000 * 10240),
        (PACK, "tar: Schreibe Prüfpunkt 2000", 2000 * 10240),
        ("tar -b 40 -cf x --checkpoint x", "tar: Write checkpoint 20", 20 * 40 * 512),
        ("tar --record-size=1M -cf x --checkpoint x", "tar: Write checkpoint 20", 20 << 20),
        (PACK, "tar: W: 81909760 (79MiB, 186MiB/s)", 81909760),
        (PACK, "2026 0 sec: #8000, W: 81909760 (79MiB, 833MiB/s)  ", 81909760),
        (PACK, "Total bytes written: 81909760 (79MiB, ?/s)", 81909760),
        ("tar -cf x --checkpoint=.500 x", "...", 3 * 500 * 10240),
    ],
)
def test_rows(argv: str, row: str, done: int) -> None:
    """A checkpoint is a number of records, in any language; %T has the bytes."""
    assert read(TOOL, argv, row) == [(done, None, None)]


@pytest.mark.parametrize(
    "row", ["tar: x: file changed as we read it 5", "x 5", "tar: 5", "tar: Exiting with failure"]
)
def test_other_lines_are_not_read(row: str) -> None:
    """Nor is any without --checkpoint, nor a number that may go on."""
    assert not read(TOOL, PACK, row)
    assert not read(TOOL, "tar -cf x x", "tar: Write checkpoint 2000")
    assert TOOL.reader(PACK.split()).read(2, "tar: Write checkpoint 20", False) is None


@pytest.mark.parametrize(
    ("argv", "code", "outcome", "said", "rerun"),
    [
        (PACK, 0, COMPLETE, None, None),
        (PACK, 1, WARNING, "run.end.changed", None),
        (PACK, 2, FAILED, None, "run.rerun.part"),
        (PACK, -2, FAILED, None, "run.rerun.part"),
        ("tar xf x.tar", -15, FAILED, None, "run.rerun.unpacked"),
    ],
)
def test_how_it_ends(
    argv: str, code: int, outcome: str, said: str | None, rerun: str | None
) -> None:
    """1 is complete, with files that changed meanwhile."""
    found = ended(TOOL, argv, code)
    assert (found.outcome, found.said, found.rerun) == (outcome, said, rerun)


def test_an_error_after_which_it_went_on_has_left_something_out() -> None:
    """2 is both; what it says last tells them apart."""
    for name in ("tar-missing-12", "tar-missing-13"):
        found = load(name).ending()
        assert (found.outcome, found.said, found.rerun) == (PARTLY, "run.end.left-out", None)
    assert ended(TOOL, PACK, 2, "tar: Error is not recoverable: exiting now").outcome == FAILED


def test_what_would_help() -> None:
    """A line every 10 MB."""
    assert TOOL.offer(["tar", "-cf", "x", "x"]) == "--checkpoint=1000"
    assert TOOL.offer(PACK.split()) is None


def test_for_real(tmp_path: Path) -> None:
    """What is installed here is read as the recordings are."""
    made(tmp_path / "from" / "f", 3_000_000)
    now = ran("tar", "-C", str(tmp_path), "-cf", f"{tmp_path}/x.tar", "--checkpoint=100", "from")
    moments = now.played()
    holds(moments)
    assert [each.reading.done for each in moments] == [1_024_000, 2_048_000]
    assert now.ending().outcome == COMPLETE
