"""K-indexer: its web server's `/health`, and which part of its simply-kaspa-indexer counts.

It has no connection to a node. A simply-kaspa-indexer fills its database, K-transaction-processor
reads that (without HTTP), K-webserver answers. `/health` is always "healthy"; its database is gone
where the network is "unknown".
"""

from __future__ import annotations

from typing import Final

from kaspad_taskd.core.observation import Json
from kaspad_taskd.probes.indexers.fields import table, text

NAME: Final = "K-webserver"
COMPONENTS: Final = ("transactionProcessor",)
"""The others are switched off there."""


def network(answer: Json) -> str | None:
    """Return the network that `/health` names, None where the database does not answer.

    Raises:
        ValueError: it is not that of this program.
    """
    body = table(answer, "the answer")
    if text(body, "service") != NAME:
        raise ValueError(f"it is not that of {NAME}")
    found = text(body, "network", 32)
    return None if found == "unknown" else found
