"""Hosts as they are said: as JSON, and as lines for a terminal; no I/O."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet.host import Host
from kaspad_taskd.fleet.laid import Shown
from kaspad_taskd.fleet.mirror import Mirror, since_ms
from kaspad_taskd.words import fleet as words
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.status_line import Part, line, wanting

log = logging.getLogger(__name__)

Row: TypeAlias = Mapping[str, Any]

NAMED: Final = 12
"""Tasks of a host of which its line tells more than how many there are."""


def rows(mirror: Mirror, now: float, wall: int) -> list[Row]:
    """Return all hosts, those first that need somebody; as of the mirror's last `drain`.

    Args:
        mirror: the fleet.
        now: monotonic time (s).
        wall: the wall clock (ms).
    """
    hosts = sorted(mirror, key=lambda host: (words.VERDICTS.index(host.verdict), host.name))
    return [row(host, now, wall) for host in hosts]


def row(host: Host, now: float, wall: int) -> Row:
    """Return a host as JSON; `since` in ms since 1970 UTC, or null."""
    standing = (host.warnings or {}).get("warnings", ())
    return {
        "host": host.name,
        "verdict": host.verdict.value,
        "since": since_ms(host, now, wall),
        "gone": host.gone and host.gone.value,
        "labels": {safe(name, 64): safe(value, 100) for name, value in host.labels.items()},
        "tasks": len(host.tasks),
        "ill": ill(host),
        "attentions": sum(bool(each.get("attention")) for each in host.services or ()),
        "warnings": len(standing),
        "address": safe(host.meta.address, 100) or None,
        "daemon": safe(host.meta.daemon, 64) or None,
        "relay": safe(host.meta.relay, 64) or None,
        "gap": host.meta.gap,
        "fault": host.fault and safe(host.fault),
        "said": said(host),
    }


def ill(host: Host) -> int:
    """Return at how many of its tasks somebody should look."""
    return sum(shown.ill for shown in host.tasks.values())


def said(host: Host) -> str:
    """Return in a line how its tasks were when it was heard last, trouble first."""
    known = sorted(host.tasks.values(), key=lambda shown: not shown.ill)
    services = [
        (str(each["service"]), str(each["attention"]["code"]))
        for each in host.services or () if each.get("attention")
    ]  # fmt: skip
    try:
        alike = _alike(known[:NAMED])
        parts = [shown.part(shown.service in alike) for shown in known[:NAMED]]
        others = Counter(shown.stood for shown in known[NAMED:])
        rest = [(Part({"status": stood, "health": how}), n) for (stood, how), n in others.items()]
        return line(parts, rest, wanting(services))
    except Exception:  # what it says passes as text, and may make no sense in a sentence
        log.debug("the tasks of %s cannot be told", host.name, exc_info=True)
        return ""


def _alike(known: Sequence[Shown]) -> set[str]:
    """Return the services of more than one task."""
    services = [each.service for each in known]
    if len(set(services)) == len(services):  # as nearly all are, and this is asked at each change
        return set()
    return {service for service, n in Counter(services).items() if n > 1 and service}


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
