"""The hub at work: reads the fleet into the mirror, serves who connects, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.base.descriptors import allow_files
from kaspad_taskd.bridge import server as server  # loaded before there is a loop that would wait
from kaspad_taskd.bridge.listening import Opened
from kaspad_taskd.bridge.opening import CONNECTIONS, BridgeDoor, Make
from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Change
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.site import HubSite
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Settings
from kaspad_taskd.systemd.notify import Notifier
from kaspad_taskd.words import plural, say
from kaspad_taskd.words.fleet import VERDICTS

PULSE_S: Final = 5.0
"""Seconds between two signs of life for systemd, at most."""
FILES: Final = 4096

log = logging.getLogger(__name__)


class House:
    """The whole of it.

    Args:
        settings: of the fleet.
        state: the directory of the state, where a token is made.
        systemd: who is told how it goes.
        pulse: seconds between two beats for the watchdog, None for none.

    Raises:
        CannotOpenError: its token cannot be used; with what to do about it.
    """

    def __init__(
        self, settings: Settings, state: Path, systemd: Notifier, pulse: float | None
    ) -> None:
        self._settings = settings
        self._systemd = systemd
        self._pulse = PULSE_S if pulse is None else min(PULSE_S, pulse)
        self._mirror = Mirror(settings.hub.expected)
        self._archive = Archive(settings.engine, settings.hub.login)
        allow_files(FILES)
        self._door = BridgeDoor(settings.hub.door, state, CONNECTIONS)
        self._site: HubSite | None = None
        self._said = ""
        self._ending = asyncio.Event()

    def stop(self) -> None:
        """Let it end."""
        self._ending.set()

    async def run(self) -> None:
        """Work until it is stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        hub, servers = self._settings.hub, self._settings.engine.servers
        following = Following(self._settings.engine, hub.login, self._mirror, self._told)
        self._systemd.ready(self._line())
        log.info("the page is at %s; it reads %s", self._where, ", ".join(map(str, servers)))
        rooms = [
            loop.create_task(room)
            for room in (following.run(), self._door.serve(self._load), self._beat())
        ]
        ending = loop.create_task(self._ending.wait())
        try:
            await self._last(rooms, ending)
        finally:
            self._systemd.stopping("stops")
            self._door.refuse()
            await self._door.stop("signal")
            for room in (*rooms, ending):
                room.cancel()
            await asyncio.gather(*rooms, ending, return_exceptions=True)

    async def _last(self, rooms: Sequence[asyncio.Task[None]], ending: asyncio.Task[bool]) -> None:
        """Wait for the end; a room that ends by a fault ends all, and systemd begins anew."""
        waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {*rooms, ending}
        while not ending.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for room in done:
                room.result()

    def _told(self, changes: Sequence[Change]) -> None:
        if self._site is not None:
            self._site.told(changes)

    def _load(self) -> Make:
        """Return what makes what is served: all of it is loaded since the start."""

        def make(opened: Opened) -> HubSite:
            place = self._settings.hub.door.place
            self._site = HubSite(self._mirror, self._archive, opened.token_file, place)
            return self._site

        return make

    # how it goes

    async def _beat(self) -> None:
        while not self._ending.is_set():
            self._systemd.watchdog()
            line = self._line()
            if line != self._said:
                self._said = line
                self._systemd.status(line)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._pulse)

    def _line(self) -> str:
        """What `systemctl status` shows: how many hosts are how, or why nobody knows."""
        counts = Counter(host.verdict.value for host in self._mirror)
        parts = [
            f"{counts[each]} {say(f'fleet.verdict.{each}')}" for each in VERDICTS if counts[each]
        ]
        hosts = f"{plural('fleet.hosts', len(self._mirror.hosts))}: {', '.join(parts)}"
        problem = self._mirror.problem
        why = [say("fleet.engine", fault=problem)] if problem is not None else []
        return "; ".join([*why, hosts if parts else say("fleet.none"), self._where])

    @property
    def _where(self) -> str:
        """Where its page is, or why it is not there."""
        return self._door.brief or str(self._door.info()["url"] or "")
