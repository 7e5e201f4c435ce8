"""Whatever is killed, cut, emptied, put back or full: in the end the events are the daemon's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from kaspad_taskd.fleet import keys
from tests.fakes.harmful_proxy import HarmfulProxy
from tests.fakes.patience import once
from tests.fakes.redis_server import Kept, RedisServer, Relay, needs_redis
from tests.fakes.taskd_process import Line, Taskd, until
from tests.fleet.trio import running, works
from tests.system.test_restore import restore

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

SEED = 20_261_130


class Worker:
    """Tasks that begin, pause and go on all the time: `async with Worker(line): ...`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._over = False

    async def __aenter__(self) -> Worker:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        await self._task

    async def _work(self) -> None:
        await works(self._line, "busy")
        while not self._over:
            await self._line.call("pauseTask", taskId="busy")
            await self._line.call("resumeTask", taskId="busy")
            await asyncio.sleep(0.05)


async def test_a_relay_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        async with Worker(line):
            for _ in range(4):
                before = len(fleet.kept.now())
                await fleet.relay.start()
                await once(lambda before=before: len(fleet.kept.now()) > before + 2)  # type: ignore[misc]
                await fleet.relay.end(9)
        await fleet.relay.start()
        await fleet.equal(line)
        assert "another relay" not in fleet.relay.said()


async def test_a_server_that_is_killed_has_all_again(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await fleet.relay.start()
        async with Worker(line):
            for _ in range(3):
                await once(lambda: fleet.kept.newest().get("daemon", {}).get("answers"))
                await asyncio.sleep(0.3)
                fleet.redis.kill()
                await asyncio.sleep(0.3)
                fleet.redis.start()
        await fleet.equal(line)
        said = fleet.relay.said()
        assert "see that it runs" in said
        assert "Traceback" not in said


async def test_a_line_that_is_cut_held_up_and_halved_loses_nothing(tmp_path: Path) -> None:
    """Neither in a question nor in an answer, nor in the middle of one."""
    async with running(tmp_path) as fleet, HarmfulProxy(fleet.redis.socket, Random(SEED)) as proxy:
        fleet.relay.tell([proxy.server])
        line = await fleet.taskd.start()
        await fleet.relay.start()
        async with Worker(line):
            await once(lambda: fleet.kept.events())
            proxy.harm = True
            await once(lambda: proxy.connections > 5)
            proxy.harm = False
        await fleet.equal(line)
        assert "Traceback" not in fleet.relay.said()


async def test_a_server_that_was_emptied_is_filled_again(tmp_path: Path) -> None:
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a", 3)
        await fleet.relay.start()
        await fleet.equal(line)
        fleet.kept.client.flushall()
        await works(line, "b")
        await fleet.equal(line)
        await once(lambda: set(fleet.kept.hash(keys.TASKS)) == {"a", "b"})
        await once(lambda: set(fleet.kept.hash(keys.PAST)) == {"a", "b"})
        assert fleet.kept.meta()["run"]


async def test_another_journal_is_another_stream(tmp_path: Path) -> None:
    """A copy put back: what was told of the old journal stays for a while, beside the new one."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        copy = Path((await line.call("backup"))["path"])
        await works(line, "lost", 2)
        await fleet.relay.start()
        told = await fleet.equal(line)
        old = fleet.kept.meta()["stream"]
        await fleet.taskd.end()
        await once(lambda: fleet.kept.newest()["daemon"]["answers"] is False)
        assert (await restore(fleet.taskd, copy)).returncode == 0
        line = await fleet.taskd.start()
        await works(line, "b")
        await fleet.equal(line)
        meta = fleet.kept.meta()
        assert meta["journal"] == (await line.call("getInfo"))["journal"]
        assert meta["stream"] == f"ev:{meta['journal']}" != old
        assert fleet.kept.events(old) == told
        assert 29 * 86_400 < fleet.kept.client.ttl(fleet.kept.key(old)) <= 30 * 86_400
        await once(lambda: set(fleet.kept.hash(keys.TASKS)) == {"a", "b"})


async def test_a_machine_that_was_rolled_back_has_another_stream(tmp_path: Path) -> None:
    """Under the same identity; whether the relay was there, or only began again later."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        journal = (await line.call("getInfo"))["journal"]
        await fleet.relay.start()
        for again in (1, 2):
            await fleet.taskd.kill()
            before = fleet.taskd.place / "before"
            await asyncio.to_thread(shutil.copytree, fleet.taskd.state, before)
            line = await fleet.taskd.start()
            await works(line, f"lost-{again}")
            told = await fleet.equal(line)
            old = fleet.kept.meta()["stream"]
            await fleet.taskd.kill()
            await asyncio.to_thread(shutil.rmtree, fleet.taskd.state)
            await asyncio.to_thread(before.rename, fleet.taskd.state)
            line = await fleet.taskd.start()
            await works(line, f"new-{again}")
            await fleet.equal(line)
            assert fleet.kept.meta()["stream"] == f"ev:{journal}.{again}"
            assert fleet.kept.events(old) == told


async def test_a_full_server_takes_all_as_soon_as_there_is_room(tmp_path: Path) -> None:
    """Once a minute it is said, with the cure; meanwhile the daemon answers as ever."""
    async with running(tmp_path, "--maxmemory-policy", "noeviction") as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        fleet.kept.client.config_set("maxmemory", "1mb")
        await works(line, "b", 20)
        await fleet.relay.says("raise maxmemory")
        fleet.kept.client.config_set("maxmemory", "0")
        await fleet.equal(line)
        assert fleet.relay.said().count("raise maxmemory") == 1


async def test_a_replica_that_had_not_heard_all_is_told_it(tmp_path: Path) -> None:
    """The master is lost; the other one, which lagged, goes on, and nothing is missing there."""
    with RedisServer(tmp_path / "other") as other:
        async with running(tmp_path) as fleet:
            fleet.relay.tell([fleet.redis.server, other.server])
            line = await fleet.taskd.start()
            await works(line, "a", 4)
            await fleet.relay.start()
            await fleet.equal(line)
            rdb = fleet.kept
            with other.client() as client:
                replica = Kept(client, "h")
                for part in (keys.META, keys.NOW, rdb.meta()["stream"]):  # as far as it had heard
                    replica.client.restore(rdb.key(part), 0, dump(fleet.redis, rdb.key(part)))
                client.execute_command("REPLICAOF", "127.0.0.1", "1")
                await works(line, "b", 4)
                await fleet.equal(line)
                fleet.redis.kill()
                await fleet.relay.says("is a replica")
                client.execute_command("REPLICAOF", "NO", "ONE")
                fleet.kept = replica
                told = await fleet.equal(line)
                assert [each["seq"] for each in told] == list(range(1, len(told) + 1))


def dump(server: RedisServer, key: str) -> bytes:
    """What is at a key, as one server hands it to another."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.socket)) as client:
        found = client.dump(key)
    assert isinstance(found, bytes)
    return found


async def test_a_daemon_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """Before it was ever there, too; what was heard last stays."""
    async with running(tmp_path) as fleet:
        await fleet.relay.start()
        await once(lambda: fleet.kept.newest().get("daemon", {}).get("answers") is False)
        assert fleet.kept.meta()["host"] == "h"
        line = await fleet.taskd.start()
        await works(line, "a")
        told = await fleet.equal(line)
        await once(lambda: fleet.kept.newest()["daemon"]["answers"] is True)
        await fleet.taskd.kill()
        await once(lambda: fleet.kept.newest()["daemon"]["answers"] is False)
        since = fleet.kept.newest()["daemon"]["since"]
        counted = len(fleet.kept.now())
        await once(lambda: len(fleet.kept.now()) > counted)  # signs of life go on
        assert fleet.kept.newest()["daemon"] == {"answers": False, "since": since}
        assert fleet.kept.events() == told
        assert set(fleet.kept.hash(keys.TASKS)) == {"a"}


async def test_what_the_daemon_has_no_more_is_a_gap(tmp_path: Path) -> None:
    """A relay that was away for so long goes on with what there is, and says what is missing."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a", 2)
        await fleet.relay.start()
        told = await fleet.equal(line)
        await fleet.relay.end()
        key = fleet.kept.key(fleet.kept.meta()["stream"])
        journal = fleet.kept.meta()["journal"]
        await works(line, "b", 6)
        await fleet.taskd.end()
        forget(fleet.taskd, told[-1]["seq"] + 3)
        line = await fleet.taskd.start()
        await works(line, "c")
        await fleet.relay.start()
        page = await line.call("getEvents")

        async def there() -> bool:
            return bool(fleet.kept.events()[-1]["seq"] == page["seq"])

        await until(there)
        assert fleet.kept.meta()["journal"] == journal
        assert page["oldest"] == told[-1]["seq"] + 3
        gap = {"after": told[-1]["seq"], "next": page["oldest"]}
        assert json.loads(fleet.kept.meta()["gap"]) == gap
        numbers = [each["seq"] for each in fleet.kept.events()]
        assert fleet.kept.client.exists(key)
        assert numbers == [*range(1, told[-1]["seq"] + 1), *range(page["oldest"], page["seq"] + 1)]


def forget(taskd: Taskd, before: int) -> None:
    """Let a daemon that is stopped have forgotten the events before one, as age does it."""
    with contextlib.closing(sqlite3.connect(taskd.state / "state.db")) as db, db:
        db.execute("DELETE FROM journal WHERE seq < ?", (before,))
        db.execute("UPDATE meta SET value = ? WHERE key = 'floor'", (before - 1,))


async def test_two_relays_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    """The second one finds the first one writing, and ends, naming both; the first goes on."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        async with Relay(tmp_path / "2", fleet.taskd.runtime / "watch.sock") as second:
            second.tell([fleet.redis.server])
            await second.start()
            assert await second.ended() == 78
            address = fleet.kept.meta()["address"]
            assert second.process is not None
            assert f"it runs at {address}, this one at " in second.said()
            assert f"pid {second.process.pid}" in second.said()
        await works(line, "b")
        await fleet.equal(line)


async def test_a_relay_with_the_state_of_another_is_found_out_by_it(tmp_path: Path) -> None:
    """A machine was copied as it was: one of both relays ends."""
    async with running(tmp_path) as fleet:
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        async with Relay(tmp_path / "2", fleet.taskd.runtime / "watch.sock") as second:
            second.tell([fleet.redis.server])
            shutil.copytree(fleet.relay.state, second.state)
            await second.start()
            first = asyncio.create_task(fleet.relay.ended())
            other = asyncio.create_task(second.ended())
            async with asyncio.timeout(60):
                done, _ = await asyncio.wait({first, other}, return_when="FIRST_COMPLETED")
            assert {each.result() for each in done} == {78}
            for each in (first, other):
                each.cancel()
        await works(line, "b")
