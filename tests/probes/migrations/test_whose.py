"""Whose session is the migration's: by what the server knows of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.migrations import TOOLS
from kaspad_taskd.probes.migrations.counters import Counted
from kaspad_taskd.probes.migrations.judge import judge
from kaspad_taskd.probes.migrations.seen import Backend, Record, Server
from kaspad_taskd.probes.migrations.whose import DOUBTS, Wanted, sessions

ALEMBIC = Wanted(TOOLS["alembic"], "b", "alembic_version")
INDEX = Counted("index", "building index", command="CREATE INDEX", here=True)


def pids(
    wanted: Wanted, *backends: Backend, reached: bool = False, memory: Any = None,
    **counted: Counted,
) -> list[int]:  # fmt: skip
    counts = {int(pid[1:]): count for pid, count in counted.items()}
    found = sessions(wanted, Server(backends, counts), reached, memory or {})
    return [each.pid for each in found.work]


@pytest.mark.parametrize(
    ("backend", "mine"),
    [
        (Backend(1, statement="SET lock_timeout = 1; CREATE INDEX x ON y (z)", locks=True), True),
        (Backend(1, statement="SELECT migrate()", writes=True, age=11), True),
        (Backend(1, statement="SELECT migrate()", writes=True, age=1), False),
        (Backend(1, statement="ALTER TABLE x ADD y int"), False),  # its text alone is nothing
        (Backend(1, statement="UPDATE x SET y = 1", writes=True, age=99, may=False), False),
        (Backend(1, statement="SELECT 1", age=999), False),
        (Backend(1, statement="ALTER TABLE x VALIDATE CONSTRAINT y", light=True), True),
        (Backend(1, statement="CREATE INDEX CONCURRENTLY x", light=True, locked=True), True),
        (Backend(1, light=True, may=False), False),
        (Backend(1, hidden=True, locks=True), True),
        (Backend(1, hidden=True, writes=True, age=99), False),
    ],
)
def test_whose_session_it_is(backend: Backend, mine: bool) -> None:
    """By locks and by what it has written, not by what it says."""
    assert bool(pids(ALEMBIC, backend)) is mine


def test_a_long_writer_is_taken_for_it_only_where_nobody_is_evident() -> None:
    """Else an ordinary program's work would be the movement of a migration that waits."""
    waits = Backend(1, locks=True, locked=True, blockers=(9,))
    writer = Backend(2, writes=True, age=99)
    assert pids(ALEMBIC, waits, writer) == [1]
    assert pids(ALEMBIC, writer) == [2]


def test_a_session_that_was_evident_is_known_between_two_statements() -> None:
    """By its pid, while it holds its transaction open; not once the version is reached."""
    first = sessions(ALEMBIC, Server([Backend(1, locks=True)]), False, {})
    between = Backend(1, idle=True, writes=True)
    assert pids(ALEMBIC, between, memory=first.memory) == [1]
    assert pids(ALEMBIC, between, memory=first.memory, reached=True) == []
    gone = sessions(ALEMBIC, Server([Backend(2, writes=True)]), False, first.memory)
    assert (gone.work, gone.memory) == ((), {"sessions": []})


def test_a_definition_may_name_the_session() -> None:
    """By its role or its application_name: then it counts from its first written row."""
    named = Wanted(TOOLS["sql"], application="migrator", user="me")
    writer = Backend(1, "me", "migrator", writes=True)
    assert pids(named, writer) == [1]
    assert pids(named, Backend(1, "me", "migrator", statement="SELECT 1")) == [1]
    assert pids(named, Backend(1, "you", "migrator", locks=True)) == []
    assert pids(named, Backend(1, "me", "psql", locks=True)) == []
    assert pids(Wanted(TOOLS["sqlx"], "2", user="me"), Backend(1, "me", statement="SELECT 1")) == []
    assert pids(Wanted(TOOLS["sqlx"], "2", user="me"), Backend(1, "me", writes=True)) == [1]


@pytest.mark.parametrize(
    ("tool", "count", "mine"),
    [
        ("alembic", INDEX, True),
        ("alembic", Counted("index", "building index", here=False), None),  # in another schema
        ("simply-kaspa", Counted("index", "building index", here=False), False),
        ("alembic", Counted("copy", "COPY FROM", here=True), True),
        ("alembic", Counted("cluster", "rebuilding index", here=True), True),
        ("k-indexer", INDEX, True),
        ("k-indexer", Counted("index", "x", command="REINDEX CONCURRENTLY", here=True), False),
        ("alembic", Counted("vacuum", "scanning heap", here=True), True),  # an upkeep between steps
        ("alembic", Counted("vacuum", "scanning heap", here=False), False),
    ],
)
def test_a_counter_tells_who_builds_or_rewrites(
    tool: str, count: Counted, mine: bool | None
) -> None:
    """On a table of the watched schema; K-indexer's REINDEX at each start is no migration.

    None: while the version is not reached alone, and where no schema is named.
    """
    wanted = Wanted(TOOLS[tool], "2", "versions")
    busy = Backend(1, locks=count.command.startswith("REINDEX"))
    assert bool(pids(wanted, busy, _1=count)) is (mine is not False)
    if mine is None:
        assert not pids(replace(wanted, table="app.versions"), busy, _1=count)
    reached = pids(wanted, busy, _1=count, reached=True, memory={"suspects": [1]})
    assert bool(reached) is (mine is True and count.kind != "vacuum")


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("BEGIN; ALTER TABLE x ADD y int; COMMIT", True),
        ("ALTER TABLE x ADD y int;", False),
        ("DO $$ BEGIN PERFORM a(); END $$;", False),
        ("DO $x$ BEGIN PERFORM '$$;'; END $x$; COMMIT", True),
        ("DO $$ BEGIN PERFORM a(); and its end is not shown", False),
        ("UPDATE x SET y = 'a;b', \"c;d\" = 'it''s; e'", False),
        ("UPDATE x SET y = 'a'; UPDATE x SET y = 'b'", True),
        ("SELECT $1; SELECT $2", True),
    ],
)
def test_one_statement_is_not_called_several(text: str, several: bool) -> None:
    """What stands in a body, a string or a name ends none."""
    assert Backend(1, statement=text).several is several


def looks(*shown: list[Backend]) -> list[bool]:
    """Whether each look at a reached version was complete."""
    memory: Any = {}
    found = []
    for backends in shown:
        reading = judge(ALEMBIC, Server(backends), Record("b", True), memory)
        assert isinstance(reading, Reading)
        memory = reading.memory
        found.append(reading.complete)
    return found


def test_what_is_reached_is_complete_though_programs_write() -> None:
    """Every ordinary writer has a transaction; a lock of a migration's strength holds it back."""
    writer, migrator = Backend(1, writes=True, age=99), Backend(2, locks=True)
    assert looks([writer], [writer]) == [True, True]
    assert looks([], [migrator], [migrator], []) == [True, False, False, True]


def test_locks_that_come_and_go_do_not_hold_it_back_for_ever() -> None:
    """Each look another session has one: that is how this database lives."""
    seen = looks(*([Backend(pid, locks=True)] for pid in range(1, 9)))
    assert seen == [False] * DOUBTS + [True] * (8 - DOUBTS)
    again = looks(*([Backend(1, locks=True)] for _ in range(8)))
    assert again == [False] * 8


def test_sessions_that_are_hidden_are_told_from_the_first_look() -> None:
    """Nobody can say then that nobody migrates."""
    memory: Any = {}
    for _ in range(4):
        found = judge(ALEMBIC, Server([Backend(1, hidden=True)], user="w"), Record("a"), memory)
        assert isinstance(found, Reading)
        memory = found.memory
        assert found.reason is Reason.CREDENTIALS
        assert [each.code for each in found.hints] == ["activity-hidden"]


def test_a_lock_that_is_its_own_is_waited_for_in_silence() -> None:
    """Two sessions of one migration: nobody is told to end one of them."""
    own = Server([Backend(1, locks=True), Backend(2, locks=True, locked=True, blockers=(1,))])
    found = judge(ALEMBIC, own, Record("a"), {})
    assert isinstance(found, Reading)
    assert (found.reason, found.at_work) == (None, True)


def test_who_writes_with_the_same_role_may_stand_in_its_way() -> None:
    """A program often has the role that migrates: it is named, so that it can be ended."""
    named = replace(ALEMBIC, user="app")
    waits = Backend(1, "app", locks=True, locked=True, blockers=(2,))
    found = judge(named, Server([waits, Backend(2, "app", writes=True)]), Record("a"), {})
    assert isinstance(found, Reading)
    assert (found.reason, found.params) == (Reason.LOCK_WAIT, {"pid": 2})


def seen(backends: list[Backend], counted: dict[int, Counted], memory: Any) -> Reading:
    found = judge(ALEMBIC, Server(backends, counted), Record("a"), memory)
    assert isinstance(found, Reading)
    return found


def test_movement_is_its_own_sessions_alone() -> None:
    """A COPY beside it is none; a counter that stands is none either; a large index in one is."""
    waits, other = Backend(1, locks=True, locked=True, blockers=(9,)), Backend(2, writes=True)
    assert seen([waits, other], {2: Counted("copy", "COPY TO", here=True)}, {}).at_work is False
    build = Backend(1, locks=True)
    at = {n: Counted("index", "building index: scanning table", n, 9.0) for n in (3.0, 4.0)}
    memory = seen([build], {1: at[3.0]}, {}).memory
    assert seen([build], {1: at[3.0]}, memory).at_work is False
    assert seen([build], {1: at[4.0]}, memory).at_work is True
    large = Counted("cluster", "rebuilding index", 1.0, 4.0, "indexes", part=("index", 2, 4))
    memory = seen([build], {1: large}, {}).memory
    assert seen([build], {1: large}, memory).at_work is True
    idle = Backend(1, locks=True, client=True)
    assert seen([idle], {}, {}).at_work is False  # a COPY whose client sends nothing


def test_a_backup_is_restored_only_after_a_lasting_quiet() -> None:
    """And with no session of that role: it may be about to run the next step."""
    wanted = Wanted(TOOLS["simply-kaspa"], "23", "vars")
    half = Record("22", leftover=("blocks_new",))

    def hints(clock: float, connected: bool, memory: Any) -> tuple[list[str], Any]:
        found = judge(wanted, Server(clock=clock, connected=connected), half, memory)
        assert isinstance(found, Reading)
        return [each.code for each in found.hints], found.memory

    memory: Any = {}
    for clock, connected, told in (
        (0, False, []), (2, False, []), (4, False, []), (59, False, []), (60, True, []),
        (61, False, ["migration-interrupted"]), (62, True, []),
    ):  # fmt: skip
        said, memory = hints(1e9 + clock, connected, memory)
        assert said == told


def test_a_lock_that_no_session_holds_names_none() -> None:
    """A prepared transaction's: the server calls it session 0, which nobody can end."""
    waits = Server([Backend(1, locks=True, locked=True, blockers=(0,))])
    found = judge(ALEMBIC, waits, Record("a"), {})
    assert isinstance(found, Reading)
    assert (found.reason, found.params) == (Reason.LOCK_WAIT, {})
    assert "pg_prepared_xacts" in str(words.hint("lock-wait", found.hints[0].params)[1])


def test_what_is_hidden_shows_no_movement() -> None:
    """It may be at work or idle; that it waits for a lock is known."""
    hidden = Backend(1, hidden=True, locks=True)
    assert seen([hidden], {}, {}).at_work is None
    assert seen([replace(hidden, locked=True)], {}, {}).at_work is False


def test_a_table_that_is_being_made_is_not_missing() -> None:
    """The first migration makes the table of versions."""
    for backends, told in (([Backend(1, locks=True)], []), ([], ["version-table-missing"])):
        found = judge(ALEMBIC, Server(backends), None, {})
        assert isinstance(found, Reading)
        assert [each.code for each in found.hints] == told


def said(wanted: Wanted, *shown: tuple[float, list[Backend]]) -> list[bool]:
    """Whether each look, at its second, says that nobody migrates."""
    memory: Any = {}
    found = []
    for clock, backends in shown:
        reading = judge(wanted, Server(backends, clock=1e9 + clock), Record("a"), memory)
        assert isinstance(reading, Reading)
        memory = reading.memory
        found.append("migration-idle" in [each.code for each in reading.hints])
    return found


def test_who_writes_may_yet_prove_the_migrations() -> None:
    """What takes some seconds is not called nobody at the third look, and then somebody."""
    at = (0.0, 0.5, 1.0, 3.0, 9.9, 30.0)
    begun = [(each, [Backend(1, writes=True, age=each % 10)]) for each in at[:5]]
    assert said(ALEMBIC, *begun, (30.0, [])) == [False] * 5 + [True]
    late = [(each, [Backend(1, writes=True, age=5)]) for each in (20.0, 40.0, 60.0)]
    assert said(ALEMBIC, (0.0, []), *late) == [False] * 4
    assert said(ALEMBIC, *((each, [Backend(1, writes=True, may=False)]) for each in at))[2]


def test_everyday_writing_does_not_hide_that_nobody_migrates() -> None:
    """A program of the same role writes at each look, another short transaction each time."""
    busy = [(each, [Backend(1, writes=True, age=0.01)]) for each in (0.0, 10.0, 20.0, 30.0)]
    assert said(ALEMBIC, *busy) == [False, False, True, True]
    assert said(ALEMBIC, *((each, []) for each in (0.0, 0.1, 0.2))) == [False, False, True]
