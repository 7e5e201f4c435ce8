"""A node that says what a test makes it say, over gRPC or wRPC, to a house in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from kaspad_taskd.core.model import Definition, Task
from kaspad_taskd.kaspa import protocol_pb2 as pb
from kaspad_taskd.probes import Means, open_probe
from tests.fakes.bridged import free_port
from tests.fakes.house import House, definition
from tests.fakes.node import P2P_ID, PRUNING, SINK, SYSTEM_ID, GrpcNode, WrpcNode
from tests.probes.looks import read

TIP = 400_000_000
BPS = 10
STEP = 0.25
"""Seconds between two moments at which the port may open and shut."""


@dataclass
class Says:
    """What a node says now: of mainnet, at the tip, with eight peers, unless a test changes it.

    Scores are DAA; `behind` are blocks that it lacks, `age` the seconds of its newest block by this
    host's clock, `rx` bytes from peers, `counts` headers and bodies since its start, `offsets` the
    peers' clocks as it measured them, ms. `ibd` is the peer that it downloads from.
    """

    score: int
    now_ms: int
    age: float = 0.3
    synced: bool = True
    peers: int = 8
    ibd: int | None = None
    blocks: int = 1_200_000
    ahead: int = 0
    counts: int = 5_000
    rx: int = 1_000_000
    disk: int = 1_000_000
    offsets: int = 0
    connected_ms: int = 60_000
    p2p_id: str = P2P_ID
    system_id: str | None = SYSTEM_ID
    network: str = "mainnet"

    @property
    def sink_ms(self) -> int:
        return self.now_ms - round(self.age * 1000)

    def dag(self) -> dict[str, Any]:
        return {
            "blockCount": self.blocks, "headerCount": self.blocks + self.ahead,
            "tipHashes": [SINK], "difficulty": 1.5, "pastMedianTime": self.sink_ms - 132_000,
            "pruningPointHash": PRUNING, "virtualDaaScore": self.score, "sink": SINK,
        }  # fmt: skip

    def metrics(self) -> dict[str, Any]:
        return {
            "serverTime": self.now_ms,
            "processMetrics": {"residentSetSize": 1, "diskIoWriteBytes": self.disk},
            "bandwidthMetrics": {"grpcP2pBytesRx": self.rx},
            "consensusMetrics": {
                "headerCounts": self.counts, "bodyCounts": self.counts,
                "chainBlockCounts": self.counts,
            },
        }  # fmt: skip

    def infos(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"7bb47bb4-0000-4000-8000-{n:012}", "userAgent": "/kaspad:2.1.0/",
                "timeOffset": self.offsets, "timeConnected": self.connected_ms,
                "isIbdPeer": n == self.ibd,
            }
            for n in range(self.peers)
        ]  # fmt: skip


Tells = Callable[[float], Says | None]
"""What a node says at a second since the beginning; None: nothing listens then."""


class ToldGrpc(GrpcNode):
    """Says what it is told over gRPC."""

    says: Callable[[], Says]

    def _build(self, method: str, request: pb.KaspadRequest) -> pb.KaspadResponse:
        says = self.says()
        body: dict[str, Any] = {}
        if method == "getBlockDagInfo":
            body = {"networkName": f"kaspa-{says.network}", **says.dag()}
        elif method == "getMetrics":
            body = says.metrics()
        elif method == "getConnectedPeerInfo":
            body = {"infos": says.infos()}
        elif method == "getSyncStatus":
            body = {"isSynced": says.synced}
        elif method == "getServerInfo":
            body = {"serverVersion": "2.1.0", "networkId": says.network, "isSynced": says.synced}
        elif method == "getInfo":
            body = {"serverVersion": "2.1.0", "isSynced": says.synced, "p2pId": says.p2p_id}
        elif method == "getSystemInfo" and says.system_id is None:
            body = {"error": {"message": "method not found"}}
        elif method == "getSystemInfo":
            body = {"version": "v2.1.0", "systemId": says.system_id}
        elif method == "getBlock":
            header = {"timestamp": says.sink_ms, "daaScore": says.score, "blueScore": 400}
            body = {"block": {"header": header}}
        return pb.KaspadResponse(id=request.id, **{f"{method}Response": body})


class ToldWrpc(WrpcNode):
    """Says what it is told over wRPC JSON."""

    says: Callable[[], Says]

    def _params(self, method: str) -> dict[str, Any]:
        says, params = self.says(), super()._params(method)
        if method == "getBlockDagInfo":
            return {**params, "network": says.network, **says.dag()}
        if method == "getMetrics":
            told = says.metrics()
            params["processMetrics"] = {**params["processMetrics"], **told["processMetrics"]}
            params["bandwidthMetrics"] = {**params["bandwidthMetrics"], "p2pBytesRx": says.rx}
            params["consensusMetrics"] = {
                **params["consensusMetrics"],
                "nodeHeadersProcessedCount": says.counts,
                "nodeBodiesProcessedCount": says.counts,
                "nodeChainBlocksProcessedCount": says.counts,
            }
            return {**params, "serverTime": says.now_ms}
        if method == "getConnectedPeerInfo":
            return {"peerInfo": [_snake(each) for each in says.infos()]}
        if method == "getBlock":
            header = {"timestamp": says.sink_ms, "daaScore": says.score, "hash": SINK}
            return {"block": {"header": header, "transactions": []}}
        if method == "getInfo":
            params["p2pId"] = says.p2p_id
        if method == "getSystemInfo":
            params["systemId"] = says.system_id and list(bytes.fromhex(says.system_id))
        return {**params, **({"isSynced": says.synced} if "isSynced" in params else {})}


def _snake(peer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": peer["id"], "address": {"ip": "1.2.3.4", "port": 16111}, "is_outbound": True,
        "last_ping_duration": 12, "time_offset": peer["timeOffset"],
        "user_agent": peer["userAgent"], "advertised_protocol_version": 11,
        "time_connected": peer["timeConnected"], "is_ibd_peer": peer["isIbdPeer"],
    }  # fmt: skip


class RealHouse(House):
    """A house whose probes are the real ones."""

    def _make(self, definition: Definition) -> Any:
        return open_probe(definition, Means(wall=self.now))


class Watched:
    """A node that says what `tells` says, on a port that stays, and the task that watches it."""

    def __init__(self, built: House, tells: Tells, door: type[Any]) -> None:
        self._house, self._tells, self._door = built, tells, door
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._port = free_port()
        self._node: Any = None
        self._who: str | None = None
        self.seen: list[Task] = []

    @property
    def url(self) -> str:
        return f"{'grpc' if self._door is ToldGrpc else 'ws'}://127.0.0.1:{self._port}"

    @property
    def task(self) -> Task:
        return self._house.task("node")

    def _says(self) -> Says:
        said = self._tells(self._loop.time() - self._began)
        assert said is not None
        return said

    async def turn(self) -> None:
        """Open or shut the port, as it is due; another process takes no connection over."""
        said = self._tells(self._loop.time() - self._began)
        who = None if said is None else said.p2p_id
        if who == self._who:
            return
        self._who = who
        await self.close()
        if who is not None:
            self._node = self._door(port=self._port)
            self._node.says = self._says
            await self._node.__aenter__()

    async def until(self, second: float) -> None:
        """Let it go on to that second; `seen` has the task after each look."""
        while self._loop.time() - self._began < second:
            await self.turn()
            await asyncio.sleep(STEP)
            if not self.seen or self.task.live.last_checked != self.seen[-1].live.last_checked:
                self.seen.append(self.task)

    async def close(self) -> None:
        node, self._node = self._node, None
        if node is not None:
            await node.__aexit__()


@asynccontextmanager
async def watching(
    tells: Tells, door: type[Any] = ToldGrpc, scheme: str | None = None, **given: Any
) -> AsyncIterator[Watched]:
    """A task, in a house in virtual time, that watches what `tells` makes a node say.

    `scheme`: the definition's, where it is not the door's.
    """
    built = RealHouse()
    built.start()
    watched = Watched(built, tells, door)
    try:
        await watched.turn()
        url = watched.url if scheme is None else f"{scheme}://{watched.url.partition('://')[2]}"
        checker, faults = read("node-sync", {"url": url})
        assert not faults
        fields = {"interval": 1.0, "confirmations": 2, **given}
        await built.roster.register(
            definition(
                "node",
                type="node-sync",
                checker=checker.config,
                endpoint=checker.endpoint,
                **fields,
            )
        )
        yield watched
    finally:
        await built.stop()
        await watched.close()
