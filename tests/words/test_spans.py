"""Numbers and spans as people read them (contract section 2, Formats)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.words.spans import (
    above,
    down,
    duration,
    format_time_left,
    late,
    number,
    percent,
    short_number,
    size,
    span,
    up,
)

ANY = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "Calculating..."),
        (float("nan"), "Calculating..."),
        (0, "1 second"),
        (-5, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (5400, "1 hour 30 min"),
        (7200, "2 hours"),
        (2 * 86400 + 3 * 3600, "2 days 3 hr"),
        (86400, "1 day"),
    ],
)
def test_time_left(seconds: float | None, text: str) -> None:
    """The contract's formats of a time left."""
    assert format_time_left(seconds) == text


def test_complete_is_said_of_what_is() -> None:
    """`Complete` needs the flag, whatever the seconds."""
    assert format_time_left(None, complete=True) == "Complete"
    assert format_time_left(0) != "Complete"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (9045, (9045, 150, 2, "2 hours 30 min")),
        (90, (90, 1, 0, "1 minute 30s")),
        (60, (60, 1, 0, "1 minute")),
        (45.9, (45, 0, 0, "45 seconds")),
        (0, (0, 0, 0, "0 seconds")),
        (-1, (0, 0, 0, "0 seconds")),
        (float("inf"), (0, 0, 0, "0 seconds")),
    ],
)
def test_duration(seconds: float, shown: tuple[int, int, int, str]) -> None:
    """Each total is the floor of the whole."""
    assert tuple(duration(seconds).values()) == shown


@pytest.mark.parametrize(
    ("value", "basis", "text"),
    [
        (45.19, "exact", "45.1 %"),
        (45.1, "exact", "45.1 %"),
        (71.9, "estimated", "about 71 %"),
        (99.99, "exact", "99.9 %"),
        (100, "estimated", "100 %"),
        (120, "exact", "100 %"),
        (-3, "exact", "0.0 %"),
    ],
)
def test_percent(value: float, basis: str, text: str) -> None:
    """Rounded down, never up: 100 % is said of 100 alone."""
    assert percent(value, basis) == text


@given(st.integers(0, 1000))
def test_tenths_survive(tenths: int) -> None:
    """A percent that has one decimal is shown with that one, binary fractions or not."""
    shown = percent(tenths / 10, "exact")
    assert shown == ("100 %" if tenths == 1000 else f"{tenths // 10}.{tenths % 10} %")


@given(ANY)
def test_no_number_breaks_a_sentence(value: float) -> None:
    """Every float has its text in every form; a count takes at most six cells up to 999 G."""
    assert all(form(value) for form in (span, number, size, format_time_left, short_number))
    assert percent(value, "estimated")
    if 0 <= value < 999e9:
        assert len(short_number(value)) <= 7


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "250 ms"), (4.9, "4 s"), (359, "5 min"), (3600, "1 hour"), (2 * 86400, "2 days")],
)
def test_span(value: float, text: str) -> None:
    """One unit, rounded down."""
    assert span(value) == text


def test_numbers() -> None:
    """Thousands are marked, small rates keep a decimal, large counts are short."""
    assert [number(533400), number(9.55), number(9.0)] == ["533,400", "9.5", "9"]
    assert [short_number(940), short_number(21400), short_number(3.31e6)] == [
        "940",
        "21.4 k",
        "3.3 M",
    ]
    assert [size(4e8), size(2.5e12), size(5e4)] == ["0.4 GB", "2.5 TB", "50 kB"]


@given(st.floats(0, 1e7) | st.integers(0, 10**9).map(float), st.floats(0, 1e7))
@example(99.98, 100.0)
@example(0.9999997, 1.0)
@example(0.99999999999, 1.0)
@example(100.2, 100.5)
@example(0.93, 0.99)
@example(999.9999999, 1000.0)
def test_nothing_is_shown_as_reached_that_is_not(one: float, other: float) -> None:
    """Of two numbers the less is shown as less, in each form of "a of b"."""
    less, more = sorted((one, other))
    if less == more:
        return
    assert _value(number(less)) <= less < more <= _value(above(more))
    assert down(less) <= less < more <= up(more)
    assert _value(percent(min(99.9999999, less))) <= less
    assert _cells(short_number(less)) <= less
    assert _cells(size(less)) <= less


def _value(shown: str) -> float:
    return float(shown.removesuffix(" %").replace(",", ""))


def _cells(shown: str) -> float:
    """At most what a shortened number stands for."""
    count, _, unit = shown.partition(" ")
    return _value(count) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "TB": 1e12, "GB": 1e9, "MB": 1e6,
                            "kB": 1e3}[unit] * (1 - 1e-12)  # fmt: skip


@given(st.integers(0, 10**7))
def test_one_decimal_stays_as_it_is(tenths: int) -> None:
    """Binary fractions or not, in both directions."""
    assert (down(tenths / 10), up(tenths / 10)) == (tenths / 10, tenths / 10)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "1 second"),
        (59.2, "1 minute"),
        (61, "2 minutes"),
        (3599, "1 hour"),
        (3600, "1 hour"),
        (86_399, "1 day"),
        (86_401, "1 day 1 hr"),
    ],
)
def test_lateness_does_not_flatter(seconds: float, text: str) -> None:
    """It is rounded up, as time that is left is rounded down to whole units."""
    assert late(seconds) == text
