"""Two servers of a fleet, of which one is the master, with lines that somebody pulls at."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from redis.exceptions import RedisError

from tests.fakes.bridged import free_port
from tests.fakes.harmful_proxy import HarmfulProxy
from tests.fakes.redis_server import RedisServer


class Pair:
    """Both of them, and the lines to both.

    Args:
        place: where they lie.
        dice: decides.
        patience: seconds that a server may take to come up, and a replica to become the master.
    """

    def __init__(self, place: Path, dice: random.Random, patience: float) -> None:
        self._dice = dice
        self._patience = patience
        self._servers = [
            RedisServer(place / name, "--repl-diskless-sync-delay", "0", port=free_port())
            for name in ("one", "two")
        ]
        for server in self._servers:
            server.patience = patience
        self.lines = [HarmfulProxy(each.socket, dice) for each in self._servers]

    @property
    def master(self) -> RedisServer:
        """The one that is written to."""
        return self._servers[0]

    @property
    def connections(self) -> int:
        """How many there were, over both lines."""
        return sum(line.connections for line in self.lines)

    async def __aenter__(self) -> Pair:
        first, second = self._servers
        await asyncio.to_thread(first.start)
        await asyncio.to_thread(second.start, "--replicaof", f"127.0.0.1 {first.port}")
        for line in self.lines:
            await line.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self.lines:
            await line.__aexit__(None, None, None)
        for server in self._servers:
            server.__exit__(None, None, None)

    def harm(self, does: bool) -> None:
        """Let both lines do harm, or only pass on."""
        for line in self.lines:
            line.harm = does

    async def kill(self) -> None:
        """Kill the master; it comes back with what it has on its disk."""
        self.master.kill()
        await asyncio.sleep(self._dice.random() * 2)
        await asyncio.to_thread(self.master.start)

    async def fail_over(self) -> None:
        """Lose the master, whose replica has not heard its last; it comes back as the replica."""
        old, new = self._servers
        await asyncio.to_thread(self._promote, new)
        await asyncio.sleep(self._dice.random() * 2)
        old.kill()
        await asyncio.sleep(self._dice.random())
        self._servers.reverse()
        await asyncio.to_thread(old.start, "--replicaof", f"127.0.0.1 {new.port}")

    def _promote(self, new: RedisServer) -> None:
        """Make a replica the master; while it takes over what its master has it says no."""
        until = time.monotonic() + self._patience
        with new.client() as client:
            while True:
                try:
                    client.execute_command("REPLICAOF", "NO", "ONE")
                except RedisError as error:
                    if time.monotonic() > until:
                        raise TimeoutError(f"{new.server} becomes no master: {error}") from None
                    time.sleep(0.1)
                else:
                    return

    async def cut(self) -> None:
        """End all connections."""
        for line in self.lines:
            line.cut()
