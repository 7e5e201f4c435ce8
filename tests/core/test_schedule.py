"""When the next look is due."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.model import Live
from kaspad_taskd.core.schedule import next_look
from tests.core.play import pending


def delay(interval: float, misses: int, jitter: float = 0.0) -> float:
    task = replace(pending(interval=interval), live=Live(misses=misses))
    return next_look(task, task.definition, jitter)


def test_interval_while_it_answers() -> None:
    """Jitter is for trouble only: an answering service is asked at its own pace."""
    assert [delay(10.0, 0, jitter) for jitter in (-1, 0, 1)] == [10.0] * 3


def test_doubles_while_unreachable() -> None:
    """The second miss in a row doubles, and so on; the last steps end at about a minute."""
    assert [delay(2.0, misses) for misses in (1, 2, 3, 4, 5)] == [2.0, 4.0, 8.0, 16.0, 32.0]
    assert delay(2.0, 6) == delay(2.0, 99) > 50


@given(
    interval=st.floats(0.25, 86_400),
    misses=st.integers(0, 100_000),
    jitter=st.floats(-1, 1),
)
def test_within_bounds(interval: float, misses: int, jitter: float) -> None:
    """Never sooner than the interval, never later than a minute unless the interval is longer."""
    assert interval <= delay(interval, misses, jitter) <= max(60.0, interval)


def test_jitter_spreads_at_every_length() -> None:
    """Tasks that all wait the longest do not come back in step."""
    for misses in (2, 4, 50):
        spread = [delay(2.0, misses, jitter) for jitter in (-1, -0.5, 0, 0.5, 1)]
        assert len(set(spread)) == 5
        assert max(spread) / min(spread) > 1.15
