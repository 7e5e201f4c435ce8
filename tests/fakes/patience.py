"""How long tests wait, and deadlines that come when a test says so.

A test or the whole machine may stand still for seconds at any point.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds that a test waits for what has to come: a busy machine may take so long."""
HEADER = 30.0
"""Seconds that a block's header may take in an unhurried test."""


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
