"""zstd: its two amounts, never its percentage, which is the ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED
from kaspad_taskd.cli.run.tools.zstd import TOOL
from tests.cli.run.corpus import holds
from tests.cli.run.tools.playing import (
    MIB,
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

PACK = "zstd --progress -f x -o y"


@pytest.mark.parametrize("name", names("zstd"))
def test_recordings(name: str) -> None:
    """Never ahead, never falling, never 100 %; -v tells nothing before the end."""
    assert bool(checked(name)) == ("-v-" not in name)


@pytest.mark.parametrize("name", ["zstd-random-12", "zstd-random-13"])
def test_the_ratio_is_no_progress(name: str) -> None:
    """It is 100 at once where nothing can be compressed."""
    assert percents(checked(name))[0] == 0
    assert percents(checked(name))[1] < 30


def test_amounts_that_are_rounded_are_not_ahead() -> None:
    """At least so much of at most so much."""
    ((done, total, _),) = read(TOOL, PACK, "Read:  75.0 MiB /   153 MiB ==> 62%")
    assert done == pytest.approx(74.95 * MIB)
    assert total == pytest.approx(153.5 * MIB)


def test_no_total_from_standard_input_or_unpacking() -> None:
    """The bytes are known."""
    assert not percents(checked("zstd-stdin-12"))
    assert read(TOOL, "zstd -d --progress x.zst", "x.zst : 64.0 MiB...     ")[0][1] is None


def test_each_file_is_a_phase() -> None:
    """It says the how manieth of how many."""
    moments = checked("zstd-many-12")
    seen = list(
        dict.fromkeys((m.reading.phase, m.reading.after, m.reading.phases) for m in moments)
    )
    assert seen == [("file 1", 0, 3), ("file 2", 1, 3), ("file 3", 2, 3)]


@pytest.mark.parametrize(
    ("argv", "code", "rerun"),
    [
        (PACK, 2, "run.rerun.removed"),
        (PACK, -15, "run.rerun.truncated-zstd"),
        ("zstd -c x", -15, None),
        (PACK, 1, None),
    ],
)
def test_how_it_ends(argv: str, code: int, rerun: str | None) -> None:
    """SIGINT removes the output, SIGTERM leaves it."""
    found = ended(TOOL, argv, code)
    assert (found.outcome, found.rerun) == (FAILED, rerun)


def test_what_would_help() -> None:
    """On a pipe there is a last line only."""
    assert TOOL.offer(["zstd", "x"]) == "--progress"
    assert TOOL.offer(PACK.split()) is None
    assert TOOL.offer(["zstd", "-q", "x"]) is None


def test_for_real(tmp_path: Path) -> None:
    """What is installed here is read as the recordings are."""
    file = made(tmp_path / "f", 4 * MIB)
    now = ran("zstd", "--progress", "-9", "-T1", str(file), "-o", f"{file}.zst")
    moments = now.played()
    holds(moments)
    assert moments
    assert now.ending().outcome == COMPLETE
