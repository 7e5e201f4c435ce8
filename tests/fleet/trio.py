"""A real daemon, a real relay and a real redis-server, and how to see that they agree."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from tests.fakes.redis_server import Kept, RedisServer, Relay
from tests.fakes.taskd_process import Line, Taskd, until


@dataclass
class Fleet:
    """A daemon, a relay and a server."""

    taskd: Taskd
    relay: Relay
    redis: RedisServer
    kept: Kept

    async def equal(self, line: Line) -> list[dict[str, Any]]:
        """Wait until the events that are kept are the daemon's; return them."""

        async def same() -> Any:
            try:
                there = self.kept.events()
            except (RedisError, OSError):  # it does not answer yet
                return None
            told = (await line.call("getEvents"))["events"]
            return told and there == told and there

        found: list[dict[str, Any]] = await until(same)
        return found


@contextlib.asynccontextmanager
async def running(place: Path, *options: str, host: str = "h") -> AsyncIterator[Fleet]:
    """All three; the relay is not started."""
    with RedisServer(place / "redis", *options) as redis:
        taskd = Taskd(place / "d")
        async with taskd, Relay(place, taskd.runtime / "watch.sock", host) as relay:
            relay.tell([redis.server])
            with redis.client() as client:
                yield Fleet(taskd, relay, redis, Kept(client, relay.host))


async def works(line: Line, task: str, times: int = 1) -> None:
    """Let a task begin, and pause and go on so often."""
    await line.call("registerTask", id=task, type="report", service=task)
    for _ in range(times):
        await line.call("pauseTask", taskId=task)
        await line.call("resumeTask", taskId=task)
