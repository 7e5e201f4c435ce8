"""No deadline of the program is reached by chance, where a conftest imports `unhurried`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kaspad_taskd.kaspa import exchange, logs
from kaspad_taskd.switching import acting, node, public, units
from tests.fakes.patience import HEADER, PATIENCE


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """Give the program's short deadlines so long that no pause reaches them."""
    with pytest.MonkeyPatch.context() as patch:  # one that no test undoes
        patch.setattr(exchange, "HEADER_TIMEOUT", HEADER)
        patch.setattr(logs, "DEADLINE", PATIENCE)
        patch.setattr(node, "TIMEOUT", PATIENCE)
        patch.setattr(acting, "CHECK", 10 * PATIENCE)
        patch.setattr(public, "LIMIT", 10 * PATIENCE)
        patch.setattr(units, "ASK", PATIENCE)
        yield
