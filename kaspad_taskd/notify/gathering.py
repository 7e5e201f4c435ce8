"""What waits to be told to those of a rule becomes one message: when, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from kaspad_taskd.notify import quiet, troubles
from kaspad_taskd.notify.draft import OpenDesk
from kaspad_taskd.notify.model import Item, Kind, Moment, Rule
from kaspad_taskd.notify.state import Desk

AT_ONCE = (Kind.ERROR, Kind.SWITCH)
"""What is told in quiet hours too."""
TOO_MANY = "too-many"
"""What is said of troubles that were not kept."""
_GRAVEST = {kind: place for place, kind in enumerate(
    (Kind.ERROR, Kind.TROUBLE, Kind.SWITCH, Kind.RECOVERED, Kind.COMPLETE)
)}  # fmt: skip


def settle(desk: OpenDesk, now: Moment, deaf: bool) -> None:
    """Let all troubles be over that have been well for long enough; `now` is own.

    While the daemon does not answer nobody knows whether they still are.
    """
    for one in list(desk.troubles.values()):
        if _known(one.of, deaf) and troubles.over(one, desk.rule, now):
            desk.settle(one)


def take(desk: OpenDesk, given: Moment, now: Moment, zone: tzinfo, deaf: bool) -> list[Item]:
    """Return what is to be told now, gravest first, or nothing, and note that it was told.

    Args:
        desk: of the rule.
        given: what clocks show now.
        now: likewise, own.
        zone: where people sleep.
        deaf: whether the daemon does not answer: whether what was bad still is nobody knows.
    """
    ended = _wakes(desk, given, zone)
    still = desk.held is not None and not ended
    ready = [each for each in desk.items if not still or each.kind in AT_ONCE]
    bad = [] if still else _due(desk, now, deaf)
    if not ready and not bad and (still or not desk.dropped):
        desk.opened = None
        return []
    if desk.opened is None:
        desk.opened = now
    if not ended and now - desk.opened < round(desk.rule.gather * 1000):
        return []
    return _taken(desk, ready, bad, now, still)


def next_moment(
    desk: Desk, rule: Rule, now: Moment, offset: int, deaf: bool, ahead: int = 0
) -> Moment | None:
    """Return when `take` has something to do next, by the clock of the caller, or None.

    Clocks on the wall are `ahead` of that.
    """
    loud = _soonest_loud(desk, rule, now, deaf)
    urgent = any(each.kind in AT_ONCE for each in desk.items)
    gathered = now if desk.opened is None else desk.opened + round(rule.gather * 1000)
    if desk.held is not None:
        soon = [desk.held - ahead] if loud is not None else []
        return min([*soon, *([gathered - offset] if urgent else [])], default=None)
    if desk.opened is not None:
        return gathered - offset
    return None if loud is None else loud - offset


def _soonest_loud(desk: Desk, rule: Rule, now: Moment, deaf: bool) -> Moment | None:
    if desk.items or desk.dropped:
        return now
    moments = (
        troubles.next_moment(one, rule) for one in desk.troubles.values() if _known(one.of, deaf)
    )
    return min((each for each in moments if each is not None), default=None)


def _known(of: str, deaf: bool) -> bool:
    return not deaf or of == "daemon"


def _due(desk: OpenDesk, now: Moment, deaf: bool) -> list[str]:
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


def _taken(
    desk: OpenDesk, ready: Sequence[Item], bad: Sequence[str], now: Moment, still: bool
) -> list[Item]:
    items = [*ready, *(troubles.standing_item(desk.troubles[of]) for of in bad)]
    for of in bad:
        desk.troubles[of] = troubles.told(desk.troubles[of], now)
    desk.items = [each for each in desk.items if still and each.kind not in AT_ONCE]
    desk.opened = None
    if desk.dropped and not still:
        items.append(Item(Kind.TROUBLE, "notify", "", TOO_MANY, {"n": desk.dropped}))
        desk.dropped = 0
    return sorted(items, key=lambda item: (_GRAVEST[item.kind], item.began or 0))
