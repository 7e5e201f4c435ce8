"""What happens ten thousand times is said once a minute."""

from __future__ import annotations

import logging

import pytest

from kaspad_taskd.base.sparing import Sparing, SparingFilter


def test_a_cause_is_said_at_once_and_once_a_minute_with_its_count() -> None:
    """Others are not kept back by it."""
    now = 0.0
    sparing = Sparing(lambda: now)
    assert sparing.may("a") == 0
    assert [sparing.may("a") for _ in range(9)] == [None] * 9
    assert sparing.may("b") == 0
    now = 60.0
    assert sparing.may("a") == 9
    assert sparing.may("a") is None


def test_a_library_that_complains_is_cut_short(caplog: pytest.LogCaptureFixture) -> None:
    """By its message before the values are filled in."""
    now = 0.0
    logger = logging.getLogger("a-library")
    only = SparingFilter(lambda: now)
    logger.addFilter(only)
    for number in range(1000):
        logger.error("no file for %d", number)
    now = 61.0
    logger.error("no file for %d", 7)
    logger.removeFilter(only)
    assert [each.getMessage() for each in caplog.records] == [
        "no file for 0", "no file for 7, and 999 more",
    ]  # fmt: skip
