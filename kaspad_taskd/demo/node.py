"""A node that plays a recorded sync over real gRPC, as fast as wanted.

Time: `speed` recorded seconds pass in a real one. A block's age is served as it was at that moment
of the recording, so a client that measures lag by its own clock sees the recorded lag: a recorded
moment m is served as `now - (recorded now - m)`. Beyond the end the network goes on at 10 blocks a
second with the last lag.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.json_format import ParseDict
from grpclib.const import Cardinality, Handler
from grpclib.protocol import H2Protocol
from grpclib.server import Server, Stream

from kaspad_taskd.demo.recording import Recording
from kaspad_taskd.kaspa import protocol_pb2 as pb

PATH = "/protowire.RPC/MessageStream"
BLOCKS_PER_SECOND = 10

_TICK = 0.05  # seconds between two looks at the recording: doors and log lines
_MADE_WITHIN = 10  # turns of the loop that a connection takes from accept on
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})(:?\+00:?00)")

_Stream: TypeAlias = Stream[pb.KaspadRequest, pb.KaspadResponse]
Sample: TypeAlias = Mapping[str, Any]


def _wall_ms() -> float:
    return time.time() * 1000


class _Server(Server):
    """A server that ends as a killed program does; grpclib's leaves its connections open."""

    def __init__(self, handlers: Any) -> None:
        super().__init__(handlers)
        self._lines: list[H2Protocol] = []

    def _protocol_factory(self) -> H2Protocol:
        made = super()._protocol_factory()
        self._lines.append(made)
        return made

    async def cut(self) -> None:
        """Listen no more, and close all connections: those that are just being made, too."""
        self.close()
        for _ in range(_MADE_WITHIN):
            for each in self._lines:
                if hasattr(each, "connection"):
                    each.connection.close()
            await asyncio.sleep(0)


class PlayingNode:
    """Plays `recording` on a port of 127.0.0.1; 0: one of its own, chosen by the system.

    Where the recording has "unreachable" nothing listens there; where it has "timeout" questions
    get no answer. `log` is a file to which the node's log lines are appended as they become due.
    It is played from its second `beginning` on.

    Use it as `async with PlayingNode(recording, speed) as node: node.url`.
    """

    def __init__(
        self,
        recording: Recording,
        speed: float = 1.0,
        *,
        port: int = 0,
        log: Path | None = None,
        beginning: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], float] = _wall_ms,
    ) -> None:
        self._recording = recording
        self._speed = speed
        self._log = log
        self._beginning = beginning
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self._began = monotonic()
        self._written = 0
        self._p2p_id = ""  # a new one whenever the node starts
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._turning = asyncio.Lock()
        self._place = _bound(port)  # never listens: while the node is down nobody gets it
        self.port: int = self._place.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it is, for a checker."""
        return f"grpc://127.0.0.1:{self.port}"

    @property
    def played(self) -> float:
        """Recorded seconds since the recording's beginning."""
        return self._beginning + (self._monotonic() - self._began) * self._speed

    async def __aenter__(self) -> PlayingNode:
        self._began = self._monotonic()
        await self.turn()
        self._task = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._shut()
        self._place.close()

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            await self.turn()

    async def turn(self) -> None:
        """Do what is due by now: open or shut the port, write log lines."""
        async with self._turning:
            down = self._recording.at(self.played).get("error") == "unreachable"
            if down:
                await self._shut()
            elif self._server is None:
                self._server = _Server([self])
                self._p2p_id = str(uuid.uuid4())
                await self._server.start(sock=_bound(self.port))
            if self._log is not None:
                self._write_lines(self._log)

    async def _shut(self) -> None:
        if self._server is None:
            return
        await self._server.cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._server.wait_closed()
        self._server = None

    def _write_lines(self, path: Path) -> None:
        played = self.played
        due = [text for t, text in self._recording.lines[self._written :] if t <= played]
        if due:
            self._written += len(due)
            with path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{self._restamp(text)}\n" for text in due))

    def _restamp(self, line: str) -> str:
        """Return the line as written now, with the ages of blocks as they were."""
        line = _STAMP.sub(self._shift_stamp, line)
        return _STAMP.sub(lambda match: _stamp(self._wall_ms(), match[2]), line, count=1)

    def _shift_stamp(self, match: re.Match[str]) -> str:
        recorded = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp() * 1000
        return _stamp(self._shift(recorded), match[2])

    def _shift(self, recorded_ms: float) -> int:
        """Return the moment, ms since 1970, that is as old now as `recorded_ms` was then."""
        played = min(self.played, self._recording.duration)
        return round(self._wall_ms() - (self._recording.began_ms + played * 1000 - recorded_ms))

    def __mapping__(self) -> dict[str, Handler]:
        """Return grpclib's table of methods."""
        handler = Handler(
            self._serve, Cardinality.STREAM_STREAM, pb.KaspadRequest, pb.KaspadResponse
        )
        return {PATH: handler}

    async def _serve(self, stream: _Stream) -> None:
        async for request in stream:
            while self._recording.at(self.played).get("error") == "timeout":  # noqa: ASYNC110
                await asyncio.sleep(_TICK)
            answer = self.answer(request)
            if answer is None:
                return  # a kaspad ends the stream on what it does not know
            await stream.send_message(answer)

    def answer(self, request: pb.KaspadRequest) -> pb.KaspadResponse | None:
        """Return what the node answers now, or None where it knows no answer."""
        sample = self._recording.at(self.played)
        kind = (request.WhichOneof("payload") or "").removesuffix("Request")
        build = _BUILDERS.get(kind)
        if build is None or "error" in sample:
            return None
        response = pb.KaspadResponse(id=request.id)
        getattr(response, f"{kind}Response").CopyFrom(build(self, sample, request))
        return response

    @property
    def _beyond(self) -> int:
        """Blocks that the network made since the recording ended."""
        return int(max(0.0, self.played - self._recording.duration) * BLOCKS_PER_SECOND)

    def _dag_info(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetBlockDagInfoResponse:
        median = sample["pastMedianTime"]
        difficulty = sample.get("difficulty")
        return pb.GetBlockDagInfoResponse(
            networkName=sample["networkName"],
            blockCount=sample["blockCount"] + self._beyond,
            headerCount=sample["headerCount"] + self._beyond,
            tipHashes=[sample["sink"]] * sample.get("tips", 1),
            difficulty=float("inf") if difficulty is None else difficulty,
            pastMedianTime=self._shift(median) if median else 0,
            pruningPointHash=sample["pruningPointHash"],
            virtualDaaScore=sample["virtualDaaScore"] + self._beyond,
            sink=sample["sink"],
        )

    def _sync_status(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetSyncStatusResponse:
        return pb.GetSyncStatusResponse(isSynced=sample["syncStatus"])

    def _server_info(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetServerInfoResponse:
        return ParseDict(sample["serverInfo"], pb.GetServerInfoResponse())

    def _info(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetInfoResponse:
        return pb.GetInfoResponse(
            p2pId=self._p2p_id,
            serverVersion=sample["serverInfo"].get("serverVersion", ""),
            isUtxoIndexed=sample["serverInfo"].get("hasUtxoIndex", False),
            isSynced=sample["isSynced"],
            hasMessageId=True,
        )

    def _system_info(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetSystemInfoResponse:
        return pb.GetSystemInfoResponse(
            version=f"v{sample['serverInfo'].get('serverVersion', '')}",
            systemId=hashlib.sha256(str(self._recording.began_ms).encode()).hexdigest(),
        )

    def _peers(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetConnectedPeerInfoResponse:
        return ParseDict({"infos": sample["peerInfo"]}, pb.GetConnectedPeerInfoResponse())

    def _metrics(self, sample: Sample, _: pb.KaspadRequest) -> pb.GetMetricsResponse:
        metrics = ParseDict(sample["metrics"], pb.GetMetricsResponse(), ignore_unknown_fields=True)
        metrics.serverTime = round(self._wall_ms())
        for counter in ("headerCounts", "bodyCounts", "chainBlockCounts"):
            count = getattr(metrics.consensusMetrics, counter) + self._beyond
            setattr(metrics.consensusMetrics, counter, count)
        return metrics

    def _block(self, _: Sample, request: pb.KaspadRequest) -> pb.GetBlockResponse:
        block_hash = request.getBlockRequest.hash
        found = self._recording.headers.get(block_hash)
        if found is None:
            error = pb.RPCError(message=f"cannot find header {block_hash}")
            return pb.GetBlockResponse(error=error)
        header = pb.BlockHeader(
            timestamp=self._shift(found["sinkTimestamp"]),
            daaScore=found["sinkDaaScore"] + self._beyond,
            hash=block_hash,
        )
        return pb.GetBlockResponse(block=pb.Block(header=header))


_BUILDERS: Mapping[str, Callable[[PlayingNode, Sample, pb.KaspadRequest], Any]] = {
    "getBlockDagInfo": PlayingNode._dag_info,
    "getSyncStatus": PlayingNode._sync_status,
    "getServerInfo": PlayingNode._server_info,
    "getInfo": PlayingNode._info,
    "getConnectedPeerInfo": PlayingNode._peers,
    "getMetrics": PlayingNode._metrics,
    "getBlock": PlayingNode._block,
    "getSystemInfo": PlayingNode._system_info,
}


def _bound(port: int) -> socket.socket:
    """Return a socket that holds the port; until somebody listens on it, connects are refused."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", port))
    return sock


def _stamp(ms: float, zone: str) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}{zone}"
