"""The bridge as the hallway has it: it listens at once, and loads its libraries when it has to.

An address that somebody else has, or that the network does not have yet, ends nothing: it is said,
and tried again, and served as soon as it is free.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Method
from kaspad_taskd.base.descriptors import NO_MORE, is_exhausted, is_own_limit
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.keys import CannotOpenError, Keys, NotOurs, open_keys
from kaspad_taskd.bridge.knocking import knocked, turn_away
from kaspad_taskd.bridge.listening import NotListeningError, Opened, open_door
from kaspad_taskd.bridge.unavailable import unavailable
from kaspad_taskd.config.settings import Bridge

if TYPE_CHECKING:
    from kaspad_taskd.bridge.server import BridgeServer
    from kaspad_taskd.bridge.site import Site

Json: TypeAlias = Any
Trouble: TypeAlias = tuple[str, Mapping[str, Any]]
"""Why it does not listen: the code of a warning, and what its sentence needs."""

Make: TypeAlias = "Callable[[Opened], Site]"
"""Makes what a door serves, of where it listens."""
Load: TypeAlias = Callable[[], Make]
"""Loads the libraries that it needs; blocks."""

TROUBLES: Final = ("bridge-taken", "bridge-not-listening")
RETRY_S: Final = 30.0
"""Seconds between two tries to listen."""
AGAIN_S: Final = 60.0
"""Seconds between two tries to load its libraries."""
CONNECTIONS: Final = 2048
NOT_LOADED: Final = unavailable(
    "kaspad-taskd runs, but cannot load what its page is made with: restart it.\n",
    int(AGAIN_S),
)

_log = logging.getLogger(__name__)


class Warnings(Protocol):
    """Where warnings stand until their cause is gone, or somebody has seen them."""

    def warn(self, code: str, params: Mapping[str, Any]) -> object:
        """Let one stand; nothing happens while one stands that says the same."""

    def clear(self, code: str) -> None:
        """The cause is gone."""


class BridgeDoor:
    """The bridge, from its address on.

    Args:
        settings: its settings; `listen` is where.
        state: the directory of the state, where a token is made.
        limit: connections of one address.
        warnings: where a trouble stands while it lasts.

    Attributes:
        trouble: why it does not listen: a code and its parameters, or None.

    Raises:
        CannotOpenError: its token cannot be used; with what to do about it.
    """

    def __init__(
        self,
        settings: Bridge,
        state: Path,
        limit: int = CONNECTIONS,
        warnings: Warnings | None = None,
    ) -> None:
        self._settings = settings
        self._state = state
        self._limit = limit
        self._warnings = warnings
        self._opened: Opened | None = None
        self._server: BridgeServer | None = None
        self._stopped = False
        self.trouble: Trouble | None = None
        self._try()

    @property
    def problem(self) -> str | None:
        """Why it does not listen, as a sentence, or None."""
        return self.trouble and words.maybe(f"warning.{self.trouble[0]}.note", **self.trouble[1])

    @property
    def brief(self) -> str | None:
        """The same in a few words, for a line that has more to say."""
        return self.trouble and words.maybe(f"warning.{self.trouble[0]}.brief", **self.trouble[1])

    @property
    def cure(self) -> str | None:
        """What to do about it, or None."""
        return self.trouble and words.maybe(f"warning.{self.trouble[0]}.cure", **self.trouble[1])

    def info(self) -> dict[str, Json]:
        """What `getInfo` answers of the bridge."""
        opened, settings = self._opened, self._settings
        made = settings.token_file or self._state / "bridge.token"
        return {
            "address": str(settings.listen if opened is None else opened.address),
            "url": None if opened is None else opened.url,
            "clients": 0 if self._server is None else len(self._server.browsers),
            "tokenFile": str(made if opened is None else opened.token_file),
            "origins": list(settings.origins),
            "hosts": list(settings.hosts),
            "proxies": [str(each) for each in settings.proxies],
            "listening": opened is not None,
            "problem": self.problem,
            "cure": self.cure,
        }

    async def new_token(self) -> str:
        """Make another token: every browser is locked at once. Returns the file where it stands.

        Raises:
            ApiError: its file is the administrator's, or cannot be written.
        """
        keys = await self._keys()
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

    async def _keys(self) -> Keys:
        """The keys of the door, which has some before it has its address."""
        if self._opened is not None:
            return self._opened.keys
        return await asyncio.to_thread(open_keys, self._settings.token_file, self._state)

    async def serve(self, load: Load) -> None:
        """Answer who connects, as soon as it can listen and somebody does.

        Until then it costs neither the time nor the memory of its libraries.

        Args:
            load: loads what it serves; called beside the loop, again where it fails.
        """
        self._tell(None)
        opened = await self._listening()
        make = await self._loaded(opened, load)
        gc.freeze()  # what was loaded stays: no search for garbage walks it again
        from kaspad_taskd.bridge.server import BridgeServer
        from kaspad_taskd.web.files import files

        server = BridgeServer(make(opened), self._settings, opened, files=files, limit=self._limit)
        await server.start()
        self._server = server

    async def _loaded(self, opened: Opened, load: Load) -> Make:
        """Load the libraries for the first who connects; who comes while they fail is told so."""
        while True:
            await knocked(opened.sockets)
            try:
                await asyncio.to_thread(_load)
                make = await asyncio.to_thread(load)
            except Exception as error:
                if is_own_limit(error) or is_exhausted():
                    _log.error("the bridge waits: %s", NO_MORE)
                    await asyncio.sleep(RETRY_S)
                    continue
                self._cannot_load(error)
                await turn_away(opened.sockets, NOT_LOADED, AGAIN_S)
            else:
                if self._warnings is not None:
                    self._warnings.clear("bridge-not-loaded")
                return make

    def _cannot_load(self, error: Exception) -> None:
        """They were replaced or removed since the daemon started, most likely."""
        _log.error("the bridge's libraries cannot be loaded, restart kaspad-taskd: %s", error)
        if self._warnings is not None:
            self._warnings.warn("bridge-not-loaded", {"problem": str(error)[:200]})

    async def _listening(self) -> Opened:
        """Wait until there is the address."""
        while self._opened is None:
            await asyncio.sleep(RETRY_S)
            before = self.trouble
            try:
                await asyncio.to_thread(self._try)
            except CannotOpenError as error:  # its token, meanwhile
                _log.error("%s", error)
            self._tell(before)
        return self._opened

    def _try(self) -> None:
        """Listen, or know why not. Blocks."""
        try:
            opened = open_door(self._settings, self._state)
        except NotListeningError as error:
            self.trouble = error.code, error.params
            return
        self._opened, self.trouble = opened, None
        if self._stopped:
            opened.close()

    def _tell(self, before: Trouble | None) -> None:
        """Let a trouble stand where people look while it lasts; the log has each kind once."""
        now = self.trouble
        if self._warnings is not None and (now is None or now != before):
            for code in TROUBLES:  # what stands from before a restart may say the same
                if now is None or code != now[0] or before is not None:
                    self._warnings.clear(code)
            if now is not None:
                self._warnings.warn(*now)
        if now is not None and (before is None or now[0] != before[0]):
            problem = self.problem or ""
            _log.error("%s%s %s", problem[:1].lower(), problem[1:], self.cure)

    def refuse(self) -> None:
        """Let nobody in any more."""
        if self._server is not None:
            self._server.refuse()

    async def stop(self, reason: str) -> None:
        """Say goodbye to everybody, close."""
        self._stopped = True
        if self._server is not None:
            await self._server.stop(reason)
        if self._opened is not None:
            self._opened.close()


def _load() -> None:
    import kaspad_taskd.bridge.server
    import kaspad_taskd.web.files  # noqa: F401


def own(api: Api, methods: Mapping[str, Method], counts: Counts) -> Load:
    """Return what loads the daemon's own site.

    Args:
        api: what it shows.
        methods: the API's methods by name.
        counts: for the metrics.
    """

    def load() -> Make:
        from kaspad_taskd.bridge.own_site import OwnSite
        from kaspad_taskd.web.page import Page

        def make(opened: Opened) -> Site:
            return OwnSite(api, methods, opened.token_file, page=Page(), counts=counts)

        return make

    return load
