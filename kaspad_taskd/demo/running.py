"""What both demos do with processes: began in the ground we run on, awaited, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import IO, Any

from kaspad_taskd import words

START_PATIENCE = 15.0
STOP_PATIENCE = 5.0

Process = asyncio.subprocess.Process


def tell(*keys: str, **params: object) -> None:
    """Print sentences, a line each."""
    for key in keys:
        print(words.say(key, **params))


async def start(module: str, *arguments: str, log: IO[Any] | None = None) -> Process:
    """Run a module of ours; what it says goes to the terminal, or to a log."""
    # the Debian package lies where Python does not look by itself
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *arguments),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        stdin=None if log is None else asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


async def until_there(socket: Path, process: Process, patience: float = START_PATIENCE) -> None:
    """Wait until a process has made its socket.

    Raises:
        SystemExit: it ended instead.
        TimeoutError: it did neither.
    """
    async with asyncio.timeout(patience):
        while not socket.exists():  # noqa: ASYNC240 - a scratch directory in memory or on disk
            if process.returncode is not None:
                raise SystemExit(process.returncode)
            await asyncio.sleep(0.05)


async def stop(process: Process) -> None:
    """End a process, if need be by force."""
    send(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_PATIENCE):
            await process.wait()
    except TimeoutError:
        send(process, signal.SIGKILL)
        await process.wait()


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal, and do not look whether it has just ended: asyncio would miss its end then."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
