"""A real daemon, a real relay and a real redis-server: each event once for ever, none missing."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path

import pytest

from kaspad_taskd.fleet import keys
from tests.fakes.notify_socket import NotifySocket
from tests.fakes.patience import once
from tests.fakes.redis_server import Kept, Relay, needs_redis
from tests.fakes.taskd_process import AT_ONCE, until
from tests.fleet.trio import running, works

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

IDLE = 36 * 1024
"""KiB that a relay may have."""


def statuses(kept: Kept) -> dict[str, str]:
    return {name: each["status"] for name, each in kept.hash(keys.TASKS).items()}


async def test_what_the_daemon_tells_is_there_as_it_told_it(tmp_path: Path) -> None:
    """Events, tasks, services, warnings, the past; and what `now` says of each change."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a", 3)
        await fleet.relay.start()
        await fleet.equal(line)
        meta = fleet.kept.meta()
        info = await line.call("getInfo")
        assert meta["journal"] == info["journal"]
        assert meta["stream"] == f"ev:{info['journal']}"
        assert (meta["host"], meta["labels"], meta["gap"]) == ("h", '{"site": "Wien"}', "null")
        assert meta["daemon"] == info["version"]
        await works(line, "b", 2)
        await line.call("reportTask", taskId="b", progress=40)
        await fleet.equal(line)
        tasks = {each["id"]: each["status"] for each in await line.call("getAllTasks")}
        await once(lambda: set(fleet.kept.hash(keys.PAST)) == {"a", "b"})
        await once(lambda: statuses(fleet.kept) == tasks)
        await line.call("reportTask", taskId="b", progress=50)
        await once(lambda: fleet.kept.hash(keys.PROGRESS).get("b", {}).get("progress") == 50)
        assert fleet.kept.client.get(fleet.kept.key(keys.SERVICES)) is not None
        entries = fleet.kept.now()
        assert any(each.get("anew") for each in entries)
        for before, after in pairwise(entries):
            assert after["from"] == before["to"] or after.get("anew")
        assert entries[-1]["daemon"]["answers"] is True


async def test_a_stop_takes_no_time(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        code, took = await fleet.relay.end()
        assert (code, took < AT_ONCE) == (0, True)


async def test_it_says_how_it_is_and_stays_small(tmp_path: Path) -> None:
    """READY before anybody answers, a line for people, a heart that beats."""
    with NotifySocket(tmp_path / "systemd") as systemd:
        words: list[str] = []

        def told(text: str) -> bool:
            words.extend(systemd.words())
            return any(text in word for word in words)

        async with running(tmp_path) as fleet:
            fleet.relay.env |= {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "1000000"}
            # as it is installed: who compiles the library first keeps what that took
            fleet.relay.env |= {
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"),
            }
            fleet.redis.kill()
            await fleet.relay.start()
            await once(lambda: told("READY=1"))
            await fleet.relay.end()
            words.clear()
            await fleet.relay.start()
            await once(lambda: told("READY=1"))
            await once(lambda: told("STATUS=h -> unix:"))
            await once(lambda: told("see that it runs"))
            fleet.redis.start()
            line = await fleet.taskd.start()
            await works(line, "a", 50)
            await fleet.equal(line)
            await once(lambda: told("carries what the daemon tells"))
            words.clear()
            await once(lambda: told("WATCHDOG=1"))
            assert fleet.relay.process is not None
            assert memory(fleet.relay.process.pid) < IDLE
            await fleet.taskd.end()
            await once(lambda: told("the daemon does not answer"))
            await fleet.relay.end()
            assert told("STOPPING=1")


def memory(pid: int) -> int:
    """KiB that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def test_a_server_that_stands_still_holds_up_nobody(tmp_path: Path) -> None:
    """The daemon tells thousands of things meanwhile, answers at once, and all of it is there."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        assert fleet.redis.process is not None
        fleet.redis.process.send_signal(signal.SIGSTOP)
        try:
            await works(line, "b", 150)
            await fleet.relay.says("see that it runs")
            code, took = await fleet.relay.end()
            assert (code, took < AT_ONCE) == (0, True)
        finally:
            fleet.redis.process.send_signal(signal.SIGCONT)
        await fleet.relay.start()
        told = await fleet.equal(line)
        assert len(told) > 300


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
async def test_it_says_what_it_is_without_settings(tmp_path: Path, words: list[str]) -> None:
    async with Relay(tmp_path, tmp_path / "nobody") as relay:
        await relay.start(*words)
        assert await relay.ended() == 0
        assert "kaspad-taskd-relay" in relay.said()


async def test_a_check_says_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    """Of the settings, and of the server; one that is away may be back when it is started."""
    async with running(tmp_path) as fleet:
        relay = fleet.relay
        for text, code, said in (
            ('[redis]\nservers = ["x:0"]\n', 78, 'redis.servers: "x:0" must be HOST'),
            (f'[redis]\nservers = ["{fleet.redis.server}"]\n', 0, ": good; "),
            ('[redis]\nservers = ["unix:/nowhere"]\n', 0, "see that it runs"),
            (f'[redis]\nservers = ["{fleet.redis.server}"]\ndatabase = 99\n', 78, "no server of a"),
        ):
            relay.settings.write_text(text)
            relay.log.unlink(missing_ok=True)
            await relay.start("--check")
            assert (await relay.ended(), said in relay.said()) == (code, True), relay.said()
        assert fleet.kept.client.dbsize() == 0


async def test_events_are_kept_by_count(tmp_path: Path) -> None:
    """About as many as are asked for, for a stream goes by parts; `now` is short as well."""
    async with running(tmp_path) as fleet:
        fleet.relay.tell([fleet.redis.server], "keep = 10")
        line = await fleet.taskd.start()
        await works(line, "a", 30)
        await fleet.relay.start()

        async def there() -> bool:
            told, seq = fleet.kept.events(), (await line.call("ping"))["seq"]
            return bool(told) and told[-1]["seq"] == seq

        await until(there)
        assert len(fleet.kept.events()) == 10  # of what was before no more is written
        for _ in range(4):
            await works(line, "a", 15)
            await until(there)
        told = (await line.call("getEvents"))["events"]
        kept = fleet.kept.events()
        assert 10 <= len(kept) <= 40
        assert kept == told[-len(kept) :]
        assert len(fleet.kept.now()) < 150
