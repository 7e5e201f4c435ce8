"""What is remembered between two looks at an indexer: where it began, and what its log told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Hint, Json
from kaspad_taskd.kaspa.sync.lines import written
from kaspad_taskd.kaspa.sync.wrapping import bare
from kaspad_taskd.probes.indexers.findings import (
    ENDS,
    REPEATED,
    REPEATED_MS,
    SAYS,
    Finding,
    after,
    thread,
    understood,
)

VERSION: Final = 1
HOUR_MS: Final = 3_600_000
LOOP: Final = 3
"""Ends within an hour from which it is a loop."""
OTHERS: Final = 8
SLACK_MS: Final = 500
"""How exactly an uptime tells when a process began."""
NEWEST: Final = 4
"""Blocks that are remembered: a reorg that goes back to one of them is no work."""
LONGEST: Final = 2_000
"""Characters of a line that are looked at."""

_WORKS: Final = "serving", "working"
_BEGINS: Final = "started", "database", "migrating"
"""Only a new process says this."""
_DARED: Final = (Finding.OUTDATED, "migrating")
"""What ended its starts is over with the next finding already: it was started with --upgrade-db."""


class Met(Enum):
    """Whose process answered: the last one's, a new one's, one that ran before, either of these."""

    SAME = "same"
    RESTARTED = "restarted"
    ANOTHER = "another"
    EITHER = "either"


@frozen
class Memory:
    """The rules' state between two looks.

    Attributes:
        start: the first position that was seen.
        uptime: of its process at the last look, ms.
        seen: when that was, ms.
        begun: when processes began that answered before this one, ms, at most 8.
        lower_since: since when its position is far below `start`, ms.
        saved: the last place that it told it goes on from after its end.
        ends: when its process ended of itself, ms, at most 8, the newest last.
        fruitless: how many of these, the newest, came before it had got to any work.
        worked: its newest process has answered, or told that it works.
        finding: what the newest lines of its log tell.
        said_ms: when they told it, ms.
        dead: threads of its newest process that have panicked.
        last: the name of the newest line that told something.
        gaps: older gaps that it still fills, None where nothing told.
        lost: a gap was left unfilled; the next start finds it again.
        gathered: in this process, what another component waits for has stood at the tip.
        newest: the newest blocks that showed its work, at most 4, where its position is unknown.
        cursor: how far its log is read.
        since: since when its log is followed and can be read, ms, None where it is not.
        line_ms: when its newest line came, ms.
        named: its lines bear its name, so others in the same log are not its own.
    """

    start: float | None = None
    uptime: int | None = None
    seen: int | None = None
    begun: tuple[int, ...] = ()
    lower_since: int | None = None
    saved: float | None = None
    ends: tuple[int, ...] = ()
    fruitless: int = 0
    worked: bool = False
    finding: Finding = Finding.NONE
    said_ms: int | None = None
    dead: tuple[str, ...] = ()
    last: str = ""
    gaps: int | None = None
    lost: bool = False
    gathered: bool = False
    newest: tuple[str, ...] = ()
    cursor: Json = None
    since: int | None = None
    line_ms: int | None = None
    named: bool = False

    @property
    def has_gaps(self) -> bool:
        """Whether it is known that older blocks are missing."""
        return self.lost or bool(self.gaps)

    def told(
        self,
        lines: Iterable[str],
        cursor: Json,
        now: int,
        is_its: Callable[[str], bool] = lambda _: False,
    ) -> Memory:
        """Return it with the log's new lines in it, however they are wrapped.

        `is_its` tells whether a service of compose, or a syslog tag, is the indexer's own.
        """
        first = self.cursor is None  # what is old says nothing about now
        memory, line_ms = self, self.line_ms
        for said in bare(lines):
            if said.who is not None:
                memory = replace(memory, named=memory.named or is_its(said.who))
                if memory.named and not is_its(said.who):
                    continue
            line_ms = min(now, written(said) or now) if first else now
            memory = memory._line(said.text[:LONGEST], line_ms, old=first)
        since = now if self.since is None else self.since
        return replace(memory, cursor=cursor, since=since, line_ms=line_ms)

    def met(self, uptime: int | None, now: int) -> Met:
        """Return whose process this answer is."""
        if uptime is None or self.uptime is None or self.seen is None:
            return Met.SAME
        began = now - uptime
        if abs(began - (self.seen - self.uptime)) <= SLACK_MS:
            return Met.SAME
        if any(abs(began - other) <= SLACK_MS for other in self.begun):
            return Met.ANOTHER
        if began > self.seen - SLACK_MS:
            return Met.RESTARTED
        return Met.EITHER if uptime < self.uptime else Met.ANOTHER

    def answered(self, uptime: int | None, now: int, *untold: Finding) -> Memory:
        """Return it after an answer: it is up, and perhaps in a new process.

        That ends what its log told, but for `untold`, of which its answer tells nothing.
        """
        who = self.met(uptime, now)
        again = who in (Met.RESTARTED, Met.EITHER)
        memory = self._ended(now) if again and self.cursor is None else self
        if who is Met.ANOTHER and self.cursor is None:
            memory = replace(memory, ends=())  # nothing ended: they take turns
        begun = self.begun
        if uptime is not None and who is not Met.SAME and self.uptime is not None:
            begun = (*begun, (self.seen or now) - self.uptime)[-OTHERS:]
        return replace(
            memory._over(True), uptime=uptime, seen=now, begun=begun,
            finding=self.finding if self.finding in untold else Finding.NONE,
            gathered=self.gathered and who is Met.SAME,
        )  # fmt: skip

    def waiting(self, at_tip: bool | None) -> Memory:
        """Return it, told whether what others wait for stands at the tip; None: nobody waits."""
        return replace(self, gathered=at_tip is not None and (at_tip or self.gathered))

    def shown(self, block: str | None) -> Memory:
        """Return it with one more block that showed its work."""
        return self if block is None else replace(self, newest=(*self.newest, block)[-NEWEST:])

    def _line(self, text: str, now: int, old: bool) -> Memory:
        memory = self
        for line, value in understood(text):
            memory = memory._told(line, value, now, old)
        return memory

    def _told(self, line: str, value: str, now: int, old: bool) -> Memory:
        if line == "found":
            return replace(self, gaps=int(value), lost=False)
        if line == "open":
            return replace(self, gaps=int(value))
        if line == "lost":
            return replace(self, lost=True)
        memory = self
        if line == "ended" and not old:
            memory = self._panicked(thread(value), now)
        elif line in ("ended", "started", "stopped"):
            memory = replace(self, worked=False)
        loops = bool(crash_loop(memory, now))
        finding = after(self.finding, line, self.last, loops)
        beyond = self.finding in ENDS.get(line, ()) or (self.finding, line) == _DARED
        if beyond or line in _WORKS:
            memory = memory._over(line in _WORKS)
        if line in _BEGINS:
            memory = replace(memory, dead=())
        said_ms = now if line in SAYS or finding is Finding.DISK_FULL else self.said_ms
        return replace(memory, finding=finding, said_ms=said_ms, last=line)

    def _panicked(self, name: str, now: int) -> Memory:
        """Return it with one more end; of several threads of one process that is one."""
        same = bool(self.dead) and name not in self.dead
        dead = (*self.dead, name)[-OTHERS:] if same else (name,)
        return replace(self if same else self._ended(now), dead=dead)

    def _over(self, works: bool) -> Memory:
        """Return it where what its starts ended of is over: they do not count any more."""
        kept = self.ends[: len(self.ends) - self.fruitless]
        return replace(self, ends=kept, fruitless=0, worked=works)

    def _ended(self, now: int) -> Memory:
        fruitless = 0 if self.worked else self.fruitless + 1
        ends = (*self.ends, now)[-8:]
        return replace(self, ends=ends, fruitless=min(fruitless, len(ends)), worked=False)

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON; what is as in an empty memory is left out."""
        data: dict[str, Json] = {"v": VERSION}
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not item.default:
                data[item.name] = list(value) if isinstance(value, tuple) else value
        return data


_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "start": (int, float),
    "uptime": (int,),
    "seen": (int,),
    "lower_since": (int,),
    "saved": (int, float),
    "fruitless": (int,),
    "worked": (bool,),
    "said_ms": (int,),
    "last": (str,),
    "gaps": (int,),
    "lost": (bool,),
    "gathered": (bool,),
    "cursor": (str, list, dict),
    "since": (int,),
    "line_ms": (int,),
    "named": (bool,),
}


def from_json(data: Mapping[str, Any]) -> Memory:
    """Return the memory that `to_json` wrote; another version's, or garbage, is an empty one."""
    if data.get("v") != VERSION:
        return Memory()
    good = {key: data[key] for key, kinds in _KINDS.items() if isinstance(data.get(key), kinds)}
    ends = tuple(each for each in _listed(data, "ends") if type(each) is int)
    begun = tuple(each for each in _listed(data, "begun") if type(each) is int)
    newest = tuple(each for each in _listed(data, "newest") if isinstance(each, str))
    dead = tuple(each for each in _listed(data, "dead") if isinstance(each, str))
    good["fruitless"] = max(0, min(good.get("fruitless", 0), len(ends[-8:])))
    found = data.get("finding")
    return Memory(
        **good, ends=ends[-8:], begun=begun[-OTHERS:], newest=newest[-NEWEST:],
        dead=dead[-OTHERS:], finding=Finding(found) if found in tuple(Finding) else Finding.NONE,
    )  # fmt: skip


def _listed(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []


def crash_loop(memory: Memory, now: int) -> tuple[Hint, ...]:
    """Return the hint that it ends again and again, where that is so."""
    count = sum(0 <= now - end < HOUR_MS for end in memory.ends)
    return (Hint("crash-loop", {"count": count}),) if count >= LOOP else ()


def told(memory: Memory, now: int) -> Finding:
    """Return what its log tells of one that does not answer now."""
    old = memory.said_ms is None or now - memory.said_ms >= REPEATED_MS
    return Finding.NONE if memory.finding in REPEATED and old else memory.finding
