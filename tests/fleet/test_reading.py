"""A fleet read from a real server: in the end every reader shows what the writers hold for true."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.asking import Asking
from kaspad_taskd.fleet.host import Gone, Host, Read, Verdict
from kaspad_taskd.fleet.settings import Login
from tests.fakes.bridged import free_port
from tests.fakes.fleet_reader import Followed, Written, engine
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task
from tests.fakes.patience import once
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.fleet.test_rights import SECRET, lines

pytestmark = needs_redis


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that waits for less."""
    for name, seconds in (("BLOCK_S", 0.2), ("PAUSE_S", 0.02), ("SCAN_S", 0.2)):
        monkeypatch.setattr(f"kaspad_taskd.fleet.reading.{name}", seconds)
    monkeypatch.setattr("kaspad_taskd.fleet.following.FIRST_S", 0.05)


@pytest.fixture
async def reader(server: RedisServer) -> AsyncIterator[Followed]:
    async with Followed(server.server, wished=["z"]) as followed:
        yield followed


async def test_what_is_written_is_shown_by_two_readers_alike(
    server: RedisServer, client: Redis
) -> None:
    hosts = [FleetHost(name) for name in "abc"]
    written = Written(client, *hosts)
    async with Followed(server.server) as one, Followed(server.server) as other:
        for number in range(30):
            host = hosts[number % 3]
            written.batch(host, events=number % 4, tasks=[a_task(number % 5)])
            written.batch(host, progress=[a_progress(f"task-{number % 5}", progress=number)])
            await asyncio.sleep(0.01)
        await one.comes_to(*hosts)
        await other.comes_to(*hosts)
        await one.says("a", Verdict.OK)
        for name, host in zip("abc", hosts, strict=True):
            assert [each.seq for each in one.mirror.hosts[name].events()] == list(
                range(1, host.seq + 1)
            )
            kept = [each.seq for each in one.mirror.hosts[name].events()]
            assert kept == [each.seq for each in other.mirror.hosts[name].events()]


async def test_a_host_that_comes_is_found_and_one_that_is_wished_for_waits(
    server: RedisServer, client: Redis, reader: Followed
) -> None:
    host = FleetHost("late")
    written = Written(client, host)
    written.batch(host, tasks=[a_task()], events=3)
    await reader.comes_to(host)
    written.batch(host, tasks=[a_task(1)])
    await reader.says("late", Verdict.OK)
    await reader.says("z", Verdict.UNKNOWN)
    assert reader.mirror.hosts["z"].gone is None
    assert reader.mirror.hosts["late"].labels == {"site": "berlin"}


async def test_a_server_that_is_killed_takes_nothing_from_what_is_shown(
    server: RedisServer, client: Redis, reader: Followed
) -> None:
    host = FleetHost("a")
    written = Written(client, host)
    written.batch(host, tasks=[a_task()], events=2)
    await reader.comes_to(host)
    server.kill()
    await once(lambda: reader.mirror.hosts["a"].gone is Gone.ENGINE)
    assert reader.shows(host)
    assert any(line.fault for line in reader.mirror.lines.values())
    server.start()
    for _ in range(5):
        written.batch(host, events=1, progress=[a_progress("task-0", progress=90)])
    await reader.comes_to(host)
    written.batch(host)
    await reader.says("a", Verdict.OK)
    await once(lambda: reader.events["a"] == list(range(1, host.seq + 1)))


async def test_a_server_that_forgot_everything_is_followed_from_the_beginning(
    server: RedisServer, client: Redis, reader: Followed
) -> None:
    host = FleetHost("a")
    written = Written(client, host)
    for _ in range(5):
        written.batch(host, tasks=[a_task()], events=2)
    await reader.comes_to(host)
    written.client.flushall()
    host.run = "run2"
    written.again(host)
    written.batch(host, tasks=[a_task(3)], gone=["task-0"], events=1)
    await reader.comes_to(host)
    written.batch(host)
    await reader.says("a", Verdict.OK)
    await once(lambda: reader.events["a"] == list(range(1, host.seq + 1)))


async def test_a_stream_that_begins_anew_below_our_place_is_found(
    server: RedisServer, client: Redis, reader: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count of a relay that found nothing begins at 1: an XREAD alone would wait for ever."""
    monkeypatch.setattr("kaspad_taskd.fleet.reading.QUIET_S", 0.3)
    host = FleetHost("a")
    written = Written(client, host)
    for _ in range(20):
        written.batch(host, tasks=[a_task()])
    await reader.comes_to(host)
    written.client.flushall()
    written.again(host)
    assert host.count == 1
    written.batch(host, tasks=[a_task(7)])
    await reader.comes_to(host)


async def test_more_than_the_stream_holds_between_two_reads_is_read_as_a_whole(
    server: RedisServer, client: Redis, reader: Followed
) -> None:
    host = FleetHost("a")
    written = Written(client, host)
    written.batch(host, tasks=[a_task()])
    await reader.comes_to(host)
    pipeline = written.client.pipeline(transaction=True)
    for number in range(300):
        told = [host.event()]
        entry = host.batch([a_task(number % 7)], events=told)
        for command in host.commands(entry, told):
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
    pipeline.execute()
    await reader.comes_to(host)
    await once(lambda: reader.events["a"] == list(range(1, 301)))


async def test_the_clock_of_a_host_decides_nothing(
    server: RedisServer, client: Redis, reader: Followed
) -> None:
    """What it says of time is a year ahead; who is heard is so by this process's own clock."""
    host = FleetHost("a", at=int(time.time() * 1000) + 365 * 86_400_000)
    written = Written(client, host)
    written.batch(host, tasks=[a_task()])
    await reader.comes_to(host)
    written.batch(host)
    await reader.says("a", Verdict.OK)


async def test_who_falls_silent_is_told_to_be_and_comes_back(
    server: RedisServer, client: Redis
) -> None:
    ahead = 0.0
    host = FleetHost("a")
    written = Written(client, host)

    async with Followed(server.server, clock=lambda: time.monotonic() + ahead) as reader:
        written.batch(host, tasks=[a_task()])
        await reader.comes_to(host)
        written.batch(host)
        await reader.says("a", Verdict.OK)
        for _ in range(40):
            await asyncio.sleep(0.1)
            ahead += 1
            if reader.mirror.hosts["a"].verdict is Verdict.SILENT:
                break
        await reader.says("a", Verdict.SILENT)
        assert reader.mirror.hosts["a"].gone is Gone.HOST
        assert reader.shows(host)
        written.batch(host)
        await reader.says("a", Verdict.OK)


async def test_what_was_written_while_this_process_stood_still_is_no_sign_of_life(
    server: RedisServer,
    client: Redis,
) -> None:
    ahead = 0.0
    host = FleetHost("a")
    written = Written(client, host)

    async with Followed(server.server, clock=lambda: time.monotonic() + ahead) as reader:
        await reader.comes_to(host)
        written.batch(host, tasks=[a_task()])
        ahead += 60  # nothing runs between the two
        await reader.comes_to(host)
        reader.mirror.drain(time.monotonic() + ahead)
        assert reader.mirror.hosts["a"].verdict is not Verdict.OK
        written.batch(host)
        await reader.says("a", Verdict.OK)


LATER = ("a huge hash", "garbage in tasks", "meta of another", "tasks is a list",
         "a stream of another")  # fmt: skip
"""Harm that nobody sees before the host is read as a whole."""
HARM: dict[str, Any] = {
    "now is a text": [("SET", "now", "x")],
    "now is a hash": [("HSET", "now", "w", "x")],
    "tasks is a list": [("LPUSH", "tasks", "x")],
    "another id": [("XADD", "now", "18446744073709551615-18446744073709551615", "w", "{}")],
    "own ids": [("XADD", "now", "*", "w", "{}")],
    "other fields": [("XADD", "now", "*", "w", "{}", "v", "x" * 2**20)],
    "1 MiB": [("XADD", "now", "*", "w", "x" * 2**20)] * 3,
    "9 MiB": [("XADD", "now", "*", "w", "x" * 9 * 2**20)],
    "garbage in tasks": [("HSET", "tasks", "../x", "{}", "task-1", "[]", "task-2", b"\xff")],
    "meta of another": [("HSET", "meta", "host", "good")],
    "a huge hash": [("HSET", "tasks", "t", "x" * 17 * 2**20)],
    "a stream of another": [("HSET", "meta", "stream", "}:now"), ("DEL", "now")],
}


@pytest.mark.parametrize("what", HARM)
async def test_a_hostile_host_harms_no_other_row(
    what: str, server: RedisServer, client: Redis, reader: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaspad_taskd.fleet.reading.AGAIN_S", 0.1)
    monkeypatch.setattr("kaspad_taskd.fleet.reading.PROBE_S", 0.1)
    monkeypatch.setattr("kaspad_taskd.fleet.reading.QUIET_S", 0.1)
    good, evil = FleetHost("good"), FleetHost("evil")
    written = Written(client, good, evil)
    for host in (good, evil):
        written.batch(host, tasks=[a_task()])
    await reader.comes_to(good, evil)
    for name, part, *rest in HARM[what]:
        if name in ("SET", "LPUSH") or (name, part) == ("HSET", "now"):
            written.client.delete(evil.key(part))
        written.client.execute_command(name, evil.key(part), *rest)  # type: ignore[no-untyped-call]
    written.batch(good, tasks=[a_task(1, note="<b>evil</b>")], events=1)
    await reader.comes_to(good)
    if what in LATER:
        reader.mirror.again.add("evil")
    await once(lambda: reader.mirror.hosts["evil"].fault)
    written.batch(good)
    await reader.says("good", Verdict.OK)
    assert reader.mirror.hosts["good"].fault is None
    assert set(reader.mirror.hosts) == {"good", "evil", "z"}


async def test_a_fault_of_our_own_costs_the_host_alone_that_found_it(
    server: RedisServer, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, evil = FleetHost("good"), FleetHost("evil")
    begin, take = Host.begin, Host.take

    def broken(self: Host, *what: Any) -> None:
        if self.name == "evil":
            raise RuntimeError("nobody thought of that")
        (begin if isinstance(what[0], Read) else take)(self, *what)

    monkeypatch.setattr(Host, "begin", broken)
    monkeypatch.setattr(Host, "take", broken)
    written = Written(client, good, evil)
    async with Followed(server.server) as reader:
        written.batch(good, tasks=[a_task()])
        await reader.comes_to(good)
        written.batch(evil, tasks=[a_task()])
        written.batch(good, tasks=[a_task(1)])
        await reader.comes_to(good)
        await once(lambda: reader.mirror.hosts["evil"].fault)
        assert all(line.fault is None for line in reader.mirror.lines.values())


async def test_a_replica_that_lagged_and_is_master_now_is_followed(tmp_path: Path) -> None:
    """What the old master had beyond it is gone; the relay writes it again, and readers show it."""
    ports = [free_port(), free_port()]
    host = FleetHost("a")
    with (
        RedisServer(tmp_path / "one", port=ports[0]) as one,
        RedisServer(tmp_path / "two", port=ports[1]) as two,
        one.client() as first,
        two.client() as second,
    ):
        follow = ("REPLICAOF", "127.0.0.1", str(ports[0]))
        second.execute_command(*follow)
        written = Written(first, host)
        written.batch(host, tasks=[a_task()], events=5)
        await once(lambda: second.exists(host.key(keys.NOW)))
        async with (
            Followed(one.server, two.server) as reader,
            Followed(two.server, one.server) as r2,
        ):
            await reader.comes_to(host)
            second.execute_command("REPLICAOF", "NO", "ONE")
            for number in range(5):  # acknowledged, and never replicated
                written.batch(host, tasks=[a_task(number)], events=1)
            await reader.comes_to(host)
            one.kill()
            other = Written(second, host)
            other.again(host)
            other.batch(host, tasks=[a_task(2, status="paused")], events=2)
            await reader.comes_to(host)
            await r2.comes_to(host)
            other.batch(host)
            await reader.says("a", Verdict.OK)
            await once(lambda: reader.events["a"] == list(range(1, host.seq + 1)))
            await once(lambda: r2.events["a"] == list(range(1, host.seq + 1)))


async def test_the_user_of_the_docs_is_enough(server: RedisServer, client: Redis) -> None:
    for command in lines():
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    host = FleetHost("a")
    written = Written(client, host)
    written.batch(host, tasks=[a_task()], events=3)
    async with Followed(server.server, login=Login("hub", SECRET)) as reader:
        await reader.comes_to(host)
        assert reader.mirror.hosts["a"].fault is None
    async with Followed(server.server, login=Login("hub", "wrong")) as reader:
        await once(lambda: any(line.fault for line in reader.mirror.lines.values()))
        (line,) = reader.mirror.lines.values()
        assert line.fault is not None
        assert "password" in line.fault


async def test_who_is_told_to_end_while_the_library_swallows_it_ends(server: RedisServer) -> None:
    asking = Asking(engine(server.server), Login(), engine(server.server).servers[0])
    await asking.open()
    line: Any = asking._line
    send = line.send_packed_command

    async def swallow(packed: bytes) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await send(packed)

    line.send_packed_command = swallow
    task = asyncio.create_task(asking.ask("PING"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asking.close()


async def test_whatever_happens_all_readers_come_to_the_same(
    server: RedisServer, client: Redis
) -> None:
    """Batches, restarts of relays and of the server, losses: chosen by chance, from one seed."""
    chance = random.Random(18)
    hosts = [FleetHost(f"h{number}") for number in range(6)]
    written = Written(client, *hosts)
    async with Followed(server.server) as one, Followed(server.server) as two:
        for step in range(120):
            host = chance.choice(hosts)
            number = chance.randrange(4)
            tasks = [a_task(number, health=chance.choice(["ok", "stalled"]))]
            progress = [a_progress(f"task-{number}", progress=step % 100)]
            written.batch(host, events=chance.randrange(3), tasks=tasks, progress=progress)
            if chance.random() < 0.05:
                host.run += "x"
                written.again(host)
            if step in (40, 80):
                server.kill()
                await asyncio.sleep(0.2)
                server.start()
                if step == 80:
                    written.client.flushall()
                    for each in hosts:
                        written.again(each)
            await asyncio.sleep(chance.random() * 0.03)
        for host in hosts:
            written.batch(host)
        await one.comes_to(*hosts)
        await two.comes_to(*hosts)
        for host in hosts:
            assert one.events[host.name] == sorted(set(one.events[host.name]))
