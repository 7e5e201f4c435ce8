"""How long tests wait, and deadlines that come when a test says so.

A test or the whole machine may stand still for seconds at any point.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PATIENCE = 60.0
"""Seconds that a test waits for what has to come: a busy machine may take so long."""
HEADER = 30.0
"""Seconds that a block's header may take in an unhurried test."""


@asynccontextmanager
async def awaited(what: str, seconds: float = PATIENCE) -> AsyncIterator[None]:
    """Give up after so many seconds, and say what was waited for.

    Raises:
        TimeoutError: so.
    """
    waiting = asyncio.timeout(seconds)
    try:
        async with waiting:
            yield
    except TimeoutError as error:
        if not waiting.expired():
            raise  # somebody else's within
        raise TimeoutError(f"not within {seconds:g} s: {what}") from error


async def once(
    holds: Callable[[], object], what: str = "it holds", seconds: float = PATIENCE
) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: it does not within so many seconds, with what was waited for.
    """
    async with awaited(what, seconds):
        while not holds():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


def elapse(seconds: float) -> None:
    """Let the running loop's clock jump: what is due by then is due now."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]
