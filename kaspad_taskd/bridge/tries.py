"""Wrong tokens are answered later and later, and so are right ones from the same address.

An address that has shown a wrong token learns nothing before its wait is over, neither by the
answer nor by its time: every try from there counts and waits alike, and is judged at the end. One
that has shown none is let in at once with the right one.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from kaspad_taskd.bridge.refused import Refused

SHORTEST: Final = 1.0
"""Seconds until the first wrong token is answered; each further one waits twice as long."""
LONGEST: Final = 60.0
"""Seconds that any answer takes at most."""
WAITING: Final = 8
"""Tries of one address that wait at once."""
ALL_WAITING: Final = 512
"""Tries of all addresses that wait at once."""
QUIET: Final = 600.0
"""Seconds without a try after which an address is as good as new."""
REMEMBERED: Final = 4096
"""Addresses that are remembered."""


class _Known:
    """What is known of an address: how many tries since it was clean, and when those end that wait.

    Attributes:
        count: tries, each of which doubled the wait.
        ends: moments of the loop's clock, one for each try that waits.
        last: when the last one ended or was refused a place.
    """

    __slots__ = ("count", "ends", "last")

    def __init__(self) -> None:
        self.count = 0
        self.ends: list[float] = []
        self.last = 0.0


class Tries:
    """The tries of one way to show the token."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._waiting = 0

    async def judge(self, address: str, is_right: Callable[[], bool]) -> bool:
        """Return whether a try is right, as late as it is due.

        Args:
            address: what tries are counted under.
            is_right: compares; asked once more when the wait is over.

        Raises:
            Refused: 429, too many wait already.
        """
        now = asyncio.get_running_loop().time()
        known = self._of(address, now)
        if not known.count and is_right():
            return True
        self._make_room(known, now)
        self._remember(address, known)
        known.count += 1
        wait = min(LONGEST, SHORTEST * 2 ** min(known.count - 1, 10))
        await self._wait(known, now + wait)
        if not is_right():
            return False
        known.count = 0
        return True

    def _of(self, address: str, now: float) -> _Known:
        known = self._known.get(address) or _Known()
        if not known.ends and now - known.last >= QUIET:
            known.count = 0
        return known

    def _make_room(self, known: _Known, now: float) -> None:
        if len(known.ends) >= WAITING:
            raise _too_many(min(known.ends) - now)
        if self._waiting >= ALL_WAITING:
            raise _too_many(SHORTEST)

    def _remember(self, address: str, known: _Known) -> None:
        self._known[address] = known
        self._known.move_to_end(address)
        if len(self._known) > REMEMBERED:
            oldest = next((each for each, it in self._known.items() if not it.ends), None)
            del self._known[next(iter(self._known)) if oldest is None else oldest]

    async def _wait(self, known: _Known, end: float) -> None:
        loop = asyncio.get_running_loop()
        known.ends.append(end)
        self._waiting += 1
        try:
            await asyncio.sleep(end - loop.time())
        finally:
            known.ends.remove(end)
            self._waiting -= 1
            known.last = loop.time()


def _too_many(seconds: float) -> Refused:
    wait = max(1, math.ceil(seconds))
    unit = "second" if wait == 1 else "seconds"
    return Refused(429, f"Too many tries. Wait {wait} {unit}.", wait)
