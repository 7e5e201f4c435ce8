"""A NodeClient over any wire: connects when asked, remembers what this node does not know.

A question is asked alone until the node has answered it once: if the connection ends on it, it is
clear which one the node does not know. What it knows may be in flight together, where the node
repeats ids (Rust); the Go node is asked one thing at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import (
    OPTIONAL,
    Answer,
    BlockHeader,
    DagInfo,
    DeclinedError,
    Method,
    Metrics,
    MissingError,
    NodeError,
    NodeInfo,
    PeerInfo,
    Program,
    ServerInfo,
)
from kaspad_taskd.kaspa.line import Line, Wire
from kaspad_taskd.kaspa.sync.reading import Family

HEADER_TIMEOUT = 1.0
"""Seconds that a block's header may take where a look can do without: it took at most 65 ms where
pruning did not hold it. Likewise the system's id."""

_SPARE = frozenset({Method.BLOCK, Method.SYSTEM_INFO})
"""What a look can do without: it has the short deadline, which leaves the connection as it is."""


@dataclass(slots=True)
class _Memory:
    """What is known of the node: which questions it answered, which it lacks, if it repeats ids."""

    known: set[Method] = field(default_factory=set)
    missing: set[Method] = field(default_factory=set)
    echoes: bool = False


class Exchange:
    """The NodeClient.

    Args:
        dial: makes a wire.
        timeout: seconds that one question may take.
        header: seconds that a block's header may take; None: HEADER_TIMEOUT.
    """

    def __init__(
        self, dial: Callable[[], Wire], timeout: float, header: float | None = None
    ) -> None:
        self._dial = dial
        self._timeout = timeout
        self._header = header
        self._memory = _Memory()
        self._line: Line | None = None
        self._program: Program | None = None
        self._alone = asyncio.Lock()
        self._readers: set[asyncio.Task[None]] = set()

    async def dag_info(self) -> DagInfo:
        """See NodeClient."""
        return cast(DagInfo, await self._ask(Method.DAG_INFO))

    async def server_info(self) -> ServerInfo:
        """See NodeClient."""
        return cast(ServerInfo, await self._ask(Method.SERVER_INFO))

    async def info(self) -> NodeInfo:
        """See NodeClient."""
        return cast(NodeInfo, await self._ask(Method.INFO))

    async def program(self) -> Program:
        """See NodeClient."""
        if self._program is not None:
            return self._program
        about = await self.info()
        family: Family = "rust" if self._memory.echoes else "go"
        program = Program(family, about.version, about.has_utxo_index, about.p2p_id)
        try:
            program = replace(program, system_id=await self._system_id())
        except NodeError as error:
            if error.reason is not Reason.TIMEOUT:
                raise
        else:
            self._program = program
        return program

    async def sync_status(self) -> bool:
        """See NodeClient."""
        return cast(bool, await self._ask(Method.SYNC_STATUS))

    async def peers(self) -> tuple[PeerInfo, ...]:
        """See NodeClient."""
        return cast("tuple[PeerInfo, ...]", await self._ask(Method.PEERS))

    async def metrics(self) -> Metrics:
        """See NodeClient."""
        return cast(Metrics, await self._ask(Method.METRICS))

    async def block_header(self, block_hash: str) -> BlockHeader | None:
        """See NodeClient."""
        return cast("BlockHeader | None", await self._ask(Method.BLOCK, block_hash))

    async def close(self) -> None:
        """See NodeClient."""
        if self._line is not None:
            self._line.hang_up(NodeError(Reason.STREAM_CLOSED, detail="closed by us"))
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _system_id(self) -> str | None:
        """Return the system's id; a Go node has none, and would end the connection."""
        if not self._memory.echoes:
            return None
        try:
            return cast("str | None", await self._ask(Method.SYSTEM_INFO))
        except (MissingError, DeclinedError):
            return None

    async def _ask(self, method: Method, argument: str = "") -> object:
        if self._memory.echoes and method in self._memory.known:
            return await self._exchange(method, argument)
        async with self._alone:
            return await self._exchange(method, argument)

    async def _exchange(self, method: Method, argument: str) -> object:
        if method in self._memory.missing:
            raise MissingError(method)
        line = self._connected()
        try:
            answer = await self._in_time(line, method, argument)
        except DeclinedError:
            self._learn(line, method)
            raise
        except NodeError as error:
            if self._lacks(method, error):
                self._memory.missing.add(method)
                raise MissingError(method) from None
            if line.echoes is None:  # no answer at all: the next may be another program
                self._memory = _Memory()
            raise
        self._learn(line, method)
        return answer.value

    async def _in_time(self, line: Line, method: Method, argument: str) -> Answer:
        """Ask within the deadline; who leaves without an answer ends the connection.

        All but `getBlock` answer at once if the node is well; a late answer of `getBlock` is told
        by its id, so where there are ids it may still come.
        """
        slow = method in _SPARE
        limit = min(self._header or HEADER_TIMEOUT, self._timeout) if slow else self._timeout
        late = NodeError(Reason.TIMEOUT, {"seconds": limit})
        try:
            async with asyncio.timeout(limit):
                return await line.ask(method, argument)
        except (TimeoutError, asyncio.CancelledError) as error:
            if not (slow and line.echoes):
                line.hang_up(late)
            if isinstance(error, TimeoutError):
                raise late from None
            raise

    def _connected(self) -> Line:
        if self._line is None or self._line.ended is not None:
            self._line = Line(self._dial())
            self._program = None
            self._readers.add(self._line.reader)
            self._line.reader.add_done_callback(self._readers.discard)
        return self._line

    def _learn(self, line: Line, method: Method) -> None:
        if self._memory.echoes is not bool(line.echoes):  # another program than before
            self._memory = _Memory(echoes=bool(line.echoes))
        self._memory.known.add(method)

    def _lacks(self, method: Method, error: NodeError) -> bool:
        new = method in OPTIONAL and method not in self._memory.known
        return new and error.reason is Reason.STREAM_CLOSED
