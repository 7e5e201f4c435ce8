"""What is remembered between two looks at an indexer: where it began, and what its log told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Final

from kaspad_taskd.core.observation import Hint, Json
from kaspad_taskd.kaspa.sync.lines import written
from kaspad_taskd.kaspa.sync.wrapping import bare

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

_LINES: Final = re.compile(
    r"(?P<migrating>Upgrading schema from v\d|Start migrating v\d"
    r"|Applying (?:migration|schema) v\d)"
    r"|(?P<migrated>Schema upgrade completed|Schema applied|Schema v\d+ is up to date"
    r"|Migrating v\d+ to v\d+ finished|[Mm]igration .*completed successfully)"
    r"|(?P<waiting>Kaspad \S+ is NOT synced)"
    r"|(?P<outdated>Found outdated schema)"
    r"|(?P<pruned>Failed to fetch checkpoint block)"
    r"|(?P<ended>\bpanicked at\b)"
    r"|(?P<lost>Gap filler interrupted|Error in block gap filler)"
    r"|\bgap_count=(?P<found>\d{1,9})\b"
    r"|gaps_filling_in_progress=(?P<open>\d{1,9})\b"
)
"""Messages of simply-kaspa-indexer 2.3, kasia-indexer and K-transaction-processor 0.1.18."""

_FULL: Final = "No space left on device"


class Met(Enum):
    """Whose process answered: the last one's, a new one's, one that ran before, either of these."""

    SAME = "same"
    RESTARTED = "restarted"
    ANOTHER = "another"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Memory:
    """The rules' state between two looks.

    Attributes:
        start: the first position that was seen.
        uptime: of its process at the last look, ms.
        seen: when that was, ms.
        begun: when processes began that answered before this one, ms, at most 8.
        lower_since: since when its position is far below `start`, ms.
        ends: when its process ended of itself, ms, at most 8, the newest last.
        stage: "migrating" or "waiting" (for a synced node), while it does not answer.
        cause: why it ended: "schema-outdated", "checkpoint-missing", "disk-full", or "".
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
    ends: tuple[int, ...] = ()
    stage: str = ""
    cause: str = ""
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
            memory = memory._line(said.text[:LONGEST], None if first else now)
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

    def answered(self, uptime: int | None, now: int) -> Memory:
        """Return it after an answer: it is up, and perhaps in a new process."""
        who = self.met(uptime, now)
        again = who in (Met.RESTARTED, Met.EITHER)
        memory = self._ended(now) if again and self.cursor is None else self
        if who is Met.ANOTHER and self.cursor is None:
            memory = replace(memory, ends=())  # nothing ended: they take turns
        begun = self.begun
        if uptime is not None and who is not Met.SAME and self.uptime is not None:
            begun = (*begun, (self.seen or now) - self.uptime)[-OTHERS:]
        return replace(
            memory, uptime=uptime, seen=now, begun=begun, stage="", cause="",
            gathered=self.gathered and who is Met.SAME,
        )  # fmt: skip

    def waiting(self, at_tip: bool | None) -> Memory:
        """Return it, told whether what others wait for stands at the tip; None: nobody waits."""
        return replace(self, gathered=at_tip is not None and (at_tip or self.gathered))

    def shown(self, block: str | None) -> Memory:
        """Return it with one more block that showed its work."""
        return self if block is None else replace(self, newest=(*self.newest, block)[-NEWEST:])

    def _line(self, text: str, now: int | None) -> Memory:
        match = _LINES.search(text)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            return self
        if kind in ("migrating", "waiting"):
            return replace(self, stage=kind)
        if kind == "found":
            return replace(self, gaps=int(match["found"]), lost=False)
        if kind == "open":
            return replace(self, gaps=int(match["open"]))
        if kind == "ended":
            cause = "disk-full" if _FULL in text else self.cause
            return replace(self if now is None else self._ended(now), stage="", cause=cause)
        plain: dict[str, dict[str, Any]] = {
            "migrated": {"stage": ""},
            "outdated": {"cause": "schema-outdated"},
            "pruned": {"cause": "checkpoint-missing"},
            "lost": {"lost": True},
        }
        return replace(self, **plain[kind])

    def _ended(self, now: int) -> Memory:
        return replace(self, ends=(*self.ends, now)[-8:])

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
    "stage": (str,),
    "cause": (str,),
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
    return Memory(**good, ends=ends[-8:], begun=begun[-OTHERS:], newest=newest[-NEWEST:])


def _listed(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return found if isinstance(found, list) else []


def crash_loop(memory: Memory, now: int) -> tuple[Hint, ...]:
    """Return the hint that it ends again and again, and why, where that is so."""
    count = sum(0 <= now - end < HOUR_MS for end in memory.ends)
    cause = (Hint(memory.cause),) if memory.cause else ()
    return (*cause, Hint("crash-loop", {"count": count})) if count >= LOOP else cause
