"""Every state of every indexer as people see it: health, reason, word, sentence, what to do.

STATES is the table: what the real daemon shows of a twin in each state, in its own words
(docs/contract.md section 2; the words are those of the page and the terminal alike).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.words import task as spoken
from tests.fakes.doors import opened
from tests.fakes.indexers import STATES as LIFE
from tests.fakes.indexers import Kasia, KWebserver, ScoredNode, SimplyKaspa, Twin

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

REFUSES = "refuses: stopped, still starting, or listening elsewhere."
WAITS = "Wait: it goes on by itself."
LOST_NODE = "See whether its node runs, and check the node's address in its own settings."
SILENT_NODE = "See whether it runs, then check node in the definition."


@dataclass(frozen=True)
class Shown:
    """What is shown: `note` is its end, `hints` are what they say and what to do."""

    state: str
    reason: str | None = None
    note: str = ""
    hints: tuple[tuple[str, str], ...] = ()


REFUSED = Shown("not reachable", "refused", REFUSES)
MIGRATES = Shown("not reachable", "refused", REFUSES, (("It migrates its database.", WAITS),))
NODE = "It waits until its node is synced."
WAITING = Shown("not reachable", "node-not-synced", NODE, ((NODE, WAITS),))
MOVES = Shown("catching up")
LOOPS = ("It ended at least 3 times in the last hour.", "Read the end of its log.")
PRUNED = (
    "The node no longer has the block this indexer stopped at.",
    "Stay on the public node, or rebuild the indexer.",
)
LOST = Shown("catching up", hints=(("It has no connection to its node.", LOST_NODE),))
FILLS = ("It follows the tip, and still fills 2 older gaps.", WAITS)
SILENT = Shown(
    "catching up", hints=(("The node of the definition does not answer.", SILENT_NODE), FILLS)
)
DONE = Shown("complete")
LOOPING = Shown("not reachable", "refused", REFUSES, (LOOPS,))
LOOPING_PRUNED = Shown("not reachable", "refused", REFUSES, (PRUNED, LOOPS))
SKI = (REFUSED, MIGRATES, WAITING, MOVES, LOST, LOOPING_PRUNED, DONE)
STATES: dict[str, tuple[Shown, ...]] = {
    "simply-kaspa": SKI,
    "k-indexer": SKI,
    "kasia": (REFUSED, MIGRATES, WAITING, Shown("catching up", hints=(FILLS,)), SILENT,
              LOOPING, DONE),
}  # fmt: skip
ORDER = ("start", "migrating", "waiting", "catching-up", "node-lost", "crash-loop", "synced")
"""Synced ends the task, so it comes last."""


class Life:
    """The programs of a flavour, which live together, and the checker that names them."""

    def __init__(self, flavor: str, node: ScoredNode, place: Path) -> None:
        self.node = node
        log = place / "indexer.log"
        if flavor == "kasia":
            self.twins: tuple[Twin, ...] = (Kasia(node, log),)
        elif flavor == "k-indexer":
            self.twins = (KWebserver(), SimplyKaspa(log, vcp=False))
        else:
            self.twins = (SimplyKaspa(log),)
        self.flavor, self.log = flavor, log

    @property
    def checker(self) -> str:
        lines = [f'url = "{self.twins[0].url}"', f'log = "{self.log}"', 'max_lag = "1min"']
        if self.flavor == "kasia":
            lines.append(f'node = "{self.node.url}"')
        if self.flavor == "k-indexer":
            lines.append(f'source = "{self.twins[1].url}"')
        return "\n".join(lines)

    async def enter(self, state: str) -> None:
        self.node.ways.synced = state != "waiting"
        if self.flavor == "kasia" and state == "node-lost":
            self.node.ways.errors["getBlockDagInfo"] = "busy"
        else:
            self.node.ways.errors.clear()
        for twin in self.twins:
            await twin.enter(state)


@pytest.fixture
async def node() -> AsyncIterator[ScoredNode]:
    async with ScoredNode() as node:
        yield node


def as_shown(task: dict[str, Any]) -> Shown:
    """What people are told of a task."""
    hints = tuple(words.hint(each["code"], each["params"]) for each in task["hints"])
    state = "complete" if task["status"] == "complete" else spoken.state(task)
    note = task["note"] or ""
    for part in (REFUSES, NODE):
        note = part if note.endswith(part) else note
    return Shown(state, task["reason"], note, hints)  # type: ignore[arg-type]


def test_the_table_is_whole() -> None:
    """Each flavour with endpoints of its own, each state of a life."""
    assert sorted(ORDER) == sorted(LIFE)
    assert all(len(each) == len(ORDER) for each in STATES.values())


@pytest.mark.parametrize("flavor", STATES)
async def test_every_state_is_shown_as_the_table_says(
    flavor: str, node: ScoredNode, tmp_path: Path
) -> None:
    """Through the real daemon, in the order of a life."""
    life = Life(flavor, node, tmp_path)
    for twin in life.twins:
        await twin.reserve()
    async with opened(tmp_path / "d") as doors:
        doors.taskd.define(
            "it",
            f'type = "indexer-sync"\nservice = "{flavor}"\ninterval = "1h"\ntimeout = "1min"\n'
            f'confirmations = 1\n[checker]\nflavor = "{flavor}"\n{life.checker}\n',
        )
        line = await doors.start()
        await line.call("checkTaskStatus", taskId="it")
        for state, wanted in zip(ORDER, STATES[flavor], strict=True):
            await life.enter(state)
            await line.call("checkTaskStatus", taskId="it")
            task = await line.call("getTask", taskId="it")
            assert (state, as_shown(task)) == (state, wanted)
            health = {"not reachable": "unreachable", "complete": task["health"]}
            assert task["health"] == health.get(wanted.state, "ok")
            await doors.shown("it", reason=task["reason"], note=task["note"], hints=task["hints"])
        await doors.taskd.end()
    for twin in life.twins:
        await twin.stop()
