"""A client's run in this process, against a scripted daemon on a real socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kaspad_taskd.cli.main import run
from tests.fakes.golden import golden_tasks
from tests.fakes.taskd import ScriptedTaskd, answering, scripted

Ran = tuple[int, str, str]
"""Exit code, standard output, standard error."""


@pytest.fixture
def taskd(tmp_path: Path) -> Iterator[ScriptedTaskd]:
    """A daemon with the golden tasks."""
    with scripted(tmp_path / "rpc.sock", answering(golden_tasks())) as serving:
        yield serving


@pytest.fixture
def ctl(
    taskd: ScriptedTaskd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Ran]]:
    """Runs kaspad-taskctl with these words, in UTC and UTF-8, 80 columns."""
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def ran(*words: str) -> Ran:
        code = run(["--socket", str(taskd.path), *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    yield ran
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times and letters are the same on every machine."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
