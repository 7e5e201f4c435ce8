"""pv: its numbers and its bar, only where it knows a size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.pv import TOOL, files, has_size
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

SIZED = "pv -n -s 40M"


@pytest.mark.parametrize("name", names("pv"))
def test_recordings(name: str) -> None:
    """Never ahead of what was fed, never falling, never 100 %."""
    moments = checked(name)
    assert bool(percents(moments)) == ("unknown" not in name)


def test_without_a_size_its_numbers_are_none() -> None:
    """They go up to 100 and down again."""
    text = b"".join(each.data for each in load("pv-unknown-12").reads)
    assert b"\n100\n98\n" in text
    assert not checked("pv-unknown-12")


@pytest.mark.parametrize("debian", ["12", "13"])
def test_a_size_that_was_too_small(debian: str) -> None:
    """Once it falls, or is more than 100, it is not known any more."""
    moments = checked(f"pv-small-{debian}")
    assert moments[-1].reading.percent is None
    assert moments[-1].reading.unit == "percent"
    assert len([each for each in moments if each.reading.percent is None]) == 1
    assert load(f"pv-small-{debian}").ending().outcome == COMPLETE


def test_its_standard_output_is_data() -> None:
    """A number in it is none of pv's; nor is one that may go on."""
    reader = TOOL.reader(SIZED.split())
    assert reader.read(1, "50") is None
    assert reader.read(2, "5", False) is None
    found = reader.read(2, "57")
    assert found is not None
    assert found.percent == 57


def test_bytes_and_times() -> None:
    """-b counts up to the size, -t writes the seconds in front."""
    assert read(TOOL, "pv -n -b -s 40k", "10240") == [(10240, 40960, None)]
    assert read(TOOL, "pv -nbs 40k", "10240") == [(10240, 40960, None)]
    assert read(TOOL, "pv -n -b", "10240") == [(10240, None, None)]
    assert read(TOOL, "pv -n -t -s 40k", "1.0010 23") == [(23, 100, None)]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ("pv -n -s 5G", []),
        ("pv -i 0.5 -L 5M a", ["a"]),
        ("pv -ni 2 a b", ["a", "b"]),
        ("pv -n --interval 2 a", ["a"]),
        ("pv -n -", []),
        ("pv -n -- a", ["a"]),
    ],
)
def test_files_that_it_knows_the_size_of(argv: str, found: list[str]) -> None:
    """Words that are no option and no option's argument."""
    assert files(argv.split()) == found
    assert has_size(argv.split()) == (bool(found) or "-s" in argv)


@pytest.mark.parametrize(
    ("argv", "code", "outcome"),
    [(SIZED, 32, FAILED), (SIZED, 2, FAILED), ("pv a b", 2, PARTLY), ("pv a b", 34, FAILED)],
)
def test_how_it_ends(argv: str, code: int, outcome: str) -> None:
    """32 is a signal; a file that it could not read is left out."""
    assert ended(TOOL, argv, code).outcome == outcome


def test_a_reader_that_has_gone() -> None:
    """It ends with 0 all the same; that it ended at 16 % is a warning."""
    found = load("pv-gone-12").ending()
    assert load("pv-gone-12").code == 0
    assert (found.outcome, found.said, found.params) == (WARNING, "run.end.short", {"percent": 16})
    assert load("pv-n-12").ending().outcome == COMPLETE


@pytest.mark.parametrize(
    ("argv", "offer"),
    [
        ("pv", "-n -s SIZE"),
        ("pv a", "-n"),
        ("pv -n", "-s SIZE"),
        (SIZED, None),
        ("pv -q", None),
        ("pv -f a", None),
    ],
)
def test_what_would_help(argv: str, offer: str | None) -> None:
    """On a pipe it is silent, and without a size there is no percentage."""
    assert TOOL.offer(argv.split()) == offer


def test_for_real(tmp_path: Path) -> None:
    """What is installed here is read as the recordings are."""
    now = ran("pv", "-n", "-i", "0.1", "-L", "10M", str(made(tmp_path / "f", 3_000_000)))
    moments = now.played()
    holds(moments)
    assert percents(moments)
    assert now.ending().outcome == COMPLETE
