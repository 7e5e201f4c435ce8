"""What waits to be told to those of a rule becomes one message: when, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from kaspad_taskd.notify import quiet, troubles
from kaspad_taskd.notify.draft import OpenDesk
from kaspad_taskd.notify.model import Item, Kind, Moment, Rule
from kaspad_taskd.notify.state import Desk

AT_ONCE = (Kind.ERROR, Kind.SWITCH)
"""What is told in quiet hours too."""
TOO_MANY = "too-many"
"""What is said of troubles that were not kept."""
GRAVEST = {kind: place for place, kind in enumerate(
    (Kind.ERROR, Kind.TROUBLE, Kind.SWITCH, Kind.RECOVERED, Kind.COMPLETE)
)}  # fmt: skip


def settle(desk: OpenDesk, now: Moment, deaf: str | None) -> None:
    """Let all troubles be over that have been well for long enough; `now` is own.

    While somebody does not answer (`deaf`: of whom that is told) nobody knows whether they still
    are.
    """
    for one in list(desk.troubles.values()):
        if _known(one.of, deaf) and troubles.over(one, desk.rule, now):
            desk.settle(one)


@dataclass(slots=True)
class Part:
    """Who has something to tell for a message: one daemon, or of a fleet each host.

    Attributes:
        desk: of the rule.
        now: this moment, own.
        deaf: who does not answer: whether what was bad still is nobody knows. None: all do.
    """

    desk: OpenDesk
    now: Moment
    deaf: str | None


def take(
    window: OpenDesk, parts: Sequence[Part], given: Moment, now: Moment, zone: tzinfo
) -> list[list[Item]]:
    """Return what each part has to tell now, gravest first, or nothing, and note that it was told.

    Args:
        window: what says since when something waits, and how long it is quiet; perhaps of a part.
        parts: whoever has something to tell, in order.
        given: what clocks show now.
        now: likewise, own, of the window.
        zone: where people sleep.
    """
    ended = _wakes(window, given, zone)
    still = window.held is not None and not ended
    if not any(_waits(part, still) for part in parts):
        window.opened = None
        return []
    if window.opened is None:
        window.opened = now
    if not ended and now - window.opened < round(window.rule.gather * 1000):
        return []
    window.opened = None
    return [_taken(part, still) for part in parts]


def _waits(part: Part, still: bool) -> bool:
    if any(not still or each.kind in AT_ONCE for each in part.desk.items):
        return True
    return not still and bool(part.desk.dropped or _due(part.desk, part.now, part.deaf))


def next_moment(
    window: Desk, rule: Rule, offset: int, loud: Moment | None, urgent: bool, ahead: int = 0
) -> Moment | None:
    """Return when `take` has something to do next, by the clock of the caller, or None.

    Args:
        window: what is open, and how long it is quiet.
        rule: whose it is.
        offset: what its own moments are ahead of the caller's.
        loud: when the first of the parts has something to tell, by the caller's clock.
        urgent: whether one has something that is told in quiet hours, too.
        ahead: what clocks on the wall are ahead of the caller's.
    """
    opened = None if window.opened is None else window.opened + round(rule.gather * 1000) - offset
    if window.held is not None:
        soon = [window.held - ahead] if loud is not None else []
        now = loud if opened is None else opened
        return min([*soon, *([now] if urgent and now is not None else [])], default=None)
    return loud if opened is None else opened


def urgent(desk: Desk) -> bool:
    """Whether something waits that is told in quiet hours, too."""
    return any(each.kind in AT_ONCE for each in desk.items)


def loud(desk: Desk, rule: Rule, now: Moment, deaf: str | None) -> Moment | None:
    """Return when those of a rule are to be told something next, own, or None; `now` is own."""
    if desk.items or desk.dropped:
        return now
    moments = (
        troubles.next_moment(one, rule) for one in desk.troubles.values() if _known(one.of, deaf)
    )
    return min((each for each in moments if each is not None), default=None)


def _known(of: str, deaf: str | None) -> bool:
    return deaf is None or of == deaf


def _due(desk: OpenDesk, now: Moment, deaf: str | None) -> list[str]:
    return [
        of
        for of, one in desk.troubles.items()
        if _known(of, deaf) and troubles.due(one, desk.rule, now)
    ]


def _wakes(desk: OpenDesk, given: Moment, zone: tzinfo) -> bool:
    """Note until when it is quiet now; return whether that has just ended.

    Quiet hours that are a whole day end once a day for a moment. A clock that is set out of them
    ends them, and so does who writes others.
    """
    until = quiet.ends(desk.rule.quiet, given, zone)
    ended = desk.held is not None and (until is None or given >= desk.held)
    if desk.held is None or ended:
        desk.held = until
    hours = desk.rule.quiet
    return ended and (desk.held is None or (hours is not None and hours.begins == hours.ends))


def _taken(part: Part, still: bool) -> list[Item]:
    desk, now = part.desk, part.now
    ready = [each for each in desk.items if not still or each.kind in AT_ONCE]
    bad = [] if still else _due(desk, now, part.deaf)
    items = [*ready, *(troubles.standing_item(desk.troubles[of]) for of in bad)]
    for of in bad:
        desk.troubles[of] = troubles.told(desk.troubles[of], now)
    desk.items = [each for each in desk.items if still and each.kind not in AT_ONCE]
    if desk.dropped and not still:
        items.append(Item(Kind.TROUBLE, "notify", "", TOO_MANY, {"n": desk.dropped}))
        desk.dropped = 0
    return sorted(items, key=order)


def order(item: Item) -> tuple[int, Moment]:
    """Return what items of a message are sorted by: the gravest first, then the oldest."""
    return GRAVEST[item.kind], item.began or 0
