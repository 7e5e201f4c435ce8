"""A real daemon seen through all of its doors: the socket, the command line and the bridge."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.bridged import free_port, listening
from tests.fakes.taskd_process import Line, Taskd, until

PATIENCE = 150.0
"""Who has not answered for long is asked once a minute, and twice before it is believed."""


class Doors:
    """`await doors.shown(task_id, status="complete")`: what every door shows in the end."""

    def __init__(self, place: Path) -> None:
        self.taskd = Taskd(place)
        self._port = free_port()
        self.taskd.arguments = ("--bridge", f"127.0.0.1:{self._port}")
        self.line: Line

    async def start(self) -> Line:
        self.line = await self.taskd.start()
        await until(lambda: listening(self._port), PATIENCE)
        return self.line

    async def again(self, meanwhile: Callable[[], object] | None = None) -> None:
        """Kill it with SIGKILL, do something meanwhile, start it again."""
        await self.taskd.kill()
        if meanwhile is not None:
            meanwhile()
        await self.start()

    async def shown(self, task_id: str, **want: Any) -> dict[str, Any]:
        """The task, once socket, command line and bridge show these values.

        What is wanted may also be a function that tells it of a value.
        """
        task: dict[str, Any] = {}
        for door in (self._by_socket, self._by_command, self._by_bridge):
            task = await until(_with(door, task_id, want), PATIENCE)
        return task

    async def _by_socket(self, task_id: str) -> Any:
        return await self.line.call("getTask", taskId=task_id)

    async def _by_command(self, task_id: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kaspad_taskd.cli", "status", task_id, "--json"),
            *("--socket", str(self.taskd.socket)),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        return json.loads(output)

    async def _by_bridge(self, task_id: str) -> Any:
        url = f"http://127.0.0.1:{self._port}/socket.io/?EIO=4&transport=websocket"
        request = ["rpc", {"method": "getTask", "params": {"taskId": task_id}}]
        async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
            await socket.send_str("40")
            await socket.send_str("421" + json.dumps(request))
            async for message in socket:
                if message.data.startswith("431["):
                    return json.loads(message.data[3:])[0]["result"]
        raise ConnectionError("the bridge ended the connection")


def _with(
    door: Callable[[str], Coroutine[Any, Any, Any]], task_id: str, want: dict[str, Any]
) -> Callable[[], Coroutine[Any, Any, Any]]:
    async def found() -> Any:
        task = await door(task_id)
        return task if all(_is(task[key], value) for key, value in want.items()) else None

    return found


def _is(value: Any, wanted: Any) -> bool:
    return bool(wanted(value)) if callable(wanted) else value == wanted


@asynccontextmanager
async def opened(place: Path) -> AsyncIterator[Doors]:
    """Doors of a daemon that is not started yet; it is killed in the end."""
    doors = Doors(place)
    async with doors.taskd:
        yield doors
