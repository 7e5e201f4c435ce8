"""What a node can be asked, whatever the transport: questions, typed answers, errors.

`connect.open_node` makes a client. Times are milliseconds since 1970 UTC, hashes are hex text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync.reading import Family, PeerClock

_SYSTEM_ID = re.compile(r"(?:[0-9a-f]{2}){1,64}")


class Method(StrEnum):
    """The questions, by their names in wRPC; in gRPC "Request" and "Response" are added."""

    DAG_INFO = "getBlockDagInfo"
    SYNC_STATUS = "getSyncStatus"
    SERVER_INFO = "getServerInfo"
    INFO = "getInfo"
    PEERS = "getConnectedPeerInfo"
    METRICS = "getMetrics"
    BLOCK = "getBlock"
    SYSTEM_INFO = "getSystemInfo"


OPTIONAL = frozenset({Method.SYNC_STATUS, Method.SERVER_INFO, Method.METRICS, Method.SYSTEM_INFO})
"""What the Go node ends the connection on; every node knows the others."""


class NodeError(Exception):
    """No usable answer: `reason` says why, `params` are for its sentence.

    `detail` is for debugging only: it may hold text of the node and goes to no client.
    """

    def __init__(
        self, reason: Reason, params: Mapping[str, Scalar] | None = None, detail: str = ""
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.params: Mapping[str, Scalar] = params or {}
        self.detail = detail


class MissingError(NodeError):
    """This node does not know the question (it ended the connection on it)."""

    def __init__(self, method: Method) -> None:
        super().__init__(Reason.STREAM_CLOSED, {"method": str(method)}, f"no {method}")


class DeclinedError(NodeError):
    """The node answered this question with an error of its own, or without what was asked for.

    The connection is good.
    """

    def __init__(self, method: Method, text: str) -> None:
        super().__init__(Reason.BAD_ANSWER, {"method": str(method)}, clean(text, 200))


@frozen
class DagInfo:
    """GetBlockDagInfo; `difficulty` None while SMT and UTXO set come in, `sink` "" in Go."""

    network: str
    block_count: int
    header_count: int
    difficulty: float | None
    past_median_time: int
    pruning_point: str
    virtual_daa_score: int
    sink: str


@frozen
class ServerInfo:
    """GetServerInfo, as far as it is used."""

    is_synced: bool


@frozen
class NodeInfo:
    """GetInfo; None where the node told nothing that can be used."""

    version: str | None = None
    has_utxo_index: bool | None = None
    is_synced: bool | None = None
    p2p_id: str | None = None


@frozen
class Program:
    """What does not change while a node runs; as NodeReading has it."""

    family: Family
    version: str | None = None
    has_utxo_index: bool | None = None
    p2p_id: str | None = None
    system_id: str | None = None


@frozen
class PeerInfo:
    """One entry of GetConnectedPeerInfo; texts are a stranger's, made printable, "" for none."""

    user_agent: str = ""
    is_ibd_peer: bool = False
    id: str = ""
    clock: PeerClock | None = None


@frozen
class Metrics:
    """GetMetrics: counters since the node started, None where the node gave none.

    `disk_write_bytes` is None in the first 10 s of the process, when the node says zeros.
    """

    server_time: int
    header_counts: int | None = None
    dep_counts: int | None = None
    body_counts: int | None = None
    chain_block_counts: int | None = None
    p2p_rx_bytes: int | None = None
    disk_write_bytes: int | None = None


@frozen
class BlockHeader:
    """The header of GetBlock, as far as it is used."""

    timestamp: int
    daa_score: int


class NodeClient(Protocol):
    """One node, asked over one connection that is opened when needed and kept.

    Every method raises NodeError, within the client's deadline: `MissingError` where the node does
    not know the question, `DeclinedError` where it answered with an error of its own. After any
    other the next question opens a new connection; nothing goes on in the background.
    """

    async def dag_info(self) -> DagInfo:
        """Where the node is."""

    async def server_info(self) -> ServerInfo:
        """Whether it is nearly synced; not in Go."""

    async def info(self) -> NodeInfo:
        """Version, whether it is nearly synced; every node has it."""

    async def program(self) -> Program:
        """Which program answers; asked once a connection."""

    async def sync_status(self) -> bool:
        """Whether it is nearly synced and not in the middle of replacing its state; not in Go."""

    async def peers(self) -> tuple[PeerInfo, ...]:
        """The connected peers."""

    async def metrics(self) -> Metrics:
        """Counters; not in Go."""

    async def block_header(self, block_hash: str) -> BlockHeader | None:
        """The header of a block, None if the node has no such block.

        Pruning may hold it up for minutes, so it has a short deadline of its own, which leaves the
        connection as it is.
        """

    async def close(self) -> None:
        """Let the connection go."""


def plain_network(name: str) -> str:
    """Return a network's name without the prefix that gRPC has: "mainnet", "testnet-10"."""
    return clean(name, 32).removeprefix("kaspa-")


def clean(text: str, limit: int) -> str:
    """Return a stranger's text as one printable line of at most `limit` characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:limit])


def system_id(said: object) -> str | None:
    """Return a system's id as hex text: gRPC has it so, wRPC JSON as numbers; None for no id."""
    if isinstance(said, str):
        return said.lower() if _SYSTEM_ID.fullmatch(said.lower()) else None
    if not isinstance(said, list) or not 0 < len(said) <= 64:
        return None
    octets = [n for n in said if type(n) is int and 0 <= n < 256]
    return bytes(octets).hex() if len(octets) == len(said) else None


def peer_clock(offset: object, connected: object) -> PeerClock | None:
    """Return what a peer's handshake told, both in ms, or None where it told nothing."""
    if type(offset) is not int or type(connected) is not int:
        return None
    told = 0 < connected < 2**63 and -(2**63) <= offset < 2**63
    return PeerClock(offset, connected) if told else None


def finite(number: float | None) -> float | None:
    """Return the number, or None if it is infinite or not a number."""
    return number if number is not None and abs(number) < float("inf") else None


@frozen
class Answer:
    """What came over a wire.

    Attributes:
        id: of the question, or None where the node echoes none (Go).
        method: what it answers.
        value: DagInfo, bool, ... as `method` has it; None for a block that is not there.
        error: the node's own error text, or what its answer lacks; then there is no value.
    """

    id: int | None
    method: Method
    value: object = None
    error: str | None = None


def block_answer(answer_id: int | None, error: str) -> Answer:
    """Return the answer that an error of GetBlock means: no such block, or an error.

    The texts: "cannot find header {hash}" (Rust), "Block {hash} not found" (Go).
    """
    absent = error.startswith("cannot find ") or error.endswith(" not found")
    return Answer(answer_id, Method.BLOCK, error=None if absent else error)
