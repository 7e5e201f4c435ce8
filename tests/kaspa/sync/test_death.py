"""What is said of a node that ended."""

from __future__ import annotations

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync.death import CAUSES, DEATHS, hints, reason


@pytest.mark.parametrize("death", sorted(set(DEATHS.values())))
def test_every_death_is_said_with_a_cure(death: str) -> None:
    """Whatever is known of its log, and no place is left open."""
    for where in ({}, {"unit": "kaspad.service"}, {"container": "kaspad"}, {"log": "/k.log"}):
        (hint,) = hints(death, where)
        says, do = words.hint(hint.code, hint.params)
        assert says.endswith(".")
        assert do is not None
        assert "{" not in says + do


def test_a_reason_is_the_log_s_where_nobody_is_met() -> None:
    """Who answers that it is busy is not dead."""
    for death, cause in CAUSES.items():
        assert reason(death, Reason.REFUSED) is cause
        assert reason(death, Reason.STREAM_CLOSED) is cause
        assert reason(death, Reason.BUSY) is Reason.BUSY
    assert reason("stopped", Reason.REFUSED) is Reason.REFUSED
    assert reason(None, Reason.REFUSED) is Reason.REFUSED
    assert hints(None, {}) == ()
    assert hints("of another version", {}) == ()


def test_a_full_disk_is_said_with_what_is_free() -> None:
    """Too little still, or enough again."""
    little, again, hidden = (
        hints("no-space", {}, free)[0] for free in (5_000, 80_000_000_000, None)
    )
    assert words.note(little.code, little.params) == (
        "It ended because its disk is full: 5 kB are free."
    )
    assert "80.0 GB are free now" in words.note(again.code, again.params)
    assert "Start it again" in str(words.hint(again.code, again.params)[1])
    assert words.note(hidden.code, hidden.params).startswith("It ended because its disk was full")
