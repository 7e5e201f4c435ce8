"""Places of a door: a peer has many, never all, and root gets in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.places import Places, most_of

LIMITS = st.integers(1, 3000)


def fill(places: Places, peer: str) -> int:
    """Take all that a peer may have; returns how many."""
    count = 0
    while places.take(peer):
        count += 1
    return count


@given(LIMITS)
def test_a_peer_alone_has_its_limit_and_the_next_one_gets_in(limit: int) -> None:
    """However many one has taken, somebody else has a place."""
    places = Places(limit)
    assert fill(places, "one") == limit
    assert places.take("other")


@given(st.integers(30, 3000), st.integers(1, 3))
def test_several_who_take_all_that_they_may_leave_something(limit: int, crowd: int) -> None:
    """What a peer may have shrinks with what is left."""
    places = Places(limit)
    for number in range(crowd):
        assert fill(places, str(number)) > 0
    assert places.used <= places.all


@given(LIMITS, st.integers(0, 40))
def test_root_gets_in_whoever_fills_the_door(limit: int, crowd: int) -> None:
    """Its last places are nobody else's."""
    places = Places(limit, frozenset({"root"}))
    for number in range(crowd):
        fill(places, str(number))
    assert places.take("root")


@given(LIMITS, st.lists(st.sampled_from("abc")))
def test_what_is_given_back_can_be_taken_again(limit: int, peers: list[str]) -> None:
    """A door that everybody has left is as it was."""
    places = Places(limit)
    taken = [peer for peer in peers if places.take(peer)]
    for peer in taken:
        places.leave(peer)
    assert places.used == 0
    assert fill(places, "one") == limit


@given(st.integers(4, 100_000))
def test_all_that_a_door_lets_in_is_within_its_share(count: int) -> None:
    """Root's places included."""
    places = Places(most_of(count), frozenset({"root"}))
    for peer in ("a", "b", "c", "d", "root"):
        fill(places, peer)
    assert places.used <= max(count, 5)
