"""Thousands of hosts by chance: what is told is held against all that happened, afterwards."""

from __future__ import annotations

from random import Random

import pytest

from tests.notify.afterwards import judge
from tests.notify.world import World

SEEDS = 10_000
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_what_happens_is_told_and_nothing_else(part: int) -> None:
    """What lasts is told, nothing shorter, each end once; over kills, gaps and jumps."""
    for seed in range(part, SEEDS, PARTS):
        world = World(Random(seed))
        world.live(steps=12)
        try:
            judge(world)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
