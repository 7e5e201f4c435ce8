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
    plain_network,
)
from kaspad_taskd.kaspa.connect import Address, Allow, addresses, connect_error
from kaspad_taskd.kaspa.resolver import Resolver

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
            raise _handshake(error.status) from None
        except aiohttp.ClientOSError as error:
            raise connect_error(_cause(error), str(self._address)) from None
        except aiohttp.ServerDisconnectedError:
            raise NodeError(Reason.STREAM_CLOSED) from None
        except aiohttp.ClientError as error:
            raise NodeError(Reason.BAD_ANSWER, detail=type(error).__name__) from None
        except OSError as error:
            raise connect_error(error, str(self._address)) from None

    async def _read(
        self,
        session: aiohttp.ClientSession,
        opened: Callable[[], None],
        deliver: Callable[[Answer], None],
    ) -> None:
        ws = await session.ws_connect(str(self._address), max_msg_size=MAX_ANSWER, autoclose=False)
        self._socket = ws
        opened()
        try:
            async for message in ws:
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    raise NodeError(Reason.BAD_ANSWER, detail="too large, or no WebSocket message")
                deliver(decode(message.data))
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


def _handshake(status: int) -> NodeError:
    reason = Reason.NOT_READY if status in (502, 503, 504) else Reason.WRONG_PROGRAM
    return NodeError(reason, {"status": status})


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

    Raises:
        NodeError: it is no answer to any of our questions.
    """
    try:
        message = _table(loads(text))
        method = Method(message["method"])
        number = _whole(message, "id")
        if (error := message.get("error")) is None:
            return Answer(number, method, _DECODERS[method](_table(message["params"])))
        said = clean(_text(_table(error), "message"), 200)
    except (ValueError, TypeError, KeyError, OverflowError) as fault:
        raise NodeError(Reason.BAD_ANSWER, detail=clean(repr(fault), 200)) from None
    return (
        block_answer(number, said) if method is Method.BLOCK else Answer(number, method, None, said)
    )


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _whole(table: Mapping[str, Any], key: str) -> int:
    value = table[key]
    if type(value) is not int or not -(2**63) <= value < 2**64:
        raise TypeError(f"{key} is no whole number")
    return value


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _flag(table: Mapping[str, Any], key: str) -> bool:
    value = table[key]
    if not isinstance(value, bool):
        raise TypeError(f"{key} is neither true nor false")
    return value


def _number(table: Mapping[str, Any], key: str) -> float | None:
    value = table[key]
    return None if value is None else finite(float(value))


def _dag_info(params: Mapping[str, Any]) -> DagInfo:
    return DagInfo(
        network=plain_network(_text(params, "network")),
        block_count=_whole(params, "blockCount"),
        header_count=_whole(params, "headerCount"),
        tip_count=len(params["tipHashes"]),
        difficulty=_number(params, "difficulty"),
        past_median_time=_whole(params, "pastMedianTime"),
        pruning_point=clean(_text(params, "pruningPointHash"), 64),
        virtual_daa_score=_whole(params, "virtualDaaScore"),
        sink=clean(_text(params, "sink"), 64),
    )


def _server_info(params: Mapping[str, Any]) -> ServerInfo:
    return ServerInfo(
        version=clean(_text(params, "serverVersion"), 64),
        network=plain_network(_text(params, "networkId")),
        has_utxo_index=_flag(params, "hasUtxoIndex"),
        is_synced=_flag(params, "isSynced"),
        virtual_daa_score=_whole(params, "virtualDaaScore"),
    )


def _info(params: Mapping[str, Any]) -> NodeInfo:
    return NodeInfo(
        version=clean(_text(params, "serverVersion"), 64),
        has_utxo_index=_flag(params, "isUtxoIndexed"),
        is_synced=_flag(params, "isSynced"),
    )


def _sync_status(params: Mapping[str, Any]) -> bool:
    return _flag(params, "isSynced")


def _peers(params: Mapping[str, Any]) -> tuple[PeerInfo, ...]:
    return tuple(
        PeerInfo(  # snake_case in here, unlike all else
            user_agent=clean(_text(peer, "user_agent"), 100),
            is_outbound=_flag(peer, "is_outbound"),
            is_ibd_peer=_flag(peer, "is_ibd_peer"),
        )
        for peer in map(_table, params["peerInfo"])
    )


def _metrics(params: Mapping[str, Any]) -> Metrics:
    process, bandwidth, consensus = (
        _table(params[group] or {})
        for group in ("processMetrics", "bandwidthMetrics", "consensusMetrics")
    )
    return Metrics(
        server_time=_whole(params, "serverTime"),
        header_counts=_counter(consensus, "nodeHeadersProcessedCount"),
        dep_counts=_counter(consensus, "nodeDependenciesProcessedCount"),
        body_counts=_counter(consensus, "nodeBodiesProcessedCount"),
        chain_block_counts=_counter(consensus, "nodeChainBlocksProcessedCount"),
        p2p_rx_bytes=_counter(bandwidth, "p2pBytesRx"),
        disk_write_bytes=_counter(process, "diskIoWriteBytes")
        if process.get("residentSetSize")
        else None,
    )


def _counter(group: Mapping[str, Any], key: str) -> int | None:
    return _whole(group, key) if key in group else None


def _block(params: Mapping[str, Any]) -> BlockHeader:
    header = _table(_table(params["block"])["header"])
    return BlockHeader(
        timestamp=_whole(header, "timestamp"),
        daa_score=_whole(header, "daaScore"),
        blue_score=_whole(header, "blueScore"),
    )


_DECODERS: dict[Method, Callable[[Mapping[str, Any]], object]] = {
    Method.DAG_INFO: _dag_info,
    Method.SERVER_INFO: _server_info,
    Method.INFO: _info,
    Method.SYNC_STATUS: _sync_status,
    Method.PEERS: _peers,
    Method.METRICS: _metrics,
    Method.BLOCK: _block,
}
