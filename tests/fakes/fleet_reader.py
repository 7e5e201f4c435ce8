"""A fleet followed in a test: what listeners were told, and what is known, beside the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from redis import Redis

from kaspad_taskd.fleet.following import Following
from kaspad_taskd.fleet.host import Change, Verdict
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Engine, Login, server_of
from tests.fakes.fleet_writer import Command, FleetHost
from tests.fakes.patience import once

HUB_RIGHTS = "on >pw %R~taskd:* -@all +@read +ping -keys -randomkey +cluster|slots"
"""The hub's kind of user, as docs/fleet.md has it, with its password."""


def engine(*servers: str) -> Engine:
    """Settings with these servers."""
    return Engine(tuple(server for text in servers if (server := server_of(text)) is not None))


def write(client: Redis, commands: Sequence[Command]) -> None:
    """Do it in one transaction."""
    pipeline = client.pipeline(transaction=True)
    for command in commands:
        pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
    pipeline.execute()


class Followed:
    """A reader at work, as a hub has one.

    Attributes:
        events: numbers of the events that listeners were told, by host; a piece that says `anew`
            begins them again.
        pieces: all that they were told.
    """

    def __init__(
        self,
        *servers: str,
        wished: Sequence[str] = (),
        login: Login | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.mirror = Mirror(wished)
        self.pieces: list[Change] = []
        self.events: dict[str, list[int]] = {}
        more: Any = {} if clock is None else {"clock": clock}
        told = engine(*servers)
        self._following = Following(told, login or Login(), self.mirror, self._told, **more)
        self._task: asyncio.Task[None] | None = None

    def _told(self, changes: Sequence[Change]) -> None:
        assert len({change.host for change in changes}) == len(changes)
        for change in changes:
            if change.anew:
                kept = self.mirror.hosts[change.host].events()
                self.events[change.host] = [each.seq for each in kept]
            told = self.events.setdefault(change.host, [])
            told += [each.seq for each in change.events]
        self.pieces += changes

    async def __aenter__(self) -> Followed:
        self._task = asyncio.create_task(self._following.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def shows(self, host: FleetHost) -> bool:
        """Whether what is known of a host is its truth."""
        known = self.mirror.hosts.get(host.name)
        if known is None or known.tasks.keys() != host.tasks.keys() or known.to != host.seq:
            return False
        tasks = {name: known.task(name) or {} for name in known.tasks}
        newest = {name: {**host.tasks[name], **host.progress.get(name, {})} for name in host.tasks}
        keys = ("status", "health", "progress", "phase")
        return known.services == host.services and all(
            [tasks[name].get(key) for key in keys] == [newest[name].get(key) for key in keys]
            for name in tasks
        )

    async def comes_to(self, *hosts: FleetHost) -> None:
        """Wait until it is."""
        await once(lambda: all(self.shows(host) for host in hosts))

    async def says(self, host: str, verdict: Verdict) -> None:
        """Wait for a verdict."""
        await once(lambda: host in self.mirror.hosts)
        await once(lambda: self.mirror.hosts[host].verdict is verdict)


class Written:
    """Hosts that write into a server as relays do, and lay what is lost there again."""

    def __init__(self, client: Redis, *hosts: FleetHost) -> None:
        self.client = client
        self.hosts = hosts
        for host in hosts:
            write(client, [*host.begin(), *host.commands(host.batch(anew=True))])

    def batch(self, host: FleetHost, *, events: int = 0, **what: Any) -> None:
        """Something happens, and is written."""
        told = [host.event() for _ in range(events)]
        entry = host.batch(events=told, **what)
        write(self.client, host.commands(entry, told))

    def again(self, host: FleetHost) -> None:
        """Write what is missing, as a relay does after each connection."""
        stream: Any = self.client.xrevrange(host.key(host.stream), count=1)
        last = int(stream[0][0].partition("-")[0]) if stream else 0
        newest: Any = self.client.xrevrange(host.key("now"), count=1)
        host.count = int(newest[0][0].partition("-")[0]) if newest else 0
        missing = [each for each in host.events if each["seq"] > last]
        write(self.client, host.begin())
        write(self.client, host.commands(host.batch(events=missing, anew=True), missing))


def directory(place: Path, name: str) -> Path:
    """A directory below another."""
    made = place / name
    made.mkdir()
    return made
