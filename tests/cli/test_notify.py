"""`kaspad-taskctl notify`: what it shows, and what it says where it may not or cannot."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.cli import notify
from kaspad_taskd.cli.main import run

pytestmark = pytest.mark.usefixtures("utc")

NOW = 1_764_475_200.0  # 2025-11-30T04:00:00Z
REFUSED = {"delivered": False, "why": "refused", "status": 429, "words": "limit reached"}
TAKEN = {"delivered": True, "why": None, "status": 200, "words": ""}


def status(**more: Any) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "daemon": {"answers": True, "since": "2025-11-30T03:00:00.000Z"},
        "unsaved": None,
        "refused": None,
        "heartbeat": None,
        "targets": [{"name": "phone, line 2 (ntfys)", "waiting": 1, "failures": 3}],
        "messages": [
            {
                "id": "a-1",
                "title": "kaspa-node is behind\x1b[2J",
                "made": "2025-11-30T03:00:00.000Z",
                "to": [
                    {"target": "phone, line 2 (ntfys)", "fate": "waiting", "tries": 3,
                     "next": "2025-11-30T05:00:00.000Z", "outcome": REFUSED},
                    {"target": "hook (webhook)", "fate": "delivered", "tries": 0, "outcome": TAKEN},
                ],
            }
        ],
        **more,
    }  # fmt: skip


def shown(found: dict[str, Any], *, running: bool = True, cells: int = 200) -> str:
    lines = notify.lines(found, cells, NOW, running=running)
    return "\n".join("".join(text for text, _style in line) for line in lines)


def put(place: Path, found: object) -> Path:
    (place / notify.STATUS).write_text(json.dumps(found))
    return place


def test_what_was_told_and_what_waits_is_shown_with_its_reason() -> None:
    """Each message, whom it has reached, and what the others said; nothing of it moves a cursor."""
    text = shown(status())
    assert "phone, line 2 (ntfys): 1 waiting, 3 tries in a row failed" in text
    assert "waits for phone, line 2 (ntfys), 3 tries so far" in text
    assert "the service says no (429): limit reached; again at" in text
    assert "✓ told hook (webhook)" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"daemon": {"answers": False}}, "kaspad-taskd does not answer"),
        ({"unsaved": "the disk is full"}, "its state cannot be written: the disk is full"),
        ({"refused": "notify.toml, to[1]: x"}, "newer settings are refused, the old ones hold"),
        ({"heartbeat": {"outcome": REFUSED}}, "the heartbeat is not taken: the service says no"),
        ({"messages": []}, "Nothing was told yet."),
        ({}, "tells 1"),
    ],
)
def test_how_it_is_stands_above(more: dict[str, Any], says: str) -> None:
    """Whatever is wrong with it, before what it did."""
    assert says in shown(status(**more))


def test_one_that_does_not_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to type; the exit code says it, too, and --json."""
    put(tmp_path, status(pid=2**22 + 1))
    assert run(["notify", "--state-dir", str(tmp_path)]) == 1
    assert "sudo systemctl start kaspad-taskd-notify" in capsys.readouterr().out
    assert run(["notify", "--json", "--state-dir", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False
    assert run(["notify", "test", "--state-dir", str(tmp_path)]) == 1
    assert "does not run" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [notify.STATUS]


@pytest.mark.parametrize("found", [[], {"a": 1}, "x", None])
def test_another_file_in_its_place_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: object
) -> None:
    """And nothing is made of it."""
    put(tmp_path, found)
    assert run(["notify", "--state-dir", str(tmp_path)]) == 1
    assert "is not what a notifier writes" in capsys.readouterr().err


def test_where_none_has_run_it_says_how_to_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the settings' name and the command."""
    assert run(["notify", "--state-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "no notifier has run here" in said
    assert "notify.toml" in said


def test_who_may_not_look_is_told_who_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The group, and sudo."""

    def closed(_path: str) -> Any:
        raise PermissionError

    monkeypatch.setattr(notify, "_read", closed)
    assert run(["notify", "--state-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "kaspad-taskd-read" in said
    assert "sudo kaspad-taskctl notify" in said


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_lies_there_is_never_followed_nor_waited_for(tmp_path: Path, kind: str) -> None:
    """The directory is another user's, and root may look into it."""
    place = tmp_path / notify.STATUS
    if kind == "link":
        place.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    assert run(["notify", "--state-dir", str(tmp_path)]) == 1


def test_a_name_without_test_is_no_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What it would mean is said."""
    assert run(["notify", "phone"]) == 2
    assert capsys.readouterr().err
