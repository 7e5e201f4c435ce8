"""Where ends wait that could not be told."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.cli.run import outbox


def test_a_service_without_a_home_is_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer's run and the same user's shell have one place."""
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert outbox.place() == f"{home}/.local/state/kaspad-taskd/run"


def test_what_cannot_be_read_waits_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's (sudo -E) is theirs to tell; what lies behind it is told."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = tmp_path / "kaspad-taskd" / "run"
    (place / "00000000000000000001-1.json").mkdir(parents=True)
    first = {"pid": 1, "metadata": {"pid": 1, "startTime": "2026-11-30T10:27:55.055Z"}}
    kept = outbox.keep({
        "id": "a", "name": "a", "service": "a", "stallAfter": None, "socket": None, "taskId": None,
        "ended": "2026-11-30T10:28:55.055Z", "first": first,
        "last": {"completed": True, "metadata": {"exit": 0}},
    })  # fmt: skip
    assert kept is not None
    asked: list[str] = []

    def call(method: str, params: dict[str, Any]) -> Any:
        asked.append(method)
        task = {"id": "a", "type": "report", "status": "in-progress", "metadata": {}}
        return {"task": task, "created": True}

    assert outbox.tell(call, None) == 1
    assert asked[-1] == "reportTask"
    assert [each.name for each in place.iterdir()] == ["00000000000000000001-1.json"]
