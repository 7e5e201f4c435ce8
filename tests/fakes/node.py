"""Nodes that behave as a test wants, over real sockets: gRPC and wRPC JSON."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from kaspad_taskd.base.jsontext import dumps, loads
from kaspad_taskd.kaspa import protocol_pb2 as pb

SINK = "ab" * 32
PRUNING = "cd" * 32
P2P_ID = "5b1c7c3e-0c55-4d0a-9d2a-2f6b5d5f7a10"
SYSTEM_ID = bytes(range(32)).hex()
GO_LACKS = frozenset({"getServerInfo", "getSyncStatus", "getMetrics", "getSystemInfo"})
PEERS: tuple[dict[str, Any], ...] = (
    {"id": "7bb47bb4-7bb4-7bb4-7bb4-7bb47bb47bb4", "userAgent": "/kaspad:2.1.0/\x1b[31m",
     "timeOffset": -30, "timeConnected": 90_000, "isIbdPeer": True},
    {},
)  # fmt: skip


@dataclass
class Ways:
    """How a node behaves; tests change it while it runs. Methods by their wRPC names.

    `asked` and `connections` record what came in. What is in `holds` is answered once it is taken
    out, what is in `hangs` never.
    """

    network: str = "mainnet"
    synced: bool = True
    difficulty: float = 1.5
    go: bool = False
    lacks: set[str] = field(default_factory=set)  # ends the connection on these
    hangs: set[str] = field(default_factory=set)
    holds: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)  # instead of an answer
    drips: set[str] = field(default_factory=set)
    ids: dict[str, int] = field(default_factory=dict)  # a wrong id
    refuse: tuple[Status, str] | None = None
    flood: int = 0  # answers that nobody asked for, before each answer
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    together: int = 0  # the most questions in work at once
    _in_work: int = 0

    def unknown(self, method: str) -> bool:
        """Whether the node ends the connection on this."""
        return method in self.lacks or (self.go and method in GO_LACKS)

    @property
    def in_work(self) -> int:
        """Questions that are not answered yet."""
        return self._in_work

    async def work(self, method: str) -> None:
        """Take as long as the test wants."""
        self._in_work += 1
        self.together = max(self.together, self._in_work)
        try:
            if method in self.hangs:
                await asyncio.Event().wait()
            while method in self.holds:  # noqa: ASYNC110 - a plain set, for the test's sake
                await asyncio.sleep(0.01)
        finally:
            self._in_work -= 1


class _Codec(CodecBase):
    """protobuf, but bytes go out as they are."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return message if isinstance(message, bytes) else message.SerializeToString()

    def decode(self, data: bytes, message_type: Any) -> Any:
        return message_type.FromString(data)


class GrpcNode:
    """`async with GrpcNode() as node`: node.url, node.ways."""

    def __init__(self, ways: Ways | None = None, port: int = 0) -> None:
        self.ways = ways or Ways()
        self.port = port
        self._open: set[Any] = set()

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = Server([self], codec=_Codec())
        await self._server.start("127.0.0.1", self.port)
        listener: Any = self._server._server
        self.port = listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go as a killed program does: every connection is gone at once."""
        self._server.close()
        for connection in self._open:
            connection.close()
        try:
            async with asyncio.timeout(1):
                await self._server.wait_closed()
        except TimeoutError:  # 3.12 and later wait for clients to go
            pass

    def __mapping__(self) -> dict[str, Handler]:
        handler = Handler(
            self._serve, Cardinality.STREAM_STREAM, pb.KaspadRequest, pb.KaspadResponse
        )
        return {"/protowire.RPC/MessageStream": handler}

    async def _serve(self, stream: Any) -> None:
        self.ways.connections += 1
        self._open.add(stream._stream.connection)
        if self.ways.refuse is not None:
            raise GRPCError(*self.ways.refuse)
        async with asyncio.TaskGroup() as group:
            async for request in stream:
                method = request.WhichOneof("payload").removesuffix("Request")
                self.ways.asked.append(method)
                if self.ways.unknown(method):
                    for task in list(group._tasks):
                        task.cancel()
                    return
                if self.ways.go:
                    await self._answer(stream, method, request)
                else:
                    group.create_task(self._answer(stream, method, request))

    async def _answer(self, stream: Any, method: str, request: pb.KaspadRequest) -> None:
        await self.ways.work(method)
        for _ in range(self.ways.flood):
            await stream.send_message(pb.KaspadResponse(id=7777777, getInfoResponse={}))
        answer = self._build(method, request)
        if method in self.ways.drips:
            await _drip(stream, answer.SerializeToString())
        else:
            await stream.send_message(self.ways.raw.get(method, answer))

    def _build(self, method: str, request: pb.KaspadRequest) -> pb.KaspadResponse:
        ways = self.ways
        body: dict[str, Any] = {}
        if method in ways.errors:
            body = {"error": {"message": ways.errors[method]}}
        elif method == "getBlockDagInfo":
            body = {
                "networkName": f"kaspa-{ways.network}",
                "blockCount": 5,
                "headerCount": 10,
                "tipHashes": [SINK, PRUNING],
                "difficulty": ways.difficulty,
                "pastMedianTime": 1_000,
                "pruningPointHash": PRUNING,
                "virtualDaaScore": 500,
                "sink": "" if ways.go else SINK,
            }
        elif method == "getSyncStatus":
            body = {"isSynced": ways.synced}
        elif method == "getServerInfo":
            body = {"serverVersion": "2.1.0", "networkId": ways.network, "hasUtxoIndex": True}
            body |= {"isSynced": ways.synced, "virtualDaaScore": 500}
        elif method == "getInfo":
            version = "0.12.17" if ways.go else "2.1.0"
            body = {"serverVersion": version, "isUtxoIndexed": True, "isSynced": ways.synced}
            body |= {"p2pId": P2P_ID}
        elif method == "getSystemInfo":
            body = {"version": "v2.1.0", "systemId": SYSTEM_ID}
        elif method == "getConnectedPeerInfo":
            body = {"infos": PEERS}
        elif method == "getMetrics":
            body = {
                "serverTime": 123,
                "processMetrics": {"residentSetSize": 1, "diskIoWriteBytes": 77},
                "bandwidthMetrics": {"grpcP2pBytesRx": 66},
                "consensusMetrics": {"headerCounts": 1, "bodyCounts": 3, "chainBlockCounts": 4},
            }
        elif request.getBlockRequest.hash == SINK:
            body = {"block": {"header": {"timestamp": 900, "daaScore": 499, "blueScore": 400}}}
        else:
            body = {"error": {"message": f"cannot find header {request.getBlockRequest.hash}"}}
        number = 0 if ways.go else ways.ids.get(method, request.id)
        return pb.KaspadResponse(id=number, **{f"{method}Response": body})


async def _drip(stream: Any, data: bytes) -> None:
    await stream.send_initial_metadata()
    for byte in struct.pack(">BI", 0, len(data)) + data:
        await stream._stream.send_data(bytes([byte]))
        await asyncio.sleep(0.05)


class WrpcNode:
    """A node's wRPC JSON, as strict as the real one; `async with WrpcNode() as node`."""

    def __init__(self, ways: Ways | None = None, port: int = 0) -> None:
        self.ways = ways or Ways()
        self.url = ""
        self._port = port
        self._open: set[asyncio.Transport] = set()

    async def __aenter__(self) -> WrpcNode:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._open:
            transport.abort()
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        self.ways.connections += 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        assert request.transport is not None
        self._open.add(request.transport)
        work: set[asyncio.Task[None]] = set()
        async for message in ws:
            if message.type is not WSMsgType.TEXT or (given := _strict(message.data)) is None:
                break
            self.ways.asked.append(given["method"])
            if self.ways.unknown(given["method"]) or given["method"] not in _WRPC:
                break
            work.add(asyncio.create_task(self._answer(ws, given)))
        for task in work:
            task.cancel()
        if request.transport is not None:
            request.transport.abort()  # no close frame, as the real one
        return ws

    async def _answer(self, ws: web.WebSocketResponse, given: dict[str, Any]) -> None:
        method = given["method"]
        await self.ways.work(method)
        if method in self.ways.raw:
            await ws.send_str(self.ways.raw[method].decode())
            return
        answer: dict[str, Any] = {"id": self.ways.ids.get(method, given["id"]), "method": method}
        error = self.ways.errors.get(method)
        if method == "getBlock" and given["params"]["hash"] != SINK:
            error = f"cannot find header {given['params']['hash']}"
        if error is not None:
            answer["error"] = {"code": 0, "message": error, "data": None}
        else:
            answer["params"] = self._params(method)
        await ws.send_str(dumps(answer).decode())

    def _params(self, method: str) -> dict[str, Any]:
        ways = self.ways
        infinite = ways.difficulty == float("inf")
        own: dict[str, dict[str, Any]] = {
            "getBlockDagInfo": {
                "network": ways.network,
                "difficulty": None if infinite else ways.difficulty,
            },
            "getServerInfo": {"networkId": ways.network, "isSynced": ways.synced},
            "getSyncStatus": {"isSynced": ways.synced},
            "getInfo": {"isSynced": ways.synced},
        }
        return _WRPC[method] | own.get(method, {})


def _strict(text: str) -> dict[str, Any] | None:
    """Return the request, None where the real node would end the connection."""
    try:
        given = loads(text)
    except ValueError:
        return None
    good = isinstance(given, dict) and type(given.get("id")) is int and "params" in given
    return given if good else None


_WRPC: dict[str, dict[str, Any]] = {
    "getBlockDagInfo": {
        "blockCount": 5,
        "headerCount": 10,
        "tipHashes": [SINK, PRUNING],
        "pastMedianTime": 1_000,
        "virtualParentHashes": [SINK],
        "pruningPointHash": PRUNING,
        "virtualDaaScore": 500,
        "sink": SINK,
    },
    "getServerInfo": {
        "rpcApiVersion": 1,
        "rpcApiRevision": 0,
        "serverVersion": "2.1.0",
        "hasUtxoIndex": True,
        "virtualDaaScore": 500,
    },
    "getSyncStatus": {},
    "getInfo": {
        "p2pId": P2P_ID,
        "mempoolSize": 0,
        "serverVersion": "2.1.0",
        "isUtxoIndexed": True,
        "hasNotifyCommand": True,
        "hasMessageId": True,
    },
    "getSystemInfo": {
        "version": "2.1.0",
        "systemId": list(bytes.fromhex(SYSTEM_ID)),
        "gitHash": None,
        "cpuPhysicalCores": 2,
        "totalMemory": 9,
        "fdLimit": 9,
        "proxySocketLimitPerCpuCore": None,
    },
    "getConnectedPeerInfo": {
        "peerInfo": [
            {
                "id": peer.get("id", ""),
                "address": {"ip": "1.2.3.4", "port": 16111},
                "last_ping_duration": 12,
                "is_outbound": False,
                "time_offset": peer.get("timeOffset", 0),
                "user_agent": peer.get("userAgent", ""),
                "advertised_protocol_version": 11,
                "time_connected": peer.get("timeConnected", 0),
                "is_ibd_peer": peer.get("isIbdPeer", False),
            }
            for peer in PEERS
        ]
    },
    "getMetrics": {
        "serverTime": 123,
        "processMetrics": {
            "residentSetSize": 1,
            "virtualMemorySize": 2,
            "coreNum": 2,
            "cpuUsage": 0.5,
            "fdNum": 3,
            "diskIoReadBytes": 70,
            "diskIoWriteBytes": 77,
            "diskIoReadPerSec": 0.5,
            "diskIoWritePerSec": 0.5,
        },
        "connectionMetrics": None,
        "bandwidthMetrics": {
            f"{kind}Bytes{way}": 66 if (kind, way) == ("p2p", "Rx") else 1
            for kind in ("borsh", "json", "p2p", "grpc")
            for way in ("Tx", "Rx")
        },
        "consensusMetrics": {
            "nodeBlocksSubmittedCount": 9,
            "nodeHeadersProcessedCount": 1,
            "nodeDependenciesProcessedCount": 0,
            "nodeBodiesProcessedCount": 3,
            "nodeTransactionsProcessedCount": 9,
            "nodeChainBlocksProcessedCount": 4,
            "nodeMassProcessedCount": 9,
            "nodeDatabaseBlocksCount": 9,
            "nodeDatabaseHeadersCount": 9,
            "networkMempoolSize": 9,
            "networkTipHashesCount": 9,
            "networkDifficulty": 9.5,
            "networkPastMedianTime": 9,
            "networkVirtualParentHashesCount": 9,
            "networkVirtualDaaScore": 9,
        },
        "storageMetrics": None,
        "customMetrics": None,
    },
    "getBlock": {
        "block": {
            "header": {"timestamp": 900, "daaScore": 499, "blueScore": 400, "hash": SINK},
            "transactions": [],
        }
    },
}
