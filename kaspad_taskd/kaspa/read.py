"""One look at a node: all that the rules of `kaspa.sync` need, asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from kaspad_taskd.kaspa.client import (
    BlockHeader,
    DagInfo,
    DeclinedError,
    Method,
    Metrics,
    MissingError,
    NodeClient,
    NodeError,
    PeerInfo,
    Program,
)
from kaspad_taskd.kaspa.sync.reading import NodeReading

APART = 1.0
"""Seconds from which on two answers are no longer of one moment."""

PEER_CLOCKS = 64
"""So many peers' clocks are plenty of witnesses."""

_NO_METRICS = Metrics(server_time=0)


async def read_node(client: NodeClient, now_ms: Callable[[], int]) -> NodeReading:
    """Look once. `now_ms` is the wall clock, which lag is measured by.

    It is read once: when the answer that holds the position has come. A node may take its time to
    answer, and its newest block ages meanwhile.

    Raises:
        NodeError: no usable answer to one of the questions that a reading cannot do without.
    """
    dag = await client.dag_info()
    at_ms, loop = now_ms(), asyncio.get_running_loop()
    at = loop.time()
    program = await client.program()
    try:
        async with asyncio.TaskGroup() as group:
            synced = group.create_task(_synced(client))
            peers = group.create_task(client.peers())
            metrics = group.create_task(_metrics(client, lambda: loop.time() - at))
            header = group.create_task(_header(client, dag.sink))
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return _reading(
        at_ms, dag, program, synced.result(), peers.result(), metrics.result(), header.result()
    )


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that tells most: one of ours before a node's, the first of these."""
    ours = errors.split(NodeError)[1]
    return (ours or errors).exceptions[0]


async def _synced(client: NodeClient) -> tuple[bool, bool]:
    """Return the best answer, and whether it knows of the transitional state."""
    try:
        return await client.sync_status(), True
    except MissingError:
        pass
    try:
        return (await client.server_info()).is_synced, False
    except MissingError:
        pass
    synced = (await client.info()).is_synced
    if synced is None:
        raise DeclinedError(Method.INFO, "isSynced is missing")
    return synced, False


async def _metrics(client: NodeClient, since: Callable[[], float]) -> Metrics | None:
    """Return the counters, their clock put back by the seconds that passed `since` the position."""
    try:
        told = await client.metrics()
    except (MissingError, DeclinedError):
        return None
    passed = since()
    if not told.server_time or passed < APART:
        return told
    return replace(told, server_time=told.server_time - round(passed * 1000))


async def _header(client: NodeClient, sink: str) -> BlockHeader | None:
    """Return the sink's header; pruning may hold it up, so any failure is "no data"."""
    try:
        return await client.block_header(sink) if sink else None
    except NodeError:
        return None


def _reading(
    at_ms: int,
    dag: DagInfo,
    program: Program,
    synced: tuple[bool, bool],
    peers: tuple[PeerInfo, ...],
    metrics: Metrics | None,
    header: BlockHeader | None,
) -> NodeReading:
    counters = metrics or _NO_METRICS
    source = next((peer for peer in peers if peer.is_ibd_peer), None)
    return NodeReading(
        at_ms=at_ms,
        network=dag.network,
        block_count=dag.block_count,
        header_count=dag.header_count,
        virtual_daa_score=dag.virtual_daa_score,
        past_median_time=dag.past_median_time,
        pruning_point=dag.pruning_point,
        sink=dag.sink,
        difficulty=dag.difficulty,
        is_synced=synced[0],
        has_transitional_check=synced[1],
        peers=len(peers),
        ibd_peers=sum(peer.is_ibd_peer for peer in peers),
        ibd_peer=source.id if source else "",
        ibd_connected_ms=source.clock.connected_ms if source and source.clock else None,
        peer_clocks=tuple(peer.clock for peer in peers if peer.clock is not None)[:PEER_CLOCKS],
        peer_versions=tuple(sorted({peer.user_agent for peer in peers})[:16]),
        header_counts=counters.header_counts,
        body_counts=counters.body_counts,
        chain_block_counts=counters.chain_block_counts,
        p2p_rx_bytes=counters.p2p_rx_bytes,
        disk_write_bytes=counters.disk_write_bytes,
        server_time_ms=counters.server_time or None,
        sink_timestamp=header.timestamp if header else None,
        sink_daa_score=header.daa_score if header else None,
        p2p_id=program.p2p_id,
        system_id=program.system_id,
        server_version=program.version,
        has_utxo_index=program.has_utxo_index,
        protocol=program.family,
    )
