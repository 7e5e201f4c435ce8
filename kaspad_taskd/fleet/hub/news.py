"""How all hosts are, and what of that is new: rows with a number each, for pages that are open.

A page is made with the number up to which it knows all; what is told has the next ones. The numbers
are one hub's: another hub has others, and a page that comes from there is made anew.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.hub.moments import Clocks, late
from kaspad_taskd.fleet.hub.rows import Row, ill, row, said
from kaspad_taskd.fleet.mirror import Mirror

Json: TypeAlias = Any

NEWS: Final = "host:news"
"""The event: `{seq, at, hosts: [rows], moved: {host: said}, late: {host: ms}, gone: [names]}`.

Rows that are new; of those in `moved` nothing is but the line.
"""
AT_ONCE: Final = 50
"""Rows that are made before others have their turn."""
REMEMBERED: Final = 1000
"""Hosts that are gone for good, whose names are told to who comes again."""
MOVES: Final = ("since", "said")
"""What of a row moves by itself: since when it is so, which is made of two clocks, to the ms, and
the line with the numbers of its tasks."""


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
        self._turned: dict[str, int] = {}  # the same, of rows in which more than the line is new
        self._gone: dict[str, int] = {}
        self._due: dict[str, bool] = dict.fromkeys(mirror.hosts, True)
        self._fresh: dict[str, bool] = {}

    # -- what comes

    def changed(self, change: Change) -> None:
        """Note that a host's row may be another one by now."""
        whole = bool(
            change.verdict or change.anew or change.tasks or change.gone or change.services
            or change.warnings
        )  # fmt: skip
        self._due[change.host] = whole or self._due.get(change.host, False)

    async def renew(self) -> None:
        """Make the rows that are due; others have their turn meanwhile."""
        while len(self._due) > AT_ONCE:
            self._renew(list(islice(self._due, AT_ONCE)))
            await asyncio.sleep(0)
        self._renew(list(self._due))

    def take(self) -> dict[str, Json] | None:
        """Return what became new since the last time; None: nothing did."""
        self._renew(list(self._due))
        gone = [name for name in self._rows if name not in self._mirror.hosts]
        fresh, self._fresh = self._fresh, {}
        if not fresh and not gone:
            return None
        self.number += 1
        for name in gone:
            fresh.pop(name, None)
            self._forget(name)
        self._numbers.update(dict.fromkeys(fresh, self.number))
        turned = [name for name, whole in fresh.items() if whole]
        self._turned.update(dict.fromkeys(turned, self.number))
        return self._news(fresh, gone, self.number - 1)

    def _renew(self, names: Iterable[str]) -> None:
        for name in names:
            whole, host = self._due.pop(name), self._mirror.hosts.get(name)
            if host is None:
                continue
            known = self._rows.get(name)
            if whole or known is None or known["ill"] != ill(host):
                made = row(host, self._clocks.now(), self._clocks.wall())
                line = made["said"]
                if known is None or _still(made) != _still(known):
                    self._rows[name], self._fresh[name] = made, True
                    continue
            else:
                line = said(host)
            if line != known["said"]:
                self._rows[name] = {**known, "said": line}
                self._fresh.setdefault(name, False)

    def _forget(self, name: str) -> None:
        for each in (self._rows, self._numbers, self._turned):
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
        fresh = [name for name, at in self._numbers.items() if at > number]
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

    def _news(self, fresh: Iterable[str], gone: Iterable[str], after: int) -> dict[str, Json]:
        """Tell of hosts whose rows became new after a number, as wholes or in the line alone."""
        hosts, moved = [], {}
        for name in fresh:
            if self._turned[name] > after:
                hosts.append(self._rows[name])
            else:
                moved[name] = self._rows[name]["said"]
        return {
            "seq": self.number, "at": round(self._clocks.now() * 1000), "hosts": hosts,
            "moved": moved, "late": self.late, "gone": list(gone),
        }  # fmt: skip


def _still(told: Mapping[str, Json]) -> dict[str, Json]:
    """What of a row does not move by itself."""
    return {key: each for key, each in told.items() if key not in MOVES}
