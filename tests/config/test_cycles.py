"""Guarantees of `kaspad_taskd.config.cycles`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.config.cycles import find_cycle

IDS = st.sampled_from("abcdefg")


def test_a_ring_is_named_in_order() -> None:
    """Each of the ring waits for the next, the last for the first; bystanders are left out."""
    ring = find_cycle({"x": ["a"], "a": ["b"], "b": ["missing", "c"], "c": ["a"]})
    assert sorted(ring) == ["a", "b", "c"]
    assert "".join(ring) in "abcabc"


def test_ten_thousand_in_a_row() -> None:
    """A long row is no ring, and no recursion."""
    row = {str(number): [str(number + 1)] for number in range(10_000)}
    assert find_cycle(row) == ()
    assert len(find_cycle(row | {"10000": ["0"]})) == 10_001


@given(st.dictionaries(IDS, st.lists(IDS, max_size=3)))
def test_a_ring_is_found_exactly_where_there_is_one(after: dict[str, list[str]]) -> None:
    """The ring found is one; where none is found, the tasks can be put in an order."""
    ring = find_cycle(after)
    for this, following in zip(ring, (*ring[1:], *ring[:1]), strict=True):
        assert following in after[this]
    if not ring:
        waiting = dict(after)
        while waiting:
            free = [id_ for id_, others in waiting.items() if not waiting.keys() & set(others)]
            assert free, "a ring was missed"
            for id_ in free:
                del waiting[id_]
