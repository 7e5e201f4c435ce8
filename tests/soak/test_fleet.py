"""A minute of `./dev soak fleet` with ten relays: what is kept of each host is its journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.redis_server import needs_redis
from tests.soak.fleet import soak

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900), needs_redis]


async def test_a_minute_of_harm_loses_and_doubles_no_event(tmp_path: Path) -> None:
    """Kills of relays, daemons and servers, lines that are cut, fail-overs to who had less."""
    assert await soak(tmp_path, 60.0, 7, recorded=8, own=2) == []
