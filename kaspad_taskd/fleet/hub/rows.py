"""Hosts as they are said: as JSON, and as lines for a terminal; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet.host import Host, Verdict
from kaspad_taskd.fleet.mirror import Mirror, since_ms
from kaspad_taskd.words.moment import when
from kaspad_taskd.words.plain import safe, width
from kaspad_taskd.words.sentences import plural, say

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
    names = max((width(str(each["host"])) for each in found), default=0)
    words = max((len(_verdict(each)) for each in found), default=0)
    return [
        "  ".join((each["host"].ljust(names), _verdict(each).ljust(words), _rest(each, wall)))
        for each in found
    ]


def _verdict(told: Row) -> str:
    return say(f"fleet.verdict.{told['verdict']}")


def _rest(told: Row, wall: int) -> str:
    return ", ".join(_said(told, wall))


def _said(told: Row, wall: int) -> Iterable[str]:
    if told["since"] is not None:
        yield say("fleet.since", when=when(told["since"] / 1000, wall / 1000))
    if told["gone"] is not None:
        yield say(f"fleet.gone.{told['gone']}")
    elif told["since"] is None and told["verdict"] == Verdict.UNKNOWN:
        yield say("fleet.gone.never")
    yield plural("fleet.tasks", told["tasks"])
    if told["ill"]:
        yield say("fleet.ill", n=told["ill"])
    if told["gap"]:
        yield say("fleet.gap", **told["gap"])
    if told["fault"]:
        yield say("fleet.fault", fault=told["fault"])
    for name, value in told["labels"].items():
        yield f"{safe(name, 64)}={safe(value, 100)}"
