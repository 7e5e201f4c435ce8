"""simply-kaspa-indexer 1.x and 2.x: what `/api/health` and `/api/metrics` say.

health: 503 while it is more than ten minutes behind, with the same body. Its overall status is no
measure: WARN also comes from little free memory, DOWN from a component that is disabled.
metrics: the newest block of every component, absent before the first one since its start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Hint, Json
from kaspad_taskd.probes.indexers.fields import flag, maybe, table, text, whole
from kaspad_taskd.probes.indexers.view import BPS, View

NAME: Final = "simply-kaspa-indexer"
COMPONENTS: Final = (
    "blockFetcher",
    "blockProcessor",
    "transactionProcessor",
    "virtualChainProcessor",
)
MOST_BPS: Final = 1_000


@frozen
class Health:
    """What `/api/health` says of the node, and which components it calls disabled."""

    synced: bool | None = None
    lost: bool = False
    target: int | None = None
    network: str | None = None
    node_version: str | None = None
    disabled: frozenset[str] = frozenset()


@frozen
class Block:
    """A component's newest block."""

    daa: int
    at: int | None


def health(answer: Json) -> Health:
    """Return what `/api/health` says.

    Raises:
        ValueError: it is not that of this program.
    """
    body = table(answer, "the answer")
    info = maybe(maybe(body, "indexer"), "info")
    if text(info, "name") != NAME:
        raise ValueError(f"it is not that of {NAME}")
    node = maybe(body, "kaspad")
    return Health(
        synced=flag(node, "isSynced"),
        lost=node.get("isSynced") is None,
        target=whole(node, "virtualDaaScore"),
        network=text(node, "networkId", 32),
        node_version=text(node, "serverVersion"),
        disabled=_disabled(maybe(body, "indexer").get("details")),
    )


def _disabled(details: Json) -> frozenset[str]:
    """The components, as metrics call them, that health calls disabled."""
    rows = [row for row in details if isinstance(row, dict)] if isinstance(details, list) else []
    off = {str(row.get("name")) for row in rows if row.get("reason") == "Disabled"}
    return frozenset(_camel(name.removeprefix("component.")) for name in off)


def _camel(name: str) -> str:
    head, *rest = name[:64].split("_")
    return head + "".join(word.capitalize() for word in rest)


def view(said: Health, answer: Json, only: Collection[str] = COMPONENTS) -> View:
    """Return what health and `/api/metrics` together say; `only` these components count.

    Raises:
        ValueError: it is not that of this program.
    """
    body = table(answer, "the answer")
    components = table(body.get("components"), "components")
    blocks = {
        name: _position(name, maybe(components, name), body)
        for name in only
        if name not in said.disabled and flag(maybe(components, name), "enabled") is not False
    }
    known = [block for block in blocks.values() if block is not None]
    complete = bool(known) and len(known) == len(blocks)
    least = min(known, key=lambda block: block.daa) if complete else None
    imported = maybe(components, "utxoImporter")
    busy = flag(imported, "enabled") is True and flag(imported, "completed") is not True
    bps = whole(maybe(body, "settings"), "net_bps") or BPS
    return View(
        position=None if least is None else float(least.daa),
        at=None if least is None else least.at,
        target=None if said.target is None else float(said.target),
        bps=float(min(bps, MOST_BPS)),
        synced=said.synced,
        busy=busy,
        version=text(body, "version"),
        network=said.network,
        uptime=whole(maybe(body, "process"), "uptime"),
        imported=_imported(imported),
        begun=_begun(components, blocks),
        saved=_saved(blocks, body),
        newest="" if least is None else None,
        hints=(Hint("node-lost"),) if said.lost else (),
        metadata=_metadata(said, blocks, imported, busy),
    )


def _position(name: str, component: Mapping[str, Json], body: Mapping[str, Json]) -> Block | None:
    """The component's newest block; before its first, the checkpoint that it goes on from.

    Of a component that metrics do not have at all nothing is known.
    """
    if not component:
        return None
    found = _block(component.get("lastBlock"))
    if found is not None:
        return found
    return _checkpoint(name, body)


def _checkpoint(name: str, body: Mapping[str, Json]) -> Block | None:
    """The block that a component goes on from after its end; written down once in a minute."""
    own = "vcpCheckpoint" if name == "virtualChainProcessor" else "blockCheckpoint"
    for key in (own, "checkpoint"):  # 1.x has one for both
        found = _block(maybe(body, key).get("block"))
        if found is not None:
            return found
    return None


def _saved(names: Collection[str], body: Mapping[str, Json]) -> float | None:
    """Where the whole goes on from after its end, None where that is not told."""
    found = [block.daa for name in names if (block := _checkpoint(name, body)) is not None]
    return float(min(found)) if found else None


def _block(value: Json) -> Block | None:
    if value is None:
        return None
    block = table(value, "lastBlock")
    daa = whole(block, "daaScore")
    return None if daa is None else Block(daa, whole(block, "timestamp"))


def _begun(components: Mapping[str, Json], blocks: Collection[str]) -> float | None:
    """Where the slowest is that has had a block since its start, where another has had none."""
    found = [_block(maybe(components, name).get("lastBlock")) for name in blocks]
    begun = [block.daa for block in found if block is not None]
    return float(min(begun)) if 0 < len(begun) < len(found) else None


def _imported(importer: Mapping[str, Json]) -> int | None:
    return whole(importer, "utxosImported")


def _metadata(
    said: Health, blocks: Mapping[str, Block | None], importer: Mapping[str, Json], busy: bool
) -> dict[str, int | str | None]:
    each = {name: None if block is None else block.daa for name, block in blocks.items()}
    utxos = _imported(importer) if busy else None
    return {"nodeVersion": said.node_version, **each, "utxosImported": utxos}
