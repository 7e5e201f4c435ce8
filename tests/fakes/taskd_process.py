"""A real daemon in a process of its own, and a plain line to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.fakes.patience import PATIENCE, awaited
from tests.fakes.stopwatch import Stopwatch

AT_ONCE = 7.0
"""Seconds of a stop on a busy machine: under one on its own, 8 or more if it waited for clients."""

PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes another program that has a socket from systemd."""


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: dict[str, Any] = error.get("data") or {}
        self.reason = self.data.get("reason")


class Gone(Exception):
    """The daemon ended the connection: whether it did what was asked is not known."""


class Line:
    """One connection: calls that may be under way at once, and the events told on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._id = 0
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, path: Path) -> Line:
        return cls(*await asyncio.open_unix_connection(str(path), limit=1 << 26))

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line))
        except OSError:
            pass
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(Gone())
            self.events.put_nowait(None)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "event":
            self.events.put_nowait(message["params"])
            return
        future = self._waiting.pop(message["id"])
        if future.done():  # nobody waits for it any more
            return
        if "error" in message:
            future.set_exception(Refusal(message["error"]))
        else:
            future.set_result(message["result"])

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result; raises Refusal, Gone."""
        if self._reading.done():
            raise Gone
        self._id += 1
        future = self._waiting[self._id] = asyncio.get_running_loop().create_future()
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            await self._writer.drain()
        except OSError:
            future.cancel()
            raise Gone from None
        async with awaited(f"an answer to {method}"):
            return await future

    async def close(self) -> None:
        self._reading.cancel()
        self._writer.close()
        await asyncio.gather(self._reading, self._closed(), return_exceptions=True)

    async def _closed(self) -> None:
        await self._writer.wait_closed()


class Taskd:
    """A daemon with its own directories under `place`; started, killed and started again.

    Attributes:
        patience: seconds that are waited for its socket and its end.
    """

    def __init__(self, place: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.place = place
        self.tasks = place / "tasks.d"
        self.state = place / "state"
        self.runtime = place / "run"
        self.socket = self.runtime / "rpc.sock"
        self.settings = place / "kaspad-taskd.toml"
        self.log = place / "taskd.log"
        self.program: tuple[str, ...] = ("kaspad_taskd",)
        self.arguments = arguments
        self.patience = PATIENCE
        self.passed: int | None = None  # a listening socket, handed over as systemd does
        self.env = {**os.environ, "NOTIFY_SOCKET": "", **(env or {})}
        self.process: asyncio.subprocess.Process | None = None
        self._lines: list[Line] = []
        self.tasks.mkdir(parents=True, exist_ok=True)

    def define(self, task_id: str, text: str) -> None:
        (self.tasks / f"{task_id}.toml").write_text(text)

    def command(self, *more: str) -> list[str]:
        config = ("--config", str(self.settings)) if self.settings.exists() else ()
        return [
            *(sys.executable, "-m", *self.program, *config, "--tasks", str(self.tasks)),
            *("--state-dir", str(self.state), "--runtime-dir", str(self.runtime)),
            *("--bridge", "off", *self.arguments, *more),
        ]

    async def spawn(self, *more: str) -> asyncio.subprocess.Process:
        """Start it without waiting for its socket."""
        command = self.command(*more)
        if self.passed is not None:
            command = [sys.executable, "-c", PASS, str(self.passed), *command]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                pass_fds=() if self.passed is None else (self.passed,),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
            )
        return self.process

    async def start(self, *more: str) -> Line:
        """Start it; return a line to it."""
        await self.spawn(*more)
        return await self.line()

    async def line(self) -> Line:
        """Return a connection, as soon as there is one."""
        assert self.process is not None
        async with awaited(f"{self.socket} answers", self.patience):
            while True:
                try:
                    line = await Line.open(self.socket)
                except OSError:
                    # killed by a test, it will be started again
                    assert self.process.returncode in (None, -signal.SIGKILL), self.said()
                    await asyncio.sleep(0.02)
                else:
                    self._lines.append(line)
                    return line

    def said(self) -> str:
        return self.log.read_text()

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal, wait; returns the exit code and the seconds it took."""
        assert self.process is not None
        with Stopwatch() as watch:
            self.process.send_signal(number)
            code = await self.ended()
        return code, watch.took

    async def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        assert self.process is not None
        async with awaited(f"the daemon in {self.place} ends", self.patience):
            code = await self.process.wait()
        for line in self._lines:
            await line.close()
        self._lines.clear()
        return code

    async def kill(self) -> None:
        await self.end(signal.SIGKILL)

    async def __aenter__(self) -> Taskd:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            await self.kill()
        for line in self._lines:
            await line.close()


async def until(
    holds: Callable[[], Awaitable[Any]], patience: float = PATIENCE, every: float = 0.02
) -> Any:
    """Return the first truth that `holds` tells; raises TimeoutError."""
    async with asyncio.timeout(patience):
        while not (found := await holds()):  # noqa: ASYNC110
            await asyncio.sleep(every)
    return found
