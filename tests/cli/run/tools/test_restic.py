"""restic: what a backup has read, and the counts of its other verbs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.restic import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import (
    checked,
    ended,
    made,
    names,
    ran,
)

if TYPE_CHECKING:
    from pathlib import Path

BACKUP = "restic -r r backup --json x"


def status(**fields: object) -> str:
    return json.dumps({"message_type": "status", **fields})


@pytest.mark.parametrize("name", names("restic"))
def test_recordings(name: str) -> None:
    """Never ahead of what it had read in the end, never falling, never 100 %."""
    assert checked(name) or name == "restic-restore-12"  # its --json does nothing there


def test_no_percentage_while_the_scan_goes_on() -> None:
    """The first status is of one file: its total and its percentage are none."""
    reader = TOOL.reader(BACKUP.split())
    first = status(percent_done=0, total_files=1, total_bytes=41943040)
    grown = status(percent_done=0.5, total_bytes=41943040, bytes_done=20971520)
    assert [reader.read(1, piece).percent for piece in (first, grown)] == [None, None]  # type: ignore[union-attr]
    whole = status(seconds_remaining=9, total_bytes=83886080, bytes_done=20971520)
    found = reader.read(1, whole)
    assert found is not None
    assert (found.percent, found.growing, found.phase) == (25, True, "reading")


def test_a_total_that_stands_still_is_believed() -> None:
    """`seconds_remaining` is left out where it is 0."""
    reader = TOOL.reader(BACKUP.split())
    seen = [
        reader.read(1, status(seconds_elapsed=second, total_bytes=100, bytes_done=10 + second))
        for second in range(5)
    ]
    assert [each.percent for each in seen if each] == [None, None, None, 13, 14]


def test_what_was_read_is_not_yet_saved() -> None:
    """No time is left to be told of it, and when all is read there is no number any more."""
    moments = checked("restic-limited-12")
    known = [each.reading for each in moments if each.reading.total is not None]
    assert known
    assert all(each.growing for each in known)
    assert [each.reading.phase for each in moments][-1] == "saving"
    assert moments[-1].reading.percent is None


def test_counts_are_of_their_phase() -> None:
    """`check` runs to the end once for snapshots, and again for packs."""
    moments = checked("restic-check-12")
    assert [(each.reading.phase, each.reading.after) for each in moments] == [
        ("snapshots", 0),
        ("packs", 1),
    ]
    reader = TOOL.reader(["restic", "check"])
    found = reader.read(1, "[0:00] 20.00%  3 / 15 packs")
    assert found is not None
    assert (found.done, found.total, found.unit) == (3, 15, "packs")


def test_on_a_terminal_a_percentage_says_that_the_scan_is_over() -> None:
    """Its rows there have none before."""
    reader = TOOL.reader(["restic", "backup", "x"])
    rows = [
        "[0:01] 21 files 5.914 MiB, total 181 files 80.340 MiB, 0 errors",
        "[0:02] 25.00%  40 files 20.000 MiB, total 181 files 80.000 MiB, 0 errors ETA 0:06",
    ]
    first, second = (reader.read(1, row) for row in rows)
    assert first is not None
    assert second is not None
    assert first.percent is None
    assert second.percent == pytest.approx(25, abs=0.01)
    assert second.percent is not None
    assert second.percent < 25  # they are rounded


@pytest.mark.parametrize(
    ("code", "outcome", "said", "rerun"),
    [
        (0, COMPLETE, None, None),
        (3, PARTLY, "run.end.unread", "run.rerun.reuses"),
        (11, FAILED, "run.end.locked", "run.rerun.unlock-restic"),
        (130, FAILED, None, "run.rerun.reuses"),
        (-15, FAILED, None, "run.rerun.lock-restic"),
    ],
)
def test_how_it_ends(code: int, outcome: str, said: str | None, rerun: str | None) -> None:
    """3 has left something out; SIGTERM leaves a lock, SIGINT does not."""
    found = ended(TOOL, BACKUP, code)
    assert (found.outcome, found.said, found.rerun) == (outcome, said, rerun)
    assert ended(TOOL, "restic snapshots", -15).rerun is None


def test_a_source_that_is_not_there_is_a_warning() -> None:
    """It ends with 0 as long as another one is there."""
    found = load("restic-missing-12").ending()
    assert (found.outcome, found.said) == (WARNING, "run.end.missing")


def test_what_would_help() -> None:
    """Only a backup is made to talk by --json on every version."""
    assert TOOL.offer(["restic", "-r", "r", "backup", "x"]) == "--json"
    assert TOOL.offer(BACKUP.split()) is None
    assert TOOL.offer(["restic", "check"]) is None


def test_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("RESTIC_PASSWORD", "x")
    made(tmp_path / "from" / "f", 2_000_000)
    repository = ["restic", "--no-cache", "-r", f"{tmp_path}/repository"]
    assert ran(*repository, "init").code == 0
    now = ran(*repository, "backup", "--json", f"{tmp_path}/from")
    holds(now.played())
    assert now.ending().outcome == COMPLETE
