"""What an indexer lives on: its node and its database, looked at where it does not answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.probes.migrations.postgres import PostgresError

if TYPE_CHECKING:
    from kaspad_taskd.probes.indexers.looks import Asker
    from kaspad_taskd.probes.migrations.postgres import Database

Lost: TypeAlias = tuple[Reason | None, Hint]
"""Why an indexer is likely not to answer; without a reason: why we cannot tell."""

GONE: Final = frozenset(
    {
        Reason.REFUSED, Reason.TIMEOUT, Reason.STREAM_CLOSED, Reason.STOPPING, Reason.NOT_READY,
        Reason.NAME_UNKNOWN, Reason.NETWORK_DOWN,
    }
)  # fmt: skip
"""Why we got no answer, where nobody else gets one either; a rejected password is ours alone."""


@frozen
class Dependencies:
    """The node and the database of an indexer, as far as its definition names them.

    `needs_node`: it opens its port only once it has a node.
    """

    asker: Asker
    database: Database | None = None
    needs_node: bool = True

    async def look(self) -> Lost | None:
        """Return the one that is down, or a node that is not synced; None: nothing of it is known.

        The database comes first: without one an indexer does not even ask for its node.
        """
        database, node = await asyncio.gather(self._database(), self._node())
        named = database is not None and database[0] is not None
        return database if named else node or database

    async def _database(self) -> Lost | None:
        if self.database is None:
            return None
        try:
            async with self.database.transaction() as connection:
                await connection.fetchval("SELECT 1")
        except PostgresError as error:
            if error.observation.reason not in GONE:
                return next(((None, hint) for hint in error.observation.hints), None)
            name = {"database": self.database.name}
            return Reason.DATABASE_LOST, Hint("database-silent", name)
        finally:
            self.database.drop()
        return None

    async def _node(self) -> Lost | None:
        try:
            node = await self.asker.hear_node()
        except NodeError as error:
            gone = self.needs_node and error.reason in GONE
            return (Reason.NODE_LOST, Hint("node-silent")) if gone else None
        if node is None or node.synced:
            return None
        return Reason.NODE_NOT_SYNCED, Hint("node-not-synced")
