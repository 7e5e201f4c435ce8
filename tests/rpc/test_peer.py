"""One connection: order, bounds, patience, events."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.rpc import peer as module
from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.framing import LIMIT
from kaspad_taskd.rpc.peer import IN_FLIGHT, Peer, credentials
from tests.rpc.house import Client, House, until


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path / "rpc.sock") as house:
        yield house


def _request(method: str, *params: Any, **more: Any) -> bytes:
    return (
        json.dumps({"jsonrpc": "2.0", "method": method, "params": params} | more).encode() + b"\n"
    )


async def stuck(house: House) -> Peer:
    """Return the one connection whose client has to take something first, once there is one."""

    def waiting() -> list[Peer]:
        return [peer for peer in house.server._door.peers if peer._patience is not None]

    await until(lambda: len(waiting()) == 1)
    return waiting()[0]


def span_ends(peer: Peer) -> None:
    """Let the span be over in which its client had to take something."""
    assert peer._patience is not None
    before = peer._patience._args
    peer._patience.cancel()
    peer._taking(*before)


async def test_pipelined_requests_are_answered_in_order_and_together(house: House) -> None:
    """What answers from memory is answered in order, however many come at once."""
    client = await house.client()
    client.write(b"".join(_request("echo", n, id=n) for n in range(1000)))
    assert [(await client.read())["id"] for _ in range(1000)] == list(range(1000))


async def test_a_request_that_waited_keeps_no_memory(house: House) -> None:
    """Its task is gone with its answer, not when garbage is next collected."""
    client = await house.client()

    def waiting() -> int:
        return sum(type(each) is Pending for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        client.write(b"".join(_request("hold", id=n) for n in range(5)))
        await until(lambda: waiting() == 5)
        house.gate.set()
        for _ in range(5):
            await client.read()
        await until(lambda: waiting() == 0)
    finally:
        gc.enable()


async def test_a_slow_answer_holds_nobody_up(house: House) -> None:
    """An answer that waits is overtaken by later ones, on its own connection too."""
    client = await house.client()
    client.write(_request("hold", id="slow") + _request("echo", 1, id="quick"))
    assert (await client.read())["id"] == "quick"
    house.gate.set()
    assert (await client.read())["id"] == "slow"


async def test_half_lines_empty_lines_and_carriage_returns(house: House) -> None:
    """A request may come in pieces and end like on another system."""
    client = await house.client()
    line = _request("echo", "é", id=1).replace(b"\n", b"\r\n")
    for at in range(len(line)):
        client.write(line[at : at + 1])
        await asyncio.sleep(0)
    client.write(b"\n\r\n  \n" + _request("echo", 2, id=2))
    assert (await client.read())["result"] == "é"
    assert (await client.read())["result"] == 2


async def test_a_line_too_long_costs_one_error(house: House) -> None:
    """The stream goes on at the next newline."""
    client = await house.client()
    client.write(b"x" * (LIMIT + 5) + b"\n" + _request("echo", 1, id=1))
    error = await client.read()
    assert (error["id"], error["error"]["data"]["reason"]) == (None, "too-long")
    assert (await client.read())["result"] == 1
    assert await client.call("echo", "x" * (LIMIT - 100)) == "x" * (LIMIT - 100)


async def test_64_requests_at_once_and_further_ones_wait(house: House) -> None:
    """Of 200 requests that wait, 64 are begun; the rest follows as they end."""
    client = await house.client()
    client.write(b"".join(_request("hold", id=n) for n in range(200)))
    await until(lambda: house.running == IN_FLIGHT)
    other = await house.client()
    assert await other.call("echo", 1) == 1
    assert house.running == IN_FLIGHT
    house.gate.set()
    assert sorted([(await client.read())["id"] for _ in range(200)]) == list(range(200))
    assert house.most == IN_FLIGHT


async def test_batches_count_by_their_elements(house: House) -> None:
    """Requests in flight of their own and those of a batch are 64 together."""
    client = await house.client()
    batch = b",".join(_request("hold", id=n)[:-1] for n in range(64))
    client.write(b"".join(_request("hold", id=n) for n in range(63)) + b"[" + batch + b"]\n")
    await until(lambda: house.running == IN_FLIGHT)
    for _ in range(10):
        await asyncio.sleep(0)
    house.gate.set()
    answers = [await client.read() for _ in range(64)]
    assert sorted(len(answer) for answer in answers if isinstance(answer, list)) == [64]
    assert house.most == IN_FLIGHT


async def test_one_who_takes_nothing_is_not_served_on(house: House) -> None:
    """Requests of a client that reads no answers stay unread: memory is bounded."""
    client = await house.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.write(b"".join(_request("big", 100_000, id=n) for n in range(2000)))
    peer = await stuck(house)
    assert peer._transport.get_write_buffer_size() < 2_000_000
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert [(await client.read())["id"] for _ in range(2000)] == list(range(2000))


async def test_one_who_takes_nothing_is_cut(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After its patience the daemon closes the connection and says so."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    client = await house.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.ask("big", 8_000_000)
    await until(lambda: f"uid={os.getuid()} pid={os.getpid()} cut: it took nothing" in caplog.text)
    await until(lambda: house.server.connections == 0)


async def test_one_who_takes_little_is_served(house: House) -> None:
    """A slow client that takes something within each span is never cut."""
    with socket.socket(socket.AF_UNIX) as slow:
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, str(house.path))
        await loop.sock_sendall(slow, _request("big", 8_000_000, id=1))
        peer, taken, spans = await stuck(house), 0, 0
        while taken < 8_000_000:
            before = peer._taken()
            taken += len(await loop.sock_recv(slow, 1_000_000))
            await until(lambda before=before: peer._taken() > before or peer.quiet)
            if peer._patience is not None:
                spans += 1
                span_ends(peer)
    assert taken > 8_000_000
    assert spans > 5


async def test_one_who_asks_no_more_gets_all_answers(house: House) -> None:
    """After a half-close what was asked is answered, its last line without a newline too."""
    client = await house.client()
    client.write(_request("hold", id=1) + _request("echo", 2, id=2)[:-1])
    client.writer.write_eof()
    assert (await client.read())["id"] == 2
    house.gate.set()
    assert (await client.read())["id"] == 1
    assert await client.read() is None


async def test_half_a_request_of_one_who_ended_is_an_error(house: House) -> None:
    """A request cut short is not guessed at."""
    client = await house.client()
    client.write(b'{"jsonrpc":"2.0","method":"echo"')
    client.writer.write_eof()
    assert (await client.read())["error"]["code"] == -32700
    assert await client.read() is None


async def test_one_who_has_gone_is_waited_for_no_more(house: House) -> None:
    """Reading requests of a client that died end with it."""
    client = await house.client()
    client.ask("hold")
    await until(lambda: house.running == 1)
    await client.close()
    await until(lambda: house.server.connections == 0)
    await until(lambda: house.running == 0)
    assert house.ended == 0


async def test_a_change_outlives_the_one_who_asked(house: House) -> None:
    """A change under way is made, whether or not somebody waits for the answer."""
    client = await house.client()
    client.ask("changeHeld")
    await until(lambda: house.running == 1)
    await client.close()
    house.gate.set()
    await until(lambda: house.ended == 1)
    await until(lambda: house.server.connections == 0)


async def test_notifications_of_one_who_leaves_at_once_are_carried_out(house: House) -> None:
    """Sending and going away is enough to be heard, beyond what is begun at once, too."""
    client = await house.client()
    client.write(b"".join(_request("changeHeld") for _ in range(200)))
    await client.close()
    house.gate.set()
    await until(lambda: house.ended == 200)
    await until(lambda: house.server.connections == 0)


async def test_a_subscription_sends_what_follows(house: House) -> None:
    """The answer comes first, then each event as a notification of its own."""
    house.feed.tell(3)
    client = await house.client()
    client.ask("subscribe", 1)
    assert (await client.read())["result"] == {"seq": 1, "tasks": []}
    house.feed.tell(1, {"x": "é"})
    lines = [await client.read() for _ in range(3)]
    assert [line["params"]["seq"] for line in lines] == [2, 3, 4]
    assert lines[-1] == {
        "jsonrpc": "2.0",
        "method": "event",
        "params": {"seq": 4, "event": "sync:health", "data": {"x": "é"}},
    }
    assert await client.call("echo", 1) == 1


async def test_events_wait_for_the_answer_of_their_batch(house: House) -> None:
    """A subscription within a batch begins when the batch has been answered."""
    house.feed.tell(3)
    client = await house.client()
    batch = [_request("subscribe", 0, id=1)[:-1], _request("hold", id=2)[:-1]]
    client.write(b"[" + b",".join(batch) + b"]\n")
    await until(lambda: house.running == 1)
    for _ in range(10):
        await asyncio.sleep(0)
    house.gate.set()
    assert isinstance(await client.read(), list)
    assert (await client.read())["params"]["seq"] == 1


async def test_one_subscription_a_connection(house: House) -> None:
    """A second one is a conflict; after unsubscribing there may be another."""
    client = await house.client()
    assert await client.call("unsubscribe") is False
    await client.call("subscribe")
    client.ask("subscribe")
    assert (await client.read())["error"]["data"]["reason"] == "conflict"
    assert await client.call("unsubscribe") is True
    await until(lambda: house.feed.running == 0)
    house.feed.tell(2)
    assert await client.call("unsubscribe") is False
    assert (await client.call("subscribe", 1))["seq"] == 1
    assert (await client.read())["params"]["seq"] == 2


async def test_a_gap_is_the_answer_to_subscribe(house: House) -> None:
    """What the engine refuses is refused to the client, and it may subscribe again."""
    client = await house.client()
    client.ask("subscribe", 99)
    assert (await client.read())["error"]["code"] == -32007
    assert (await client.call("subscribe"))["seq"] == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [(ApiError.of("gap", "too far behind", oldest=5), -32007), (RuntimeError("hunter2"), -32603)],
)
async def test_events_that_cannot_go_on_end_the_connection(
    house: House, fault: Exception, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The client is told why, without an id, and comes back with a new subscription."""
    caplog.set_level(logging.CRITICAL, "asyncio")
    client = await house.client()
    await client.call("subscribe")
    house.feed.fault = fault
    house.feed.wake()
    line = await client.read()
    assert (line["id"], line["error"]["code"]) == (None, code)
    assert "hunter2" not in json.dumps(line)
    assert await client.read() is None
    await until(lambda: house.server.connections == 0)


async def test_a_slow_follower_reads_later(house: House) -> None:
    """Events that a client does not take stay with the engine, and none is lost."""
    client = await house.client()
    await client.call("subscribe")
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await until(lambda: house.feed.running == 1)
    house.feed.tell(5000, "x" * 1000)
    await stuck(house)
    assert house.feed.sent < 2000
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    seqs = [(await client.read())["params"]["seq"] for _ in range(5000)]
    assert seqs == list(range(1, 5001))


async def test_a_slow_follower_is_cut_alone(house: House) -> None:
    """One that takes nothing loses its own connection; the other misses no event."""
    slow, quick = await house.client(), await house.client()
    for client in (slow, quick):
        await client.call("subscribe")
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await until(lambda: house.feed.running == 2)
    house.feed.tell(3000, "x" * 1000)
    assert [(await quick.read())["params"]["seq"] for _ in range(3000)] == list(range(1, 3001))
    span_ends(await stuck(house))
    await until(lambda: house.server.connections == 1)
    await until(lambda: house.feed.running == 1)


async def test_a_follower_who_leaves_is_forgotten(house: House) -> None:
    """A client that died costs nothing, though no event was sent to it."""
    client = await house.client()
    await client.call("subscribe")
    await until(lambda: house.feed.running == 1)
    await client.close()
    await until(lambda: house.feed.running == 0)
    assert house.server.connections == 0


def test_credentials_are_unsigned() -> None:
    """A uid above 2^31 is not a negative one."""

    class Connection:
        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert (level, option, size) == (socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return struct.pack("3I", 7, 4_294_967_294, 3_000_000_000)

    assert credentials(Connection()) == (7, 4_294_967_294, 3_000_000_000)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"\n", _request("echo", 1, id=1)])))
def test_any_bytes_leave_the_door_open(chunks: list[bytes]) -> None:
    """Whatever a client writes, in whatever pieces, the next request is answered."""

    async def scenario(path: Path) -> None:
        async with House(path) as house:
            client: Client = await house.client()
            for chunk in chunks:
                client.write(chunk)
                await asyncio.sleep(0)
            client.write(b"\n" + _request("echo", "end", id="end"))
            while (answer := await client.read()) is not None:
                if isinstance(answer, dict) and answer["id"] == "end":
                    return
            raise AssertionError("the door closed")

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(scenario(Path(directory) / "rpc.sock"))
