"""The version table of alembic as it makes it here and now, and a file that sqlx sends at once."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from tests.probes.migrations.databases import GATE, Place, until

DATA = Path(__file__).parents[2] / "data"
SQLX = (DATA / "sqlx-0.8.6.sql").read_text()


async def test_the_version_table_of_the_real_alembic_is_read(place: Place, tmp_path: Path) -> None:
    """Revision by revision, made from real scripts."""
    from alembic import command
    from alembic.config import Config

    (tmp_path / "versions").mkdir()
    for revision, down in (("aaa1", None), ("bbb2", "aaa1")):
        (tmp_path / "versions" / f"{revision}.py").write_text(
            f"from alembic import op\nrevision = {revision!r}\ndown_revision = {down!r}\n"
            f"def upgrade():\n    op.execute('CREATE TABLE t_{revision} (n int)')\n"
        )
    (tmp_path / "env.py").write_text(
        "from alembic import context\n"
        "context.configure(dialect_name='postgresql', literal_binds=True)\n"
        "with context.begin_transaction():\n    context.run_migrations()\n"
    )
    probe = place.probe(tool="alembic", version="bbb2")
    for step, complete in (("aaa1", False), ("aaa1:bbb2", True)):
        out = io.StringIO()
        config = Config(output_buffer=out, stdout=io.StringIO())
        config.set_main_option("script_location", str(tmp_path))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, step, sql=True)
        await place.root.execute(out.getvalue())
        found = await place.look(probe)
        assert (found.complete, found.metadata["version"]) == (complete, step.rpartition(":")[2])


async def test_a_file_that_is_sent_at_once_is_told_by_what_is_counted(place: Place) -> None:
    """As sqlx and psql -c do: the text begins with another statement than the one that runs."""
    await place.root.execute(SQLX)
    await place.root.execute(GATE)
    script = (
        "CREATE TABLE two AS SELECT n FROM generate_series(1, 60000) n;"
        "CREATE INDEX two_n ON two (gate(n, 1)); DROP TABLE two"
    )
    session = await place.session()
    await place.hold(1)
    work = asyncio.create_task(session.execute(script))
    probe = place.probe(tool="sqlx", version="20260101000003")
    seen = await until(place, probe, lambda each: each.phase == "statement_index")
    assert seen[-1].metadata["statement"] == "CREATE INDEX"
    await place.release(1)
    await work
