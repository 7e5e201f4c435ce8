"""The heart: it beats only while the daemon is alive."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.systemd.heart import LOOK_PATIENCE, WRITER_PATIENCE, Heart
from kaspad_taskd.systemd.notify import pulse


class Body:
    """What a heart asks for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.answered = 1000.0
        self.overdue = 0.0
        self.beats = 0
        self.heart = Heart(
            lambda: self.answered, lambda: self.overdue, self._beat, lambda: self.now
        )

    def _beat(self) -> None:
        self.beats += 1


@given(st.floats(0, 1000), st.floats(-1000, 1000))
def test_it_beats_exactly_while_writer_and_looks_are_in_time(age: float, overdue: float) -> None:
    """90 s for the writer, 30 s for a look past its deadline; then silence."""
    body = Body()
    body.answered, body.overdue = body.now - age, overdue
    body.heart.turn()
    alive = body.now - body.answered <= WRITER_PATIENCE and overdue <= LOOK_PATIENCE
    assert body.beats == alive
    assert (body.heart.trouble() is None) is alive


def test_a_silence_is_said_once_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The log has why systemd is about to kill us, and when it is over."""
    body = Body()
    for answered, overdue in [(905, 0), (905, 0), (1000, 31), (1000, 0), (1000, 31)]:
        body.answered, body.overdue = answered, overdue
        body.heart.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "the watchdog hears nothing: the store's writer has not answered for 95 s",
        "the watchdog hears us again",
        "the watchdog hears nothing: a look is 31 s past its deadline",
    ]


@pytest.mark.looptime
async def test_it_beats_at_once_and_then_in_time() -> None:
    """The first beat does not wait; one more follows each span."""
    body = Body()
    task = asyncio.create_task(body.heart.run(10))
    await asyncio.sleep(35)
    task.cancel()
    assert body.beats == 4


@pytest.mark.parametrize(
    ("span", "whose", "expected"),
    [
        ("120000000", None, 10.0),
        ("3000000", None, 1.5),
        ("3000000", "42", 1.5),
        ("3000000", "43", None),
        ("0", None, None),
        ("", None, None),
        ("-5", None, None),
        ("x", None, None),
        ("²", None, None),
        (None, "42", None),
    ],
)
def test_the_pulse_is_at_most_half_of_what_systemd_waits(
    span: str | None, whose: str | None, expected: float | None
) -> None:
    """No watchdog, a broken value or another process's means no pulse; children see nothing."""
    given = {"WATCHDOG_USEC": span, "WATCHDOG_PID": whose, "HOME": "/"}
    environ = {key: value for key, value in given.items() if value is not None}
    assert pulse(environ, 42) == expected
    assert environ == {"HOME": "/"}
