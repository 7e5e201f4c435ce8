"""`kaspad-taskctl backup --to DIR --keep N` and a real daemon: copied, read back, thinned out."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Line, Taskd, until
from tests.system.test_restore import restore

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


async def ctl(taskd: Taskd, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket), *words]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120
    )


async def backup(taskd: Taskd, to: Path, *more: str) -> dict[str, Any]:
    done = await ctl(taskd, "backup", "--to", str(to), "--json", *more)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def own_copies(taskd: Taskd) -> list[str]:
    return sorted(path.name for path in taskd.state.glob("backup-*"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def cut(copy: Path, to: Path) -> None:
    to.write_bytes(copy.read_bytes()[:5000])


async def work(line: Line, service: str) -> None:
    await line.call("registerTask", type="report", service=service)


@pytest.fixture
def to(tmp_path: Path) -> Path:
    made = tmp_path / "copies"
    made.mkdir()
    return made


async def test_a_copy_is_brought_read_back_and_can_be_restored(tmp_path: Path, to: Path) -> None:
    """It prints its path alone; 0600; nothing stays beside the state; it comes back whole."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        await work(line, "one")
        answer = await backup(taskd, to)
        info = await line.call("getInfo")
        assert (answer["tasks"], answer["seq"], answer["journal"]) == (1, 2, info["journal"])
        path = Path(answer["path"])
        assert names(to) == {path.name}
        assert mode(path) == 0o600
        assert own_copies(taskd) == []
        await work(line, "two")
        done = await ctl(taskd, "backup", "--to", str(to))
        assert done.returncode == 0
        assert len(names(to)) == 2
        assert Path(done.stdout.strip()).parent == to
        await taskd.end()
        assert (await restore(taskd, path)).stdout.startswith("restored: 1 task, ")
        line = await taskd.start()
        assert [task["id"] for task in await line.call("getAllTasks")] == ["report-one"]
        assert (await line.call("getInfo"))["journal"] != info["journal"]
        again = await backup(taskd, to, "--keep", "2")
        assert (len(again["removed"]), len(names(to))) == (1, 2)  # the same state, after a restore


async def test_that_none_was_made_is_a_warning_until_one_is(tmp_path: Path, to: Path) -> None:
    """Where the settings ask for it: seen soon after a start, gone with the next look."""
    async with Taskd(tmp_path) as taskd:
        taskd.settings.write_text('backup_max_age = "7d"\n')
        line = await taskd.start()

        async def warned() -> bool:
            found = (await line.call("getWarnings"))["warnings"]
            return [each["code"] for each in found] == ["backup-old"]

        await until(warned)
        await backup(taskd, to)
        await line.call("reload")  # it looks then, too

        async def calm() -> bool:
            return not (await line.call("getWarnings"))["warnings"]

        await until(calm)
        await taskd.end()
        line = await taskd.start()
        await line.call("reload")
        assert (await line.call("getWarnings"))["warnings"] == []


async def test_only_our_own_older_copies_of_this_state_go(tmp_path: Path, to: Path) -> None:
    """No other name, no other state, no link of either kind, no file that is no copy."""
    async with Taskd(tmp_path / "a") as taskd, Taskd(tmp_path / "b") as other:
        line = await taskd.start()
        await other.start()
        strange = Path((await backup(other, to))["path"])
        first = Path((await backup(taskd, to))["path"])
        stem = first.name[: -len("20261129T205300.123456Z.db")]
        outside = tmp_path / "outside.db"
        shutil.copy(first, outside)
        kept = {
            strange.name,
            f"{first.name}.old",
            f"x{first.name}",
            f"{stem}20261129T205300Z.db",
            f"{stem}20200101T000000.000000Z.db",
            f"{stem}20200101T000000.000001Z.db",
            f"{stem}20200101T000000.000002Z.db",
            f"{stem}20200101T000000.000003Z.db",
            "notes.txt",
        }
        for name in (f"{first.name}.old", f"x{first.name}", f"{stem}20261129T205300Z.db"):
            shutil.copy(first, to / name)
        (to / f"{stem}20200101T000000.000000Z.db").symlink_to(outside)
        os.link(outside, to / f"{stem}20200101T000000.000001Z.db")
        cut(first, to / f"{stem}20200101T000000.000002Z.db")
        (to / f"{stem}20200101T000000.000003Z.db").mkdir()
        (to / "notes.txt").write_text("mine")
        await work(line, "one")
        second = await backup(taskd, to, "--keep", "2")
        assert second["removed"] == []
        await work(line, "two")
        third = await backup(taskd, to, "--keep", "2")
        assert third["removed"] == [str(first)]
        fourth = await backup(taskd, to, "--keep", "1")
        assert set(fourth["removed"]) == {second["path"], third["path"]}
        assert names(to) == kept | {Path(fourth["path"]).name}
        assert outside.exists()


async def test_no_clock_decides_which_is_older(tmp_path: Path, to: Path) -> None:
    """A name of the future is of a clock that was ahead: what is newer by its events stays."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        first = Path((await backup(taskd, to))["path"])
        ahead = first.with_name(f"{first.name[: -len('20261129T205300.123456Z.db')]}"
                                "20990101T000000.000000Z.db")  # fmt: skip
        shutil.move(first, ahead)
        await work(line, "one")
        second = Path((await backup(taskd, to))["path"])
        third = await backup(taskd, to, "--keep", "2")
        assert third["removed"] == [str(ahead)]
        assert names(to) == {second.name, Path(third["path"]).name}


async def test_what_the_daemon_keeps_beside_its_state_does_not_pile_up(tmp_path: Path) -> None:
    """Five at most, the last one always; other files are left alone."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        (taskd.state / "backup-mine.db").write_text("mine")
        made = [Path((await line.call("backup"))["path"]).name for _ in range(8)]
        assert own_copies(taskd) == [*made[3:], "backup-mine.db"]


async def test_a_copy_that_cannot_be_made_removes_nothing(tmp_path: Path, to: Path) -> None:
    """No directory, one that another holds, a full disk: one sentence, and all is as it was."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        await backup(taskd, to)
        before = names(to)
        missing = await ctl(taskd, "backup", "--to", str(tmp_path / "none"), "--keep", "1")
        assert (missing.returncode, "mkdir -m 700" in missing.stderr) == (1, True)
        usage = await ctl(taskd, "backup", "--keep", "1")
        assert (usage.returncode, "--to" in usage.stderr) == (2, True)
        for wrong in ("0", "-1", "x", "1.5"):
            assert (await ctl(taskd, "backup", "--to", str(to), "--keep", wrong)).returncode == 2
        held = await asyncio.create_subprocess_exec(
            "flock", str(to), "sh", "-c", "echo held; read x",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert held.stdout is not None
        assert await held.stdout.readline() == b"held\n"
        busy = await ctl(taskd, "backup", "--to", str(to), "--keep", "1")
        await held.communicate(b"\n")
        assert (busy.returncode, "another kaspad-taskctl" in busy.stderr) == (1, True)
        assert names(to) == before
        assert own_copies(taskd) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk: root's")
async def test_a_full_disk_is_said(tmp_path: Path, to: Path) -> None:
    """Nothing half is left, there or beside the state."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        await backup(taskd, to)
        mounted = await asyncio.to_thread(
            subprocess.run, ["mount", "-t", "tmpfs", "-o", "size=80k", "none", str(to)]
        )
        if mounted.returncode:
            pytest.skip("nothing can be mounted here")
        try:
            for number in range(200):
                await work(line, f"work-{number}")
            full = await ctl(taskd, "backup", "--to", str(to), "--keep", "1")
            assert (full.returncode, names(to)) == (1, set())
            assert "No space left" in full.stderr
        finally:
            await asyncio.to_thread(subprocess.run, ["umount", str(to)], check=True)
        assert len(names(to)) == 1
        assert own_copies(taskd) == []


def damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE decisions")


async def test_a_copy_of_another_program_stays(tmp_path: Path, to: Path) -> None:
    """It has our name, and opens, and is no backup of ours."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        first = Path((await backup(taskd, to))["path"])
        damage(first)
        assert (await backup(taskd, to, "--keep", "1"))["removed"] == []
        assert first.name in names(to)
