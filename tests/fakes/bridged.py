"""A real daemon with its bridge open, and programs beside it that talk by lines."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.taskd_process import Taskd, until

PATIENCE = 120.0
"""Seconds for a line of a program."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
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
async def bridged(place: Path, *module: str) -> AsyncIterator[tuple[Taskd, str]]:
    """A daemon under `place` and its bridge's address; `module`: another program and its words."""
    port = free_port()
    taskd = Taskd(place)
    taskd.program = module or taskd.program
    taskd.arguments = ("--bridge", f"127.0.0.1:{port}")
    async with taskd:
        await taskd.start()
        await until(lambda: listening(port))
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
