"""Guarantees of `kaspad_taskd.base.durations`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10.0),
        ("1min 30s", 90.0),
        ("1min30s", 90.0),
        (" 2h ", 7200.0),
        ("1.5h", 5400.0),
        ("1 d 2 h", 93_600.0),
        ("0s", 0.0),
        ("0.0004s", 0.0),
    ],
)
def test_durations_are_understood(text: str, seconds: float) -> None:
    """What people write is read to the millisecond."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "10", "10 parsecs", "5m", "-1s", "1e3s", "30s 1min", "1s 1s", "٣s", "1s!", "1," * 99],
)
def test_no_duration_is_none(text: str) -> None:
    """Units that nobody defined, other digits, signs and repeated units are no duration."""
    assert parse_duration(text) is None


@given(st.integers(0, 10**13))
def test_durations_round_trip(ms: int) -> None:
    """What is written is read back as it was."""
    assert parse_duration(format_duration(ms / 1000)) == ms / 1000


@given(st.text(max_size=80))
def test_reading_never_raises(text: str) -> None:
    """Any text is a duration of 0 or more, or none."""
    seconds = parse_duration(text)
    assert seconds is None or seconds >= 0
