"""What a log told is told as long as nothing that followed says otherwise, and no longer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.indexers.findings import REPEATED_MS, Finding, after, understood
from kaspad_taskd.probes.indexers.memory import HOUR_MS, Memory, crash_loop, from_json, told
from kaspad_taskd.probes.indexers.view import View, judge

AT = "[2026-11-29T10:00:00.000Z \x1b[32mINFO \x1b[0m] "
PANIC = "thread 'main' (7) panicked at database/src/client.rs:95:29:"
BROKEN = 'Unable to create schema: Database(PgDatabaseError { message: "'
LINES = {
    "banner": "******************** Simply Kaspa Indexer ********************",
    "start": AT + "simply-kaspa-indexer v2.3.1-beta1-dirty",
    "database": AT + "Connected to PostgreSQL postgres://postgres:@127.0.0.1/postgres",
    "migrating": "Upgrading schema from v22 to v23. ^",
    "migrated": AT + "\x1b[32mSchema upgrade completed successfully\x1b[0m",
    "current": AT + "Schema v23 is up to date",
    "no-node": AT + "Kaspad connection failed: wRPC -> WebSocket -> IO error: Connection refused"
    " (os error 111)",
    "node": AT + "Connected to Kaspad ws://127.0.0.1:17110, version: 2.1.0, network: simnet",
    "unsynced": AT + "Kaspad 2.1.0 is NOT synced",
    "checkpoint": AT + "Starting from block_checkpoint " + "ab" * 32,
    "ignored": AT + "Checkpoint ignored due to user request (-i). This might lead to"
    " inconsistencies.",
    "serving": AT + "Starting web server listener on localhost:8500, api path: /api",
    "working": AT + "Committed 512 new blocks in 31ms (99.1 bps, 900 bp). Last block: 2026-11-29",
    "outdated": "Found outdated schema v22. Set flag '-u' to upgrade, or apply manually ^",
    "pruned": "Failed to fetch checkpoint block from kaspad. The block may have been pruned.",
    "timed-out": "Insert blocks FAILED: pool timed out while waiting for an open connection",
    "no-database": "Database connection FAILED: PoolTimedOut",
    "broken": 'Unable to create schema: Database(PgDatabaseError { code: "42P07", message:'
    ' "relation \\"blocks_transactions_dedup\\" already exists" })',
    "full": "IO error: No space left on device (os error 28)",
    "stopped": AT + "SIGTERM received, stopping... (repeat for forced close)",
    "panic": PANIC,
    "noise": AT + "Getting tip hashes from BlockDagInfo for sync check",
}
SAY: dict[str, Finding] = {
    "migrating": Finding.MIGRATING,
    "no-node": Finding.NODE_LOST,
    "unsynced": Finding.UNSYNCED,
    "outdated": Finding.OUTDATED,
    "pruned": Finding.PRUNED,
    "timed-out": Finding.DATABASE_LOST,
    "no-database": Finding.DATABASE_LOST,
    "broken": Finding.BROKEN,
    "stopped": Finding.STOPPED,
}
UNSAY = {
    Finding.MIGRATING: "migrated current node unsynced no-node checkpoint serving working panic",
    Finding.NODE_LOST: "node unsynced checkpoint serving migrating panic pruned",
    Finding.UNSYNCED: "checkpoint ignored serving working no-node migrating panic pruned",
    Finding.OUTDATED: "migrating migrated current node unsynced checkpoint serving working panic",
    Finding.BROKEN: "migrating migrated current node unsynced checkpoint serving working panic",
    Finding.PRUNED: "ignored serving working migrating panic",
    Finding.DATABASE_LOST: "database migrated current outdated broken serving working panic",
    Finding.DISK_FULL: "working panic",
    Finding.STOPPED: "banner start panic",
}
"""What cannot be said while a finding holds, written down apart from the rules. What a panic says
follows it."""


def now_of(*names: str, memory: Memory | None = None, now: int = 1_000) -> Memory:
    memory = memory or Memory(cursor=[])
    return memory.told([LINES[name] for name in names], [now], now)


def codes(memory: Memory, now: int = 1_000) -> list[str]:
    hints = [told(memory, now), *(each.code for each in crash_loop(memory, now))]
    return [str(each) for each in hints if each]


names = st.lists(st.sampled_from(sorted(LINES)), max_size=25)


@given(sequence=names, cuts=st.sets(st.integers(0, 25)))
def test_a_finding_that_is_shown_is_one_that_nothing_contradicted(
    sequence: list[str], cuts: set[int]
) -> None:
    """Whatever a log says, in how many looks ever it is read."""
    memory = Memory(cursor=[])
    for number, name in enumerate(sequence):
        if number in cuts:
            memory = from_json(json.loads(json.dumps(memory.to_json())))
        memory = now_of(name, memory=memory)
    shown = told(memory, 1_000)
    if shown is Finding.NONE:
        return
    said = [n for n, name in enumerate(sequence) if SAY.get(name) is shown]
    if shown is Finding.DISK_FULL:
        said = [n for n, name in enumerate(sequence) if name == "full"]
    assert not set(sequence[said[-1] + 1 :]) & set(UNSAY[shown].split())


@given(sequence=names, name=st.sampled_from(sorted(SAY)))
def test_the_newest_word_is_the_one_that_is_told(sequence: list[str], name: str) -> None:
    """Whatever was said before it."""
    assert told(now_of(*sequence, name, "noise"), 1_000) is SAY[name]


@given(sequence=names)
def test_an_answer_ends_what_the_log_told(sequence: list[str]) -> None:
    """It is up; and what only its starts ended of is no loop any more."""
    reading = judge(View(tells_gaps=True), now_of(*sequence), 60.0, 1_000)
    assert told(from_json(reading.memory), 1_000) is Finding.NONE
    assert {hint.code for hint in reading.hints} <= {"crash-loop"}
    works = [n for n, each in enumerate(sequence) if each in ("serving", "working")]
    if not works:
        assert reading.hints == ()


OUTDATED = ("start", "database", "panic", "outdated") * 3
PRUNED = ("start", "database", "current", "node", "checkpoint", "panic", "pruned") * 3


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (OUTDATED, ["schema-outdated", "crash-loop"]),
        ((*OUTDATED, "start", "database"), ["schema-outdated", "crash-loop"]),
        ((*OUTDATED, "start", "database", "migrating"), ["indexer-migrating"]),
        ((*OUTDATED, "start", "migrating", "migrated", "current"), []),
        (("panic", "outdated", "start"), []),
        (PRUNED, ["checkpoint-missing", "crash-loop"]),
        ((*PRUNED, "start", "database", "current", "node", "ignored"), []),
        ((*PRUNED, "start", "database", "current", "node", "checkpoint", "serving"), []),
        ((*PRUNED, "start", "database", "migrating"), ["indexer-migrating", "crash-loop"]),
        (("start", "migrating", "panic", "broken") * 3, ["upgrade-failed", "crash-loop"]),
        (("start", "no-database", "panic", "no-database"), ["database-lost"]),
        (("panic", "no-database", "start"), ["database-lost"]),
        (("panic", "no-database", "start", "database"), []),
        (("panic", "no-database") * 3 + ("start", "database", "current", "serving"), []),
        (("no-node",), ["node-lost"]),
        (("no-node", "node"), []),
        (("unsynced", "node", "checkpoint"), []),
        (("working", "panic", "full"), ["disk-full"]),
        (("working", "full"), []),
        (("unsynced", "stopped"), ["indexer-stopped"]),
        (("stopped", "banner"), []),
        (("working", "stopped", *OUTDATED, "start", "migrating"), ["indexer-migrating"]),
        (("working", "panic") * 3, ["crash-loop"]),
        (("working", "panic") * 3 + ("start", "database", "current", "working"), ["crash-loop"]),
    ],
)
def test_a_log_is_told_as_far_as_it_has_come(log: tuple[str, ...], shown: list[str]) -> None:
    """Causes end with what follows; so do the ends that they brought about."""
    assert codes(now_of(*log)) == shown


def test_what_is_said_again_and_again_ends_when_it_is_not() -> None:
    """A node that is waited for is named every five seconds; who was killed says nothing."""
    for name in ("unsynced", "no-node"):
        memory = now_of(name)
        assert codes(memory, 1_000 + REPEATED_MS - 1) == [SAY[name]]
        assert codes(memory, 1_000 + REPEATED_MS) == []
    assert codes(now_of("migrating"), 1_000 + HOUR_MS) == ["indexer-migrating"]


def test_an_old_log_s_lines_have_the_age_that_they_bear() -> None:
    """Read for the first time, of an indexer that has been dead since then."""
    line = f"2026-11-29T10:00:00.1Z stderr F {LINES['unsynced']}"
    memory = Memory().told([line], [1], 1_800_000_000_000)
    assert codes(memory, 1_800_000_000_000) == []


GAPS = {
    "found 2": "Found gaps to fill gap_count=2",
    "found 0": "Found gaps to fill gap_count=0",
    "open 2": "Started gap filling tasks self.gaps_filling_in_progress=2",
    "open 1": "New block gap added self.gaps_filling_in_progress=1",
    "open 0": "Gap filling finished successfully self.gaps_filling_in_progress=0",
    "lost": 'Gap filler interrupted to="ab"',
    "failed": 'Error in block gap filler to="ab" err="x"',
}


@given(sequence=st.lists(st.sampled_from(sorted(GAPS)), max_size=12))
def test_gaps_are_open_as_far_as_the_newest_lines_say(sequence: list[str]) -> None:
    """The newest number counts; what was given up is only found again by the next start."""
    memory = Memory(cursor=[]).told([GAPS[name] for name in sequence], [1], 1)
    numbers = [int(name[-1]) for name in sequence if name[-1].isdecimal()]
    starts = [n for n, name in enumerate(sequence) if name.startswith("found")]
    since = sequence[starts[-1] :] if starts else sequence
    given_up = bool({"lost", "failed"} & set(since))
    assert memory.gaps == (numbers[-1] if numbers else None)
    assert memory.has_gaps == (given_up or bool(numbers and numbers[-1]))


@pytest.mark.parametrize(
    ("threads", "count"),
    [
        (("'a' (1)", "'a' (2)", "'a' (3)"), 1),
        (("'a' (1)", "'main' (2)"), 1),
        (("'main' (1)", "'main' (2)", "'main' (3)"), 3),
        (("'main'", "'main'"), 2),
        (("'a' (1)", "'main' (2)", "start", "'a' (4)", "'main' (5)"), 2),
    ],
)
def test_one_process_ends_once_however_many_of_its_threads_panic(
    threads: tuple[str, ...], count: int
) -> None:
    """Two writers that wait for one pool give up in the same moment."""
    memory = Memory(cursor=[])
    for each in threads:
        panic = f"thread {each} panicked at indexer/src/x.rs:1:1:"
        lines = [LINES["start"]] if each == "start" else [panic, LINES["timed-out"]]
        memory = from_json(memory.told(lines, [1], 1_000).to_json())
    assert len(memory.ends) == count


def test_a_lost_node_of_kasia_is_told_by_its_log_alone() -> None:
    """It answers on without one; a new connection ends that, and an answer does not."""
    gone, back = 'Disconnected from Some("ws://n:17110")', "Successfully connected to RPC client"
    memory = Memory(cursor=[]).told([gone], [1], 1)
    for _ in range(3):
        reading = judge(View(tells_node=False, newest="a"), memory, 60.0, 2)
        assert [hint.code for hint in reading.hints] == ["node-lost"]
        memory = from_json(reading.memory)
    memory = memory.told([back], [2], 3)
    assert judge(View(tells_node=False, newest="a"), memory, 60.0, 4).hints == ()


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("Unable to create schema: Found outdated schema v1. Set flag '--upgrade-db'", "outdated"),
        ("Unable to create schema: PoolTimedOut", "database_lost"),
        ("Unable to create schema: Io(Custom { kind: UnexpectedEof })", "database_lost"),
        (LINES["broken"], "broken"),
        (BROKEN + 'null value in column \\"value\\" of relation \\"vars\\" violates"', "broken"),
        (BROKEN + 'could not extend file: No space left on device"', "full"),
        (f"{PANIC} Failed to fetch checkpoint block from kaspad", "ended pruned"),
        ("New block gap added self.gaps_filling_in_progress=1", "open"),
        ("Creating connection", ""),
    ],
)
def test_a_line_is_understood_for_what_it_says(line: str, kinds: str) -> None:
    """Which of several words counts; an old compiler's programs say all in one line."""
    assert " ".join(kind for kind, _ in understood(line)) == kinds


@given(found=st.sampled_from(Finding), line=st.text(max_size=12))
def test_an_unknown_line_changes_nothing(found: Finding, line: str) -> None:
    """The rule is total."""
    assert after(found, f"?{line}") is found


def test_every_finding_has_its_words() -> None:
    """What it is, and what to do; the reasons that name who is down, too."""
    for finding in (*Finding, "database-silent", "node-silent"):
        if finding:
            says, do = words.hint(str(finding), {})
            assert says, finding
            assert do, finding
    for reason in (Reason.NODE_LOST, Reason.DATABASE_LOST):
        assert words.note(reason, {}), reason


STRANGE = st.integers() | st.text(max_size=3) | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(["finding", "fruitless", "ends", "worked"]), STRANGE))
def test_a_strange_memory_is_none(memory: dict[str, Any]) -> None:
    """Of a newer version's words, too."""
    now_of("panic", "no-database", "working", memory=from_json({"v": 1, "cursor": [], **memory}))
