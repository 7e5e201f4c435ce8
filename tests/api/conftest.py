"""A house with the API, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.house import ApiHouse

pytest.register_assert_rewrite("tests.api.house")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ApiHouse]:
    from tests.api.house import api_house

    async with api_house(tmp_path) as built:
        yield built
