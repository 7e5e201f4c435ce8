"""No deadline of the program is reached by chance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.patience import unhurried


@pytest.fixture(autouse=True)
def _unhurried() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        unhurried(patch)
        yield
