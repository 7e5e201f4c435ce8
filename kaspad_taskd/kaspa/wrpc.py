"""wRPC JSON to a kaspad (`--rpclisten-json`), over aiohttp's WebSocket client.

Not JSON-RPC 2.0: the answer is in `params`, every request needs `params`, ids are u64, and an
unknown method ends the connection without a close frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from kaspad_taskd.base.jsontext import dumps, loads
from kaspad_taskd.core.reason import Reason
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
from kaspad_taskd.kaspa.connect import NO_TLS, Address, Allow, addresses, connect_error, distrust
from kaspad_taskd.kaspa.resolver import Resolver
from kaspad_taskd.kaspa.stranger import http_answer, identified, without_tls

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of one answer; a node's largest of those we ask for are some ten thousand."""

_METRICS = {
    "processMetrics": True,
    "connectionMetrics": False,
    "bandwidthMetrics": True,
    "consensusMetrics": True,
    "storageMetrics": False,
    "customMetrics": False,
}


class WrpcWire:
    """One WebSocket; see `line.Wire`."""

    def __init__(self, address: Address, allow: Allow | None) -> None:
        self._address = address
        self._allow = allow
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self, opened: Callable[[], None], deliver: Callable[[Answer], None]) -> None:
        """See Wire."""
        found = await addresses(self._address.host, self._address.port, self._allow)

        async def these(_host: str, _port: int) -> list[str]:
            return found

        connector = aiohttp.TCPConnector(resolver=Resolver(these))
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        try:
            async with aiohttp.ClientSession(
                connector=connector, trace_configs=[trace], trust_env=False
            ) as session:
                await self._read(session, opened, deliver)
        except aiohttp.WSServerHandshakeError as error:
            raise http_answer(error.status) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise NodeError(
                Reason.BAD_ANSWER, {"detail": distrust(error.certificate_error)}
            ) from None
        except aiohttp.ClientSSLError:
            strange = NodeError(Reason.BAD_ANSWER, {"detail": NO_TLS})
            raise await without_tls(self._address, found) or strange from None
        except aiohttp.ClientOSError as error:
            raise connect_error(_cause(error), str(self._address)) from None
        except aiohttp.ServerDisconnectedError:
            closed = NodeError(Reason.STREAM_CLOSED)
            raise await identified(self._address, found) or closed from None
        except aiohttp.ClientError as error:
            strange = NodeError(Reason.BAD_ANSWER, detail=type(error).__name__)
            raise await identified(self._address, found) or strange from None
        except OSError as error:
            raise connect_error(error, str(self._address)) from None

    async def _read(
        self,
        session: aiohttp.ClientSession,
        opened: Callable[[], None],
        deliver: Callable[[Answer], None],
    ) -> None:
        ws = await session.ws_connect(str(self._address), max_msg_size=MAX_ANSWER, autoclose=False)
        self._socket, answered = ws, False
        opened()
        try:
            async for message in ws:
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    raise NodeError(Reason.BAD_ANSWER, detail="too large, or no WebSocket message")
                deliver(decode(message.data))
                answered = True
            if not answered:  # a kaspad's wRPC Borsh does so; it says nothing
                raise NodeError(Reason.STREAM_CLOSED, {"likely": "wRPC Borsh"})
        finally:
            # no closing handshake: whoever hangs up does not wait for the other side
            ws._response.close()

    async def send(self, number: int, method: Method, argument: str) -> None:
        """See Wire."""
        assert self._socket is not None, "not open"
        try:
            await self._socket.send_str(encode(number, method, argument))
        except (ConnectionError, RuntimeError) as error:
            raise NodeError(Reason.STREAM_CLOSED, detail=type(error).__name__) from None


async def _refuse_redirect(*_: object) -> None:
    raise NodeError(Reason.BAD_ANSWER, detail="a redirect")


def _cause(error: aiohttp.ClientOSError) -> OSError:
    return error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error


def encode(number: int, method: Method, argument: str) -> str:
    """Return the text of a question."""
    params: dict[str, Any] = {}
    if method is Method.BLOCK:
        params = {"hash": argument, "includeTransactions": False}
    elif method is Method.METRICS:
        params = _METRICS
    return dumps({"id": number, "method": str(method), "params": params}).decode()


def decode(text: str | bytes) -> Answer:
    """Return what a message says.

    What is not needed may be missing or strange, and is no data then. Where what is needed is, the
    answer is an error; the connection stays.

    Raises:
        NodeError: it is no answer to any of our questions.
    """
    try:
        message = _table(loads(text))
        method = Method(message["method"])
        number = _whole(message, "id")
    except (ValueError, TypeError, KeyError, OverflowError) as fault:
        raise NodeError(Reason.BAD_ANSWER, detail=clean(repr(fault), 200)) from None
    if (error := message.get("error")) is not None:
        said = clean(_text(_part({"error": error}, "error"), "message"), 200)
        return block_answer(number, said) if method is Method.BLOCK else _no(number, method, said)
    try:
        return Answer(number, method, _DECODERS[method](_part(message, "params")))
    except TypeError as fault:
        return _no(number, method, str(fault))


def _no(number: int, method: Method, why: str) -> Answer:
    return Answer(number, method, error=why)


# What is needed, or a TypeError that names it.


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _whole(table: Mapping[str, Any], key: str) -> int:
    value = _count(table, key)
    if value is None:
        raise TypeError(f"{key} is no whole number")
    return value


def _sure(table: Mapping[str, Any], key: str) -> bool:
    value = _flag(table, key)
    if value is None:
        raise TypeError(f"{key} is neither true nor false")
    return value


# What may be missing or of any other kind, and is none then.


def _part(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _count(table: Mapping[str, Any], key: str) -> int | None:
    value = table.get(key)
    return value if type(value) is int and 0 <= value < 2**64 else None


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _flag(table: Mapping[str, Any], key: str) -> bool | None:
    value = table.get(key)
    return value if isinstance(value, bool) else None


def _number(table: Mapping[str, Any], key: str) -> float | None:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return finite(float(value))
    except OverflowError:
        return None


def _dag_info(params: Mapping[str, Any]) -> DagInfo:
    network = plain_network(_text(params, "network"))
    if not network:
        raise TypeError("network is no name")
    return DagInfo(
        network=network,
        block_count=_whole(params, "blockCount"),
        header_count=_whole(params, "headerCount"),
        difficulty=_number(params, "difficulty"),
        past_median_time=_whole(params, "pastMedianTime"),
        pruning_point=clean(_text(params, "pruningPointHash"), 64),
        virtual_daa_score=_whole(params, "virtualDaaScore"),
        sink=clean(_text(params, "sink"), 64),
    )


def _server_info(params: Mapping[str, Any]) -> ServerInfo:
    return ServerInfo(is_synced=_sure(params, "isSynced"))


def _info(params: Mapping[str, Any]) -> NodeInfo:
    return NodeInfo(
        version=clean(_text(params, "serverVersion"), 64) or None,
        has_utxo_index=_flag(params, "isUtxoIndexed"),
        is_synced=_flag(params, "isSynced"),
        p2p_id=clean(_text(params, "p2pId"), 64) or None,
    )


def _system_info(params: Mapping[str, Any]) -> str | None:
    return system_id(params.get("systemId"))


def _sync_status(params: Mapping[str, Any]) -> bool:
    return _sure(params, "isSynced")


def _peers(params: Mapping[str, Any]) -> tuple[PeerInfo, ...]:
    peers = params.get("peerInfo")
    if not isinstance(peers, list):
        raise TypeError("peerInfo is no list")
    return tuple(_peer(peer) for peer in peers if isinstance(peer, dict))


def _peer(peer: Mapping[str, Any]) -> PeerInfo:  # snake_case in here, unlike all else
    return PeerInfo(
        user_agent=clean(_text(peer, "user_agent"), 100),
        is_ibd_peer=bool(peer.get("is_ibd_peer")),  # in doubt a download is on
        id=clean(_text(peer, "id"), 64),
        clock=peer_clock(peer.get("time_offset"), peer.get("time_connected")),
    )


def _metrics(params: Mapping[str, Any]) -> Metrics:
    process, bandwidth, consensus = (
        _part(params, group) for group in ("processMetrics", "bandwidthMetrics", "consensusMetrics")
    )
    return Metrics(
        server_time=_count(params, "serverTime") or 0,
        header_counts=_count(consensus, "nodeHeadersProcessedCount"),
        dep_counts=_count(consensus, "nodeDependenciesProcessedCount"),
        body_counts=_count(consensus, "nodeBodiesProcessedCount"),
        chain_block_counts=_count(consensus, "nodeChainBlocksProcessedCount"),
        p2p_rx_bytes=_count(bandwidth, "p2pBytesRx"),
        disk_write_bytes=_count(process, "diskIoWriteBytes")
        if _count(process, "residentSetSize")
        else None,
    )


def _block(params: Mapping[str, Any]) -> BlockHeader:
    header = _part(_part(params, "block"), "header")
    timestamp = _whole(header, "timestamp")
    if not timestamp:
        raise TypeError("the block's time is missing")
    return BlockHeader(timestamp, _whole(header, "daaScore"))


_DECODERS: dict[Method, Callable[[Mapping[str, Any]], object]] = {
    Method.DAG_INFO: _dag_info,
    Method.SERVER_INFO: _server_info,
    Method.INFO: _info,
    Method.SYNC_STATUS: _sync_status,
    Method.PEERS: _peers,
    Method.METRICS: _metrics,
    Method.BLOCK: _block,
    Method.SYSTEM_INFO: _system_info,
}
