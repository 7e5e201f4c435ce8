"""A private network for recordings: nodes in sync that mine, slow lines, and the node watched.

Simnet asks for no proof of work, and a block's time may be any between the median and now. So a
node that was away for half an hour is made in minutes: its data are a copy of the source's from
before the source mined that half hour.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fakes.kaspad import ADDRESS, STEP_MS, Kaspad, Talk

BEFORE_S = 300
"""So much history lies before the moment at which the watched node stopped: the median's window."""
SIBLINGS = 3
"""Blocks made of one template while history is mined."""
DOUBLES = 0.15
"""Share of templates that two blocks are made of, as on a network with latency."""
CHUNK = 1024
MINER = "miner"
NICE = ("nice", "-n", "5")

DEPTHS: Mapping[str, Any] = {
    "pruning_proof_m": 50,
    "max_block_level": 254,
    "storage_mass_parameter": 10000,
    "difficulty_window_size": 66,
    "min_difficulty_window_size": 33,
    "blockrate": {
        "target_time_per_block": STEP_MS,
        "ghostdag_k": 4,
        "past_median_time_sample_rate": 10,
        "difficulty_sample_rate": 40,
        "max_block_parents": 10,
        "mergeset_size_limit": 20,
        "merge_depth": 400,
        "finality_depth": 4200,
        "pruning_depth": 9000,
        "coinbase_maturity": 200,
    },
}
"""mainnet's pace in lowered depths: from 17 500 blocks on a fresh node fetches a proof, and some
10 000 headers into staging; the pruning point moves every 420 s."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Line:
    """A slow TCP relay to a node, whose buffers are small: what is on the way is soon there."""

    def __init__(self, to: int, down: float, up: float = 60_000) -> None:
        self._to, self._down, self._up = to, down, up
        self._passing = asyncio.Event()
        self._passing.set()
        self._running: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4096)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Pass nothing more; the connections stay, as with a relay that was sent SIGSTOP."""
        self._passing.clear()

    def thaw(self) -> None:
        self._passing.set()

    async def cut(self) -> None:
        """End the connections; new ones are taken."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def close(self) -> None:
        self._server.close()
        await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        far, far_writer = socket.socket(), None
        try:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            far.setblocking(False)
            await asyncio.get_running_loop().sock_connect(far, ("127.0.0.1", self._to))
            far_reader, far_writer = await asyncio.open_connection(sock=far, limit=4096)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(far_reader, writer, self._down))
                both.create_task(self._pump(reader, far_writer, self._up))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._running.discard(task)
            for each in (writer, far_writer or far):  # where nobody listens, there is no writer
                each.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: float
    ) -> None:
        due = 0.0
        clock = asyncio.get_running_loop().time
        while data := await reader.read(CHUNK):
            await self._passing.wait()
            writer.write(data)
            await writer.drain()
            due = max(due, clock() - 0.5) + len(data) / rate
            await asyncio.sleep(due - clock())
        raise ConnectionResetError


class Network:
    """Nodes that know each other and mine, a line to each, and the node that is watched."""

    def __init__(self, program: str, place: Path, params: Mapping[str, Any] | None) -> None:
        self._program, self._place, self._params = program, place, params
        self.peers: list[Kaspad] = []
        self.lines: list[Line] = []
        self.frozen: set[Kaspad] = set()
        self._talks: dict[tuple[Kaspad, str], Talk] = {}
        self._mining: asyncio.Task[None] | None = None

    async def build(
        self, peers: int, away_s: float, rate: float, fresh: bool, prefix: Sequence[str]
    ) -> Kaspad:
        """Mine the history, start the peers and their lines; returns the watched node, down."""
        first = self._peer(0)
        await first.start()
        talk = await self._talk(first)
        print(f"mining {away_s:.0f} s of history", flush=True)
        last = now_ms() - round(1000 * (away_s + BEFORE_S))
        last = await _mine_until(talk, last, 0 if fresh else away_s)
        if not fresh:
            await self._copied(first, self._place / "watched")
            last = await _mine_until(await self._talk(first), last, 0)
        if peers > 1:
            await self._others(first, peers)
        for peer in self.peers:
            self.lines.append(Line(peer.p2p, rate))
            await self.lines[-1].open()
        self._mining = asyncio.create_task(self._mine_on())
        connect = [f"--connect=127.0.0.1:{line.port}" for line in self.lines]
        return Kaspad(
            self._program, self._place / "watched", *connect, params=self._params, prefix=prefix
        )

    def _peer(self, number: int, *arguments: str) -> Kaspad:
        place = self._place / f"peer-{number}"
        peer = Kaspad(self._program, place, *arguments, params=self._params, prefix=NICE)
        self.peers.append(peer)
        return peer

    async def _copied(self, node: Kaspad, *places: Path) -> None:
        """Give others the data of a node, which is down meanwhile."""
        await self._talks.pop((node, MINER)).close()
        await node.stop()
        for place in places:
            shutil.copytree(node.place / "kaspa-simnet", place / "kaspa-simnet")
        await node.start()

    async def _others(self, first: Kaspad, peers: int) -> None:
        places = [self._place / f"peer-{number}" for number in range(1, peers)]
        await self._copied(first, *places)
        for number in range(1, peers):
            known = [f"--addpeer=127.0.0.1:{each.p2p}" for each in self.peers]
            await self._peer(number, *known).start()

    async def _talk(self, node: Kaspad, whose: str = MINER) -> Talk:
        key = (node, whose)
        if key not in self._talks:
            self._talks[key] = Talk(node)
            await self._talks[key].wait()
        return self._talks[key]

    async def tip(self) -> int:
        """The score of a node in sync: the truth."""
        return int((await self._ask("recorder", "getServerInfo"))["virtualDaaScore"])

    async def _ask(self, whose: str, method: str, **params: Any) -> dict[str, Any]:
        """Ask a node in sync, one question at a time for each who asks; raises OSError."""
        node = next(peer for peer in self.peers if peer not in self.frozen)
        try:
            async with asyncio.timeout(2):
                return await (await self._talk(node, whose)).ask(method, **params)
        except TimeoutError as error:
            talk = self._talks.pop((node, whose), None)  # an answer may still come, to no question
            if talk is not None:
                await talk.close()
            raise OSError(repr(error)) from None

    async def _mine_on(self) -> None:
        """Mine 10 blocks a second, unevenly, until cancelled."""
        due = time.monotonic()
        while True:
            due += random.expovariate(1000 / STEP_MS / (1 + DOUBLES))
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            with suppress(OSError):
                await self._mine(2 if random.random() < DOUBLES else 1)

    async def _mine(self, siblings: int) -> None:
        template = await self._ask(MINER, "getBlockTemplate", payAddress=ADDRESS, extraData=[])
        for number in range(siblings):
            template["block"]["header"]["nonce"] = number
            block = template["block"]
            await self._ask(MINER, "submitBlock", block=block, allowNonDaaBlocks=False)

    def freeze(self, node: Kaspad) -> None:
        """Stop a peer's process: it neither ends nor answers."""
        assert node.process is not None
        self.frozen.add(node)
        node.process.send_signal(signal.SIGSTOP)

    def by_address(self, address: str) -> Kaspad:
        """The peer behind the line that the watched node knows by this address."""
        ports = [line.port for line in self.lines]
        return self.peers[ports.index(int(address.rpartition(":")[2]))]

    async def close(self) -> None:
        if self._mining is not None:
            self._mining.cancel()
            await asyncio.gather(self._mining, return_exceptions=True)
        for line in self.lines:
            await line.close()
        for talk in self._talks.values():
            await talk.close()
        for peer in self.peers:
            await peer.stop(signal.SIGKILL)


async def _mine_until(talk: Talk, last_ms: int, ago_s: float) -> int:
    """Mine a block for each 100 ms up to so many seconds ago; returns the last one's time."""
    while last_ms < now_ms() - 1000 * ago_s:
        template = await talk.ask("getBlockTemplate", payAddress=ADDRESS, extraData=[])
        block = template["block"]
        for number in range(SIBLINGS):
            last_ms += STEP_MS
            block["header"] |= {"timestamp": last_ms, "nonce": number}
            answer = await talk.ask("submitBlock", block=block, allowNonDaaBlocks=False)
            assert answer["report"]["type"] == "success", answer
    return last_ms
