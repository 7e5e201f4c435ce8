"""Quiet hours: whether the local clock shows a time in which people sleep, and until when."""

from __future__ import annotations

from datetime import datetime, tzinfo

from kaspad_taskd.notify.model import Moment, Quiet

_MINUTE = 60_000
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
    for _ in range(_LONGEST):
        minute += _MINUTE
        shown = _local(minute, zone)
        if shown == quiet.ends or not _inside(quiet, shown):
            break
    return minute


def _local(moment: Moment, zone: tzinfo) -> int:
    there = datetime.fromtimestamp(moment / 1000, zone)
    return there.hour * 60 + there.minute


def _inside(quiet: Quiet, minutes: int) -> bool:
    if quiet.begins < quiet.ends:
        return quiet.begins <= minutes < quiet.ends
    return minutes >= quiet.begins or minutes < quiet.ends
