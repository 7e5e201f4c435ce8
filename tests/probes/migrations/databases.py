"""What tests of migrations have: a database of their own, a role that watches it, its DSN."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from kaspad_taskd.core.observation import Observation, Reading
from kaspad_taskd.probes import Means
from tests.fakes.patience import PATIENCE
from tests.fakes.postgres import Postgres
from tests.probes.looks import made

VARS = "CREATE TABLE vars (key text PRIMARY KEY, value text)"
READS = tuple(
    f"ALTER DEFAULT PRIVILEGES GRANT {what} TO watcher"
    for what in ("SELECT ON TABLES", "USAGE ON SCHEMAS")
)
"""The role may read what is made from now on (13 has no pg_read_all_data)."""
GATE = """CREATE FUNCTION gate(n bigint, number int) RETURNS bigint IMMUTABLE LANGUAGE plpgsql
AS $$ BEGIN IF n % 50000 = 0 THEN WHILE NOT pg_try_advisory_xact_lock_shared(number) LOOP
PERFORM pg_sleep(0.005); END LOOP; END IF; RETURN n; END $$"""
"""A statement that takes its rows through this gate stands still amid them while it is held."""
_numbers = itertools.count(1)


def at_version(version: int) -> str:
    return f"INSERT INTO vars VALUES ('schema_version', '{version}')"


async def run(session: Any, statements: tuple[str, ...]) -> None:
    for statement in statements:
        await session.execute(statement)


class Place:
    """A database; `root` is a session of its owner, `file` has the DSN of who watches."""

    def __init__(self, server: Postgres, name: str, file: Path, root: Any) -> None:
        self.server, self.name, self.file, self.root = server, name, file, root
        self.probes: list[Any] = []
        self.others: list[Any] = []
        self.memory: Any = {}

    def name_it(self, **given: Any) -> None:
        """Write the DSN; `given` as in Postgres.dsn."""
        self.file.write_text(self.server.dsn(self.name, **given) + "\n")

    def probe(self, timeout: float = PATIENCE, **checker: Any) -> Any:
        means = Means(databases={"explorer": self.file})
        probe = made("database-migration", {"dsn": "explorer", **checker}, means, timeout)
        self.probes.append(probe)
        return probe

    async def look(self, probe: Any) -> Any:
        found: Observation = await probe.observe(self.memory)
        if isinstance(found, Reading):
            self.memory = found.memory
        assert "right word" not in repr(found)
        return found

    async def hold(self, *gates: int) -> None:
        for number in gates:
            await self.root.execute(f"SELECT pg_advisory_lock({number})")

    async def release(self, gate: int) -> None:
        await self.root.execute(f"SELECT pg_advisory_unlock({gate})")

    async def session(self) -> asyncpg.Connection[Any]:
        session = await self.server.admin(self.name)
        self.others.append(session)
        return session


@asynccontextmanager
async def placed(server: Postgres, file: Path) -> AsyncIterator[Place]:
    """A place on a server, removed in the end."""
    name = f"db{next(_numbers)}"
    first = await server.admin()
    await first.execute(f"CREATE DATABASE {name}")
    await first.execute("DROP ROLE IF EXISTS watcher")
    await first.execute("CREATE ROLE watcher LOGIN PASSWORD 'right word' IN ROLE pg_read_all_stats")
    await first.close()
    place = Place(server, name, file, await server.admin(name))
    place.name_it()
    await run(place.root, READS)
    yield place
    for probe in place.probes:
        await probe.close()
    for session in (*place.others, place.root):
        session.terminate()
    last = await server.admin()
    await drop(last, name)
    await last.execute("DROP ROLE watcher")
    await last.close()


async def drop(session: Any, name: str) -> None:
    """Drop a database; its sessions are ended, however long it takes them to hear of it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(asyncpg.ObjectInUseError):  # the server waits 5 s by itself
                await session.execute(f"DROP DATABASE {name} WITH (FORCE)")
                return


async def until(place: Place, probe: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    """Look until a look is as wanted; returns all of them."""
    seen: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        while not seen or not wanted(seen[-1]):
            seen.append(await place.look(probe))
            await asyncio.sleep(0.01)
    return seen
