"""How it was, of what is kept watch on: its record and its incidents, in sentences."""

from __future__ import annotations

from kaspad_taskd.words import kept
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.spans import percent

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Wire = Mapping[str, Any]

_DAY = 86_400
_MINUTE = 60


def line(record: Wire) -> str:
    """Return a record in a line: the share of what was seen, incidents, what is not known.

    Example: `In sync 99.8 % of what was seen in 30 days, 3 incidents, the longest of 14 min; not
    known 2 hours.`
    """
    seconds = record["seconds"]
    unknown = seconds["unknown"]
    known = sum(seconds.values()) - unknown
    span = _span(record)
    if not known:
        return say("record.unseen", span=span) + "."
    share = percent(100 * seconds["ok"] / known)
    told = [say("record.share", percent=share, span=span), _incidents(record["incidents"])]
    rest = f"; {say('record.unknown', unknown=unknown)}" if unknown >= _MINUTE else ""
    return ", ".join(told) + rest + "."


def part(seconds: Wire) -> str:
    """Return how it was in a part of the time, which nobody need have seen all of.

    Example: `in sync 99.7 %, behind 3 min, not known 2 hours`; the share is of what was seen,
    and less than a minute that nobody saw is not told.
    """
    unknown = seconds["unknown"]
    known = sum(seconds.values()) - unknown
    if not known:
        return say("record.part.unseen")
    share = percent(100 * seconds["ok"] / known)
    told = [say("record.part.ok", percent=share)]
    told += [
        say(f"record.part.{each}", span=seconds[each]) for each in kept.TROUBLE if seconds[each]
    ]
    if unknown >= _MINUTE:
        told.append(say("record.part.unknown", span=unknown))
    return ", ".join(told)


def _span(record: Wire) -> float:
    """The days that were asked for, or how long there is a record."""
    first, last = seconds_of(record["from"]), seconds_of(record["to"])
    if record["from"] != record["since"] or first is None or last is None:
        return float(record["days"] * _DAY)
    return last - first


def _incidents(found: Wire) -> str:
    count = found["count"]
    if not count:
        return say("record.none")
    return say("record.incidents", n=count, longest=found["longest"])


def incident(one: Wire, now: float) -> str:
    """Return an incident as a sentence: what, how long, how deep, how it ended, why.

    Example: `not reachable for 14 min: 127.0.0.1:16110 refuses.`
    """
    began, ended = seconds_of(one["began"]), seconds_of(one["ended"])
    spent = max(0.0, (now if ended is None else ended) - (now if began is None else began))
    length = say("incident.lasts" if ended is None else "incident.lasted", span=spent)
    parts = [say(f"incident.{one['health']}", length=length)]
    if one["worstBehind"] is not None and one["worstBehind"] >= _MINUTE:
        parts.append(say("incident.deepest", behind=one["worstBehind"]))
    if one["ending"] in ("not-watched", "synced-again"):
        parts.append(say(f"incident.{one['ending']}"))
    told = ", ".join(parts)
    return f"{told}: {safe(one['note'])}" if one["note"] else f"{told}."
