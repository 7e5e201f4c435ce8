"""A daemon that watches nodes on recorded syncs, which are played over and over."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import Recording
from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Taskd

NODES, SPEED, PASS_S = 4, 8.0, 50.0
"""Nodes of such a daemon, how fast they play, and seconds until one begins anew."""
DEFINITION = 'type = "node-sync"\nservice = "{name}"\ninterval = "1s"\n[checker]\nurl = "{url}"\n'


class Played:
    """The daemon and its nodes.

    Args:
        place: where it lies.
        recording: what is played.
    """

    def __init__(self, place: Path, recording: Recording) -> None:
        self.taskd = Taskd(place)
        self._recording = recording
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start it."""
        for number in range(NODES):
            port, name = free_port(), f"node-{number}"
            url = f"grpc://127.0.0.1:{port}"
            self.taskd.define(name, DEFINITION.format(name=name, url=url))
            beginning = number * self._recording.duration / NODES
            self._tasks.append(asyncio.create_task(self._play(port, beginning)))
        await self.taskd.start()

    async def _play(self, port: int, beginning: float) -> None:
        while True:
            async with PlayingNode(self._recording, SPEED, port=port, beginning=beginning):
                await asyncio.sleep(PASS_S)
            beginning = 0.0

    async def end(self) -> None:
        """Let its nodes be as they are; raises what one of them ended by before."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
