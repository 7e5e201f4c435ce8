"""How all hosts are, and what of that is new: rows with a number each, for pages that are open.

A page is made with the number up to which it knows all; what is told has the next ones. The numbers
are one hub's: another hub has others, and a page that comes from there is made anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.hub.moments import Clocks, late
from kaspad_taskd.fleet.hub.rows import Row, row
from kaspad_taskd.fleet.mirror import Mirror

Json: TypeAlias = Any

NEWS: Final = "host:news"
"""The event: `{seq, at, hosts: [rows that are new], late: {host: ms}, gone: [names], turned}`."""
MOVED_S: Final = 5.0
"""Seconds after which a row is told again of which only the numbers of a task have moved."""
AT_ONCE: Final = 50
"""Rows that are made before others have their turn."""
REMEMBERED: Final = 1000
"""Hosts that are gone for good, whose names are told to who comes again."""
MOVES: Final = ("since", "said")
"""What of a row moves by itself: since when it is so, which is made of two clocks, to the ms, and
the line with the numbers of its tasks. A row that is new in more than these has turned."""


class News:
    """Rows, and when each became new.

    Args:
        mirror: the fleet.
        clocks: what time it is.

    Attributes:
        run: whose numbers these are.
        number: of the newest news.
    """

    def __init__(self, mirror: Mirror, clocks: Clocks) -> None:
        self._mirror = mirror
        self._clocks = clocks
        self.run = secrets.token_hex(8)
        self.number = 0
        self._rows: dict[str, Row] = {}
        self._numbers: dict[str, int] = {}
        self._turned = 0
        self._told: dict[str, float] = {}
        self._gone: dict[str, int] = {}
        self._due: dict[str, float] = dict.fromkeys(mirror.hosts, clocks.now())
        self._fresh: dict[str, None] = {}

    # -- what comes

    def changed(self, change: Change) -> None:
        """Note that a host's row may be another one by now."""
        name, now = change.host, self._clocks.now()
        moved = not (
            change.verdict or change.anew or change.tasks or change.gone or change.services
            or change.warnings
        )  # fmt: skip
        due = max(now, self._told.get(name, now - MOVED_S) + MOVED_S) if moved else now
        self._due[name] = min(due, self._due.get(name, due))

    async def renew(self) -> None:
        """Make the rows that are due; others have their turn meanwhile."""
        while len(due := self._now_due()) > AT_ONCE:
            self._renew(due[:AT_ONCE])
            await asyncio.sleep(0)
        self._renew(due)

    def take(self) -> dict[str, Json] | None:
        """Return what became new since the last time; None: nothing did."""
        self._renew(self._now_due())
        fresh = [self._rows[name] for name in self._fresh]
        gone = [name for name in self._rows if name not in self._mirror.hosts]
        self._fresh.clear()
        if not fresh and not gone:
            return None
        self.number += 1
        self._numbers.update((each["host"], self.number) for each in fresh)
        for name in gone:
            self._forget(name)
        told = [each for each in fresh if each["host"] not in gone]
        return self._news(told, gone, self.number - 1)

    def _now_due(self) -> list[str]:
        now = self._clocks.now()
        return [name for name, at in self._due.items() if at <= now]

    def _renew(self, names: Iterable[str]) -> None:
        for name in names:
            del self._due[name]
            made = self._renewed(name)
            if made is not None:
                self._rows[name] = made
                self._fresh[name] = None

    def _renewed(self, name: str) -> Row | None:
        """A host's row, where it is another one."""
        host = self._mirror.hosts.get(name)
        if host is None:
            return None
        now = self._clocks.now()
        made = row(host, now, self._clocks.wall())
        self._told[name] = now
        known = self._rows.get(name, {})
        if _still(made) != _still(known):
            self._turned = self.number + 1
        elif made["said"] == known["said"]:
            return None
        return made

    def _forget(self, name: str) -> None:
        for each in (self._rows, self._numbers, self._told):
            each.pop(name, None)
        self._gone[name] = self.number
        if len(self._gone) > REMEMBERED:
            del self._gone[next(iter(self._gone))]

    # -- how it is

    def rows(self) -> list[Row]:
        """Return all hosts in no order: as they were told up to `number`, or newer."""
        return [each for name, each in self._rows.items() if name in self._mirror.hosts]

    def beat(self) -> dict[str, Json]:
        """Return what is said though nothing is new: that all is as it was, but for who is late."""
        return self._news((), (), self.number)

    def since(self, number: int) -> dict[str, Json]:
        """Return what became new after a number."""
        fresh = [self._rows[name] for name, at in self._numbers.items() if at > number]
        return self._news(fresh, [name for name, at in self._gone.items() if at > number], number)

    def of(self, host: Host) -> dict[str, Json]:
        """Return the news of one host, for its own page."""
        now = self._clocks.now()
        made = row(host, now, self._clocks.wall())
        return {"at": round(now * 1000), "hosts": [made], "late": late((host,), now)}

    @property
    def late(self) -> Mapping[str, int]:
        """For how long (ms) those were not heard that are due, of whom something is said still."""
        return late(self._mirror.hosts.values(), self._clocks.now())

    def _news(self, fresh: Iterable[Row], gone: Iterable[str], after: int) -> dict[str, Json]:
        return {
            "seq": self.number, "at": round(self._clocks.now() * 1000), "hosts": list(fresh),
            "late": self.late, "gone": list(gone), "turned": self._turned > after,
        }  # fmt: skip


def _still(told: Mapping[str, Json]) -> dict[str, Json]:
    """What of a row does not move by itself."""
    return {key: each for key, each in told.items() if key not in MOVES}
