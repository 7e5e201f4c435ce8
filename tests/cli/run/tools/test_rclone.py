"""rclone: its statistics in three forms, and totals that grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.rclone import TOOL
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

COPY = "rclone copy -v --stats 1s a b"
FIRST = "rclone copy -P --check-first a b"


@pytest.mark.parametrize("name", names("rclone"))
def test_recordings(name: str) -> None:
    """Never ahead of the bytes that are there, never falling, never 100 %; all have a share."""
    assert percents(checked(name))


def test_a_total_that_grows_gives_no_percentage() -> None:
    """With a small backlog it grows for half of the run: it would say 7 % at 4 %."""
    text = b"".join(each.data for each in load("rclone-grow-12").reads).decode()
    assert text.index("/ 45.627 MiB, 7%") < text.index("/ 80.340 MiB")
    assert percents(checked("rclone-grow-12"))[0] > 50


def test_it_is_known_where_all_is_checked_first() -> None:
    """From the line on that says so; then there may be time left, else not."""
    moments = checked("rclone-first-12")
    assert percents(moments)[0] < 6
    assert not moments[-1].reading.growing
    assert all(each.reading.growing for each in checked("rclone-oneline-12"))


def test_a_total_that_grows_again_ends_the_percentage() -> None:
    """It never falls: it is not known until the share is more than was said."""
    known = ((1, 10), (2, 10), (3, 10), (4, 10), (5, 25), (6, 25), (7, 25), (8, 25), (11, 25))
    rows = [f"{done}.000 MiB / {of}.000 MiB, 1%, 1 MiB/s, ETA 1s" for done, of in known]
    totals = [total for _, total, _ in read(TOOL, COPY, *rows, stream=1)]
    assert [total is not None for total in totals] == [*3 * [False], True, *4 * [False], True]


def test_rows_of_single_files_are_not_read() -> None:
    """Nor is the second row, of files."""
    rows = [
        "Transferred:           14 / 181, 8%",
        " *                                       big.bin: 30% /40Mi, 4.467Mi/s, 7s",
        "Checks:                 7 / 7, 100%",
        "2026/11/30 08:55:04 INFO  : d2/s2/f10: Copied (new)",
        "  3%",
    ]
    assert not read(TOOL, COPY, *rows)


def test_nothing_ends_a_row_under_progress() -> None:
    """-P on a pipe writes the next one right behind it."""
    glued = (
        "1.000 MiB / 8.000 MiB, 12%, 0 B/s, ETA - (xfr#14/181)"
        "2.000 MiB / 8.000 MiB, 25%, 1.5 MiB/s, ETA 4s (xfr#20/181)"
        "3.000 MiB / 8.000 MiB, 37%, 1.5 MiB/s, ETA 1m3s4.000 MiB / 8.000 MiB, 50%, 1 MiB/s, ETA 0s"
    )
    ((done, _, _),) = read(TOOL, COPY, glued)
    assert done == pytest.approx(4 << 20, rel=0.001)


@pytest.mark.parametrize(
    ("code", "outcome", "said", "rerun"),
    [
        (0, COMPLETE, None, None),
        (9, WARNING, "run.end.nothing", None),
        (8, PARTLY, "run.end.limit", "run.rerun.others"),
        (1, FAILED, None, None),
        (-2, FAILED, None, "run.rerun.truncated-some"),
    ],
)
def test_how_it_ends(code: int, outcome: str, said: str | None, rerun: str | None) -> None:
    """A signal leaves truncated files under their names."""
    found = ended(TOOL, COPY, code)
    assert (found.outcome, found.said, found.rerun) == (outcome, said, rerun)


def test_errors_after_something_was_moved_are_a_part() -> None:
    """1 is all that it says of files that failed."""
    row = "5.000 MiB / 8.000 MiB, 62%, 1 MiB/s, ETA 3s"
    assert ended(TOOL, COPY, 1, row).outcome == PARTLY


def test_what_would_help() -> None:
    """--stats alone prints nothing."""
    helping = "-v --stats-one-line --check-first"
    assert TOOL.offer(["rclone", "sync", "--stats", "1s", "a", "b"]) == helping
    assert (
        TOOL.offer(["rclone", "sync", "a", "b"]) == "-v --stats=1s --stats-one-line --check-first"
    )
    assert TOOL.offer(COPY.split()) is None
    assert TOOL.offer(["rclone", "sync", "-P", "a", "b"]) is None
    assert TOOL.offer(["rclone", "ls", "a"]) is None


def test_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("RCLONE_CONFIG", "/dev/null")
    made(tmp_path / "from" / "f", 4_000_000)
    argv = ["rclone", "copy", "-v", "--stats", "50ms", "--stats-one-line", "--check-first"]
    now = ran(*argv, "--bwlimit", "16M", f"{tmp_path}/from", f"{tmp_path}/to")
    moments = now.played()
    holds(moments)
    assert percents(moments)
    assert now.ending().outcome == COMPLETE
