"""A real daemon with its bridge open, and programs beside it that talk by lines."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.taskd_process import Taskd, until

PATIENCE = 120.0
"""Seconds for a line of a program, or until one listens."""

_held: list[socket.socket] = []


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` for whoever listens there with SO_REUSEADDR, as servers do; or for nobody.

    It stays ours for as long as the tests run: the kernel gives it neither to a connection nor to
    anybody else who asks for any port, however often it is closed and opened again.
    """
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, 0))
    _held.append(held)
    port: int = held.getsockname()[1]
    return port


async def listening(port: int) -> bool:
    """Whether somebody listens on a port of this host."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def bridged(
    place: Path, *module: str, listen: str = "127.0.0.1"
) -> AsyncIterator[tuple[Taskd, str]]:
    """A daemon under `place` and its bridge's address; `module`: another program and its words."""
    port = free_port(listen)
    taskd = Taskd(place)
    taskd.program = module or taskd.program
    taskd.arguments = ("--bridge", f"{listen}:{port}")
    async with taskd:
        await taskd.start()
        await until(lambda: listening(port), PATIENCE)
        yield taskd, f"http://127.0.0.1:{port}"


@asynccontextmanager
async def program(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process with lines in and out, ended at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()
