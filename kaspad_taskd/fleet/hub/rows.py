"""Hosts as they are said: as JSON, and as lines for a terminal; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.mirror import Mirror, since_ms
from kaspad_taskd.words import fleet as words
from kaspad_taskd.words.sentences import say

Row: TypeAlias = Mapping[str, Any]

_ORDER: Final = (Verdict.TROUBLE, Verdict.SILENT, Verdict.AWAY, Verdict.UNKNOWN, Verdict.OK)
"""Trouble first, silence second."""


def rows(mirror: Mirror, now: float, wall: int) -> list[Row]:
    """Return all hosts, those first that need somebody; as of the mirror's last `drain`.

    Args:
        mirror: the fleet.
        now: monotonic time (s).
        wall: the wall clock (ms).
    """
    hosts = sorted(mirror, key=lambda host: (_ORDER.index(host.verdict), host.name))
    return [row(host, now, wall) for host in hosts]


def row(host: Host, now: float, wall: int) -> Row:
    """Return a host as JSON; `since` in ms since 1970 UTC, or null."""
    standing = (host.warnings or {}).get("warnings", ())
    return {
        "host": host.name,
        "verdict": host.verdict.value,
        "since": since_ms(host, now, wall),
        "gone": host.gone and host.gone.value,
        "labels": dict(host.labels),
        "tasks": len(host.tasks),
        "ill": sum(shown.ill for shown in host.tasks.values()),
        "attentions": sum(bool(each.get("attention")) for each in host.services or ()),
        "warnings": len(standing),
        "address": host.meta.address or None,
        "daemon": host.meta.daemon or None,
        "relay": host.meta.relay or None,
        "gap": host.meta.gap,
        "fault": host.fault,
    }


def lines(told: Iterable[Row], wall: int) -> list[str]:
    """Return a line for each host: its name, verdict, since when, and what there is to say."""
    found = list(told)
    names = max((len(each["host"]) for each in found), default=0)
    verdicts = max((len(words.verdict(each)) for each in found), default=0)
    return [
        "  ".join(
            (each["host"].ljust(names), words.verdict(each).ljust(verdicts), _rest(each, wall))
        )
        for each in found
    ]


def _rest(told: Row, wall: int) -> str:
    since = words.since(told, wall / 1000)
    said = [] if since is None else [say("fleet.since", when=since)]
    return ", ".join([*said, *words.remarks(told), *words.labels(told)])
