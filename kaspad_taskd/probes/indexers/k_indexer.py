"""K-indexer: its web server's `/health`, and which part of its simply-kaspa-indexer counts.

It has no connection to a node. A simply-kaspa-indexer fills its database, K-transaction-processor
reads that (without HTTP), K-webserver answers. `/health` is always "healthy"; where its database
does not tell the network that is "unknown", and where that does not answer at all, it is HTTP 408
after its own 30 s.
"""

from __future__ import annotations

from typing import Final

from kaspad_taskd.core.observation import Json
from kaspad_taskd.probes.indexers.fields import table, text

NAME: Final = "K-webserver"
TOO_LONG: Final = 408
"""What it answers when its own time is over; all that `/health` does is to ask its database."""
COMPONENTS: Final = ("transactionProcessor",)
"""The others are switched off there."""


def network(answer: Json) -> str | None:
    """Return the network that `/health` names, None where its database does not tell it.

    Raises:
        ValueError: it is not that of this program.
    """
    body = table(answer, "the answer")
    if text(body, "service") != NAME:
        raise ValueError(f"it is not that of {NAME}")
    found = text(body, "network", 32)
    return None if found == "unknown" else found
