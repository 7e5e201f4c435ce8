"""`./dev soak fleet`: a minute of it, and the ten minutes that are promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.redis_server import needs_redis
from tests.soak.fleet import soak

pytestmark = [pytest.mark.system, needs_redis]


@pytest.mark.timeout(3600)
async def test_a_minute_of_harm_loses_and_doubles_no_event(tmp_path: Path) -> None:
    """Kills of relays, daemons, hubs, servers; lines that are cut; fail-overs to who had less.

    With fifteen relays: fifty would be most of two cores' work for minutes, beside other tests.
    """
    assert await soak(tmp_path, 60.0, 7, recorded=12, own=3) == []


@pytest.mark.long
@pytest.mark.timeout(5400)
async def test_ten_minutes_of_it_neither(tmp_path: Path) -> None:
    """All fifty, and what the minute has not met."""
    assert await soak(tmp_path, 600.0, 12) == []
