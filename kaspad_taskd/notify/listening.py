"""What the hosts of a fleet tell, over Redis or Valkey: in a thread of its own, none missing.

It stands where kaspad_taskd/notify/follow.py does for one daemon: the reading is the hub's
(kaspad_taskd/fleet/), with the hub's kind of user. What is read there is how things stand, and the
newest events; what is between those and a host's cursor is read from the engine beside it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kaspad_taskd.fleet import batch as wire
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.asking import Asking, entries
from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.faults import Trouble
from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Login, server_of
from kaspad_taskd.fleet.settings import Settings as FleetSettings
from kaspad_taskd.notify import hosts
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.ear import Ear, Stopped
from kaspad_taskd.notify.hosts import FleetWord, Forgotten, Pending, Stands, Told
from kaspad_taskd.notify.kept import Cursor

TURN: Final = 0.5
"""Seconds between two looks at what is new."""
PAGE: Final = 100
"""Events that are read at once of what was missed."""
MAX_PAGE: Final = 4 * 2**20
"""Bytes of events that are read at once."""
MOST: Final = 2_000
"""Events of a host that are told at once; then others have their turn."""
FORGET: Final = 86_400.0
"""Seconds after which a host that is not there any more is forgotten."""
AGAIN: Final = 10.0
"""Seconds until all is begun anew after a fault of ours."""

log = logging.getLogger(__name__)


class Listener(Ear[FleetWord]):
    """Reads on until it is stopped.

    Args:
        settings: which servers there are.
        login: as whom they are read.
        cursors: how far each host was heard.
        tell: takes each word; not called again before it returns.
        idle: called every second or so.
        every: seconds between two looks at what no event tells.

    Attributes:
        asks: nothing is asked for.
        answered: when the engine was read last, by time.monotonic(), or we began.
        turned: when the thread gave a sign of life.
    """

    def __init__(
        self,
        settings: FleetSettings,
        login: Login,
        cursors: Mapping[str, Cursor],
        tell: Callable[[FleetWord], None],
        idle: Callable[[], None],
        every: float = 60.0,
    ) -> None:
        super().__init__("listen", tell, idle)
        self._settings = settings
        self._login = login
        self._cursors = dict(cursors)
        self._every = every
        self._stood: dict[str, Gone | None] = {}
        self._changed: set[str] = set()
        self._looked: dict[str, float] = {}
        self._absent: dict[str, float] = {}
        self._mirror = Mirror()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                asyncio.run(self._listen())
            except Stopped:
                return
            except Exception:
                log.exception("following the fleet failed")
                self._stop.wait(AGAIN)

    async def _listen(self) -> None:
        self._mirror = Mirror(self._settings.hub.expected)
        self._changed = set(self._cursors)
        self._stood.clear()
        following = Following(
            self._settings.engine, self._login, self._mirror, self._note, time.monotonic
        )
        task = asyncio.create_task(following.run())
        try:
            while not self._stop.is_set():
                await self._turn()
                await asyncio.sleep(TURN)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _note(self, changes: Sequence[Change]) -> None:
        self._changed |= {change.host for change in changes}

    async def _turn(self) -> None:
        """See what is new, and what may be told of each host."""
        self._live()
        now = time.monotonic()
        self._engine(now)
        changed, self._changed = self._changed, set()
        for name in sorted(changed):
            await self._visit(name, now)
        self._look(now)
        self._miss(now)

    # -- how it stands

    def _engine(self, now: float) -> None:
        """Say whether what carries the fleet can be read."""
        lines = self._mirror.lines.values()
        reads = bool(lines) and all(line.since is not None for line in lines)
        if not reads and "" not in self._stood and self._mirror.fault is None:
            return  # it is being tried
        self._stand("", None if reads else Gone.ENGINE, 0.0 if reads else now - self.answered)
        if reads:
            self.answered = max(line.last for line in lines)

    def _stand(self, name: str, gone: Gone | None, ago: float) -> None:
        if name in self._stood and self._stood[name] is gone:
            return
        if not name and gone is not None:
            log.warning("the fleet cannot be read: %s", self._mirror.fault or "not whole")
        elif not name:
            log.info("the fleet is read")
        self._stood[name] = gone
        self._say(Stands(name, gone, ago))

    # -- a host

    async def _visit(self, name: str, now: float) -> None:
        """Tell what a host has told, and whether it is heard."""
        host = self._mirror.hosts.get(name)
        if host is None:
            return
        stands = hosts.standing(host, now)
        if isinstance(stands, Pending):
            if host.count >= 0:
                self._changed.add(name)
            return
        if stands is not Gone.BEYOND and host.count >= 0 and not await self._heard(host):
            self._changed.add(name)  # there is more, or it could not be read
            return
        self._stand(name, stands, hosts.since(host, now) if stands is Gone.HOST else 0.0)

    async def _heard(self, host: Host) -> bool:
        """Tell what is new of a host; return whether that is all."""
        cursor = self._cursors.get(host.name)
        if cursor is None or not hosts.follows(cursor, host):
            if cursor is not None:
                log.warning("%s tells of another journal: begun anew", host.name)
            self._take(hosts.begun(host))
            return True
        if host.to <= cursor.seq:
            return True
        events, whole = host.after(cursor.seq)
        to = host.to
        if not whole:
            try:
                events, to = await self._missed(host, cursor.seq)
            except Trouble as trouble:
                log.info("what %s told before cannot be read: %s", host.name, trouble)
                return False
        self._take(hosts.told(host, cursor, events, to))
        return to >= host.to

    def _take(self, told: Told) -> None:
        self._cursors[told.host] = told.cursor
        self._say(told)

    async def _missed(self, host: Host, after: int) -> tuple[list[Event], int]:
        """Read the events behind a number that are in the engine; return also up to which."""
        server = server_of(host.line.name if host.line is not None else "")
        assert server is not None  # a line has the name of its server
        asking = Asking(self._settings.engine, self._login, server)
        stream, to = keys.key(host.name, host.meta.stream), host.to
        events: list[Event] = []
        try:
            await asking.open()
            page = await _page(asking, stream)
            while len(events) < MOST:
                first, last = keys.entry_id(after + 1), keys.entry_id(to)
                told = await asking.ask("XRANGE", stream, first, last, "COUNT", page)
                for entry, fields in entries(told):
                    after = max(after + 1, keys.number_of(entry))
                    _add(events, host.name, entry, fields)
                if len(told) < page:
                    return events, to
                self._live()
        finally:
            await asking.close()
        return events, after

    # -- now and then

    def _look(self, now: float) -> None:
        """Tell what no event tells of hosts that are heard."""
        for name, gone in self._stood.items():
            host = self._mirror.hosts.get(name)
            if gone is not None or host is None:
                continue
            if now - self._looked.setdefault(name, now - self._every / 2) >= self._every:
                self._looked[name] = now
                self._say(hosts.looked(host))

    def _miss(self, now: float) -> None:
        """Tell of hosts of which nothing is there: those that were heard once, or are expected."""
        absent = [name for name in self._cursors if name not in self._mirror.hosts]
        self._absent = {name: self._absent.get(name, now) for name in absent}
        if self._stood.get("", Gone.ENGINE) is not None:
            for name in absent:
                self._stand(name, Gone.BEYOND, 0.0)
            return
        read = min(now - (line.since or now) for line in self._mirror.lines.values())
        if read < keys.SILENT_S:
            return
        never = [each.name for each in self._mirror if each.count < 0 and each.line is None]
        for name in [*absent, *never]:
            self._stand(name, Gone.HOST, read)
        for name in [name for name, began in self._absent.items() if now - began >= FORGET]:
            del self._cursors[name], self._absent[name], self._stood[name]
            self._say(Forgotten(name))


async def _page(asking: Asking, stream: str) -> int:
    """How many events of a stream may be read at once, by what they take on average."""
    size = await asking.ask("MEMORY", "USAGE", stream)
    length = await asking.ask("XLEN", stream)
    if not size or not length:
        return PAGE
    return int(max(1, min(PAGE, MAX_PAGE * length // size)))


def _add(events: list[Event], host: str, entry: str, fields: Mapping[bytes, bytes]) -> None:
    try:
        events.append(wire.event(entry, fields))
    except ValueError as fault:
        log.info("an event of %s cannot be understood: %s", host, fault)
