"""What of an indexer's answers is movement: its least component forward, and nothing beside it."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.core import inputs
from kaspad_taskd.core.model import Health
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.indexers import simply_kaspa
from kaspad_taskd.probes.indexers.memory import from_json
from kaspad_taskd.probes.indexers.view import View, judge
from tests.core.play import Story, pending

TIP = 400_000_000
EVERY = 2.0


class Watched:
    """A task with `stall_after` 10 s, looked at every two: `health` after each look."""

    def __init__(self) -> None:
        self.story = Story(pending(type="indexer-sync", stall_after=10.0)).play("start")
        self.memory: Any = {}

    def see(self, view: View) -> Health:
        self.story.now += int(EVERY * 1000)
        reading = judge(view, from_json(self.memory), 60.0, self.story.now)
        self.memory = reading.memory
        return self.story.give(inputs.Look(self.story.task.attempt, reading)).task.health

    @property
    def reason(self) -> Reason | None:
        return self.story.task.reason


def metrics(chain: int | None, others: int | None, imported: int | None = None) -> View:
    """A simply-kaspa-indexer at the tip; None: the component has had no block since its start."""
    components: dict[str, Any] = {
        name: {"enabled": True, "lastBlock": None if others is None else {"daaScore": others}}
        for name in simply_kaspa.COMPONENTS
    }
    components["virtualChainProcessor"]["lastBlock"] = chain and {"daaScore": chain}
    components["utxoImporter"] = {"enabled": imported is not None, "utxosImported": imported}
    body = {"components": components, "checkpoint": {"block": {"daaScore": TIP - 900_000}}}
    return simply_kaspa.view(simply_kaspa.Health(True, False, TIP), body)


def test_one_component_that_stands_is_a_standstill() -> None:
    """A fetcher at the tip brings a virtual chain that fails for ever nowhere."""
    watched = Watched()
    seen = [watched.see(metrics(399_950_000, TIP + n * 20)) for n in range(8)]
    assert seen == [Health.OK] * 5 + [Health.STALLED] * 3
    assert watched.see(metrics(399_950_001, TIP)) is Health.OK


def test_blocks_that_a_virtual_chain_waits_for_are_movement() -> None:
    """It begins when they stand at the tip; then it has to begin."""
    watched = Watched()
    seen = [watched.see(metrics(None, TIP - 900_000 + n * 100_000)) for n in range(9)]
    assert seen == [Health.OK] * 9
    assert watched.see(metrics(None, TIP)) is Health.OK
    for n in range(6):  # behind by more than the lag again: that was movement once
        watched.see(metrics(None, TIP + 20 * n - 1_000 * (n % 2)))
    assert watched.story.task.health is Health.STALLED


def test_an_import_of_the_utxo_set_is_movement_as_long_as_it_grows() -> None:
    """The blocks stand meanwhile."""
    watched = Watched()
    seen = [watched.see(metrics(None, None, 1_000 * n)) for n in range(9)]
    assert seen == [Health.OK] * 9
    for _ in range(6):
        watched.see(metrics(None, None, 8_000))
    assert watched.story.task.health is Health.STALLED


def test_hashes_alone_show_that_kasia_works() -> None:
    """Without a node its accepting block is a hash: a new one is work, one of the last is none."""
    watched = Watched()
    hashes = [f"{n:064x}" for n in range(20)]
    assert {watched.see(View(newest=each)) for each in hashes} == {Health.OK}
    for n in range(6):
        watched.see(View(newest=hashes[18 + n % 2]))
    assert watched.story.task.health is Health.STALLED
    for _ in range(6):
        watched.see(View(newest=""))
    assert watched.story.task.health is Health.STALLED


def test_what_shows_nothing_of_its_work_is_said_to_be_unseen() -> None:
    """A K-indexer's web server without the indexer that feeds it."""
    watched = Watched()
    assert {watched.see(View()) for _ in range(8)} == {Health.OK}
    assert watched.reason is Reason.MOVEMENT_UNSEEN


def behind(position: int, uptime: int | None) -> View:
    return View(position=float(position), target=float(TIP), synced=True, uptime=uptime)


@pytest.mark.parametrize("tells_uptime", [True, False])
@pytest.mark.parametrize("first", [0, 1])
def test_indexers_that_take_turns_behind_one_name_lose_nothing(
    tells_uptime: bool, first: int
) -> None:
    """One at the tip, one two hours behind, each running for long: no epoch, no crash loop."""
    watched = Watched()
    for n in range(first, 60):
        turn = n // 2 % 2
        uptime = (5_000_000 if turn else 9_000_000) + n * 2_000
        watched.see(behind(TIP - 72_000 * turn - 700, uptime if tells_uptime else None))
        assert "crash-loop" not in [hint.code for hint in watched.story.task.live.hints]
    assert watched.story.task.epoch.number == 1


@pytest.mark.parametrize(
    ("uptimes", "looks"),
    [
        ([9_000_000, *range(1_000, 200_000, 2_000)], 1),  # it was started anew: told at once
        ([None] * 99, 61),  # two minutes
    ],
)
def test_an_index_that_was_begun_anew_is_an_epoch(uptimes: list[int | None], looks: int) -> None:
    """What stays far below where it began is a new one."""
    watched = Watched()
    watched.see(behind(TIP - 700, uptimes[0]))
    numbers = []
    for n, uptime in enumerate(uptimes[1:]):
        watched.see(behind(TIP - 900_000 + n, uptime))
        numbers.append(watched.story.task.epoch.number)
    assert numbers.index(2) == looks - 1
    assert numbers[-1] == 2


@pytest.mark.parametrize(
    "lives", [[(1, 6)] * 5, [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)], [(5, 9), (2, 3), (4, 9)] * 2]
)
def test_an_indexer_that_ends_again_and_again_is_told_so(lives: list[tuple[int, int]]) -> None:
    """Looked at later or earlier in its life than in the one before: it began since."""
    watched = Watched()
    for first, last in lives:
        watched.story.now += 3_000 + (first - int(EVERY)) * 1000
        for second in range(first, last + 1, int(EVERY)):
            watched.see(behind(TIP - 900_000, second * 1000))
    assert "crash-loop" in [hint.code for hint in watched.story.task.live.hints]
