"""rsync: its percentage of all files, only when the list of them is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.rsync import TOOL
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

ALL = "rsync -a --info=progress2 --no-inc-recursive a b"


@pytest.mark.parametrize("name", names("rsync"))
def test_recordings(name: str) -> None:
    """Never ahead, never falling, never 100 %; something is said of all."""
    assert checked(name)


@pytest.mark.parametrize("debian", ["12", "13"])
def test_a_list_that_grows_gives_no_percentage(debian: str) -> None:
    """While it says ir-chk the percentage is of what it knows of, and falls."""
    moments = checked(f"rsync-ir-{debian}")
    text = b"".join(each.data for each in load(f"rsync-ir-{debian}").reads)
    assert b"ir-chk" in text
    growing = [each.reading for each in moments if each.reading.growing]
    assert growing
    assert all(each.percent is None and each.unit == "bytes" for each in growing)
    assert percents(moments)[0] > 50  # it is known late, and right then


def test_the_last_value_is_not_the_end() -> None:
    """0 % where nothing was to do, 67 % where a third was there: both are complete."""
    assert percents(checked("rsync-again-12"))[-1] == 0
    assert percents(checked("rsync-third-12"))[-1] == 66
    for name in ("rsync-again-12", "rsync-third-12"):
        assert load(name).ending().outcome == COMPLETE


def test_a_file_is_not_all_of_them() -> None:
    """The percentage of --progress is of one file: the files that are done are counted."""
    moments = checked("rsync-progress-12")
    assert [each.reading.done for each in moments] == [1, 2, 3, 4]
    assert not percents(moments)


@pytest.mark.parametrize(
    "row",
    [
        "     31,457,280  52%   15.01MB/s    0:00:00  ",
        "     31.457.280  52%   15,01MB/s    0:00:00  ",
        "       31457280  52%   15.01MB/s    0:00:00  (xfr#1, to-chk=3/9)",
        "     31,457,280  52%   15.01MB/s    0:00:00 (xfer#1, to-check=3/9)",
    ],
)
def test_numbers_of_any_locale(row: str) -> None:
    """Commas, points, or neither."""
    (found,) = [TOOL.reader(ALL.split()).read(1, row)]
    assert found is not None
    assert (found.percent, found.facts) == (52, {"bytes": 31457280})


@pytest.mark.parametrize(
    "row", ["         31.46M  52%   15.01MB/s    0:00:00", "  52%", "a 52% b", "  31,4"]
)
def test_what_is_short_is_never_more_than_it_was(row: str) -> None:
    """31.46M is at least 31.455 million; what is no row is not read."""
    found = TOOL.reader(ALL.split()).read(1, row, False)
    assert found is None or found.facts["bytes"] == pytest.approx(31_455_000)


@pytest.mark.parametrize(
    ("argv", "known"),
    [
        ("rsync -a --info=progress2 a b", False),
        ("rsync -a --info=progress2,stats2 --no-i-r a b", True),
        ("rsync -av --delete-after --info=progress2 a b", True),
        ("rsync --info=progress2 a b", True),
    ],
)
def test_the_list_is_whole_at_once(argv: str, known: bool) -> None:
    """Where options say so, or where there is but a file; else when it says to-chk."""
    first = "         32,768   1%    0.00kB/s    0:00:00  "
    told = "      1,000,000   2%   92.42MB/s    0:00:00 (xfr#1, to-chk=181/187)"
    totals = [total for _, total, _ in read(TOOL, argv, first, told)]
    assert totals == [100 if known else None, 100]


@pytest.mark.parametrize(
    ("code", "outcome", "said", "rerun"),
    [
        (0, COMPLETE, None, None),
        (24, WARNING, "run.end.vanished", None),
        (23, PARTLY, "run.end.left-out", "run.rerun.others"),
        (25, PARTLY, "run.end.deletions", "run.rerun.others"),
        (20, FAILED, None, "run.rerun.others"),
        (-9, FAILED, None, "run.rerun.others"),
        (1, FAILED, None, None),
    ],
)
def test_how_it_ends(code: int, outcome: str, said: str | None, rerun: str | None) -> None:
    """24 is complete with a warning; 23 has left something out."""
    found = ended(TOOL, ALL, code)
    assert (found.outcome, found.said, found.rerun) == (outcome, said, rerun)
    if outcome == FAILED and code != 1:
        assert ended(TOOL, f"{ALL} --partial", code).rerun == "run.rerun.partial"


@pytest.mark.parametrize(
    ("argv", "offer"),
    [
        ("rsync -a a b", "--info=progress2 --no-inc-recursive"),
        ("rsync a b", "--info=progress2"),
        ("rsync -aP --info=progress2 a b", "--no-inc-recursive"),
        (ALL, None),
    ],
)
def test_what_would_help(argv: str, offer: str | None) -> None:
    """Both flags, or what is missing of them; it is never asked by a signal."""
    assert TOOL.offer(argv.split()) == offer
    assert TOOL.asking(argv.split()) is None


def test_for_real(tmp_path: Path) -> None:
    """What is installed here is read as the recordings are."""
    for number in range(4):
        made(tmp_path / "from" / f"f{number}", 300_000)
    argv = [
        "rsync",
        "-a",
        "--info=progress2",
        "--no-inc-recursive",
        f"{tmp_path}/from/",
        f"{tmp_path}/to",
    ]
    now = ran(*argv)
    moments = now.played()
    holds(moments)
    assert max(percents(moments)) > 90
    assert now.ending().outcome == COMPLETE
