"""A pooler in between is named as such, and never lets a look stand in the migration's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Hint, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from tests.fakes.pgbouncer import MISSING, PROGRAM, Pgbouncer
from tests.fakes.postgres_versions import programs, wanted
from tests.probes.migrations.databases import VARS, Place, at_version, run

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

Make = Callable[..., Pgbouncer]
OURS = "pid <> pg_backend_pid() AND usename = 'watcher'"


@pytest.fixture
def pooler(place: Place) -> Iterator[Make]:
    """Makes poolers before the place's server, to which its DSN leads then; of one version."""
    if place.server.programs != programs(wanted()[0]):
        pytest.skip("a pooler before one version stands for all")
    made: list[Pgbouncer] = []

    def make(mode: str, **given: Any) -> Pgbouncer:
        made.append(Pgbouncer(place.server, mode, **given))
        place.file.write_text(made[-1].dsn(place.name))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def note(missed: Any) -> str:
    assert isinstance(missed, Unreachable)
    return words.note(missed.reason, missed.params)


async def test_what_it_refuses_is_said_of_it(place: Place, pooler: Make) -> None:
    """As it comes: it refuses what a session asks for; or there is no transaction in its mode."""
    pooler("session", ignores="x")
    assert "unsupported startup parameter, says a pooler" in note(
        await place.look(place.probe(tool="simply-kaspa"))
    )
    pooler("statement")
    assert "a pooler (pgbouncer, pool_mode = statement)" in note(
        await place.look(place.probe(tool="simply-kaspa"))
    )


async def test_a_wrong_password_is_rejected_by_it_too(place: Place, pooler: Make) -> None:
    """Under a code of its own."""
    place.file.write_text(pooler("session").dsn(place.name, "secret"))
    refused = await place.look(place.probe(tool="simply-kaspa"))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.params) == (Reason.CREDENTIALS, {"user": "watcher"})


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_one_that_lets_us_through_is_named(place: Place, pooler: Make, mode: str) -> None:
    """It is told by the process that answers; and a look does not wait behind a lock for long."""
    await run(place.root, (VARS, at_version(23)))
    pooler(mode)
    probe = place.probe(tool="simply-kaspa")
    found = await place.look(probe)
    assert (found.complete, found.hints) == (True, (Hint("pooler"),))
    holder = await place.session()
    await holder.execute("BEGIN; LOCK TABLE vars")
    locked = await place.look(probe)  # it would wait for a minute by the limits of its session
    assert (locked.complete, locked.metadata["version"]) == (False, "23")


async def test_another_session_than_before_costs_one_look(place: Place, pooler: Make) -> None:
    """The server forgets what was prepared in the one before."""
    await run(place.root, (VARS, at_version(23)))
    pooler("transaction")
    probe = place.probe(tool="simply-kaspa")
    assert (await place.look(probe)).complete
    pid = await place.root.fetchval(f"SELECT pid FROM pg_stat_activity WHERE {OURS}")
    await place.root.execute(f"SELECT pg_terminate_backend({pid})")
    seen = [await place.look(probe) for _ in range(3)]
    for each in seen:
        assert isinstance(each, Reading) or "a pooler" in note(each) or each.reason in (
            Reason.STREAM_CLOSED, Reason.STOPPING
        )  # fmt: skip
    assert seen[-1].complete


async def test_a_server_itself_is_no_pooler(place: Place) -> None:
    """It says at first which process answers, and that one does."""
    await run(place.root, (VARS, at_version(23)))
    assert (await place.look(place.probe(tool="simply-kaspa"))).hints == ()


async def test_our_name_on_another_s_session_hides_nothing(place: Place) -> None:
    """A pooler gives a session on with the name that its last client gave it."""
    await run(place.root, (VARS, at_version(23)))
    other = await place.session()
    await other.execute(
        "SET application_name = 'kaspad-taskd'; BEGIN; LOCK TABLE vars IN SHARE MODE"
    )
    found = await place.look(place.probe(tool="simply-kaspa"))
    assert not found.complete
