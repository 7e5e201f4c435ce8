"""What a fleet looks like: the hosts as they were last heard, and how sure that is now.

No I/O and no clock of its own: who reads brings entries and its monotonic time. What a host says of
its own clock orders nothing but what the same host said. A host is well only while it is heard:
a batch that moved its count within the last 15 s; reading what lies in Redis is no sign of life.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kaspad_taskd.fleet import batch as wire
from kaspad_taskd.fleet.host import EVENTS, Change, Gone, Host, Read, Verdict
from kaspad_taskd.fleet.keys import HOST, SILENT_S
from kaspad_taskd.fleet.line import UNREAD, Line

EVENTS_BYTES: Final = 24 * 2**20
"""Memory for the events of all hosts: of a large fleet fewer of each are kept."""
EVENT_BYTES: Final = 600
"""What an event takes, roughly."""
FEWEST: Final = 20
MAX_HOSTS: Final = 20_000


class Mirror:
    """The fleet as it is known.

    Attributes:
        hosts: by name; those wished for are among them from the beginning.
        again: names of hosts that have to be read as a whole.
    """

    def __init__(self, wished: Iterable[str] = ()) -> None:
        self.hosts: dict[str, Host] = {}
        self.lines: dict[str, Line] = {}
        self.again: set[str] = set()
        self._wished = frozenset(wished)
        self._changed: set[Host] = set()
        for name in self._wished:
            self.find(name)

    # -- what it is made of

    def line(self, name: str) -> Line:
        """Return a line, made where it is new."""
        return self.lines.setdefault(name, Line(name))

    def drop(self, name: str) -> None:
        """Let go of a line that is read no more; its hosts are found over another, or nowhere."""
        line = self.lines.pop(name, None)
        if line is not None:
            line.lost("it is read no more")

    def find(self, name: str, line: str | None = None) -> Host | None:
        """Return a host, made where it is new; None: that is no name, or there are too many.

        Args:
            name: HOST of its keys.
            line: the name of that over which it is read; None: as known.
        """
        host = self.hosts.get(name)
        if host is None:
            if len(self.hosts) >= MAX_HOSTS or not HOST.fullmatch(name):
                return None
            host = self.hosts[name] = Host(name)
            self._touch(host).verdict = True
        if line is not None:
            host.line = self.line(line)
        return host

    @property
    def keep(self) -> int:
        """How many events of a host are kept."""
        share = EVENTS_BYTES // EVENT_BYTES // max(1, len(self.hosts))
        return max(FEWEST, min(EVENTS, share))

    def forget(self, name: str) -> None:
        """Let go of a host whose keys are gone for good, unless it is wished for."""
        if name not in self._wished:
            host = self.hosts.pop(name, None)
            if host is not None:
                self._changed.discard(host)
                self.again.discard(name)

    # -- what comes

    def begin(self, name: str, read: Read) -> None:
        """Let a host be what was read of its keys."""
        host = self.hosts[name]
        self.again.discard(name)
        self._touch(host)
        host.begin(read, self.keep)

    def take(self, name: str, count: int, raw: bytes, heard: float) -> None:
        """Take an entry of a host's `now`; where it does not follow, the host is in `again`.

        Args:
            name: a host that is there.
            count: the entry's number.
            raw: its text, unjudged.
            heard: a moment since which it was written, by the reader's monotonic time (s).
        """
        host = self.hosts[name]
        if count <= host.count:
            return
        try:
            batch = wire.batch(raw)
        except ValueError as fault:
            self.bad(name, str(fault))
            host.count = count
            return
        follows = (
            count == host.count + 1
            and batch.run == host.meta.run
            and batch.stream == host.meta.stream
            and batch.after <= host.to
            and not batch.anew
        )
        self._touch(host)
        if follows:
            host.take(batch, count, heard, self.keep)
        else:  # it lives, whatever is missing; the rest is what will be read
            host.lives(batch, heard)
        if not follows or batch.faults:
            self.again.add(name)

    def bad(self, name: str, fault: str) -> None:
        """Note that an entry of a host cannot be understood; nobody else is touched."""
        host = self.hosts[name]
        self._touch(host)
        host.say([fault])
        self.again.add(name)

    # -- how it is

    @property
    def fault(self) -> str | None:
        """Why nothing can be read; None: something can, or is being tried."""
        faults = [line.fault for line in self.lines.values()]
        return faults[0] if faults and all(each not in (None, UNREAD) for each in faults) else None

    @property
    def problem(self) -> str | None:
        """Why some server cannot be read; None: all that are known can."""
        return next((line.fault for line in self.lines.values() if line.fault), None)

    @property
    def is_read(self) -> bool:
        """Whether all is read: who is not among the hosts then, is in no server that is known."""
        return bool(self.lines) and self.problem is None

    def weigh(self, host: Host, now: float) -> tuple[Verdict, Gone | None]:
        """Return the verdict on a host at this moment, and what is gone, if anything is."""
        lines = self.lines.values() if host.line is None else (host.line,)
        away = any(line.fault is not None for line in lines)
        lost = Gone.ENGINE if away else None
        if host.heard is not None and now - host.heard < SILENT_S:
            if not host.answers:
                return Verdict.AWAY, lost or Gone.DAEMON
            if host.troubled:
                return Verdict.TROUBLE, lost
            return (Verdict.UNKNOWN if host.odd else Verdict.OK), lost
        if host.count < 0 or host.line is None or not host.line.proves(now):
            return Verdict.UNKNOWN, lost
        return Verdict.SILENT, Gone.HOST

    def drain(self, now: float) -> list[Change]:
        """Return what became new since the last time: a piece for each host that changed."""
        for host in self.hosts.values():
            verdict, gone = self.weigh(host, now)
            if verdict is not host.verdict or gone is not host.gone or host.turned is None:
                if verdict is not host.verdict or host.turned is None:
                    host.turned = now
                host.verdict, host.gone = verdict, gone
                self._touch(host).verdict = True
        changed, self._changed = self._changed, set()
        pieces = []
        for host in changed:
            if host.change is not None:
                pieces.append(host.change)
                host.change = None
        return pieces

    def trim(self) -> None:
        """Keep no more events than there is room for; called now and then."""
        keep = self.keep
        for host in self.hosts.values():
            host.trim(keep)

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def _touch(self, host: Host) -> Change:
        self._changed.add(host)
        return host.piece()


def since_ms(host: Host, now: float, wall: int) -> int | None:
    """Return since when (ms since 1970 UTC, by the reader's clock) a host is as it is.

    Of who is silent or not known: when it was heard last; where this reader never heard it, what
    its last batch says of itself, if that is in the past. None: it was never heard of.

    Args:
        host: as it is after `drain`.
        now: monotonic time (s).
        wall: the wall clock at the same moment (ms).
    """
    if host.verdict in (Verdict.SILENT, Verdict.UNKNOWN):
        if host.heard is not None:
            return wall - round((now - host.heard) * 1000)
        return host.at if host.at is not None and host.at <= wall else None
    if host.verdict is Verdict.AWAY and (host.daemon_since or wall + 1) <= wall:
        return host.daemon_since
    return None if host.turned is None else wall - round((now - host.turned) * 1000)
