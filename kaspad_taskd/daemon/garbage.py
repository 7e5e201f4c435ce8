"""When garbage is looked for: what stays is not walked in search of it.

A collection walks all that was made since the one before it, a full one all that there is, and the
loop stands still meanwhile: with 10,000 tasks 0.1 s and more.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SEE_EVERY: Final = 20
"""Turns of the house (each half a second) between two looks at whether there is much of it."""
MUCH: Final = 32_000
"""Pieces of memory more than after the last full collection: what has gone may be among them. A
crowd of some 2,000 connections leaves so many, 3 MB."""
EACH: Final = 100
"""So many more for each task: its first look makes some 47, its window 30 more as it fills."""
RARELY: Final = 60
"""Looks after which an eighth of it is enough."""


@contextmanager
def made_to_stay() -> Iterator[None]:
    """Make something that stays: garbage is not looked for meanwhile, nor ever among this.

    What is let go later goes all the same; only a circle in it would not be found.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Garbage:
    """Has all garbage looked for when there is much more than there was, and else never.

    Tasks that are looked at are made anew all the time and leave none, and one with the other they
    stay as many: a collection at set times would find nothing among 10,000 of them.

    Args:
        pieces: how many pieces of memory there are; 0 where this Python does not count them.
        collect: collects all.
    """

    def __init__(
        self,
        pieces: Callable[[], int] = sys.getallocatedblocks,
        collect: Callable[[], object] = gc.collect,
    ) -> None:
        self._pieces = pieces
        self._collect = collect
        self._before = pieces()
        self._looks = 0

    def see(self, tasks: int) -> None:
        """Look, every SEE_EVERY turns of the house; `tasks`: how many there are."""
        self._looks += 1
        now, rare = self._pieces(), self._looks >= RARELY
        least = (MUCH + EACH * tasks) // (8 if rare else 1)
        if now - self._before >= least or (rare and not now):
            self._collect()
            self._looks, self._before = 0, self._pieces()
        else:
            self._before = min(self._before, now)
