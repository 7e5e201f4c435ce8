"""The fleet as a whole is followed: which servers are read, and what is done when one is lost.

One server is read; of a pair the one that answers, and is the master as far as it says so; of a
cluster all masters, each over a line of its own. When a line is lost, what it showed stays, and it
is looked for anew: a fail-over, a move of slots or a restart all look like this.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from kaspad_taskd.fleet.asking import Asking
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.reading import Reading, Told
from kaspad_taskd.fleet.settings import Engine, Login, Server

BEAT_S: Final = 0.5
"""Seconds between two looks whether somebody has gone silent."""
FIRST_S: Final = 0.5
LONGEST_S: Final = 10.0
"""Seconds until a server is tried again, at first and at most; half of it is chance."""
LOOK_S: Final = 30.0
"""Seconds between two looks which masters a cluster has."""

log = logging.getLogger(__name__)


class Following:
    """Keeps the mirror true until it is cancelled.

    Args:
        engine: which servers there are.
        login: as whom they are read.
        mirror: what is kept.
        told: hears of each tick's changes, one piece a host.
        clock: monotonic time (s).
    """

    def __init__(
        self,
        engine: Engine,
        login: Login,
        mirror: Mirror,
        told: Told,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._login = login
        self._mirror = mirror
        self._told = told
        self._clock = clock
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._turn = 0
        self._ended = asyncio.Event()
        self._said = ""

    async def run(self) -> None:
        """Follow."""
        beat = asyncio.create_task(self._beat())
        try:
            await self._keep()
        finally:
            for task in (beat, *self._readers.values()):
                task.cancel()
            await asyncio.gather(beat, *self._readers.values(), return_exceptions=True)

    async def _keep(self) -> None:
        wait = FIRST_S
        while True:
            began = self._clock()
            try:
                servers, cluster = await self._masters()
            except Trouble as trouble:
                self._say(str(trouble))
            else:
                self._settle(servers, cluster)
                await self._rest(LOOK_S if cluster else None)
            wait = FIRST_S if self._clock() - began > LONGEST_S else min(wait * 2, LONGEST_S)
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311

    async def _rest(self, seconds: float | None) -> None:
        """Wait until a line is lost, or it is time to look again."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return
        self._ended.clear()

    async def _beat(self) -> None:
        """Silence is told though nothing comes."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._mirror.trim()
            changes = self._mirror.drain(self._clock())
            if changes:
                self._told(changes)

    # -- which servers

    async def _masters(self) -> tuple[Sequence[Server], bool]:
        """Return the servers that are read, and whether they are a cluster; raises Trouble."""
        last: Trouble | None = None
        for server in self._known():
            asking = Asking(self._engine, self._login, server)
            try:
                await asking.open()
                return await self._look(asking, server)
            except Trouble as trouble:
                last = trouble
                self._lost(server, str(trouble))
            finally:
                await asking.close()
        assert last is not None  # there is a server at least, or no settings
        raise last

    def _known(self) -> Iterable[Server]:
        """The servers of the settings, beginning with the one whose turn it is."""
        servers = self._engine.servers
        return [servers[(self._turn + at) % len(servers)] for at in range(len(servers))]

    async def _look(self, asking: Asking, server: Server) -> tuple[Sequence[Server], bool]:
        """Ask a server of how many it is one."""
        try:
            slots = await asking.ask("CLUSTER", "SLOTS")
        except Trouble as trouble:
            if trouble.kind not in (Kind.FOREIGN, Kind.RIGHTS):
                raise  # else it is none, or does not tell
            await self._is_master(asking)
            return [server], False
        masters = {_server(each[2], server) for each in slots}
        return sorted(masters, key=str), True

    async def _is_master(self, asking: Asking) -> None:
        """Refuse a replica where another may be the master; who may not ask takes it as it is."""
        if len(self._engine.servers) < 2:
            return
        try:
            role = (await asking.ask("ROLE"))[0]
        except Trouble as trouble:
            if trouble.kind is Kind.RIGHTS:
                return
            raise
        if role != b"master":
            raise Trouble(Kind.READ_ONLY, asking.place, f"it is a {role.decode()}")

    def _settle(self, servers: Sequence[Server], cluster: bool) -> None:
        """Read these servers and no others."""
        wanted = {str(server): server for server in servers}
        for name in [name for name in self._mirror.lines if name not in wanted]:
            task = self._readers.pop(name, None)
            if task is not None:
                task.cancel()
            self._mirror.drop(name)
        for name, server in wanted.items():
            task = self._readers.get(name)
            if task is None or task.done():
                asking = Asking(self._engine, self._login, server)
                reading = Reading(asking, self._mirror, self._clock, self._told, cluster=cluster)
                self._readers[name] = asyncio.create_task(self._read(reading, name))

    async def _read(self, reading: Reading, name: str) -> None:
        try:
            await reading.run()
        except Trouble as trouble:
            self._say(str(trouble))
        except Exception:
            log.exception("reading %s ended", name)
            self._mirror.line(name).lost("a fault of ours (see the log)")
        finally:
            self._ended.set()

    def _lost(self, server: Server, fault: str) -> None:
        """A server that cannot even be asked: where it is read, it is lost; the next has a turn."""
        self._turn += 1
        known = self._mirror.lines
        if str(server) in known or not known:
            self._mirror.line(str(server)).lost(fault)

    def _say(self, fault: str) -> None:
        """Say it once, not at each try."""
        if fault != self._said:
            log.warning("%s", fault)
            self._said = fault


def _server(node: Sequence[bytes | int], asked: Server) -> Server:
    """A server as a cluster names it; without an address it is the one that was asked."""
    host = bytes(node[0] or b"").decode() if not isinstance(node[0], int) else ""
    return replace(asked, path="", host=host or asked.host, port=int(node[1]))
