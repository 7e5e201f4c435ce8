"""The rings of history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.store import ring

moments = st.integers(0, 2**45)


@given(moments, moments)
def test_what_is_shown_has_its_slot_to_itself(now: int, age: int) -> None:
    """No two minutes (half hours) within the horizon share a slot: nothing shown is lost."""
    for place, (horizon, span) in enumerate(
        zip(ring.horizons(now), (ring.MINUTE, ring.HALF_HOUR), strict=True)
    ):
        other = now - age % (now - horizon + 1)
        same_slot = ring.places(now)[place] == ring.places(other)[place]
        assert same_slot == (now // span == other // span)


@given(moments)
def test_horizons_are_six_hours_and_fourteen_days(now: int) -> None:
    """Each, but for the part of a slot that is still being filled."""
    minutes, half_hours = ring.horizons(now)
    assert 6 * 3_600_000 - ring.MINUTE <= now - minutes < 6 * 3_600_000
    assert 14 * 86_400_000 - ring.HALF_HOUR <= now - half_hours < 14 * 86_400_000
