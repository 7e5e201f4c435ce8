"""borg: what `create` has read, and the operations of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.borg import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import (
    checked,
    ended,
    made,
    names,
    percents,
    ran,
)

if TYPE_CHECKING:
    from pathlib import Path

CREATE = "borg create --progress r::a x"


@pytest.mark.parametrize("name", names("borg"))
def test_recordings(name: str) -> None:
    """Never ahead, never falling, never 100 %; something is said of all."""
    assert checked(name)


@pytest.mark.parametrize("name", ["borg-create-12", "borg-create-text-13", "borg-pty-12"])
def test_create_has_no_percentage(name: str) -> None:
    """It knows no total."""
    moments = checked(name)
    assert not percents(moments)
    assert all(each.reading.unit == "bytes" for each in moments)


def test_an_operation_is_a_phase() -> None:
    """Each begins anew, and its last line has no numbers."""
    moments = checked("borg-check-12")
    phases = list(dict.fromkeys((each.reading.phase, each.reading.after) for each in moments))
    assert phases == [
        ("repository.check", 0),
        ("check.verify_data", 1),
        ("check.rebuild_refcounts", 2),
    ]


def test_current_is_what_it_is_about_to_do() -> None:
    """Ten of ten are nine that are done, one of one is none; extract has nothing yet at 1 MB."""
    reader = TOOL.reader(["borg", "check"])
    line = {
        "type": "progress_percent",
        "finished": False,
        "operation": 1,
        "msgid": "x",
        "total": 10,
    }
    seen = [reader.read(2, json.dumps({**line, "current": number})) for number in range(1, 11)]
    assert [each.percent for each in seen if each] == [10.0 * number for number in range(10)]
    only = reader.read(2, json.dumps({**line, "operation": 2, "current": 1, "total": 1}))
    assert only is not None
    assert only.percent == 0
    end = {"type": "progress_percent", "finished": True, "operation": 2, "msgid": "x"}
    assert reader.read(2, json.dumps(end)) is None
    assert checked("borg-extract-12")[0].reading.done == 0


@pytest.mark.parametrize(
    ("code", "outcome", "said"),
    [
        (0, COMPLETE, None),
        (1, WARNING, "run.end.warnings"),
        (107, WARNING, "run.end.warnings"),
        (2, FAILED, None),
        (143, FAILED, None),
    ],
)
def test_how_it_ends(code: int, outcome: str, said: str | None) -> None:
    """Warnings are complete, those of BORG_EXIT_CODES=modern too."""
    found = ended(TOOL, CREATE, code)
    assert (found.outcome, found.said) == (outcome, said)
    assert found.rerun == ("run.rerun.reuses" if outcome == FAILED else None)
    assert load("borg-missing-13").ending().outcome == WARNING


def test_a_lock_that_is_in_the_way() -> None:
    """It is told with what breaks it; so is one that a kill leaves."""
    line = "Failed to create/acquire the lock /srv/r/lock.exclusive (timeout)."
    assert ended(TOOL, CREATE, 2, line).rerun == "run.rerun.unlock-borg"
    told = json.dumps({"type": "log_message", "msgid": "LockTimeout", "message": line})
    assert ended(TOOL, CREATE, 2, told).said == "run.end.locked"
    assert ended(TOOL, CREATE, -9).rerun == "run.rerun.unlock-borg"


def test_what_would_help() -> None:
    """Without --progress nothing is told."""
    assert TOOL.offer(["borg", "create", "r::a", "x"]) == "--progress"
    assert TOOL.offer(CREATE.split()) is None
    assert TOOL.offer(["borg", "list", "r"]) is None


def test_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("BORG_BASE_DIR", str(tmp_path / "base"))
    made(tmp_path / "from" / "f", 2_000_000)
    repository = str(tmp_path / "repository")
    assert ran("borg", "init", "-e", "none", repository, tool="borgbackup").code == 0
    now = ran("borg", "--log-json", "create", "--progress", f"{repository}::a", f"{tmp_path}/from")
    moments = now.played()
    holds(moments)
    assert moments
    assert now.ending().outcome == COMPLETE
