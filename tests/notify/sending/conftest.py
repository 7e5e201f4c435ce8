"""Which Apprise a test is run with, and messages and targets for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Event

import pytest

from kaspad_taskd.notify.model import How, Item, Kind, Message, Target
from kaspad_taskd.notify.sending import running, sender

SYSTEM = "/usr/bin/python3"
MESSAGE = Message(
    "5f-1", "phone", 1_795_000_000_000, Kind.TROUBLE,
    (Item(Kind.TROUBLE, "task:node", "Node", "behind"),),
    "Node is behind", "Node: behind by 14 min, lag < 5 GB.\nNo peers.", "https://h.example/task/node",
)  # fmt: skip


@cache
def version(python: str) -> str:
    """Return the version of Apprise that an interpreter finds as our child does, "" for none."""
    look = "import apprise; print(apprise.__version__)"
    if not Path(python).exists():
        return ""
    command = [python, "-I", "-c", look]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(params=["locked", "system"])
def apprise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The locked Apprise (the newest), then the system's (Debian 12: 1.2.0); its version."""
    if request.param == "system":
        if sys.executable == SYSTEM:
            pytest.skip("the system's Python runs these tests: there is no other")
        monkeypatch.setattr(sys, "executable", SYSTEM)
    found = version(sys.executable)
    if not found:
        pytest.skip(f"{sys.executable} has no Apprise: apt install apprise")
    return found


def target(url: str, how: How = How.APPRISE, key: str = "") -> Target:
    return Target("phone", "phone, line 1", how, url, key)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[Event], None]:
    """Let the deadline come when something has happened, however slow the machine is."""

    def hold(happened: Event) -> None:
        monkeypatch.setattr(running, "_now", lambda: 1e9 if happened.is_set() else 0.0)

    return hold


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let the child be one whose module `child` was changed by these lines first."""

    def wrap(lines: str) -> None:
        head = (
            "import importlib.util, sys\n"
            f"spec = importlib.util.spec_from_file_location('child', {str(sender.CHILD)!r})\n"
            "child = importlib.util.module_from_spec(spec)\n"
            "spec.loader.exec_module(child)\n"
        )
        program = tmp_path / "wrapped.py"
        program.write_text(f"{head}{lines}\nchild.main()\n")
        monkeypatch.setattr(sender, "CHILD", program)

    return wrap
