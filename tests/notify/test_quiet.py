"""Quiet hours: what the local clock shows decides, also on the days on which it is set."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.model import Quiet
from kaspad_taskd.notify.quiet import ends

MINUTE = 60_000
ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
FORWARD = 1_774_746_000_000  # 29 March 2026 02:00 in Vienna, which is 03:00
BACK = 1_792_890_000_000  # 25 October 2026 03:00 in Vienna, which is 02:00
VIENNA = ZoneInfo("Europe/Vienna")


def shown(moment: int, zone: ZoneInfo) -> int:
    there = datetime.fromtimestamp(moment / 1000, zone)
    return there.hour * 60 + there.minute


def is_quiet(quiet: Quiet, moment: int, zone: ZoneInfo) -> bool:
    """By going through the minutes that are quiet, one by one."""
    minutes, at = set(), quiet.begins
    while at != quiet.ends:
        minutes.add(at)
        at = (at + 1) % 1440
    return shown(moment, zone) in minutes


NEAR = st.sampled_from((FORWARD, BACK, 1_780_000_000_000)).flatmap(
    lambda at: st.integers(at - 30 * 60 * MINUTE, at + 30 * 60 * MINUTE)
)


@given(
    st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda both: both[0] != both[1]),
    NEAR,
    st.sampled_from(ZONES),
)
def test_it_is_quiet_while_the_clock_shows_so(hours: tuple[int, int], now: int, name: str) -> None:
    """From now to the end told every minute is quiet, and the end is not."""
    quiet, zone = Quiet(*hours), ZoneInfo(name)
    end = ends(quiet, now, zone)
    assert (end is not None) is is_quiet(quiet, now, zone)
    if end is not None:
        assert now < end
        assert all(is_quiet(quiet, at, zone) for at in range(now - now % MINUTE, end, 7 * MINUTE))
        assert is_quiet(quiet, end - 1, zone)
        assert shown(end, zone) == quiet.ends or not is_quiet(quiet, end, zone)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        ((23 * 60, 7 * 60), "2026-03-28 23:30", "2026-03-29 07:00"),  # of seven hours
        ((23 * 60, 7 * 60), "2026-10-24 23:30", "2026-10-25 07:00"),  # of nine
        ((60, 150), "2026-03-29 01:30", "2026-03-29 03:00"),  # half past two never comes
        ((0, 1439), "2026-05-28 12:00", "2026-05-28 23:59"),
        ((420, 420), "2026-05-28 12:00", "2026-05-29 07:00"),  # a day
        ((420, 420), "2026-05-28 07:00", "2026-05-29 07:00"),
    ],
)
def test_when_it_ends(hours: tuple[int, int], now: str, end: str) -> None:
    """As people would say."""
    there, then = (datetime.fromisoformat(each).replace(tzinfo=VIENNA) for each in (now, end))
    told = ends(Quiet(*hours), round(there.timestamp() * 1000), VIENNA)
    assert told == round(then.timestamp() * 1000)


def test_who_wants_no_quiet_has_none() -> None:
    """Nor is it quiet outside of the hours."""
    noon = round((datetime(2026, 5, 28, tzinfo=VIENNA) + timedelta(hours=12)).timestamp() * 1000)
    assert ends(None, noon, VIENNA) is None
    assert ends(Quiet(23 * 60, 7 * 60), noon, VIENNA) is None
