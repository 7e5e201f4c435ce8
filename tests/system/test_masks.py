"""`kaspad-taskctl definitions show|mask|unmask` and a real daemon with two layers of files."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.taskd_process import Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

REPORT = '# ours\ntype = "report"\nservice = "{}"\n'


@pytest.fixture
async def layered(tmp_path: Path) -> AsyncIterator[Taskd]:
    """A daemon whose package brings `shipped`; the administrator has `own`."""
    vendor = tmp_path / "vendor"
    vendor.mkdir(mode=0o755)
    (vendor / "shipped.toml").write_text(REPORT.format("s"))
    async with Taskd(tmp_path / "d", env={"VENDOR": str(vendor)}) as taskd:
        taskd.program = ("tests.fakes.layered_taskd",)
        taskd.define("own", REPORT.format("o"))
        await taskd.start()
        yield taskd


async def ctl(taskd: Taskd, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket), *words]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


async def ids(taskd: Taskd) -> set[str]:
    return set((await ctl(taskd, "list", "--ids"))[1].split())


async def test_a_shipped_definition_is_masked_and_comes_back(layered: Taskd) -> None:
    """The link is there, the task goes; unmasked it is watched again; twice is no failure."""
    link = layered.tasks / "shipped.toml"
    assert await ids(layered) == {"own", "shipped"}
    code, out, err = await ctl(layered, "definitions", "mask", "s")  # by its service
    assert (code, err) == (0, "")
    assert " ".join(out.split()) == f"shipped is masked: {link} -> /dev/null removed shipped"
    assert link.readlink() == Path("/dev/null")
    assert await ids(layered) == {"own"}
    assert "masked" in (await ctl(layered, "definitions"))[1]
    assert "masked" in (await ctl(layered, "definitions", "show", "shipped"))[1]
    assert (await ctl(layered, "definitions", "mask", "shipped.toml"))[:2] == (
        0, "shipped was masked already\n",
    )  # fmt: skip
    code, out, _err = await ctl(layered, "definitions", "unmask", "shipped", "--json")
    told = json.loads(out)
    assert (code, told["changed"], told["reload"]["added"]) == (0, True, ["shipped"])
    assert not link.is_symlink()
    assert await ids(layered) == {"own", "shipped"}
    assert (await ctl(layered, "definitions", "unmask", "shipped"))[0] == 0


async def test_what_is_not_masked_is_left_as_it_is(layered: Taskd) -> None:
    """An own file, a registered task, no task at all: each with its cure; the rest is done."""
    await ctl(layered, "register", "report", "r", "--id", "r")
    before = (layered.tasks / "own.toml").read_bytes()
    code, out, err = await ctl(layered, "definitions", "mask", "own", "r", "nope", "shipped")
    assert code == 1
    assert "shipped is masked" in out
    assert f"mv {layered.tasks}/own.toml {layered.tasks}/own.toml.off" in err
    assert "kaspad-taskctl remove r" in err
    assert "there is no definition nope\n  Known: " in err
    assert (layered.tasks / "own.toml").read_bytes() == before
    assert await ids(layered) == {"own", "r"}
    assert (await ctl(layered, "definitions", "unmask", "own"))[:2] == (0, "own is not masked\n")
    assert (layered.tasks / "own.toml").read_bytes() == before


async def test_a_definition_is_shown_as_its_file_is(layered: Taskd) -> None:
    """With where it stands, remarks too; a registered one from its mirror."""
    await ctl(layered, "register", "report", "r", "--id", "r")
    code, out, _err = await ctl(layered, "definitions", "show", "o")
    path = layered.tasks / "own.toml"
    assert code == 0
    assert out.endswith(f"# {path}\n{path.read_text()}")

    async def mirrored() -> str:
        return (await ctl(layered, "definitions", "show", "r", "--json"))[1]

    told = json.loads(await until(mirrored))
    assert (told["origin"], 'service = "r"' in told["text"]) == ("api", True)
    code, _out, err = await ctl(layered, "definitions", "show", "nope")
    assert (code, "Known: " in err) == (1, True)
    assert (await ctl(layered, "definitions", "show"))[0] == 2
