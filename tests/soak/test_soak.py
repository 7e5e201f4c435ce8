"""A minute of `./dev soak`, and a few thousand of its garbage: no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import soak
from tests.soak.fuzz import fuzz

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SECONDS, SAID = 60.0, 60_000


async def test_a_minute_of_harm_breaks_no_promise(tmp_path: Path) -> None:
    """Load, kills, a full disk, clock jumps, few files, damage and strangers."""
    broken = await soak(tmp_path, SECONDS, 7, measured=False)
    assert broken == []


async def test_garbage_is_answered_and_nothing_else(tmp_path: Path) -> None:
    """Bent JSON-RPC, Engine.IO and HTTP: no death, no traceback, no growth."""
    assert await fuzz(tmp_path, SAID, 7) == []
