"""The twin that tests of looks at indexers share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.indexers import SimplyKaspa


@pytest.fixture
async def ski(tmp_path: Path) -> AsyncIterator[SimplyKaspa]:
    twin = SimplyKaspa(tmp_path / "ski.log")
    await twin.reserve()
    yield twin
    await twin.stop()
