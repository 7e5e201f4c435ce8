"""The middle of some numbers."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.middle import median

NUMBERS = st.lists(st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9), min_size=1)


@given(NUMBERS)
def test_it_is_that_of_the_standard_library(values: list[float]) -> None:
    """Whatever the numbers are, and how many."""
    assert median(iter(values)) == statistics.median(values)


def test_nothing_has_no_middle() -> None:
    """It is said, not made up."""
    with pytest.raises(ValueError, match="no median"):
        median([])
