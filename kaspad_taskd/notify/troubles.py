"""How a trouble lives for one rule: it comes, goes, comes again, is told, and is over.

Pure arithmetic over one `Standing`; spans in milliseconds, moments own (state.py). What came and
went with less than `after` of well between is one trouble. It is told once it was bad for `after`
in all, while it is bad; if nobody could be told meanwhile, when it is over. It is over when it has
been well for `after`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kaspad_taskd.notify.change import Change, Subject
from kaspad_taskd.notify.model import Item, Kind, Moment, Rule, Scalar
from kaspad_taskd.notify.state import Standing


def after_of(rule: Rule) -> int:
    """Return `after` of a rule in ms."""
    return round(rule.after * 1000)


def begin(
    about: Subject, code: str, params: Mapping[str, Scalar], began: Moment, own: Moment
) -> Standing:
    """Return a trouble that has come; `began` is told, `own` the same moment by our clock."""
    told = _deepest({}, params)
    return Standing(about.of, about.name, code, told, began, own, labels=about.labels)


def bad(one: Standing, change: Change, own: Moment) -> Standing:
    """Return a trouble that is there, was there already, or is there again."""
    told = dict(_deepest(one.params, change.params))
    graver = change.graver and one.code != change.code
    same = replace(one, code=change.code, params=told, anew=one.anew or graver)
    if one.since is not None:
        return same
    again = one.well is not None
    return replace(same, since=own, well=None, lost=None, ended=None, count=one.count + again)


def well(one: Standing, at: Moment, own: Moment) -> Standing:
    """Return a trouble that is over, if it stays so for `after`; `at` is told."""
    if one.well is not None:
        return one
    return replace(stopped(one, own), well=own, lost=None, ended=at)


def lost(one: Standing, at: Moment, own: Moment) -> Standing:
    """Return a trouble of which nobody knows whether it is there any more; `at` is told."""
    return one if one.since is None else replace(stopped(one, own), lost=own, ended=at)


def stopped(one: Standing, own: Moment) -> Standing:
    """Return a trouble with what it has lasted until now."""
    if one.since is None:
        return one
    return replace(one, spent=one.spent + max(0, own - one.since), since=None)


def lasted(one: Standing, now: Moment) -> int:
    """Return for how long it was bad in all."""
    return one.spent + (0 if one.since is None else max(0, now - one.since))


def over(one: Standing, rule: Rule, now: Moment) -> bool:
    """Whether it has been well for so long that what comes next is another trouble.

    One that nobody knows of is over likewise, if it still has to be told.
    """
    ended = _ended(one, rule)
    return ended is not None and now - ended >= after_of(rule)


def _ended(one: Standing, rule: Rule) -> Moment | None:
    untold = one.told is None and one.spent >= after_of(rule)
    return one.lost if one.well is None and untold else one.well


def due(one: Standing, rule: Rule, now: Moment) -> bool:
    """Whether it has to be told now as one that is there."""
    if one.since is None:
        return False
    if one.told is None:
        return lasted(one, now) >= after_of(rule)
    if one.anew:
        return True
    return rule.repeat is not None and now - one.told >= round(rule.repeat * 1000)


def next_moment(one: Standing, rule: Rule) -> Moment | None:
    """Return when something is to be done about it, if nothing happens before; own."""
    ended = _ended(one, rule)
    if ended is not None:
        return ended + after_of(rule)
    if one.since is None:
        return None
    if one.told is None:
        return one.since + after_of(rule) - one.spent
    if one.anew:
        return one.told
    return None if rule.repeat is None else one.told + round(rule.repeat * 1000)


def told(one: Standing, now: Moment) -> Standing:
    """Return a trouble that has just been told."""
    return replace(one, told=now, anew=False)


def standing_item(one: Standing) -> Item:
    """Return what is told of a trouble that is there."""
    return _item(one, Kind.TROUBLE, None)


def last_item(one: Standing, rule: Rule, at: Moment | None, recovers: bool) -> Item | None:
    """Return what is still to be told of a trouble that has ended, or None.

    Args:
        one: the trouble.
        rule: whose it is.
        at: when it ended, told.
        recovers: whether it is well now; else something else has taken its place.
    """
    if one.told is not None:
        wanted = recovers and Kind.RECOVERED in rule.on
        return _item(one, Kind.RECOVERED, at) if wanted else None
    return _item(one, Kind.TROUBLE, at) if one.spent >= after_of(rule) else None


def _item(one: Standing, kind: Kind, ended: Moment | None) -> Item:
    again = kind is Kind.TROUBLE and one.told is not None
    return Item(kind, one.of, one.name, one.code, one.params, one.began, ended, one.count, again)


def _deepest(before: Mapping[str, Scalar], given: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """What is known of it now, and how far behind it was at the worst."""
    lags = [
        value
        for value in (before.get("worst"), given.get("behind"))
        if isinstance(value, int | float)
    ]
    return {**given, "worst": max(lags)} if lags else given
