"""One look at an indexer: whom to ask for what, by flavour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Hint, Json
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import BlockHeader, DagInfo, MissingError, NodeClient, NodeError
from kaspad_taskd.kaspa.read import APART
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.indexers import k_indexer, kasia, simply_kaspa
from kaspad_taskd.probes.indexers.view import View
from kaspad_taskd.probes.probe_type import wall_ms
from kaspad_taskd.probes.urls import Url

if TYPE_CHECKING:
    from kaspad_taskd.probes.http import HttpClient

T = TypeVar("T")


@frozen
class Node:
    """What a node said: its position, network, whether it is synced; the position's moment."""

    target: float
    network: str
    synced: bool
    at: float


@frozen
class Moment:
    """When an answer had come: by the wall clock in ms, and by the loop's steady one in s."""

    wall: int
    at: float


@frozen
class Asker:
    """Whom a look may ask.

    Attributes:
        client: for the URLs.
        url: the indexer, without a path of its own.
        source: the simply-kaspa-indexer that fills the database of a K-indexer, or None.
        node: the node that the definition names, or None.
        wall: the wall clock in ms.
    """

    client: HttpClient
    url: Url
    source: Url | None = None
    node: NodeClient | None = None
    wall: Callable[[], int] = wall_ms

    def now(self) -> Moment:
        """This moment, by both clocks."""
        return Moment(self.wall(), asyncio.get_running_loop().time())

    async def get(self, base: Url, path: str, understand: Callable[[Json], T]) -> T:
        """Return what `understand` makes of the answer at a path.

        Raises:
            HttpError: there is none that can be used.
        """
        answer = await self.client.get(replace(base, rest=base.path + path))
        return await answer.read(understand)

    async def ask_node(self) -> Node | None:
        """Return what the node says, None where it does not answer, or there is none."""
        try:
            return await self.hear_node()
        except NodeError:
            return None

    async def hear_node(self) -> Node | None:
        """Return what the node says, None where there is none.

        Raises:
            NodeError: it does not answer.
        """
        if self.node is None:
            return None
        (dag, at), synced = await asyncio.gather(_position(self.node), _synced(self.node))
        return Node(float(dag.virtual_daa_score), dag.network, synced, at)


async def _position(node: NodeClient) -> tuple[DagInfo, float]:
    dag = await node.dag_info()
    return dag, asyncio.get_running_loop().time()


async def _synced(node: NodeClient) -> bool:
    try:
        return await node.sync_status()
    except MissingError:
        return (await node.info()).is_synced is True


async def look_at_simply_kaspa(asker: Asker) -> View:
    """Look at a simply-kaspa-indexer.

    Raises:
        HttpError: it has no answer that can be used.
    """
    return await _simply_kaspa(asker, asker.url, simply_kaspa.COMPONENTS)


async def _simply_kaspa(asker: Asker, url: Url, only: tuple[str, ...]) -> View:
    said = await asker.get(url, "/api/health", simply_kaspa.health)
    told = asker.now()
    view = await asker.get(
        url, "/api/metrics", lambda answer: simply_kaspa.view(said, answer, only)
    )
    seen = asker.now()
    view = replace(view, seen=seen.wall)
    if view.target is not None:
        return replace(view, target=_moved(view.target, told.at, seen.at, view.bps))
    if asker.node is None:
        return view
    return _with_node(view, await asker.ask_node(), seen)


def _moved(target: float, told: float, seen: float, bps: float) -> float:
    """The target at the moment `seen`: between two answers the network goes on."""
    return target + round((seen - told) * bps) if abs(seen - told) >= APART else target


def _with_node(view: View, node: Node | None, seen: Moment) -> View:
    """The view with our node's tip for a target; without an answer, with a hint that says so."""
    if node is None:
        return replace(view, hints=(*view.hints, Hint("node-silent")))
    target = _moved(node.target, node.at, seen.at, view.bps)
    return replace(view, target=target, synced=node.synced, network=node.network)


async def look_at_kasia(asker: Asker) -> View:
    """Look at a kasia-indexer, and ask the node where its newest accepting block is.

    Raises:
        HttpError: the indexer has no answer that can be used.
    """
    said = await asker.get(asker.url, "/metrics", kasia.metrics)
    told = asker.now()
    facts = dict(zip(("blocksProcessed", "messages", "unknownSenders"), said.counters, strict=True))
    seen = View(
        seen=told.wall,
        tells_node=False,
        tells_gaps=False,
        newest=said.accepting or "",
        metadata=facts,
    )
    if asker.node is None:
        return replace(seen, hints=(Hint("node-missing"),))
    seen = _with_node(seen, await asker.ask_node(), told)
    if seen.target is None or said.accepting is None:
        return seen
    return await _located(seen, asker.node, said.accepting)


async def _located(seen: View, node: NodeClient, block: str) -> View:
    header: BlockHeader | None
    try:
        header = await node.block_header(block)
    except NodeError:
        return replace(seen, hints=(*seen.hints, Hint("node-silent")))
    if header is None:
        return replace(seen, hints=(*seen.hints, Hint("checkpoint-missing")))
    return replace(seen, position=float(header.daa_score), at=header.timestamp)


async def look_at_k_indexer(asker: Asker) -> View:
    """Look at a K-indexer: its web server, and the simply-kaspa-indexer that feeds it.

    `url` may be either of the two; what it is tells `/api/health`.

    Raises:
        HttpError: one of them has no answer that can be used.
    """
    if asker.source is None:
        try:
            return await _simply_kaspa(asker, asker.url, k_indexer.COMPONENTS)
        except HttpError as error:
            if not error.absent:
                raise
        network = await _web(asker)
        return View(network=network, hints=(Hint("source-missing"),))
    network = await _web(asker)
    view = await _simply_kaspa(asker, asker.source, k_indexer.COMPONENTS)
    return replace(view, metadata={**view.metadata, "webNetwork": network})


async def _web(asker: Asker) -> str:
    try:
        network = await asker.get(asker.url, "/health", k_indexer.network)
    except HttpError as error:
        if error.params.get("status") == k_indexer.TOO_LONG:
            raise HttpError(Reason.DATABASE_LOST, error.params) from None
        raise
    if network is None:
        raise HttpError(Reason.NOT_READY, {"program": k_indexer.NAME})
    return network


LOOKS: Final[Mapping[str, Callable[[Asker], Awaitable[View]]]] = {
    "simply-kaspa": look_at_simply_kaspa,
    "kasia": look_at_kasia,
    "k-indexer": look_at_k_indexer,
}
"""By flavour."""
