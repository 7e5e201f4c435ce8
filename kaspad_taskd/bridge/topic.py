"""What a browser is in: who tells it, who answers it, and how it is greeted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.calls import Calls

Json: TypeAlias = Any


class Telling(Protocol):
    """Tells those browsers that are in a topic."""

    def told_to(self, browser: Browser) -> int:
        """Up to which `seq` a browser has been told everything."""

    async def join(self, browser: Browser, hello: Callable[[], Json]) -> None:
        """Bring a new browser into the present."""

    async def catch_up(self, browser: Browser, since: Json, journal: Json = None) -> Json:
        """Tell again what followed `since`; returns `{seq}`, or the `task:error` that was told."""

    def leave(self, browser: Browser) -> None:
        """Tell it nothing any more."""


@frozen
class Topic:
    """What a browser is in.

    Attributes:
        fanout: tells it.
        calls: answers it.
        hello: what it is told first, without `seq` and `canChange`.
    """

    fanout: Telling
    calls: Calls
    hello: Callable[[], dict[str, Json]]
