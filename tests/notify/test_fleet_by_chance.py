"""Thousands of hosts of a fleet by chance: each is told of as the one host elsewhere is."""

from __future__ import annotations

from random import Random

import pytest

from tests.notify.afterwards import judge
from tests.notify.fleet_world import FleetWorld

SEEDS = 4_000
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_what_happens_is_told_and_nothing_else(part: int) -> None:
    """What lasts is told, nothing shorter, each end once; over kills, gaps and clocks elsewhere."""
    for seed in range(part, SEEDS, PARTS):
        world = FleetWorld(Random(seed))
        world.live(steps=12)
        try:
            judge(world)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
