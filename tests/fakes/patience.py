"""Deadlines in tests: those of ours are never over by chance, and those that matter come when told.

A test or the whole machine may stand still for seconds at any point.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kaspad_taskd.kaspa import exchange, logs
from kaspad_taskd.switching import acting, node, units

PATIENCE = 60.0
"""Seconds that a test waits for what has to come."""
HEADER = 30.0
"""Seconds that a block's header may take in an unhurried test."""


def unhurried(patch: pytest.MonkeyPatch) -> None:
    """Give the program's short deadlines so long that no pause reaches them."""
    patch.setattr(exchange, "HEADER_TIMEOUT", HEADER)
    patch.setattr(logs, "DEADLINE", PATIENCE)
    patch.setattr(node, "TIMEOUT", PATIENCE)
    patch.setattr(acting, "CHECK", 10 * PATIENCE)
    patch.setattr(units, "ASK", PATIENCE)


async def once(holds: Callable[[], object]) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: it does not within PATIENCE.
    """
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


def elapse(seconds: float) -> None:
    """Let the running loop's clock jump: what is due by then is due now."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]
