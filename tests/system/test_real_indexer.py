"""A real simply-kaspa-indexer on a real node and a real PostgreSQL, in the troubles that it has.

Two looks at each: one by its log, one without it, by our own look at its node and its database.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from tests.fakes.bridged import free_port
from tests.fakes.indexers import SimplyKaspa
from tests.fakes.kaspad import Kaspad, Talk, find_kaspad, mine_history, mine_on
from tests.fakes.node_packages import Missing
from tests.fakes.postgres import Postgres, serving
from tests.fakes.postgres_versions import programs, wanted
from tests.fakes.real_indexer import MISSING, RealIndexer, find_indexer
from tests.probes.looks import Looking, made

pytestmark = [
    pytest.mark.system,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(find_indexer() is None, reason=MISSING),
    pytest.mark.skipif(find_kaspad() is None, reason="no kaspad on the PATH"),
]
BLOCKS = 300
PATIENCE = 240.0


class Watch:
    """Looks at the indexer with one definition, again and again."""

    def __init__(self, probe: Looking) -> None:
        self.probe = probe
        self._memory: Any = {}

    async def look(self) -> tuple[Any, list[str]]:
        seen: Any = await self.probe.observe(self._memory)
        self._memory = getattr(seen, "memory", None) or self._memory
        self.seen = seen
        return seen.reason, [hint.code for hint in seen.hints]

    async def until(self, holds: Callable[[Any, list[str]], bool]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not holds(*(await self.look())):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.2)
        return self.seen

    async def shows(self, reason: Reason | None, *hints: str) -> Any:
        return await self.until(lambda why, found: (why, found) == (reason, [*hints]))

    async def complete(self) -> Any:
        return await self.until(lambda _why, _found: getattr(self.seen, "complete", False))


@pytest.fixture
async def database() -> AsyncIterator[Postgres]:
    try:
        found = programs(wanted()[0])
    except Missing as why:
        pytest.skip(str(why))
    with serving(found) as server:
        yield server


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[tuple[Kaspad, int]]:
    """A node that is not started, and its Borsh port."""
    program, borsh = find_kaspad(), free_port()
    assert program is not None
    (tmp_path / "node").mkdir()
    async with Kaspad(program, tmp_path / "node", f"--rpclisten-borsh=127.0.0.1:{borsh}") as node:
        yield node, borsh


async def test_its_troubles_are_told_as_they_come_and_go(
    node: tuple[Kaspad, int], database: Postgres, tmp_path: Path
) -> None:
    """Node down, in sync, database down, up again, an older schema, its migration, its end."""
    kaspad, borsh = node
    program = find_indexer()
    assert program is not None
    root = await database.admin()
    await root.execute("CREATE ROLE indexer LOGIN PASSWORD 'word' SUPERUSER")
    await root.execute("CREATE DATABASE explorer OWNER indexer")
    root.terminate()
    url = f"postgres://indexer:word@127.0.0.1:{database.port}/explorer"
    indexer = RealIndexer(program, tmp_path, borsh, url)
    (tmp_path / "explorer.dsn").write_text(url.replace("postgres://", "postgresql://"))
    means = Means(databases={"explorer": tmp_path / "explorer.dsn"})
    plain = {"url": indexer.url, "flavor": "simply-kaspa", "network": "simnet"}
    by_log = Watch(made("indexer-sync", {**plain, "log": str(indexer.log)}, timeout=8.0))
    by_look = Watch(
        made("indexer-sync", {**plain, "node": kaspad.url, "dsn": "explorer"}, means, timeout=8.0)
    )
    talk = Talk(kaspad)
    mining: asyncio.Task[None] | None = None
    try:
        await indexer.start()
        await by_log.shows(Reason.NODE_LOST, "node-lost")
        await by_look.shows(Reason.NODE_LOST, "node-silent")

        await kaspad.start()
        await talk.wait()
        mining = asyncio.create_task(mine_on(talk, await mine_history(talk, BLOCKS)))
        done = await by_log.complete()
        assert (done.hints, done.metadata["network"]) == ((), "simnet")
        await _compared(indexer)
        await by_look.complete()

        database.stop()
        await by_look.shows(Reason.DATABASE_LOST, "database-silent")
        await by_log.shows(Reason.DATABASE_LOST, "database-lost")
        assert await indexer.ends() == 134
        await indexer.start()
        for _ in range(3):
            assert await by_log.look() == (Reason.DATABASE_LOST, ["database-lost"])
        assert await indexer.ends() == 134
        await by_look.shows(Reason.DATABASE_LOST, "database-silent")
        database.start()
        (await database.admin("explorer")).terminate()
        await indexer.start()
        assert not (await by_log.complete()).hints
        await by_look.complete()

        await indexer.stop()
        await by_log.shows(Reason.REFUSED, "indexer-stopped")
        await _older(database)
        for _ in range(3):
            await indexer.start()
            assert await indexer.ends() == 134
            await by_log.look()
        await by_log.shows(Reason.REFUSED, "schema-outdated", "crash-loop")
        reader = await database.admin("explorer")
        await reader.execute("BEGIN; SELECT FROM blocks LIMIT 1")  # DROP TABLE waits for it
        await indexer.start("-u")
        await by_log.shows(Reason.REFUSED, "indexer-migrating")
        await indexer.stop(signal.SIGKILL)
        await reader.execute("ROLLBACK")
        reader.terminate()
        await indexer.start("-u")
        assert await indexer.ends() == 134
        await by_log.shows(Reason.REFUSED, "upgrade-failed")
    finally:
        await indexer.stop(signal.SIGKILL)
        if mining is not None:
            mining.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await mining
        await talk.close()
        for each in (by_log, by_look):
            await each.probe.close()


async def _compared(indexer: RealIndexer) -> None:
    """Our twin says nothing that the real one does not say, and in the same kinds."""
    twin = SimplyKaspa()
    async with ClientSession() as session:
        for path, mine in (("health", twin._health().body), ("metrics", twin._metrics())):
            async with session.get(f"{indexer.url}/api/{path}") as answer:
                _agree(mine, await answer.json(), path)


def _agree(mine: Any, real: Any, place: str) -> None:
    if mine is None or real is None:
        return
    if isinstance(mine, dict):
        assert set(mine) <= set(real), place
        for key, value in mine.items():
            _agree(value, real[key], f"{place}.{key}")
    else:
        assert type(mine) is type(real), place


async def _older(database: Postgres) -> None:
    """Put its schema one version back."""
    root = await database.admin("explorer")
    await root.execute(
        "CREATE TABLE blocks_transactions AS SELECT hash AS block_hash, hash AS transaction_id"
        " FROM blocks;"
        "ALTER TABLE transactions DROP COLUMN block_hash;"
        "ALTER TABLE blocks DROP COLUMN transaction_ids;"
        "UPDATE vars SET value = '22' WHERE key = 'schema_version'"
    )
    root.terminate()
