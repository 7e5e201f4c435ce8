"""A real daemon, the real notifier, and a real HTTP server that is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.notifier import Hook, Notifier
from tests.fakes.notify_socket import NotifySocket
from tests.fakes.patience import once
from tests.fakes.taskd_process import AT_ONCE, Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SECRET = "topic-of-mine"
QUICK = 'after = "500ms"\ngather = "0s"\n'
IDLE = 25 * 1024
"""KiB that a notifier may have when there is nothing to do."""
SEED = 20_261_130


@contextlib.asynccontextmanager
async def running(place: Path) -> AsyncIterator[tuple[Taskd, Notifier]]:
    """A daemon and a notifier, neither of them started."""
    async with Taskd(place / "d") as taskd, Notifier(place, taskd.runtime / "watch.sock") as it:
        yield taskd, it


@contextlib.asynccontextmanager
async def hooked() -> AsyncIterator[Hook]:
    """A server that is told."""
    with Hook() as hook:
        yield hook


async def breaks(line: Line, task: str) -> None:
    """Let a new task fail."""
    await line.call("registerTask", id=task, type="report", service=task)
    await line.call("errorTask", taskId=task, error="it broke")


def watched(hook: Hook) -> dict[str, Any]:
    """A task that looks at what `work` decides."""
    config = {
        "url": hook.url.replace(SECRET, "answers"),
        "progress": "progress",
        "completed": "done",
    }
    return {"id": "w", "type": "http-json", "service": "w", "checkInterval": 250, "config": config}


def work(hook: Hook, up: bool) -> None:
    """Let the work that is watched answer, or not."""
    hook.paths["/answers"] = lambda: (200, {"progress": 5}) if up else (503, {})


def memory(pid: int) -> int:
    """KiB that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def test_a_trouble_is_told_and_its_end(tmp_path: Path) -> None:
    """Of the real daemon, to a real server, in order; and what is no trouble long enough is not.

    Meanwhile the notifier says how it is, beats the heart, keeps every secret and stays small.
    """
    async with running(tmp_path) as (taskd, it):
        with Hook() as hook, NotifySocket(tmp_path / "systemd") as systemd:
            work(hook, True)
            heart = f'[heartbeat]\nurl_file = "{tmp_path}/hook"\n'
            it.tell(hook, QUICK, heart, 'page_url = "http://node:3080"\n')
            it.env |= {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "2000000"}
            line = await taskd.start()
            await it.start()
            await it.heard()
            await line.call("registerTask", **watched(hook))
            await breaks(line, "e")
            await once(lambda: hook.of("e", "error"))
            work(hook, False)
            await once(lambda: hook.of("w", "trouble"))
            work(hook, True)
            await once(lambda: hook.of("w", "recovered"))
            (error,), (trouble,) = hook.of("e", "error"), hook.of("w", "trouble")
            (recovered,) = hook.of("w", "recovered")
            assert [hook.got.index(each) for each in (error, trouble, recovered)] == [0, 1, 2]
            assert trouble["items"][0]["code"] == "unreachable"
            assert trouble["link"].startswith("http://node:3080/")
            assert len({each["id"] for each in hook.got}) == 3
            await once(lambda: [m["to"][0]["fate"] for m in _shown(it)] == ["delivered"] * 3)
            await once(lambda: hook.beats)
            assert it.process is not None
            assert memory(it.process.pid) <= IDLE
            words: list[str] = []

            def beats() -> bool:
                words.extend(systemd.words())
                return "WATCHDOG=1" in words

            await once(beats)
            assert "READY=1" in words
            assert stat.S_IMODE((it.state / "status.json").stat().st_mode) == 0o640
            assert stat.S_IMODE((it.state / "notify.db").stat().st_mode) == 0o600
            code, took = await it.end()
            assert (code, took < AT_ONCE) == (0, True)
            kept = b"".join(each.read_bytes() for each in it.state.iterdir())
            assert SECRET not in it.said() + "".join(words)
            assert SECRET.encode() not in kept
            assert it.said().count("told hook (webhook)") == 3


async def test_a_stop_loses_nothing_and_waits_for_nobody(tmp_path: Path) -> None:
    """A service that holds its answer back holds up no stop; the message comes again."""
    async with running(tmp_path) as (taskd, it), hooked() as hook:
        it.tell(hook, QUICK)
        hook.status = 0
        line = await taskd.start()
        await it.start()
        await it.heard()
        await breaks(line, "e")
        await once(lambda: hook.got)
        code, took = await it.end()
        assert (code, took < AT_ONCE) == (0, True)
        hook.status = 200
        hook.release()
        await it.start()
        await once(lambda: any(m["to"][0]["fate"] == "delivered" for m in _shown(it)))
        assert len({each["id"] for each in hook.got}) == 1
        assert len(hook.got) == 2


def _shown(it: Notifier) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = it.status().get("messages", [])
    return found


async def test_kills_of_both_lose_nothing_and_double_nothing_but_by_its_id(tmp_path: Path) -> None:
    """Each failure is told; who is told twice sees by the id that it is the same message."""
    chance = random.Random(SEED)
    async with running(tmp_path) as (taskd, it), hooked() as hook:
        it.tell(hook, 'after = "0s"\ngather = "0s"\nrepeat = "never"\n')
        line = await taskd.start()
        await it.start()
        await it.heard()
        tasks = []
        for n in range(6):
            task = f"t{n}"
            tasks.append(task)
            await breaks(line, task)
            hook.status = chance.choice([200, 200, 500])
            await asyncio.sleep(chance.random() * 0.3)
            if chance.random() < 0.4:
                await it.end(signal.SIGKILL)
                await it.start()
            if chance.random() < 0.25:
                await taskd.kill()
                line = await taskd.start()
        hook.status = 200
        await once(lambda: all(hook.of(task, "error") for task in tasks))
        for task in tasks:
            assert len({each["id"] for each in hook.of(task, "error")}) == 1
        items = {each["id"]: [i["of"] for i in each["items"]] for each in hook.got}
        assert all(items[each["id"]] == [i["of"] for i in each["items"]] for each in hook.got)


async def test_what_happened_while_nobody_listened_is_told_once(tmp_path: Path) -> None:
    """From the cursor; a trouble that is over by then is told as past, with its end."""
    async with running(tmp_path) as (taskd, it), hooked() as hook:
        work(hook, True)
        it.tell(hook, QUICK)
        line = await taskd.start()
        await line.call("registerTask", **watched(hook))
        await it.start()
        await it.heard()
        await it.end(signal.SIGKILL)

        async def is_(health: str) -> bool:
            return bool((await line.call("getTask", taskId="w"))["health"] == health)

        await until(lambda: is_("ok"))
        work(hook, False)
        await until(lambda: is_("unreachable"))
        await asyncio.sleep(1.0)
        work(hook, True)
        await until(lambda: is_("ok"))
        await breaks(line, "e")
        await it.start()
        await once(lambda: hook.of("e", "error") and hook.of("w", "trouble"))
        (trouble,) = hook.of("w", "trouble")
        (item,) = (each for each in trouble["items"] if each["of"] == "task:w")
        assert item["ended"] is not None
        assert hook.of("w", "recovered") == []


@pytest.mark.long  # beside it: tests/notify/test_follow.py
async def test_a_journal_that_is_another_one_is_begun_anew(tmp_path: Path) -> None:
    """The daemon's state is lost: what stands now is looked at, and what comes is told."""
    async with running(tmp_path) as (taskd, it), hooked() as hook:
        it.tell(hook, QUICK)
        line = await taskd.start()
        await it.start()
        await it.heard()
        await breaks(line, "e")
        await once(lambda: hook.of("e", "error"))
        await taskd.end()
        shutil.rmtree(taskd.state)
        line = await taskd.start()
        await once(lambda: "begun anew" in it.said())
        await breaks(line, "f")
        await once(lambda: hook.of("f", "error"))


async def test_settings_are_read_again_and_bad_ones_refused(tmp_path: Path) -> None:
    """SIGHUP; the old ones hold until good ones come."""
    async with running(tmp_path) as (taskd, it):
        with Hook() as first, Hook() as second:
            it.tell(first, QUICK)
            line = await taskd.start()
            await it.start()
            await it.heard()
            good = it.settings.read_text()
            it.settings.write_text(good + 'quiet = "never"\n')
            assert it.process is not None
            it.process.send_signal(signal.SIGHUP)
            await once(lambda: it.status()["refused"])
            assert "to[1].quiet" in it.said()
            it.tell(second, QUICK)
            it.process.send_signal(signal.SIGHUP)
            await once(lambda: it.status()["refused"] is None)
            await breaks(line, "e")
            await once(lambda: second.of("e", "error"))
            assert first.got == []


async def test_bad_settings_and_a_second_notifier_are_refused(tmp_path: Path) -> None:
    """78 with every fault, 75 with who has the state; `--check` says the same."""
    with Hook() as hook:
        it = Notifier(tmp_path, tmp_path / "none.sock")
        it.settings.write_text('[[to]]\nname = "x"\n[heartbeat]\n')
        for more in ((), ("--check",)):
            await it.start(*more)
            assert await it.ended() == 78
        assert it.said().count("to[1]: needs one of") == 2
        assert it.said().count("heartbeat.url_file") == 2
        assert not it.state.exists()
        it.tell(hook)
        await it.start("--check")
        assert await it.ended() == 0
        assert "not proven" in it.said()
        await it.start()
        await once(lambda: it.status())
        other = Notifier(tmp_path, tmp_path / "none.sock")
        await other.start()
        assert await other.ended() == 75
        assert f"process {it.status()['pid']}" in it.said()
        assert (await it.end())[0] == 0


async def test_a_test_is_sent_by_the_notifier_itself(tmp_path: Path) -> None:
    """Who may write to its state asks; the answer has what the service said."""
    with Hook() as hook:
        async with Notifier(tmp_path, tmp_path / "none.sock") as it:
            it.tell(hook)
            await it.start()
            await once(lambda: it.status())
            hook.status = 413
            code, said = await ctl(it, "test", "hook")
            assert code == 1
            assert "✗ hook (webhook): the service says no (413): said" in said
            hook.status = 200
            code, said = await ctl(it, "test")
            assert code == 0
            assert "✓ hook (webhook): taken (200)" in said
            code, said = await ctl(it, "test", "nobody")
            assert code == 1
            assert "there is no [[to]] of the name nobody" in said
            assert "hook" in said
            assert not (it.state / "test.json").exists()


async def ctl(it: Notifier, *words: str) -> tuple[int, str]:
    """Ask as people do; returns the exit code and all that is said."""
    command = [sys.executable, "-m", "kaspad_taskd.cli", "notify", *words]
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--state-dir", str(it.state)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.long  # beside it: tests/notify/test_store.py
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
async def test_on_a_full_disk_people_are_told_all_the_same(tmp_path: Path) -> None:
    """From memory, and said in the log; when there is room it is saved, and known after a kill."""
    place = tmp_path / "notify"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(place)]
    subprocess.run(mount, check=True)  # noqa: ASYNC221 - a moment
    try:
        async with running(tmp_path) as (taskd, it), hooked() as hook:
            it.tell(hook, QUICK)
            line = await taskd.start()
            await it.start()
            await it.heard()
            ballast = place / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 512)
            await breaks(line, "e")
            await once(lambda: hook.of("e", "error"))
            await once(lambda: "it goes on from memory" in it.said())
            await it.end()
            await it.start()
            await once(lambda: it.said().count("is heard") == 2)
            ballast.unlink()
            await once(lambda: "saved again" in it.said())
            await it.end(signal.SIGKILL)
            await it.start()
            await it.heard()
            await once(lambda: [m["to"][0]["fate"] for m in _shown(it)] == ["delivered"])
            assert len({each["id"] for each in hook.got}) == 1
    finally:
        subprocess.run(["umount", "-l", place], check=True)  # noqa: ASYNC221 - a moment
