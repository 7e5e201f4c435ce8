"""Opening the bridge: its libraries are loaded here, and only when it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.method import Method
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.config.settings import Bridge

if TYPE_CHECKING:
    from kaspad_taskd.bridge.server import BridgeServer


class CannotOpenError(Exception):
    """The bridge cannot open; the text is a sentence with the cure."""


async def open_bridge(
    api: Api, methods: Mapping[str, Method], settings: Bridge, *, state: Path, counts: Counts
) -> BridgeServer | None:
    """Return the bridge, listening; None where it is off. The loop goes on while libraries load.

    Raises:
        CannotOpenError: it cannot.
    """
    if settings.listen is None:
        return None
    await asyncio.to_thread(_load)
    from kaspad_taskd.bridge.server import BridgeServer
    from kaspad_taskd.web.files import files
    from kaspad_taskd.web.page import Page

    bridge = BridgeServer(
        api, methods, settings, state=state, page=Page(), files=files, counts=counts
    )
    await bridge.start()
    return bridge


def _load() -> None:
    import kaspad_taskd.bridge.server
    import kaspad_taskd.web.files
    import kaspad_taskd.web.page  # noqa: F401
