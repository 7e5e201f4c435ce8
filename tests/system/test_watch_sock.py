"""The socket for those who only read, on a real daemon."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Refusal, Taskd

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NOBODY = 65534
AS_ANOTHER = f"""
import argparse, json, os, pkgutil, sys, http.client, importlib, subprocess
import kaspad_taskd.cli
from kaspad_taskd.cli.main import run
for each in pkgutil.iter_modules(kaspad_taskd.cli.__path__):
    if not each.name.startswith("__"):
        importlib.import_module("kaspad_taskd.cli." + each.name)
os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sys.exit(run(sys.argv[1:]))
"""
"""The client as another user. What it needs is imported before: he may not read our files."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that others may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


async def test_every_method_is_answered_or_forbidden(place: Path) -> None:
    """All that rpc.discover lists: reading works, and nothing else; events come."""
    async with Taskd(place) as taskd:
        taskd.define("report-a", 'type = "report"\nservice = "a"\n')
        own = await taskd.start()
        path = taskd.runtime / "watch.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert (await own.call("getInfo"))["watchSocket"] == str(path)
        reader = await Line.open(path)
        document = await reader.call("rpc.discover")
        names = {each["name"] for each in document["methods"]}
        answered = {name for name in names if await _answered(reader, name)}
        told = {"ping", "explainTask", "subscribe", "unsubscribe", "rpc.discover"} & names
        assert answered == {name for name in names if name.startswith(("get", "list"))} | told
        follower = await Line.open(path)
        await follower.call("subscribe")
        await own.call("pauseTask", taskId="report-a")
        event = await follower.events.get()
        while event is not None and event["event"] != "sync:paused":
            event = await follower.events.get()
        assert event is not None
        await asyncio.gather(reader.close(), follower.close())


async def _answered(line: Line, name: str) -> bool:
    try:
        await line.call(name, **({"taskId": "report-a"} if "Task" in name else {}))
    except Refusal as refusal:
        return refusal.reason != "forbidden"
    return True


def asked(socket: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER, "--socket", str(socket), *words],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user looks")
async def test_who_may_only_read_gets_it_by_himself(place: Path) -> None:
    """The client tries it where the other one is closed; a change is refused with the cure."""
    async with Taskd(place) as taskd:
        taskd.define("report-a", 'type = "report"\nservice = "a"\n')
        await taskd.start()
        taskd.runtime.chmod(0o755)
        os.chown(taskd.runtime / "watch.sock", -1, NOBODY)
        code, out, err = await asyncio.to_thread(asked, taskd.socket, "list", "--json")
        assert (code, err) == (0, "")
        tasks: list[dict[str, Any]] = json.loads(out)
        assert [each["id"] for each in tasks] == ["report-a"]
        code, out, err = await asyncio.to_thread(asked, taskd.socket, "pause", "a")
        assert (code, out) == (1, "")
        assert "as root, or as a member of the group kaspad-taskd" in err
        code, out, _ = await asyncio.to_thread(asked, taskd.socket, "doctor")
        assert "you may read" in out
        os.chown(taskd.runtime / "watch.sock", -1, 0)
        code, _, err = await asyncio.to_thread(asked, taskd.socket, "list")
        assert code == 3
        assert "no permission" in err
