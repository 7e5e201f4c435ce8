"""Guarantees of `kaspad_taskd.base.clock`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.clock import JUMP_S, Clock, iso, parse_iso

START = 1_795_443_129.0  # 2026-11-23T14:12:09Z


class Hands:
    """Both clocks of a host, moved by hand."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = START

    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic, lambda: self.wall)

    def pass_time(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


def test_time_passes_evenly() -> None:
    """Moments begin at the wall clock and follow monotonic time."""
    hands = Hands()
    clock = hands.clock()
    assert clock.now() == clock.wall() == int(START * 1000)
    hands.pass_time(12.5)
    assert clock.now() == int(START * 1000) + 12_500
    assert clock.check() == 0.0


@pytest.mark.parametrize("jump", [-3600.0, -JUMP_S, JUMP_S, 86_400.0])
def test_a_jump_is_told_once_and_then_followed(jump: float) -> None:
    """A stepped clock or a host that slept is noticed, once; then moments go on from it."""
    hands = Hands()
    clock = hands.clock()
    hands.pass_time(10)
    hands.wall += jump
    assert clock.now() == int((START + 10) * 1000), "nothing jumps before the check"
    assert clock.check() == pytest.approx(jump)
    assert clock.check() == 0.0
    assert clock.now() == pytest.approx(clock.wall(), abs=1)


def test_a_small_step_changes_nothing() -> None:
    """Under the limit pace and patience are undisturbed; the wall clock is told as it is."""
    hands = Hands()
    clock = hands.clock()
    hands.wall -= JUMP_S / 2
    assert clock.check() == 0.0
    assert clock.now() == int(START * 1000)
    assert clock.wall() == int((START - JUMP_S / 2) * 1000)


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_between_jumps_moments_never_fall(steps: list[float]) -> None:
    """However time passes, a later moment is no smaller."""
    hands = Hands()
    clock = hands.clock()
    moments = [clock.now()]
    for step in steps:
        hands.monotonic += step
        moments.append(clock.now())
    assert moments == sorted(moments)


def test_the_public_form_is_utc_with_milliseconds() -> None:
    """Times are ISO 8601 UTC with milliseconds and `Z`."""
    assert iso(int(START * 1000) + 7) == "2026-11-23T14:12:09.007Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(-1) == "1969-12-31T23:59:59.999Z"


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_moments_round_trip(moment: int) -> None:
    """Every moment that can be written is read back as it was, by us and by the library."""
    text = iso(moment)
    assert parse_iso(text) == moment
    whole = datetime.fromisoformat(text) - datetime.fromtimestamp(0, UTC)
    assert whole.days * 86_400 + whole.seconds == moment // 1000


def test_other_zones_are_understood() -> None:
    """An offset is honoured."""
    assert parse_iso("2026-11-23T15:12:09+01:00") == int(START * 1000)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-23T14:12:09", "2026-13-01T00:00:00Z"])
def test_no_moment_is_an_error(text: str) -> None:
    """What names no moment, or none without knowing the zone, raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)
