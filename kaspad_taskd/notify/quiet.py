"""Quiet hours: whether the local clock shows a time in which people sleep, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from kaspad_taskd.notify.model import Moment, Quiet

_MINUTE = 60_000
_DAY = 24 * 60
_LONGEST = 26 * 60
"""Minutes in which a day surely ends, of whatever length."""


def ends(quiet: Quiet | None, now: Moment, zone: tzinfo) -> Moment | None:
    """Return when the quiet hours end that it is in now, or None: it is in none.

    It is quiet while the local clock shows a time in them: a clock set forward over their end ends
    them there, one that is set back into them lets them begin again.
    """
    if quiet is None or not _inside(quiet, _local(now, zone)):
        return None
    minute = now - now % _MINUTE
    soon = minute + (quiet.ends - _local(minute, zone)) % _DAY * _MINUTE
    if soon > now and _offset(soon, zone) == _offset(now, zone):  # no clock is set meanwhile
        return soon
    for _ in range(_LONGEST):
        minute += _MINUTE
        shown = _local(minute, zone)
        if shown == quiet.ends or not _inside(quiet, shown):
            break
    return minute


def _local(moment: Moment, zone: tzinfo) -> int:
    there = datetime.fromtimestamp(moment / 1000, zone)
    return there.hour * 60 + there.minute


def _offset(moment: Moment, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(moment / 1000, zone).utcoffset()


def _inside(quiet: Quiet, minutes: int) -> bool:
    if quiet.begins < quiet.ends:
        return quiet.begins <= minutes < quiet.ends
    return minutes >= quiet.begins or minutes < quiet.ends
