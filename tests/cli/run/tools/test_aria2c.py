"""aria2c: its readout and its summary, of one and of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.aria2c import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import (
    checked,
    ended,
    names,
    percents,
    ran,
    read,
)
from tests.cli.run.tools.test_curl import address as address

if TYPE_CHECKING:
    from pathlib import Path

GET = "aria2c --summary-interval=1 http://h/x"


@pytest.mark.parametrize("name", names("aria2c"))
def test_recordings(name: str) -> None:
    """Never ahead of what was sent, never falling, never 100 %; something is said of all."""
    assert checked(name)


def test_its_last_value_is_not_100() -> None:
    """It is complete all the same."""
    assert percents(checked("aria2c-sized-12"))[-1] == 90
    assert load("aria2c-sized-12").ending().outcome == COMPLETE


def test_its_percentage_counts_not_its_rounded_figures() -> None:
    """Nor does a row that has not ended; colours are none of it."""
    row = "[#2a05ba 21MiB/38MiB(54%) CN:1 DL:10MiB ETA:1s]"
    ((done, total, _),) = read(TOOL, GET, *(row[:end] for end in range(1, len(row) + 1)))
    assert isinstance(done, float)
    assert isinstance(total, float)
    assert done / total == pytest.approx(0.54)


@pytest.mark.parametrize("name", ["aria2c-two-12", "aria2c-two-13", "aria2c-unknown-12"])
def test_of_several_and_of_no_length_no_percentage(name: str) -> None:
    """What others will have is not known; the bytes add up, also of those that are over."""
    moments = checked(name)
    assert not percents(moments)
    done = [each.reading.done for each in moments]
    assert done == sorted(done, key=lambda each: each or 0)


@pytest.mark.parametrize(
    ("code", "rerun"),
    [(7, "run.rerun.continues-aria2"), (6, "run.rerun.continues-aria2"), (3, None)],
)
def test_how_it_ends(code: int, rerun: str | None) -> None:
    """What was begun goes on where it was."""
    found = ended(TOOL, GET, code)
    assert (found.outcome, found.rerun) == (FAILED, rerun)
    complete = "11/30 09:00:41 [NOTICE] Download complete: w/b.bin"
    assert ended(TOOL, GET, code, complete).outcome == PARTLY


def test_what_would_help() -> None:
    """On a pipe the readout comes at the end."""
    assert TOOL.offer(["aria2c", "http://h/x"]) == "--summary-interval=1"
    assert TOOL.offer(["aria2c", "--summary-interval=0", "http://h/x"]) == "--summary-interval=1"
    assert TOOL.offer(GET.split()) is None
    assert TOOL.offer(["aria2c", "-q", "http://h/x"]) is None


def test_for_real(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    rate = "--max-overall-download-limit=3M"
    now = ran(
        "aria2c",
        "--no-conf",
        rate,
        "--summary-interval=1",
        "-d",
        str(tmp_path),
        "-o",
        "x",
        address,
        tool="aria2",
    )
    moments = now.played()
    holds(moments)
    assert moments
    assert now.ending().outcome == COMPLETE
