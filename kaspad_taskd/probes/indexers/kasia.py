"""kasia-indexer: what `/metrics` (JSON) says. It names blocks by hash; a node knows where they are.

`latest_accepting_block` is how far it followed the virtual chain. `latest_block` is the newest one
it heard of, which is at the tip while older gaps are still being filled: it proves nothing.
"""

from __future__ import annotations

import re
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json
from kaspad_taskd.probes.indexers.fields import table, text, whole

NAME: Final = "kasia-indexer"
HASH: Final = re.compile(r"[0-9a-f]{64}")
NONE: Final = "0" * 64
COUNTERS: Final = ("blocks_processed", "contextual_messages", "unknown_sender_entries")


@frozen
class Metrics:
    """The newest accepting block's hash, None before the first, and the counters."""

    accepting: str | None
    latest: str | None
    counters: tuple[int | None, ...]


def metrics(answer: Json) -> Metrics:
    """Return what `/metrics` says.

    Raises:
        ValueError: it is not that of this program.
    """
    body = table(answer, "the answer")
    if "latest_accepting_block" not in body or "blocks_processed" not in body:
        raise ValueError(f"it is not that of {NAME}")
    return Metrics(
        _hash(text(body, "latest_accepting_block")),
        _hash(text(body, "latest_block")),
        tuple(whole(body, key) for key in COUNTERS),
    )


def _hash(value: str | None) -> str | None:
    if value is None or value == NONE:
        return None
    if not HASH.fullmatch(value):
        raise ValueError("a block is named by no hash")
    return value
