"""A real daemon starts, says how it is, and stops; and what may be wrong around it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.store.schema import STEPS
from tests.fakes.notify_socket import NotifySocket
from tests.fakes.patience import once
from tests.fakes.taskd_process import Line, Refusal, Taskd, until

pytestmark = pytest.mark.system

SOON = 20.0
"""Seconds of a stop on a busy machine: under one on its own, minutes if it waited for anybody."""
FOR_AN_HOUR = {"taskId": "work", "timeout": 3_600_000}
REPORT = """\
type = "report"
service = "{service}"
"""
NODE = """\
type = "node-sync"
service = "node"
interval = "250ms"
timeout = "2min"
[checker]
url = "grpc://127.0.0.1:{port}"
"""


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Taskd]:
    async with Taskd(tmp_path) as made:
        yield made


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def seen_words(notify: NotifySocket, words: list[list[str]], first: str) -> list[str]:
    """Wait for the message that begins with `first`, return it; all that came is in `words`."""

    async def found() -> list[str] | None:
        words.extend(notify.messages())
        return next((each for each in words if each[0].startswith(first)), None)

    message: list[str] = await until(found)
    return message


# -- what systemd is told


async def test_systemd_hears_of_each_turn_of_its_life(tmp_path: Path) -> None:
    """READY with a status, RELOADING with the monotonic time and READY, STOPPING; in order."""
    words: list[list[str]] = []
    with NotifySocket(tmp_path / "notify") as notify:
        env = {"NOTIFY_SOCKET": notify.address}
        async with Taskd(tmp_path / "d", env=env) as daemon:
            daemon.define("work", REPORT.format(service="work"))
            line = await daemon.start()
            ready = await seen_words(notify, words, "READY=1")
            assert ready[1].startswith("STATUS=1 running: work")
            assert await line.call("ping")
            assert daemon.process is not None
            words.clear()
            daemon.define("more", REPORT.format(service="more"))
            before = monotonic_usec()
            daemon.process.send_signal(signal.SIGHUP)
            reloading = await seen_words(notify, words, "RELOADING=1")
            key, _, value = reloading[1].partition("=")
            assert key == "MONOTONIC_USEC"
            assert before <= int(value) <= monotonic_usec()
            assert "2 running" in (await seen_words(notify, words, "READY=1"))[1]
            words.clear()
            code, _ = await daemon.end()
            words.extend(notify.messages())
            assert code == 0
            assert [each[0] for each in words if not each[0].startswith("STATUS=")] == [
                "STOPPING=1"
            ]


def monotonic_usec() -> int:
    return time.monotonic_ns() // 1000


async def test_the_watchdog_is_fed_while_all_is_well(tmp_path: Path) -> None:
    """WATCHDOG=1 comes as often as systemd wants it."""
    words: list[list[str]] = []
    with NotifySocket(tmp_path / "notify") as notify:
        env = {"NOTIFY_SOCKET": notify.address, "WATCHDOG_USEC": "600000"}
        async with Taskd(tmp_path / "d", env=env) as daemon:
            await daemon.start()

            async def thrice() -> bool:
                words.extend(notify.messages())
                return words.count(["WATCHDOG=1"]) >= 3

            await until(thrice)


# -- how it stops


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_takes_less_than_a_second(daemon: Taskd, number: int) -> None:
    """With 50 clients that follow, wait and ask, and looks under way; nothing is lost by it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, never answers
        daemon.define("node", NODE.format(port=silent.getsockname()[1]))
        daemon.define("work", REPORT.format(service="work"))
        line = await daemon.start()
        waits = []
        for _ in range(49):
            other = await daemon.line()
            await other.call("subscribe")
            waits.append(asyncio.create_task(other.call("waitTask", **FOR_AN_HOUR)))
        await line.call("reportTask", taskId="work", progress=42.5)
        code, took = await daemon.end(number)
        await asyncio.gather(*waits, return_exceptions=True)
        assert code == 0
        assert took < SOON
        assert not daemon.socket.exists()
        line = await daemon.start()
        assert (await line.call("getTask", taskId="work"))["progress"] == 42.5


async def test_a_stop_does_not_wait_for_copies(daemon: Taskd) -> None:
    """A thousand tasks registered a moment ago: what the mirror lacks, the next start writes."""
    line = await daemon.start()
    names = [f"s{number}" for number in range(1000)]
    await asyncio.gather(*(line.call("registerTask", type="report", service=s) for s in names))
    code, took = await daemon.end()
    assert (code, took < SOON) == (0, True), took
    line = await daemon.start()
    assert len(await line.call("getAllTasks")) == 1000
    code, took = await daemon.end()
    assert (code, took < SOON) == (0, True), took
    line = await daemon.start()
    mirror = daemon.state / "tasks.d"

    async def all_there() -> bool:
        return len(list(mirror.glob("*.toml"))) == 1000

    await until(all_there, every=0.1)


async def test_shutdown_answers_and_ends_with_0(daemon: Taskd) -> None:
    """The caller learns how many monitors stopped; every status is as before at the next start."""
    daemon.define("work", REPORT.format(service="work"))
    line = await daemon.start()
    assert await line.call("shutdown") == {"success": True, "tasksCleaned": 1}
    assert await daemon.ended() == 0
    line = await daemon.start()
    assert (await line.call("getTask", taskId="work"))["status"] == "in-progress"


async def test_one_event_after_the_other_reaches_those_who_follow_a_stop(daemon: Taskd) -> None:
    """What was changed just before a stop is still told to who is connected."""
    line = await daemon.start()
    await line.call("subscribe")
    for number in range(20):
        await line.call("registerTask", type="report", service=f"s{number}")
    await line.call("shutdown")
    await daemon.ended()
    told = []
    while (event := await line.events.get()) is not None:
        told.append(event)
    added = [event for event in told if event["event"] == "task:added"]
    assert len(added) == 20


# -- settings and definitions


async def test_check_says_every_fault(daemon: Taskd) -> None:
    """Each with its file and key, then 78; with none of them 0, and nothing is made."""
    daemon.define("good", REPORT.format(service="work"))
    daemon.settings.write_text('log_level = "info"\n')
    good = run(*daemon.command("--check"))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("good: 1 definition,")
    daemon.settings.write_text('log_level = "loud"\nsecrets = 1\n[bridge]\nlisten = "here"\n')
    daemon.define("bad", 'type = "report"\nservice = "x"\ninterval = "soon"\ncolour = "red"\n')
    daemon.define("torn", "type = ")
    bad = run(*daemon.command("--check"))
    assert bad.returncode == 78
    lines = bad.stdout.splitlines()
    for place, key in (
        (daemon.settings, "log_level"),
        (daemon.settings, "secrets"),
        (daemon.settings, "bridge.listen"),
        (daemon.tasks / "bad.toml", "interval"),
        (daemon.tasks / "bad.toml", "colour"),
        (daemon.tasks / "torn.toml", ""),
    ):
        assert [line for line in lines if str(place) in line and key in line], (key, lines)
    assert bad.stderr.strip() == f"{len(lines)} faults"
    assert not daemon.state.exists()
    assert not daemon.runtime.exists()


async def test_bad_settings_end_a_start_with_78(daemon: Taskd) -> None:
    """In sentences with file and key; systemd does not start it again (section 6)."""
    daemon.settings.write_text('log_level = "loud"\n')
    await daemon.spawn()
    assert await daemon.ended() == 78
    assert f"{daemon.settings}" in daemon.said()
    assert "log_level" in daemon.said()
    assert "Traceback" not in daemon.said()


async def test_a_reload_adds_changes_and_removes(daemon: Taskd) -> None:
    """Over the API as by SIGHUP; what is bad is said, and what a restart needs."""
    daemon.define("one", REPORT.format(service="one"))
    daemon.define("two", REPORT.format(service="two"))
    line = await daemon.start()
    daemon.define("one", REPORT.format(service="one") + 'interval = "1min"\n')
    (daemon.tasks / "two.toml").unlink()
    daemon.define("three", REPORT.format(service="three"))
    daemon.define("four", "type = 4")
    answer = await line.call("reload")
    assert (answer["added"], answer["changed"], answer["removed"]) == (["three"], ["one"], ["two"])
    assert answer["needRestart"] == []
    assert {Path(each["file"]).name for each in answer["faults"]} == {"four.toml"}
    assert {task["id"] for task in await line.call("getAllTasks")} == {"one", "three"}
    assert daemon.process is not None
    (daemon.tasks / "three.toml").unlink()
    daemon.process.send_signal(signal.SIGHUP)

    async def gone() -> bool:
        return await line.call("getTask", taskId="three") is None

    await until(gone)


async def test_a_broken_file_keeps_the_last_good_definition(daemon: Taskd) -> None:
    """Over a reload and a restart; listDefinitions says what is wrong. Then it is mended."""
    daemon.define("work", REPORT.format(service="work"))
    line = await daemon.start()
    await line.call("reportTask", taskId="work", progress=7)
    daemon.define("work", 'type = "report"\nservice = "work"\ninterval = "soon"\n')
    await line.call("reload")
    for _ in range(2):
        task = await line.call("getTask", taskId="work")
        assert (task["status"], task["progress"], task["attempt"]) == ("in-progress", 7, 1)
        (listed,) = await line.call("listDefinitions")
        assert (listed["id"], listed["state"]) == ("work", "last-good")
        assert [fault["key"] for fault in listed["faults"]] == ["interval"]
        await daemon.end()
        line = await daemon.start()
    daemon.define("work", REPORT.format(service="work") + 'interval = "2s"\n')
    assert (await line.call("reload"))["changed"] == ["work"]
    task = await line.call("getTask", taskId="work")
    assert (task["checkInterval"], task["progress"], task["attempt"]) == (2000, 7, 1)


async def test_an_unreadable_directory_changes_nothing(daemon: Taskd) -> None:
    """Its tasks stay, over a restart too; what is wrong is said, and forgotten when mended."""
    daemon.define("work", REPORT.format(service="work"))
    line = await daemon.start()
    aside = daemon.tasks.rename(daemon.place / "aside")
    daemon.tasks.write_text("no directory")
    assert [fault["file"] for fault in (await line.call("reload"))["faults"]] == [str(daemon.tasks)]
    await daemon.end()
    line = await daemon.start()
    assert (await line.call("getTask", taskId="work"))["status"] == "in-progress"
    assert str(daemon.tasks) in {each["file"] for each in await line.call("listDefinitions")}
    daemon.tasks.unlink()
    aside.rename(daemon.tasks)
    assert (await line.call("reload"))["faults"] == []
    assert (await line.call("getTask", taskId="work"))["status"] == "in-progress"


async def test_settings_are_read_anew(daemon: Taskd) -> None:
    """Whom API tasks may ask changes at once; bad settings change nothing and are said."""
    line = await daemon.start()
    node = {"service": "far", "host": "10.99.0.1"}
    with pytest.raises(Refusal) as no:
        await line.call("registerNodeSyncTask", **node)
    assert no.value.reason == "forbidden"
    await daemon.end()
    daemon.settings.write_text('allow_hosts = ["loopback"]\n')
    line = await daemon.start()
    daemon.settings.write_text('allow_hosts = ["loopback", "10.0.0.0/8"]\n')
    assert (await line.call("reload"))["faults"] == []
    assert (await line.call("registerNodeSyncTask", **node))["created"]
    daemon.settings.write_text("allow_hosts = 7\n")
    (fault,) = (await line.call("reload"))["faults"]
    assert (fault["file"], fault["key"]) == (str(daemon.settings), "allow_hosts")
    assert (await line.call("registerNodeSyncTask", **node))["created"] is False


async def test_drop_ins_are_settings(tmp_path: Path) -> None:
    """Read at a start and by SIGHUP, named, said in the log; a bad one keeps what was, or ends."""
    async with Taskd(tmp_path) as daemon:
        daemon.settings.write_text('log_level = "warning"\nallow_hosts = ["loopback"]\n')
        directory = daemon.settings.with_name("kaspad-taskd.toml.d")
        directory.mkdir()
        one, two = directory / "one.toml", directory / "two.toml"
        one.write_text('log_level = "info"\n')
        line = await daemon.start()
        read = [str(daemon.settings), str(one)]
        assert (await line.call("getInfo"))["settingsFiles"] == read
        two.write_text('backup_max_age = "7d"\n[bridge]\nhosts = ["h"]\n')
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)

        async def reloaded() -> bool:
            return bool((await line.call("getInfo"))["settingsFiles"] == [*read, str(two)])

        await until(reloaded)

        async def told() -> bool:
            said = daemon.said()
            return "settings changed: backup_max_age, bridge.hosts" in said and (
                "takes effect at a restart: bridge" in said
            )

        await until(told)
        two.write_text('log_level = "loud"\n')
        one.write_text("allow_hosts = 7\n")
        answer = await line.call("reload")
        assert {(each["file"], each["key"]) for each in answer["faults"]} == {
            (str(two), "log_level"), (str(one), "allow_hosts"),
        }  # fmt: skip
        assert (await line.call("getInfo"))["settingsFiles"] == [*read, str(two)]
        await daemon.end()
        await daemon.spawn()
        assert await daemon.ended() == 78
        assert f"{two}, log_level: " in daemon.said()
        assert f"{one}, allow_hosts: " in daemon.said()


# -- who else is there


async def test_a_second_daemon_on_the_same_state_says_who_has_it(tmp_path: Path) -> None:
    """It exits 1 with a sentence, and disturbs nothing."""
    async with Taskd(tmp_path) as first, Taskd(tmp_path) as second:
        line = await first.start()
        second.runtime = tmp_path / "elsewhere"
        second.log = tmp_path / "second.log"
        await second.spawn()
        assert await second.ended() == 1
        assert first.process is not None
        assert f"another kaspad-taskd (process {first.process.pid})" in second.said()
        assert "Traceback" not in second.said()
        assert await line.call("ping")


async def test_a_socket_that_is_answered_is_left_alone(tmp_path: Path) -> None:
    """Another daemon's: exit 1 with a sentence. A dead one's is replaced."""
    async with Taskd(tmp_path) as first, Taskd(tmp_path) as second:
        line = await first.start()
        second.state = tmp_path / "elsewhere"
        second.log = tmp_path / "second.log"
        await second.spawn()
        assert await second.ended() == 1
        assert f"{first.socket} is answered by another daemon" in second.said()
        assert "Traceback" not in second.said()
        assert await line.call("ping")
        await first.kill()
        assert first.socket.exists()
        assert await (await second.start()).call("ping")


async def test_a_socket_that_systemd_made(daemon: Taskd) -> None:
    """It is answered and left; who asks while no daemon is there is answered by the next one."""
    daemon.runtime.mkdir()
    daemon.socket = daemon.place / "systemd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(daemon.socket))
        listening.listen()
        daemon.passed = listening.fileno()
        line = await daemon.start()
        assert await line.call("ping")
        own = {each.name for each in daemon.runtime.iterdir()}
        assert own == {"watch.sock", "starts"}  # and no socket in the place of that one
        await line.call("shutdown")
        assert await daemon.ended() == 0
        early = await Line.open(daemon.socket)
        asking = asyncio.create_task(early.call("ping"))
        await daemon.start()
        assert await asking
        await early.close()


# -- the state


async def registered(line: Line, service: str = "work", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await line.call("registerTask", type="report", service=service, **more)
    return answer


def copy_of(daemon: Taskd, task_id: str) -> Path:
    return daemon.state / "tasks.d" / f"{task_id}.toml"


async def end_with_copy(daemon: Taskd, task_id: str) -> None:
    """Stop it; the task has its copy then, which a stop has not always time for."""
    await daemon.end()
    if not copy_of(daemon, task_id).exists():
        await daemon.start()
        await copied(daemon, task_id)
        await daemon.end()


async def copied(daemon: Taskd, task_id: str) -> Path:
    """Wait for the mirror's file of a task; return it."""
    file = copy_of(daemon, task_id)

    async def there() -> bool:
        return file.exists()

    await until(there)
    return file


async def test_the_mirror_follows_what_is_registered(daemon: Taskd) -> None:
    """A file for each task that came over an API: it appears, and goes with the task."""
    line = await daemon.start()
    await registered(line, checkInterval=2000)
    file = await copied(daemon, "report-work")

    async def gone() -> bool:
        return not file.exists()

    assert 'interval = "2s"' in file.read_text()
    await line.call("removeTask", taskId="report-work")
    await until(gone)
    await registered(line)
    await daemon.kill()
    file.unlink(missing_ok=True)
    (file.parent / "stray.toml").write_text("# left by a crash")
    await daemon.start()
    await copied(daemon, "report-work")

    async def stray_gone() -> bool:
        return not (file.parent / "stray.toml").exists()

    await until(stray_gone)


async def test_a_file_takes_a_registered_task_over(daemon: Taskd) -> None:
    """The mirror's copy among the administrator's files: the task goes on, as a file's."""
    line = await daemon.start()
    await registered(line)
    await line.call("reportTask", taskId="report-work", progress=30)
    file = await copied(daemon, "report-work")

    async def gone() -> bool:
        return not file.exists()

    (daemon.tasks / file.name).write_text(file.read_text())
    assert (await line.call("reload"))["changed"] == ["report-work"]
    task = await line.call("getTask", taskId="report-work")
    assert (task["origin"], task["progress"], task["attempt"]) == ("admin", 30, 1)
    await until(gone)
    with pytest.raises(Refusal) as no:
        await line.call("removeTask", taskId="report-work")
    assert no.value.reason == "not-allowed"


async def test_a_corrupt_state_is_moved_aside_and_rebuilt(daemon: Taskd) -> None:
    """Files and mirror tell which tasks there are; it is said; events go on at higher numbers."""
    daemon.define("work", REPORT.format(service="work"))
    line = await daemon.start()
    await registered(line, "api", checkInterval=2500)
    last = (await line.call("ping"))["seq"]
    await end_with_copy(daemon, "report-api")
    state = daemon.state / "state.db"
    state.write_bytes(b"this is no database" * 1000)
    line = await daemon.start()
    tasks = {task["id"]: task for task in await line.call("getAllTasks")}
    assert set(tasks) == {"work", "report-api"}
    assert tasks["report-api"]["origin"] == "api"
    assert tasks["report-api"]["checkInterval"] == 2500
    assert (await line.call("getEvents"))["oldest"] > last
    aside = [path for path in daemon.state.iterdir() if path.name.startswith("state.db.")]
    assert [path for path in aside if path.read_bytes().startswith(b"this is no database")]
    assert "was damaged" in daemon.said()


async def test_a_lost_state_is_rebuilt_from_the_mirror(daemon: Taskd) -> None:
    """Also if the daemon that should have done it was killed before it had."""
    line = await daemon.start()
    await registered(line, "api")
    await end_with_copy(daemon, "report-api")
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (daemon.state / name).unlink(missing_ok=True)
    line = await daemon.start()
    assert [task["id"] for task in await line.call("getAllTasks")] == ["report-api"]


async def test_a_newer_state_is_refused(daemon: Taskd) -> None:
    """With a sentence that says what to do, exit 78: no other try helps; the file is as it was."""
    await daemon.start()
    await daemon.end()
    state = daemon.state / "state.db"
    with closing(sqlite3.connect(state)) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    before = state.read_bytes()
    await daemon.spawn()
    assert await daemon.ended() == 78
    assert f"has schema {len(STEPS) + 1}" in daemon.said()
    assert "Traceback" not in daemon.said()
    assert state.read_bytes() == before
    told = run(sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(daemon.socket), "doctor")
    assert "The last start failed" in told.stdout
    assert f"has schema {len(STEPS) + 1}" in " ".join(told.stdout.split())
    with closing(sqlite3.connect(state)) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
    await daemon.start()
    kept = daemon.socket.with_name("last-error")  # until it is ready, which is after the socket
    await once(lambda: not kept.exists())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("no mount here: a bare Debian 13 has none (apt install mount)")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or run(*mount).returncode != 0:
        pytest.skip("a small disk can be mounted by root alone, and not everywhere")
    yield disk
    assert run("umount", "-l", str(disk)).returncode == 0


async def is_unavailable(line: Line, words: str) -> None:
    """Changes are refused and not made, what is known can be read, looks go on."""
    before = await line.call("getTask", taskId="work")
    for method, given in (
        ("reportTask", {"taskId": "work", "progress": 50}),
        ("registerTask", {"type": "report", "service": "another"}),
        ("cancelTask", {"taskId": "work"}),
        ("recordDecision", {"decision": "wait"}),
    ):
        with pytest.raises(Refusal) as no:
            await line.call(method, **given)
        assert (no.value.code, no.value.reason) == (-32006, "store-unavailable")
        assert words in no.value.message
    after = await line.call("getTask", taskId="work")
    assert {key: after[key] for key in ("status", "progress", "revision")} == {
        key: before[key] for key in ("status", "progress", "revision")
    }
    assert len(await line.call("getAllTasks")) == 2
    info = (await line.call("getInfo"))["store"]
    assert info["durable"] is False
    assert words in info["problem"]
    looked = (await line.call("getTask", taskId="node"))["lastChecked"]

    async def looks_on() -> bool:
        return bool((await line.call("getTask", taskId="node"))["lastChecked"] > looked)

    await until(looks_on)


async def use_up(line: Line) -> None:
    """What the files have room for already still goes through."""
    with suppress(Refusal):
        for _ in range(1000):
            await line.call("recordDecision", decision="x" * 200)


async def test_a_full_disk_stops_changes_alone(small_disk: Path, tmp_path: Path) -> None:
    """Until there is space again; STATUS says so."""
    words: list[list[str]] = []
    with NotifySocket(tmp_path / "notify") as notify:
        env = {"NOTIFY_SOCKET": notify.address}
        async with Taskd(tmp_path / "d", env=env) as daemon:
            daemon.state = small_disk / "state"
            daemon.define("work", REPORT.format(service="work"))
            daemon.define("node", NODE.format(port=1))
            line = await daemon.start()
            filler = small_disk / "filler"
            with pytest.raises(OSError, match="No space"):
                filler.write_bytes(b"x" * 4_000_000)
            await use_up(line)
            await is_unavailable(line, "is full")
            ctl = (sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(daemon.socket))
            listed = await asyncio.to_thread(run, *ctl, "list")
            assert listed.stdout.startswith("! Nothing is saved: the disk of")

            async def said() -> bool:
                words.extend(notify.messages())
                return any("is full" in word for each in words for word in each)

            await until(said)
            filler.unlink()
            await line.call("reportTask", taskId="work", progress=60)
            assert (await line.call("getTask", taskId="work"))["progress"] == 60
            assert (await line.call("getInfo"))["store"]["durable"]
            await daemon.end()
            line = await daemon.start()
            assert (await line.call("getTask", taskId="work"))["progress"] == 60
            await daemon.end()


async def test_a_failing_disk_stops_changes_alone(daemon: Taskd) -> None:
    """Writes fail one and all, as on a disk with a fault or a quota; then they do not."""
    daemon.define("work", REPORT.format(service="work"))
    daemon.define("node", NODE.format(port=1))
    line = await daemon.start()
    assert daemon.process is not None
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, hard))
    await is_unavailable(line, "fails")
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await line.call("reportTask", taskId="work", progress=60)
    assert (await line.call("getTask", taskId="work"))["progress"] == 60
    assert (await line.call("getInfo"))["store"]["durable"]


async def test_a_read_only_disk_is_said_at_a_start(small_disk: Path, tmp_path: Path) -> None:
    """In a sentence with the place and the cure; it is ready all the same."""
    async with Taskd(tmp_path / "d") as daemon:
        daemon.state = small_disk / "state"
        await daemon.start()
        await daemon.end()
        assert run("mount", "-o", "remount,ro", str(small_disk)).returncode == 0
        line = await daemon.start()
        store = (await line.call("getInfo"))["store"]
        assert store["durable"] is False
        assert store["problem"].startswith(f"{daemon.state} is read-only: make it writable")
        assert store["problem"] in daemon.said()
        assert "Traceback" not in daemon.said()
        await daemon.end()


async def test_a_backup_can_take_the_place_of_the_state(daemon: Taskd) -> None:
    """Its tasks are there, and events go on at higher numbers than were ever told."""
    line = await daemon.start()
    await registered(line)
    path = Path((await line.call("backup"))["path"])
    assert path.parent == daemon.state
    await line.call("cancelTask", taskId="report-work")
    last = (await line.call("ping"))["seq"]
    await daemon.kill()
    path.rename(daemon.state / "state.db")  # noqa: ASYNC240
    line = await daemon.start()
    assert (await line.call("getTask", taskId="report-work"))["status"] == "in-progress"
    assert (await line.call("ping"))["seq"] > last


async def test_nothing_secret_or_internal_is_said(daemon: Taskd) -> None:
    """A crash answers an incident; the log has the traceback, the wire not."""
    line = await daemon.start()
    raw = await asyncio.open_unix_connection(str(daemon.socket))
    raw[1].write(b'{"jsonrpc":"2.0","id":1,"method":"getTask","params":{"taskId":1}}\n{"x\n')
    first, second = json.loads(await raw[0].readline()), json.loads(await raw[0].readline())
    assert first["error"]["code"] == -32602
    assert second["error"]["code"] == -32700
    raw[1].close()
    await raw[1].wait_closed()
    assert await line.call("ping")
    assert "Traceback" not in daemon.said()
