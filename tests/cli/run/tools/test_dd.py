"""dd: the bytes it has copied, and the total where its operands tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.dd import TOOL, total
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED
from tests.cli.run.corpus import holds
from tests.cli.run.tools.playing import (
    checked,
    ended,
    names,
    percents,
    ran,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path

COPY = "dd if=/dev/sda of=x bs=1M status=progress"


@pytest.mark.parametrize("name", names("dd"))
def test_recordings(name: str) -> None:
    """Never ahead of what was there, never falling, never 100 %; something is said of all."""
    moments = checked(name)
    assert moments
    assert bool(percents(moments)) == ("nocount" not in name)


@pytest.mark.parametrize(
    ("operands", "bytes_"),
    [
        ("bs=64K count=600", 64 * 1024 * 600),
        ("bs=1MB count=3", 3_000_000),
        ("bs=1MiB count=3", 3 << 20),
        ("count=4", 2048),
        ("ibs=1k obs=4k count=2", 2048),
        ("bs=2x512 count=2", 2048),
        ("bs=1M count=5000B", 5000),
        ("bs=1M count=5k iflag=fullblock,count_bytes", 5120),
        ("bs=1M", None),
        ("if=/dev/sda", None),
        ("bs=1M count=0", None),
        ("bs=1M count=many", None),
        ("bs=1E count=999999999999", None),
    ],
)
def test_the_total_is_known_of_operands_alone(operands: str, bytes_: int | None) -> None:
    """A number of blocks, and how large one is."""
    assert total(["dd", *operands.split()]) == bytes_


@pytest.mark.parametrize(
    "row",
    [
        "10354688 bytes (10 MB, 9.9 MiB) copied, 1 s, 10.3 MB/s",
        "10354688 Bytes (10 MB, 9,9 MiB) kopiert, 1,00212 s, 10,3 MB/s",
        "10354688 octets (10 MB, 9,9 MiB) copiés, 1 s, 10,3 MB/s",
    ],
)
def test_any_language(row: str) -> None:
    """The number in front is exact; what a row begins with is none."""
    assert read(TOOL, COPY, row) == [(10354688, None, None)]
    assert not read(TOOL, COPY, *(row[:end] for end in range(row.rindex(",") - 3)))
    assert not read(TOOL, COPY, "236+0 records in", "512 bytes")


def test_how_it_ends() -> None:
    """What was copied until then stays."""
    assert ended(TOOL, COPY, 0).outcome == COMPLETE
    found = ended(TOOL, COPY, -2)
    assert (found.outcome, found.rerun) == (FAILED, "run.rerun.part")


def test_it_is_asked_where_it_does_not_tell_by_itself() -> None:
    """By SIGUSR1, but not where it was told to be silent."""
    assert TOOL.asking(["dd", "if=a", "of=b"]) == "SIGUSR1"
    for argv in (COPY, "dd if=a of=b status=none", "dd if=a status=noxfer"):
        assert TOOL.asking(argv.split()) is None
    assert TOOL.offer(["dd", "if=a", "of=b"]) is None


def test_for_real(tmp_path: Path) -> None:
    """What is installed here says how much it was in the end."""
    now = ran("dd", "if=/dev/zero", f"of={tmp_path}/x", "bs=64K", "count=30")
    moments = now.played()
    holds(moments)
    assert moments[-1].reading.done == moments[-1].reading.total == 30 * 65536
    assert now.ending().outcome == COMPLETE
