"""Who may have one of a door's places: a peer alone many, all together not all of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Final

SHARE: Final = 4
"""A peer may have this many times what is still free: whoever comes, something is left."""


def most_of(count: int) -> int:
    """Return the most of one peer, so that all that come of it are within `count` places."""
    return max(1, (count - 4) * 3 // 4)


class Places:
    """The places of one door.

    Args:
        limit: the most of one peer. A quarter more is for others, and some more for root.
        first: peers that the last places are kept for.
    """

    def __init__(self, limit: int, first: frozenset[Hashable] = frozenset()) -> None:
        self.limit = limit
        self.all = limit + limit // 4 + 2
        self._kept = 2 + limit // 16
        self._first = first
        self._taken: Counter[Hashable] = Counter()
        self._used = 0

    @property
    def used(self) -> int:
        """How many are taken."""
        return self._used

    def take(self, peer: Hashable) -> bool:
        """Take a place for a peer, if it may have one more."""
        if not self._may(self._taken[peer], first=peer in self._first):
            return False
        self._taken[peer] += 1
        self._used += 1
        return True

    def leave(self, peer: Hashable) -> None:
        """Give a peer's place back."""
        self._used -= 1
        self._taken[peer] -= 1
        if self._taken[peer] <= 0:
            del self._taken[peer]

    def _may(self, has: int, *, first: bool) -> bool:
        if has >= self.limit:
            return False
        free = self.all - self._used
        return has < SHARE * free or (first and has < self._kept and free + self._kept > 0)
