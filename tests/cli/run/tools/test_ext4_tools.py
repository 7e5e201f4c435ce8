"""e2fsck and resize2fs: recorded, and real ones of now on a small image."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools import e2fsck, resize2fs
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import checked, ended, percents, ran, read

if TYPE_CHECKING:
    from pathlib import Path


def test_passes_have_each_their_own() -> None:
    """`-C 1`: five passes, each from 0 on; where they are is told, not one number over all."""
    said = [each.reading for each in checked("e2fsck-C1")]
    assert {each.phase for each in said} == {f"pass {number}" for number in range(1, 6)}
    assert {each.phases for each in said} == {5}
    assert sorted({each.after for each in said if each.after is not None}) == [0, 1, 2, 3, 4]


def test_one_bar_is_of_all_passes() -> None:
    """`-C 0`, and the last line's percentage is none of it."""
    for name in ("e2fsck-C0", "e2fsck-C0-13"):
        moments = checked(name)
        assert percents(moments) == [5.8, 99.9]
        assert {each.reading.phase for each in moments} == {None}
    assert percents(checked("e2fsck-silent")) == []
    assert [each.reading.phase for each in checked("e2fsck-silent")][-1] == "pass 5"


def test_a_check_that_begins_anew() -> None:
    """Some repairs need it: what was said of the passes is of the round before."""
    rows = ["1 0 9 /dev/x", "5 9 9 /dev/x", "1 3 9 /dev/x", "2 0 9 /dev/x"]
    assert read(e2fsck.TOOL, "e2fsck -C 1 /dev/x", *rows) == [
        (0, 9, "pass 1"),
        (9, 9, "pass 5"),
        (3, 9, "round 2, pass 1"),
        (0, 9, "round 2, pass 2"),
    ]
    bars = ["Pass 1: x", "/dev/x: |===  |  5.8%  ", "Pass 5: x", "/dev/x: |=====| 99.0%  ",
            "Pass 1: x", "/dev/x: |=    |  2.0%  "]  # fmt: skip
    found = read(e2fsck.TOOL, "e2fsck -C 0 /dev/x", *bars)
    assert found == [(5.8, 100, None), (99.0, 100, None), (2.0, 100, "round 2")]


@pytest.mark.parametrize(
    ("code", "outcome", "said"),
    [
        (0, COMPLETE, None),
        (1, WARNING, "run.end.corrected"),
        (2, WARNING, "run.end.reboot"),
        (3, WARNING, "run.end.reboot"),
        (4, PARTLY, "run.end.uncorrected"),
        (5, PARTLY, "run.end.uncorrected"),
        (8, FAILED, None),
        (12, FAILED, None),
        (16, FAILED, None),
        (32, FAILED, None),
        (128, FAILED, None),
        (-2, FAILED, None),
    ],
)
def test_its_code_is_a_sum(code: int, outcome: str, said: str | None) -> None:
    """The worst of it counts."""
    ending = ended(e2fsck.TOOL, "e2fsck -f /dev/x", code)
    assert (ending.outcome, ending.said) == (outcome, said)


def test_recorded_ends() -> None:
    """Corrected is complete, with a word; left as it was is not."""
    assert load("e2fsck-corrected").ending().outcome == WARNING
    assert load("e2fsck-left").ending().outcome == PARTLY
    assert load("e2fsck-clean").ending().outcome == FAILED  # it needs a terminal to ask
    assert ended(resize2fs.TOOL, "resize2fs x", -15).rerun == "run.rerun.fsck"


def test_crosses_are_counted_as_they_come() -> None:
    """Nothing ends their row: what is pending is read."""
    moments = checked("resize2fs-shrink")
    assert percents(moments) == [0, 99.9, 0, 99.9]
    assert {each.reading.phase for each in moments} == {"relocating blocks", "scanning inode table"}
    reader = resize2fs.TOOL.reader(["resize2fs", "-p"])
    assert reader.read(1, "XXX") is None
    begun = reader.read(1, "Relocating blocks             " + "-" * 40)
    assert begun is not None
    assert begun.percent == 0
    for crosses, percent in ((1, 2.5), (20, 50), (40, 99.9)):
        found = reader.read(1, "X" * crosses, False)
        assert found is not None
        assert found.percent == percent


def test_what_is_offered() -> None:
    """Where it would draw none."""
    assert e2fsck.TOOL.offer(["e2fsck", "-f", "x"]) == "-C 0"
    assert e2fsck.TOOL.offer(["e2fsck", "-fC0", "x"]) is None
    assert e2fsck.TOOL.offer(["e2fsck", "-C", "7", "x"]) is None
    assert resize2fs.TOOL.offer(["resize2fs", "x"]) == "-p"
    assert resize2fs.TOOL.offer(["resize2fs", "-pM", "x"]) is None


def test_a_real_file_system_is_checked_and_made_smaller(tmp_path: Path) -> None:
    """By what is installed here."""
    if shutil.which("mke2fs") is None:
        pytest.skip("mke2fs is not installed (apt install e2fsprogs)")
    for number in range(40):
        (tmp_path / "in" / f"d{number}").mkdir(parents=True)
        (tmp_path / "in" / f"d{number}" / "file").write_bytes(bytes(range(256)) * 200)
    image = str(tmp_path / "fs.img")
    subprocess.run(["truncate", "-s", "64M", image], check=True)
    make = ["mke2fs", "-q", "-t", "ext4", "-d", str(tmp_path / "in"), image]
    subprocess.run(make, check=True, capture_output=True)
    counted = ran("e2fsck", "-f", "-n", "-C", "1", image, tool="e2fsprogs")
    holds(counted.played())
    assert {each.reading.phase for each in counted.played()} == {f"pass {n}" for n in range(1, 6)}
    drawn = ran("e2fsck", "-f", "-y", "-C", "0", image, tool="e2fsprogs")
    holds(drawn.played())
    assert (drawn.code, drawn.ending().outcome) == (0, COMPLETE)
    smaller = ran("resize2fs", "-p", image, "16M", tool="e2fsprogs")
    holds(smaller.played())
    assert smaller.code == 0, smaller.reads
    assert percents(smaller.played())
