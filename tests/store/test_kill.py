"""A killed daemon keeps every promise that it made."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.store.sqlite import SqliteStore
from tests.store import hammer
from tests.store.samples import NOW

ROUNDS = 120
ROOT = Path(__file__).parents[2]


def killed_again_and_again(state: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.hammer", str(state), str(ROUNDS), "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.system
async def test_what_was_acknowledged_is_there_after_any_kill(tmp_path: Path) -> None:
    """Four writers, 120 kills at any moment: nothing told is lost, numbers have no holes."""
    state = tmp_path / "state.db"
    said = killed_again_and_again(state)
    opened = [line for line in said if "opened" in line]
    told = [line for line in said if "seqs" in line]
    assert len(opened) > ROUNDS / 2  # the others were killed while they opened
    assert len(told) > 1_000
    assert {line["repaired"] for line in opened} == {None}

    store = SqliteStore(state, lambda: NOW)
    loaded = store.open()
    await store.close()
    with closing(sqlite3.connect(state)) as db:
        rows = db.execute("SELECT seq, document FROM journal ORDER BY seq").fetchall()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    facts = {seq: json.loads(document)["data"] for seq, document in rows}

    # a fast machine writes more than are kept: pruning is under the same fire then
    assert list(facts) == list(range(loaded.oldest, loaded.seq + 1))
    check_what_was_told(said, facts)
    check_that_changes_are_whole(facts)
    check_that_tasks_are_of_the_last_change(loaded.tasks, loaded.cursors, facts)


def check_what_was_told(said: list[dict[str, Any]], facts: dict[int, dict[str, int]]) -> None:
    """Each told fact has the told number; each start saw all that had been told before it."""
    last_told, oldest = 0, min(facts)
    for line in said:
        if "opened" in line:
            assert line["opened"] >= last_told
            continue
        for part, seq in enumerate(line["seqs"]):
            expected = {"round": line["round"], "number": line["number"], "part": part}
            assert facts.get(seq, expected if seq < oldest else None) == expected
        last_told = line["seqs"][-1]


def check_that_changes_are_whole(facts: dict[int, dict[str, int]]) -> None:
    """All facts of a change, or none, told or not (but where the oldest ones were pruned)."""
    seen: Counter[tuple[int, int]] = Counter()
    whole = itertools.dropwhile(lambda data: data["part"] != 0, facts.values())
    for data in whole:
        seen[data["round"], data["number"]] += 1
    assert {count % hammer.FACTS for count in seen.values()} == {0}


def check_that_tasks_are_of_the_last_change(
    tasks: Any, cursors: Any, facts: dict[int, dict[str, int]]
) -> None:
    """The rows are the truth, the events the story: both end at the same change."""
    newest = max(data["round"] * 1_000_000 + data["number"] for data in facts.values())
    revisions = {task.id: task.revision for task in tasks}
    assert len(revisions) == hammer.WRITERS
    assert revisions == cursors
    assert max(revisions.values()) == newest
