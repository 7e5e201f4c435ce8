"""Every kind of statement on real servers: never complete, never anybody else's, said as it is."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import Reason
from tests.fakes.patience import PATIENCE
from tests.fakes.postgres import Postgres
from tests.probes.migrations.databases import Place, run, until
from tests.probes.migrations.statements import BASE, KINDS, RUNS, TABLE, Kind, table

DOCS = Path(__file__).parents[3] / "docs/migrations.md"
DATABASE = "statements"
WHICH = [
    pytest.param(each, id=re.sub("[^A-Za-z]+", "-", each.name).strip("-"),
                 marks=[pytest.mark.long] if each.long else [])
    for each in KINDS
]  # fmt: skip


def test_the_table_says_what_is_shown() -> None:
    """It is made by `python -m tests.probes.migrations.statements`, and each row is tried here."""
    assert table() in DOCS.read_text()


@pytest.fixture
async def place(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Place]:
    """A schema `s` in a database that stays: a database of its own for each would take longer."""
    first = await postgres.admin()
    if not await first.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
        await run(first, (f"CREATE DATABASE {DATABASE}", ("CREATE ROLE looker LOGIN"
                          " PASSWORD 'right word' IN ROLE pg_read_all_stats")))  # fmt: skip
        folder = postgres.home / "other"
        folder.mkdir()
        os.chown(folder, postgres.home.stat().st_uid, -1)
        await first.execute(f"CREATE TABLESPACE other LOCATION '{folder}'")
        base = await postgres.admin(DATABASE)
        await run(base, BASE)
        await base.close()
    await first.close()
    place = Place(postgres, DATABASE, tmp_path / "dsn", await postgres.admin(DATABASE))
    place.name_it(user="looker")
    await place.root.execute(
        "DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO looker;"
        "CREATE TABLE s._sqlx_migrations (version bigint, success bool);"
        f"INSERT INTO s._sqlx_migrations VALUES (1, true); {TABLE};"
        "GRANT SELECT ON s._sqlx_migrations TO looker"
    )
    yield place
    for probe in place.probes:
        await probe.close()
    pids = [session.get_server_pid() for session in place.others if not session.is_closed()]
    for session in place.others:
        session.terminate()
    async with asyncio.timeout(PATIENCE):
        gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY($1)"
        while await place.root.fetch(gone, pids):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await place.root.execute("DROP EVENT TRIGGER IF EXISTS at_end")
    await place.root.close()


def shown(found: Reading) -> str:
    """What a look shows of a statement, as the table has it: the stage, and what is counted."""
    stage = str(found.metadata.get("statementStage") or RUNS)
    if found.position is not None:
        stage = f"{stage} ({found.unit})"
    return re.sub(r"\d+ of \d+", "N of M", stage)


async def start(place: Place, kind: Kind, file: Path) -> asyncio.Task[Any]:
    """Send the statement, in a session of its own; what it stands before is closed already."""
    session = await place.session()
    for name, value in kind.session.items():
        await session.execute(f"SET {name} = {value}")
    if kind.stdin:
        rows = sent(await asyncio.to_thread(file.read_bytes))
        copy = session.copy_to_table("big", source=rows, columns=["n"], schema_name="s")
        return asyncio.create_task(copy)
    return asyncio.create_task(session.execute(kind.text.replace("{file}", str(file))))


async def sent(rows: bytes) -> AsyncIterator[bytes]:
    """What a client sends."""
    yield rows


async def hold(place: Place, kind: Kind) -> Any:
    """Close the gate, or let another session stand in the way."""
    await run(place.root, tuple(kind.before))
    if kind.blocker:
        session = await place.session()
        await session.execute(f"BEGIN; {kind.blocker}")
        return session
    await place.hold(7)
    return None


async def release(place: Place, session: Any) -> None:
    await (place.release(7) if session is None else session.execute("COMMIT"))


def rows_file(place: Place) -> Path:
    file = place.server.home / "rows"
    if not file.exists():
        file.write_text("".join(f"{n}\n" for n in range(1, 3001)))
    return file


@pytest.mark.parametrize("kind", WHICH)
async def test_a_statement_is_known_while_the_server_is_at_it(place: Place, kind: Kind) -> None:
    """By its locks and counters, whatever its text; what is shown of it is documented."""
    expected = kind.at(place.root.get_server_version().major)
    if expected is None:
        pytest.skip("this version has no such statement")
    allowed, held, by = expected
    works = by != "nothing"
    probe = place.probe(tool="sqlx", version="2", schema="s", user="admin")
    blocker = await hold(place, kind)
    work = await start(place, kind, rows_file(place))
    waits = blocker is not None and by != "upkeep"
    seen = await until(
        place,
        probe,
        lambda each: (
            (shown(each), started(each), each.reason is Reason.LOCK_WAIT) == (held, works, waits)
        ),
    )
    assert not any(each.complete for each in seen)
    await place.root.execute("INSERT INTO s._sqlx_migrations VALUES (2, true)")
    over = [await place.look(probe) for _ in range(3)]
    assert [each.complete for each in over] == [by not in ("lock", "counter")] * 3
    if waits:
        assert {(each.reason, each.at_work) for each in over} == {(Reason.LOCK_WAIT, False)}
    await release(place, blocker)
    while not work.done():
        seen.append(await place.look(probe))
        assert not (seen[-1].complete and started(seen[-1]))
    await work
    first = {re.sub(r" \(\w+\)$", " (no number)", each) for each in allowed}  # as it begins
    assert {shown(each) for each in seen if started(each)} <= {*allowed, *first, RUNS}
    assert (await until(place, probe, lambda each: each.complete))[-1].complete


def started(found: Reading) -> bool:
    return "statement" in found.metadata
