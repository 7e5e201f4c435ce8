"""What was mended is told: each warning says what is known, none more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.record import Repair
from kaspad_taskd.daemon.repaired import tell
from tests.fakes.house import house

REPAIR = Repair("/s/state.db", "a page", "/s/aside", 3, 1, 40, 0, 2, 5)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("repair", "codes"),
    [
        (REPAIR, ["state-repaired"]),
        (replace(REPAIR, missing=7), ["state-repaired", "journal-gap"]),
        (replace(REPAIR, events=0, missing=None), ["state-repaired"]),
        (replace(REPAIR, aside=None, events=0, missing=None), ["history-lost"]),
    ],
)
async def test_each_loss_has_its_warning(repair: Repair, codes: list[str]) -> None:
    """They stay until somebody has seen them, with numbers, and with what to do."""
    async with house() as built:
        tell(built.engine, repair)
        assert [each.code for each in built.engine.warnings.open()] == codes
        for each in built.engine.warnings.open():
            note, cure = words.warning(each.code, each.params)
            assert any(digit in note for digit in "1357")
            assert cure
