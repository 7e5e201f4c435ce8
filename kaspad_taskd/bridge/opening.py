"""The bridge as the hallway has it: it listens at once, and serves when its libraries are there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Method
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.keys import NotOurs
from kaspad_taskd.bridge.listening import open_door
from kaspad_taskd.config.settings import Bridge

if TYPE_CHECKING:
    from kaspad_taskd.bridge.server import BridgeServer

Json: TypeAlias = Any


class BridgeDoor:
    """The bridge, from its address on.

    Args:
        settings: its settings; `listen` is where.
        state: the directory of the state, where a token is made.
        limit: connections of one address.

    Raises:
        CannotOpenError: with what to do about it.
    """

    def __init__(self, settings: Bridge, state: Path, limit: int) -> None:
        self._settings = settings
        self._limit = limit
        self._opened = open_door(settings, state)
        self._server: BridgeServer | None = None

    def info(self) -> dict[str, Json]:
        """What `getInfo` answers of the bridge."""
        return {
            "address": str(self._opened.address),
            "url": self._opened.url,
            "clients": 0 if self._server is None else len(self._server.browsers),
            "tokenFile": str(self._opened.token_file),
            "origins": list(self._settings.origins),
            "hosts": list(self._settings.hosts),
            "proxies": [str(each) for each in self._settings.proxies],
        }

    async def new_token(self) -> str:
        """Make another token: every browser is locked at once. Returns the file where it stands.

        Raises:
            ApiError: its file is the administrator's, or cannot be written.
        """
        keys = self._opened.keys
        file = str(keys.token_file)
        try:
            await keys.renew()
        except NotOurs:
            said = words.say("answer.token-not-ours", file=file)
            raise ApiError.of("not-allowed", said, file=file) from None
        except OSError as fault:
            said = words.say("answer.not-saved", why=fault.strerror or str(fault))
            raise ApiError.of("store-unavailable", said) from None
        return file

    async def serve(self, api: Api, methods: Mapping[str, Method], counts: Counts) -> None:
        """Begin to answer who connects. The loop goes on while libraries load."""
        await asyncio.to_thread(_load)
        from kaspad_taskd.bridge.server import BridgeServer
        from kaspad_taskd.web.files import files
        from kaspad_taskd.web.page import Page

        page = Page()
        server = BridgeServer(
            api, methods, self._settings, self._opened,
            page=page, files=files, counts=counts, limit=self._limit,
        )  # fmt: skip
        await server.start()
        self._server = server

    def refuse(self) -> None:
        """Let nobody in any more."""
        if self._server is not None:
            self._server.refuse()

    async def stop(self, reason: str) -> None:
        """Say goodbye to everybody, close."""
        if self._server is not None:
            await self._server.stop(reason)
        self._opened.close()


def _load() -> None:
    import kaspad_taskd.bridge.server
    import kaspad_taskd.web.files
    import kaspad_taskd.web.page  # noqa: F401
