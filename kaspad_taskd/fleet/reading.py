"""A fleet, read from one server: finds hosts, reads each as a whole, then what changes.

The cursors are our own, never "$". What does not follow what is known, and everything after the
line was lost, is read as a whole: nothing is guessed. Between two reads is a pause, for a reader
that waits in the server for each change costs it many times as much. What comes was written after
the read before it: that is when it was heard, so a process that stood still takes nobody for alive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet import batch as wire
from kaspad_taskd.fleet import fetching, keys
from kaspad_taskd.fleet.asking import BLOCK_S, Asking, Command, bulk, entries, pairs
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.mirror import FEWEST, Mirror

Told: TypeAlias = Callable[[Sequence[Change]], None]
"""Takes what became new: one piece for each host that changed."""

PAUSE_S: Final = 0.25
SCAN_S: Final = 10.0
"""Seconds between two looks which hosts there are."""
KEYS: Final = 1000
"""Streams that are read in one call."""
COUNT: Final = 100
"""Entries of a stream that are read in one call."""
MAX_HEARD: Final = 4 * 2**20
"""Bytes of a host's entries in one call; who says more is not listened to for a while."""
ASIDE_S: Final = 60.0
AGAIN_S: Final = 2.0
"""Seconds between two readings of the same host as a whole."""
PROBE_S: Final = 2.0
QUIET_S: Final = keys.BEAT_S + 1
"""Seconds after which it is asked whether a host's stream has begun anew."""
FORGET_S: Final = 86_400.0
"""Seconds after which a host whose keys are gone is forgotten."""
SCANS: Final = 10_000
"""Steps of a look at most: a thousand names each."""

log = logging.getLogger(__name__)


class Reading:
    """Reads the hosts of one server, or of one master of a cluster, into the mirror.

    Args:
        asking: a connection, not open yet.
        mirror: what is filled.
        clock: monotonic time (s).
        told: hears of each tick's changes.
        cluster: whether a call may be for keys of one slot alone.
    """

    def __init__(
        self,
        asking: Asking,
        mirror: Mirror,
        clock: Callable[[], float],
        told: Told,
        *,
        cluster: bool = False,
    ) -> None:
        self._asking = asking
        self._mirror = mirror
        self._clock = clock
        self._told = told
        self._cluster = cluster
        self._line = mirror.line(asking.place)
        self._hosts: dict[bytes, Host] = {}
        self._packed: dict[bytes, bytes] = {}  # a thousand names are not packed at each call
        self._aside: dict[str, float] = {}
        self._began: dict[str, float] = {}
        self._missing: dict[str, float] = {}

    async def run(self) -> None:
        """Read until the line is lost.

        Raises:
            Trouble: why.
        """
        try:
            await self._asking.open()
            await self._follow()
        except Trouble as trouble:
            self._line.lost(str(trouble))
            raise
        finally:
            self._line.since = None
            await self._asking.close()

    async def _follow(self) -> None:
        scan = probe = self._line.last = self._clock()
        await self._find()
        await self._begin(self._hosts.values())
        while True:
            if self._clock() - scan >= SCAN_S:
                scan = self._clock()
                await self._find()
            if self._clock() - probe >= PROBE_S:
                probe = self._clock()
                await self._probe()
            await self._anew()
            news = await self._news()
            # what was written since the last read may be as old as that
            self._take(news, self._line.last)
            self._line.read(self._clock())
            self._tell()
            await asyncio.sleep(PAUSE_S)

    def _tell(self) -> None:
        changes = self._mirror.drain(self._clock())
        if changes:
            self._told(changes)

    # -- which hosts there are

    async def _find(self) -> None:
        """Look which hosts there are; those that are new are read, lost ones forgotten in time."""
        seen = set()
        cursor: Any = b"0"
        pattern = f"{keys.PREFIX}{{*}}:{keys.META}"
        for _ in range(SCANS):
            cursor, names = await self._asking.ask("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            seen |= {found[0] for name in names if (found := keys.split(name.decode("latin-1")))}
            if cursor in (b"0", 0):
                break
        for name in seen:
            self._missing.pop(name, None)
            host = self._mirror.find(name, self._line.name)
            if host is not None:
                self._hosts[_now(host)] = host
                self._packed[_now(host)] = bulk(_now(host))
                if host.count < 0:
                    self._mirror.again.add(name)
        self._forget(seen)

    def _forget(self, seen: set[str]) -> None:
        now = self._clock()
        for host in list(self._hosts.values()):
            if host.name not in seen:
                since = self._missing.setdefault(host.name, now)
                if now - since >= FORGET_S:
                    del self._hosts[_now(host)], self._packed[_now(host)]
                    del self._missing[host.name]
                    self._mirror.forget(host.name)

    async def _probe(self) -> None:
        """Look whether who is quiet has begun anew below our cursor: that would never be read."""
        now = self._clock()
        quiet = [
            host for host in self._hosts.values()
            if host.count > 0 and now - (host.heard or 0) >= QUIET_S
            and host.name not in self._aside
        ]  # fmt: skip
        commands: list[Command] = [
            ("XREVRANGE", keys.key(host.name, keys.NOW), "+", "-", "COUNT", 1) for host in quiet
        ]
        for host, answer in zip(quiet, await self._asking.ask_all(commands), strict=True):
            last = None if isinstance(answer, Trouble) else next(entries(answer), None)
            if last is not None and _order(last[0]) < _order(host.cursor):
                self._mirror.again.add(host.name)

    # -- hosts as a whole

    async def _anew(self) -> None:
        """Read those again of which something is missing, none too often."""
        now = self._clock()
        for name in [name for name, until in self._aside.items() if now >= until]:
            del self._aside[name]
            self._mirror.again.add(name)
        due = [
            host for name in self._mirror.again
            if (host := self._mirror.hosts.get(name)) is not None and _now(host) in self._hosts
            and name not in self._aside and now - self._began.get(name, -AGAIN_S) >= AGAIN_S
        ]  # fmt: skip
        await self._begin(due[: fetching.CHUNK])

    async def _begin(self, hosts: Iterable[Host]) -> None:
        waiting = list(hosts)
        # of a large fleet that is read at once the tasks are waited for, not what happened before
        keep = self._mirror.keep if len(waiting) <= fetching.CHUNK else FEWEST
        for start in range(0, len(waiting), fetching.CHUNK):
            chunk = waiting[start : start + fetching.CHUNK]
            found = await fetching.fetch(self._asking, chunk, keep)
            for host, read in found.items():
                self._began[host.name] = self._clock()
                self._guarded(host, self._become, host, read)
            self._tell()
            await asyncio.sleep(0)  # who else has to be served is, between two chunks

    def _become(self, host: Host, read: fetching.Found) -> None:
        if isinstance(read, str):
            self._mirror.bad(host.name, read)
            self._put_aside(host)
        elif read is not None:  # else its keys are gone: what was seen last stays
            self._mirror.begin(host.name, read)
            host.cursor = read.cursor
        else:
            self._mirror.again.discard(host.name)

    def _put_aside(self, host: Host) -> None:
        self._aside[host.name] = self._clock() + ASIDE_S

    # -- what changes

    async def _news(self) -> list[tuple[Host, Any]]:
        """What was written since the cursors, by host."""
        hosts = [
            (name, host) for name, host in self._hosts.items()
            if host.count >= 0 and host.name not in self._aside
        ]  # fmt: skip
        if not hosts:
            return []
        if self._cluster:
            return await self._one_by_one(hosts)
        news: list[tuple[Host, Any]] = []
        for start in range(0, len(hosts), KEYS):
            wait = len(hosts) <= KEYS
            news += await self._together(hosts[start : start + KEYS], wait=wait)
        return news

    async def _together(
        self, hosts: Sequence[tuple[bytes, Host]], *, wait: bool
    ) -> list[tuple[Host, Any]]:
        block = (b"BLOCK", b"%d" % int(BLOCK_S * 1000)) if wait else ()
        head = (b"XREAD", b"COUNT", b"%d" % COUNT, *block, b"STREAMS")
        parts = [b"*%d\r\n" % (len(head) + 2 * len(hosts)), *map(bulk, head)]
        parts += [self._packed[name] for name, _ in hosts]
        parts += [bulk(host.cursor.encode()) for _, host in hosts]
        try:
            answer = await self._asking.send(b"".join(parts))
        except Trouble as trouble:
            if trouble.kind not in (Kind.FOREIGN, Kind.RIGHTS):
                raise
            return await self._one_by_one(hosts)  # one key among them is no stream, or closed
        return [(self._hosts[name], told) for name, told in pairs(answer)]

    async def _one_by_one(self, hosts: Sequence[tuple[bytes, Host]]) -> list[tuple[Host, Any]]:
        commands: list[Command] = [
            ("XREAD", "COUNT", COUNT, "STREAMS", name, host.cursor) for name, host in hosts
        ]
        news: list[tuple[Host, Any]] = []
        for (_, host), answer in zip(hosts, await self._asking.ask_all(commands), strict=True):
            if isinstance(answer, Trouble):
                self._mirror.bad(host.name, answer.detail)
                self._put_aside(host)
            else:
                news += [(host, told) for _, told in pairs(answer)]
        return news

    def _take(self, news: Sequence[tuple[Host, Any]], heard: float) -> None:
        for host, told in news:
            if not told:
                continue
            if sum(len(each) for _, fields in told for each in fields or ()) > MAX_HEARD:
                self._mirror.bad(host.name, f"it wrote more than {MAX_HEARD} bytes at once")
                self._put_aside(host)
            else:
                for entry, fields in told:
                    self._guarded(host, self._one, host, entry, fields or (), heard)
            host.cursor = told[-1][0].decode("latin-1")

    def _one(self, host: Host, entry: bytes, fields: Sequence[bytes], heard: float) -> None:
        if len(fields) != 2 or fields[0] != b"w":
            raise ValueError(f"an entry of {keys.NOW} must have one field, w")
        if len(fields[1]) > wire.MAX_ENTRY:
            self._put_aside(host)
        count = keys.number_of(entry.decode("latin-1"))
        self._mirror.take(host.name, count, fields[1], heard)

    def _guarded(self, host: Host, take: Callable[..., None], *what: Any) -> None:
        """Take something of a host's; whatever goes wrong is its own affair."""
        try:
            take(*what)
        except ValueError as fault:
            self._mirror.bad(host.name, str(fault)[: wire.MAX_NAME])
        except Exception:  # a bug of ours must not cost all other hosts
            log.exception("what %s says cannot be taken", host.name)
            self._mirror.bad(host.name, "it cannot be taken (see the log)")
            self._put_aside(host)


def _now(host: Host) -> bytes:
    return keys.key(host.name, keys.NOW).encode()


def _order(entry: str) -> tuple[int, int]:
    """What ids are ordered by."""
    major, _, minor = entry.partition("-")
    return int(major), int(minor or 0)
