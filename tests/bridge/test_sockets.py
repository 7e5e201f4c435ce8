"""The libraries' traps, each with its cure: taken away, the test fails."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import resource
import sys
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from engineio.async_socket import AsyncSocket
from engineio.packet import PING

from kaspad_taskd.bridge.engine_io import MESSAGE_BYTES, Engine
from tests.bridge.house import Bridged, bridged, until
from tests.fakes.bridged import line_of, program
from tests.fakes.patience import PATIENCE
from tests.fakes.stopwatch import Stopwatch
from tests.fakes.taskd_process import AT_ONCE

CLIENT = Path(__file__).parents[1] / "fakes" / "polling_client.py"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


class Poller:
    """A client that polls."""

    def __init__(self, house: Bridged) -> None:
        self.http, self.url = house.http, f"{house.base}/socket.io/?EIO=4&transport=polling"
        self.early: list[str] = []

    async def open(self, auth: Any = None) -> Poller:
        opening = await self.get()
        self.url += f"&sid={json.loads(opening[1:])['sid']}"
        assert await self.post("40" + json.dumps(auth or {})) == 200
        connected, *self.early = (await self.get()).split("\x1e")
        assert connected.startswith("40")
        return self

    async def get(self) -> str:
        async with self.http.get(self.url) as answer:
            return await answer.text()

    async def post(self, text: str | bytes) -> int:
        body = io.BytesIO(text.encode() if isinstance(text, str) else text)
        async with self.http.post(self.url, data=body) as answer:
            return answer.status

    async def read(self, word: str) -> list[str]:
        """Packets up to one with this word in it."""
        packets, self.early = self.early, []
        async with asyncio.timeout(PATIENCE):
            while not any(word in packet for packet in packets):
                packets += (await self.get()).split("\x1e")
        return packets


@pytest.mark.looptime
async def test_a_socket_that_has_ended_is_not_kept_until_its_ping() -> None:
    """A crowd that comes and goes would be all in memory for 25 s; who stays is pinged in time."""
    engine = Engine(async_mode="aiohttp")
    stays, goes = (AsyncSocket(engine, sid) for sid in ("stays", "goes"))
    for each in (stays, goes):
        each.schedule_ping()
    assert asyncio.all_tasks() == {asyncio.current_task()}  # nor does a task sleep until then
    gone = weakref.ref(goes)
    del goes, each
    await asyncio.sleep(1)
    gc.collect()
    assert gone() is None
    await asyncio.sleep(engine.ping_interval - 2)
    assert stays.queue.empty()
    await asyncio.sleep(2)
    assert (await stays.queue.get()).packet_type == PING
    stays.closing = True
    stays.schedule_ping()
    await asyncio.sleep(engine.ping_interval + 1)
    assert stays.queue.empty()


async def test_a_polling_client_is_served(house: Bridged) -> None:
    """Hello, answers and events, many packets in one request."""
    await house.add("job")
    poller = await Poller(house).open({"token": house.token})
    assert await poller.post('420["sync:pause",{"taskId":"job"}]') == 200
    packets = await poller.read("430[")
    assert [packet for packet in packets if "hello" in packet]
    assert '430[{"taskIds":["job"]}]' in packets


async def test_no_poll_is_answered_with_more_than_sixteen_packets(house: Bridged) -> None:
    """However many wait: python-socketio's client drops an answer that brings more."""
    for number in range(40):
        await house.add(f"job-{number}")
    poller = await Poller(house).open()
    sizes, seen = [1 + len(poller.early)], list(poller.early)
    async with asyncio.timeout(PATIENCE):
        while sum("sync:progress" in packet for packet in seen) < 40:
            found = (await poller.get()).split("\x1e")
            sizes.append(len(found))
            seen += found
    assert max(sizes) <= 16
    told = [json.loads(packet[2:])[1]["taskId"] for packet in seen if "sync:progress" in packet]
    assert told == [f"job-{number}" for number in range(40)]


async def test_two_polls_at_once_share_what_waits(house: Bridged) -> None:
    """What the first leaves over is the second one's, and neither is answered with a fault."""
    poller = await Poller(house).open()
    await poller.read("hello")
    polls = [asyncio.create_task(poller.get()) for _ in range(2)]
    (end,) = house.server.sockets.eio.sockets.values()
    await until(lambda: len(end.queue._getters) == 2)
    for _ in range(24):
        house.fanout.all("server:stopping", {"reason": "test"})
    answers = [(await each).split("\x1e") for each in polls]
    assert sorted(map(len, answers)) == [8, 16]


async def test_pythons_own_client_polls_with_many_tasks(house: Bridged) -> None:
    """It connects, is told every task, and goes on."""
    for number in range(40):
        await house.add(f"job-{number}")
    async with program(sys.executable, str(CLIENT), house.base, "{}") as client:
        told: list[tuple[str, Any]] = []
        while [name for name, _ in told].count("sync:progress") < 40:
            told.append(tuple(json.loads(await line_of(client) or '["ended", null]')))
            assert told[-1][0] != "ended"
        assert told[0][0] == "hello"
        for number in range(40):
            await house.house.ask("pauseTask", taskId=f"job-{number}")
        while [name for name, _ in told].count("sync:paused") < 40:
            told.append(tuple(json.loads(await line_of(client) or '["ended", null]')))
            assert told[-1][0] != "ended"


async def test_a_polling_client_may_send_all_it_has_gathered(house: Bridged) -> None:
    """More than sixteen packets in a request: the library would drop them all, and say OK."""
    poller = await Poller(house).open()
    packets = [f'42{number}["rpc",{{"method":"ping"}}]' for number in range(40)]
    assert await poller.post("\x1e".join(packets)) == 200
    answers = await poller.read("4339")
    assert sum(packet.startswith("43") for packet in answers) == 40


async def test_a_binary_event_ends_its_connection(house: Bridged) -> None:
    """The library would wait for a million attachments, and keep what comes until then."""
    visitor = await house.visit()
    await visitor.line.send_str('451000000-["rpc",{"_placeholder":true,"num":0}]')
    for _ in range(20):
        try:
            await visitor.line.send_bytes(b"x" * 60_000)
        except ConnectionError:
            break
    await visitor.ended()
    assert house.server.sockets._binary_packet == {}


@pytest.mark.parametrize(
    "packet", ["4", "42", "42{}", "42[]", "42[1]", '42["x"', "43{}", "45", "49", "4x", "44\"x\"",
               "9", "x", "", "bAAAA", '42["x",NaN]', "42" + "[" * 9000],
)  # fmt: skip
async def test_a_malformed_packet_ends_its_connection_alone(
    house: Bridged, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At the first, without a traceback in the log, over WebSocket and polling."""
    other = await house.visit()
    visitor = await house.visit()
    await visitor.event("hello")
    await visitor.line.send_str(packet)
    await visitor.ended()
    poller = await Poller(house).open()
    await poller.post(packet)
    async with asyncio.timeout(PATIENCE):
        while True:
            async with house.http.get(poller.url) as answer:
                if answer.status == 400:
                    break
    assert "Traceback" not in caplog.text
    assert (await other.rpc("ping"))["result"]["pong"] is True


async def test_the_log_is_not_flooded_with_nonsense(
    house: Bridged, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty bad clients are one warning, where they take no longer than it holds."""
    monkeypatch.setattr("kaspad_taskd.bridge.sockets.COMPLAIN_EVERY", 3600.0)
    caplog.set_level(logging.WARNING)
    for _ in range(50):
        visitor = await house.visit()
        await visitor.line.send_str("42{}")
        await visitor.ended()
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1


async def test_binary_frames_end_the_connection(house: Bridged) -> None:
    """Nothing of ours is binary."""
    visitor = await house.visit()
    await visitor.line.send_bytes(b"\x00" * 100)
    await visitor.ended()


@pytest.mark.parametrize("size", [MESSAGE_BYTES + 1, 2_000_000])
async def test_a_message_that_is_too_long_is_refused(house: Bridged, size: int) -> None:
    """Over WebSocket with code 1009, over polling with 413; others go on."""
    other = await house.visit()
    visitor = await house.visit()
    await visitor.event("hello")
    await visitor.emit("rpc", {"method": "ping", "params": {"x": "y" * size}})
    said = await visitor.line.receive()
    while said.type is aiohttp.WSMsgType.TEXT:
        said = await visitor.line.receive()
    assert said.data == 1009
    poller = await Poller(house).open()
    assert await poller.post("42" + "x" * size) == 413
    assert (await other.rpc("ping"))["result"]["pong"] is True


async def test_compression_is_off(house: Bridged) -> None:
    """It costs four times the memory, and browsers always offer it."""
    url = f"{house.base}/socket.io/?EIO=4&transport=websocket"
    line = await house.connect(url, compress=15)
    assert line.compress == 0
    assert "Sec-WebSocket-Extensions" not in line._response.headers
    await line.close()


async def test_a_probe_that_fails_leaves_polling_as_it_was(house: Bridged) -> None:
    """The library would answer each poll with nothing, at once, for ever: a loop at full speed."""
    poller = await Poller(house).open()
    probe = await house.connect(poller.url.replace("polling", "websocket"))
    await probe.close()
    await until(
        lambda: not any(each.upgrading for each in house.server.sockets.eio.sockets.values())
    )
    await poller.post('420["rpc",{"method":"ping"}]')
    assert await poller.read("pong")


async def test_an_upgrade_loses_and_doubles_nothing(house: Bridged) -> None:
    """From polling to WebSocket, with events all the way."""
    await house.add("job")
    poller = await Poller(house).open({"since": 0})
    seen = poller.early
    line = await house.connect(poller.url.replace("polling", "websocket"))
    for method in ("pauseTask", "resumeTask"):
        await house.house.ask(method, taskId="job")
    await line.send_str("2probe")
    assert (await line.receive()).data == "3probe"
    async with asyncio.timeout(PATIENCE):
        while "6" not in seen:
            seen += (await poller.get()).split("\x1e")
    await house.house.ask("pauseTask", taskId="job")
    await line.send_str("5")
    await house.house.ask("resumeTask", taskId="job")
    last = house.house.engine.seq
    async with asyncio.timeout(PATIENCE):
        while not any(f'"seq":{last}' in each and "progress" not in each for each in seen):
            seen.append((await line.receive()).data)
    events = [json.loads(each[2:]) for each in seen if each.startswith("42")]
    journal = [data["seq"] for name, data in events if name not in ("hello", "sync:progress")]
    assert journal == list(range(1, last + 1))


async def test_a_polling_client_that_vanishes_is_forgotten(house: Bridged) -> None:
    """By its arrears here; by the heartbeat in 45 s where nothing happens."""
    await house.add("job")
    await Poller(house).open()
    assert len(house.server.browsers) == 1
    task = house.house.task("job")
    for number in range(10_000):
        await house.fanout._tell(house.fanout._progress(task, number))
        if len(house.server.browsers) == 0:
            break
    await until(lambda: len(house.server.browsers) == 0)
    assert house.server.sockets.connections == 0


async def test_who_takes_nothing_for_20_s_is_cut(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little it is."""
    await house.add("job")
    await Poller(house).open()
    other = await house.visit()
    await house.house.ask("pauseTask", taskId="job")
    await other.event("sync:paused")
    house.server.sockets.sweep()
    now = time.monotonic
    monkeypatch.setattr("kaspad_taskd.bridge.outbox.monotonic", lambda: now() + 21)
    house.server.sockets.sweep()
    await until(lambda: len(house.server.browsers) == 1)
    assert (await other.rpc("ping"))["result"]["pong"] is True


async def test_who_never_connects_is_cut(house: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open line without a client on it holds no place."""
    line = await house.line()
    house.server.sockets.sweep()
    assert house.server.sockets.connections == 1
    now = time.monotonic
    monkeypatch.setattr("kaspad_taskd.bridge.sockets.monotonic", lambda: now() + 21)
    house.server.sockets.sweep()
    assert (await line.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)


async def test_a_line_without_a_request_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-open ones too; one that asked something is kept."""
    async with bridged(tmp_path) as house:
        visitor = await house.visit()
        assert house.server._runner.server is not None
        (asked,) = house.server._runner.server.connections
        monkeypatch.setattr("kaspad_taskd.bridge.server.FIRST_REQUEST_S", 0.05)
        port = house.opened.address.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE):
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
        writer.close()
        house.server._close_unused(asked)  # its time is over as well
        assert (await visitor.rpc("ping"))["result"]["pong"] is True
        assert not house.server._unused


async def test_a_line_that_went_without_a_request_keeps_no_memory(tmp_path: Path) -> None:
    """Crowds that come and go are not remembered until their first request would be due."""
    async with bridged(tmp_path) as house:
        port = house.opened.address.port
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await until(lambda: len(house.server._unused) == 1)
            (timer,) = house.server._unused.values()
            writer.close()
            await until(lambda: not house.server._unused)
            assert timer.cancelled()


async def test_an_event_before_the_connect_is_malformed(house: Bridged) -> None:
    """Nobody asks anything before he is let in."""
    line = await house.line()
    await line.send_str('42["tasks:list"]')
    async with asyncio.timeout(PATIENCE):
        assert (await line.receive()).type is not aiohttp.WSMsgType.TEXT


async def test_another_namespace_is_refused(house: Bridged) -> None:
    """There is one."""
    line = await house.line()
    await line.send_str("40/admin,")
    assert (await line.receive()).data.startswith("44/admin")
    await line.close()


async def test_a_foreign_page_cannot_connect(house: Bridged) -> None:
    """Neither by WebSocket nor by polling, whatever token it may have."""
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await house.line(headers)
        assert refused.value.status == 403
        status, text = await house.get("/socket.io/?EIO=4&transport=polling", **headers)
        assert status == 403
        assert "kaspad-taskd.toml" in text


async def test_a_thousand_clients_at_once(tmp_path: Path) -> None:
    """All are let in, all are told."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    async with bridged(tmp_path) as house:
        house.http._connector._limit = 0  # type: ignore[union-attr]
        await house.add("job")
        visitors = []
        for _ in range(20):
            visitors += await asyncio.gather(*(house.visit() for _ in range(50)))
        assert len(house.server.browsers) == 1000
        await house.house.ask("pauseTask", taskId="job")
        for visitor in visitors:
            await visitor.event("sync:paused")
        with Stopwatch() as watch:
            await house.server.stop("test")
        assert watch.took < AT_ONCE
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_who_polls_hears_of_a_stop_between_two_polls(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still come for what it is told; nobody new is let in meanwhile."""
    monkeypatch.setattr("kaspad_taskd.bridge.server.GOODBYE_S", PATIENCE)  # not ours to hurry
    poller = await Poller(house).open()
    await poller.read("hello")
    stopping = asyncio.create_task(house.server.stop("signal"))
    await until(lambda: house.server._refusing)
    assert (await house.get("/healthz"))[0] == 503
    assert await poller.read("server:stopping")
    async with asyncio.timeout(PATIENCE / 2):
        await stopping
    with pytest.raises(aiohttp.ClientConnectionError):
        await house.get("/healthz")


async def test_the_house_hangs_up_for_its_visitors(tmp_path: Path) -> None:
    """Else the garbage collector would, with a warning in the middle of another test."""
    async with bridged(tmp_path) as house:
        visitor = await house.visit()
        assert visitor.line._response.connection is not None
    assert visitor.line._response.connection is None
