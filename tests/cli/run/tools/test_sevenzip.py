"""7z: a percentage drawn by backspaces alone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.sevenzip import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from tests.cli.run.corpus import holds
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

PACK = "7z a -bsp1 x.7z x"


@pytest.mark.parametrize("name", names("7z"))
def test_recordings(name: str) -> None:
    """Never ahead, never falling, never 100 %; a percentage in all of them."""
    assert percents(checked(name))


def test_the_first_number_is_no_percentage() -> None:
    """It says what it scans first."""
    assert not read(TOOL, PACK, "  0M Scan ", "1 file, 41943040 bytes (40 MiB)", " 5")
    assert read(TOOL, PACK, " 59% 2384 + name") == [(59, 100, None)]


def test_only_where_it_packs_or_unpacks() -> None:
    """A benchmark has other numbers."""
    assert not read(TOOL, "7z b", " 59%")
    assert read(TOOL, "7z x -bsp1 x.7z", " 59%")


def test_another_archive_begins_anew() -> None:
    """It is another phase."""
    seen = read(TOOL, "7z x -bsp1 a.7z b.7z", "  0%", " 90%", "  0%", " 10%")
    assert [phase for *_, phase in seen] == [None, None, "archive 2", "archive 2"]


@pytest.mark.parametrize(
    ("argv", "code", "outcome", "rerun"),
    [
        (PACK, 0, COMPLETE, None),
        (PACK, 1, PARTLY, None),
        ("7z x x.7z", 1, WARNING, None),
        (PACK, 2, FAILED, None),
        (PACK, 255, FAILED, "run.rerun.removed"),
    ],
)
def test_how_it_ends(argv: str, code: int, outcome: str, rerun: str | None) -> None:
    """1 while packing has left out what could not be read."""
    found = ended(TOOL, argv, code)
    assert (found.outcome, found.rerun) == (outcome, rerun)


@pytest.mark.parametrize(
    ("argv", "offer"),
    [
        ("7z a x.7z x", "-bsp1"),
        ("7z x -so x.7z", "-bsp2"),
        (PACK, None),
        ("7z l x.7z", None),
        ("7z a -bd x.7z x", None),
    ],
)
def test_what_would_help(argv: str, offer: str | None) -> None:
    """Where standard output is data it has to be the other stream."""
    assert TOOL.offer(argv.split()) == offer


def test_for_real(tmp_path: Path) -> None:
    """What is installed here is read as the recordings are."""
    file = made(tmp_path / "f", 1_000_000)
    program = next((name for name in ("7z", "7zz", "7za") if shutil.which(name)), "7z")
    now = ran(program, "a", "-bsp1", "-mmt=1", f"{file}.7z", str(file), tool="7zip")
    moments = now.played()
    holds(moments)
    assert percents(moments)
    assert now.ending().outcome == COMPLETE
