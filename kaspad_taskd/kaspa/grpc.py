"""gRPC to a kaspad: one bidirectional stream for everything. Imports grpclib and protobuf."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError
from grpclib.client import Channel, Stream
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol
from h2.exceptions import H2Error

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa import protocol_pb2 as pb
from kaspad_taskd.kaspa.client import (
    Answer,
    BlockHeader,
    DagInfo,
    Method,
    Metrics,
    NodeError,
    NodeInfo,
    PeerInfo,
    ServerInfo,
    block_answer,
    clean,
    finite,
    peer_clock,
    plain_network,
    system_id,
)
from kaspad_taskd.kaspa.connect import Address, Allow, addresses, connect_error
from kaspad_taskd.kaspa.race import open_socket
from kaspad_taskd.kaspa.stranger import http_answer, identified, is_http2, named, no_service

logging.getLogger("hpack").setLevel(logging.INFO)  # at DEBUG it tells every header's bits

PATH = "/protowire.RPC/MessageStream"

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of one answer; a node's largest of those we ask for are some ten thousand."""

SAID = 64
"""Bytes by which a program is known."""

_HTTP_STATUS = re.compile(r":status = '(\d{3})'")
_Stream: TypeAlias = Stream[pb.KaspadRequest, pb.KaspadResponse]

_REASONS = {
    Status.RESOURCE_EXHAUSTED: Reason.BUSY,
    Status.UNAVAILABLE: Reason.STOPPING,
    Status.DEADLINE_EXCEEDED: Reason.TIMEOUT,
    Status.OK: Reason.STREAM_CLOSED,
}


class GrpcWire:
    """One gRPC stream; see `line.Wire`."""

    def __init__(self, address: Address, allow: Allow | None) -> None:
        self._address = address
        self._allow = allow
        self._stream: _Stream | None = None
        self._ips: list[str] = []

    async def run(self, opened: Callable[[], None], deliver: Callable[[Answer], None]) -> None:
        """See Wire."""
        channel = await self._connect()
        try:
            request = channel.request(
                PATH, Cardinality.STREAM_STREAM, pb.KaspadRequest, pb.KaspadResponse
            )
            async with request as stream:
                await stream.send_request()
                self._stream = stream
                opened()
                while True:
                    deliver(decode(await _receive(stream)))
        except GRPCError as error:
            raise self._status(error) from None
        except StreamTerminatedError as error:
            raise await self._terminated(channel, str(error)) from None
        except (DecodeError, AssertionError, H2Error, ProtocolError) as error:
            raise NodeError(Reason.BAD_ANSWER, detail=type(error).__name__) from None
        except OSError as error:
            raise connect_error(error, str(self._address)) from None
        finally:
            channel.close()

    async def send(self, number: int, method: Method, argument: str) -> None:
        """See Wire."""
        assert self._stream is not None, "not open"
        task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            await self._stream.send_message(encode(number, method, argument))
        except (StreamTerminatedError, H2Error, ProtocolError, AttributeError) as error:
            # grpclib wakes a blocked sender by cancelling its task: take that back
            if task and task.cancelling() > cancels:
                task.uncancel()
            raise NodeError(Reason.STREAM_CLOSED, detail=type(error).__name__) from None

    async def _connect(self) -> _Channel:
        host, port = self._address.host, self._address.port
        self._ips = await addresses(host, port, self._allow)
        try:
            channel = _Channel(await open_socket(self._ips, port), host, port)
            await channel.__connect__()
        except OSError as failure:
            raise connect_error(failure, str(self._address)) from None
        return channel

    def _status(self, error: GRPCError) -> NodeError:
        text = clean(error.message or "", 200)
        if http := _HTTP_STATUS.search(text):  # it is HTTP/2, and no gRPC
            return http_answer(int(http[1]))
        if error.status is Status.UNIMPLEMENTED:
            return no_service(self._address)
        return NodeError(_REASONS.get(error.status, Reason.BAD_ANSWER), detail=text)

    async def _terminated(self, channel: _Channel, text: str) -> NodeError:
        """What the end of the stream means; a stranger that never spoke gRPC is asked who it is."""
        if self._stream is not None and self._stream.initial_metadata is not None:
            # A program that ends closes its connections; the way to it may break, too.
            error = channel.broken
            ended = NodeError(Reason.STREAM_CLOSED, detail=text)
            return ended if error is None else connect_error(error, str(self._address))
        said, closed = channel.said, NodeError(Reason.STREAM_CLOSED, detail=text)
        if is_http2(said):
            return closed
        if not said or said.startswith(b"HTTP/"):  # wRPC begins as HTTP does
            return (
                await identified(self._address, self._ips) or named(said, self._address) or closed
            )
        strange = NodeError(Reason.BAD_ANSWER, {"detail": "it speaks another protocol"})
        return named(said, self._address) or strange


class _Channel(Channel):
    """grpclib's channel on a socket that is connected.

    `said` are the first bytes that came, `broken` is what the system ended the connection with.
    """

    def __init__(self, sock: socket.socket, host: str, port: int) -> None:
        super().__init__(host, port)
        self._sock = sock
        self.said = b""
        self.broken: OSError | None = None

    def _listening(self) -> H2Protocol:
        protocol = self._protocol_factory()
        take, end = protocol.data_received, protocol.connection_lost

        def hear(data: bytes) -> None:
            if len(self.said) < SAID:
                self.said += data[:SAID]
            take(data)

        def lose(exc: BaseException | None) -> None:
            self.broken = exc if isinstance(exc, OSError) else None
            end(exc)

        protocol.data_received = hear  # type: ignore[method-assign]
        protocol.connection_lost = lose  # type: ignore[method-assign]
        return protocol

    async def _create_connection(self) -> H2Protocol:
        try:
            made = await self._loop.create_connection(self._listening, sock=self._sock)
        except BaseException:
            self._sock.close()
            raise
        return made[1]


async def _receive(stream: _Stream) -> bytes:
    """Return the next message.

    grpclib's own `recv_message` would take 4 GiB, so the frame is read here, with its parts.

    Raises:
        StreamTerminatedError: the stream ended; leaving the block then tells its status.
    """
    if stream.initial_metadata is None:
        await stream.recv_initial_metadata()
    with stream._wrapper:
        head = await stream._stream.recv_data(5)
        if not head:
            raise StreamTerminatedError("ended")
        compressed, size = struct.unpack(">BI", head)
        if compressed or size > MAX_ANSWER:
            raise NodeError(Reason.BAD_ANSWER, {"bytes": size})
        return await stream._stream.recv_data(size)


def encode(number: int, method: Method, argument: str) -> pb.KaspadRequest:
    """Return the message of a question."""
    request = pb.KaspadRequest(id=number)
    body = getattr(request, f"{method}Request")
    body.SetInParent()
    if method is Method.BLOCK:
        body.hash = argument
    elif method is Method.METRICS:
        body.processMetrics = body.bandwidthMetrics = body.consensusMetrics = True
    return request


def decode(message: bytes) -> Answer:
    """Return what a message says.

    Raises:
        DecodeError: it is no protobuf.
        NodeError: it is no answer to any of our questions.
    """
    response = pb.KaspadResponse.FromString(message)
    kind = response.WhichOneof("payload")
    if kind is None:
        raise NodeError(Reason.BAD_ANSWER, detail="an answer without content")
    method = Method(kind.removesuffix("Response"))
    body = getattr(response, kind)
    number = response.id or None
    if body.HasField("error"):
        text = body.error.message
        return (
            block_answer(number, text)
            if method is Method.BLOCK
            else Answer(number, method, error=text)
        )
    try:
        return Answer(number, method, _DECODERS[method](body))
    except ValueError as fault:
        return Answer(number, method, error=str(fault))


def _dag_info(body: pb.GetBlockDagInfoResponse) -> DagInfo:
    if not body.networkName:
        raise ValueError("networkName is missing")
    return DagInfo(
        network=plain_network(body.networkName),
        block_count=body.blockCount,
        header_count=body.headerCount,
        difficulty=finite(body.difficulty),
        past_median_time=body.pastMedianTime,
        pruning_point=clean(body.pruningPointHash, 64),
        virtual_daa_score=body.virtualDaaScore,
        sink=clean(body.sink, 64),
    )


def _server_info(body: pb.GetServerInfoResponse) -> ServerInfo:
    return ServerInfo(is_synced=body.isSynced)


def _info(body: pb.GetInfoResponse) -> NodeInfo:
    return NodeInfo(
        version=clean(body.serverVersion, 64) or None,
        has_utxo_index=body.isUtxoIndexed,
        is_synced=body.isSynced,
        p2p_id=clean(body.p2pId, 64) or None,
    )


def _system_info(body: pb.GetSystemInfoResponse) -> str | None:
    return system_id(body.systemId)


def _sync_status(body: pb.GetSyncStatusResponse) -> bool:
    return body.isSynced


def _peers(body: pb.GetConnectedPeerInfoResponse) -> tuple[PeerInfo, ...]:
    return tuple(
        PeerInfo(
            user_agent=clean(peer.userAgent, 100),
            is_ibd_peer=peer.isIbdPeer,
            id=clean(peer.id, 64),
            clock=peer_clock(peer.timeOffset, peer.timeConnected),
        )
        for peer in body.infos
    )


def _metrics(body: pb.GetMetricsResponse) -> Metrics:
    process, bandwidth, consensus = (
        getattr(body, group) if body.HasField(group) else None
        for group in ("processMetrics", "bandwidthMetrics", "consensusMetrics")
    )
    return Metrics(
        server_time=body.serverTime,
        header_counts=consensus and consensus.headerCounts,
        dep_counts=consensus and consensus.depCounts,
        body_counts=consensus and consensus.bodyCounts,
        chain_block_counts=consensus and consensus.chainBlockCounts,
        p2p_rx_bytes=bandwidth and bandwidth.grpcP2pBytesRx,
        disk_write_bytes=process.diskIoWriteBytes if process and process.residentSetSize else None,
    )


def _block(body: pb.GetBlockResponse) -> BlockHeader | None:
    header = body.block.header
    if header.timestamp <= 0:
        raise ValueError("the block's time is missing")
    return BlockHeader(header.timestamp, header.daaScore)


_DECODERS: dict[Method, Callable[[Any], object]] = {
    Method.DAG_INFO: _dag_info,
    Method.SERVER_INFO: _server_info,
    Method.INFO: _info,
    Method.SYNC_STATUS: _sync_status,
    Method.PEERS: _peers,
    Method.METRICS: _metrics,
    Method.BLOCK: _block,
    Method.SYSTEM_INFO: _system_info,
}
