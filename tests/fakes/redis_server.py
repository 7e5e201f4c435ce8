"""A real redis-server in a process of its own, and a relay to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from kaspad_taskd.fleet import keys
from tests.fakes.patience import PATIENCE, awaited, once
from tests.fakes.stopwatch import Stopwatch

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    PROGRAM is None, reason="there is no redis-server: apt install redis-server"
)


class RedisServer:
    """A server on a socket in a directory of its own; killed and started again.

    Everything is on disk before it is answered: `appendonly yes`.

    Attributes:
        patience: seconds that are waited for its first answer.
    """

    def __init__(self, place: Path, *options: str, port: int = 0) -> None:
        self.patience = PATIENCE
        self.place = place
        self.port = port
        self.options = options
        place.mkdir(parents=True, exist_ok=True)
        self._short = tempfile.TemporaryDirectory(prefix="redis-")  # a socket's path is short
        self.socket = Path(self._short.name) / "s"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> str:
        """As fleet.toml names it."""
        return f"127.0.0.1:{self.port}" if self.port else f"unix:{self.socket}"

    @contextlib.contextmanager
    def client(self, user: str | None = None, password: str | None = None) -> Iterator[Any]:
        """A client of it, closed in the end (4.3.4 leaves that to the collector)."""
        client = Redis(
            unix_socket_path=str(self.socket),
            username=user,
            password=password,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        try:
            yield client
        finally:
            client.connection_pool.disconnect()

    def start(self, *more: str) -> None:
        """Start it and wait until it answers."""
        assert PROGRAM is not None
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--unixsocket", str(self.socket), "--dir", str(self.place)),
                    *("--appendonly", "yes", "--save", "", *self.options, *more),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + self.patience
        while not self._answers():
            said = (self.place / "log").read_text()[-4000:]
            assert self.process.poll() is None, said
            assert time.monotonic() < until, f"no answer of {self.server}: {said}"
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether it does, be it that somebody has to log in first."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(100).startswith((b"+PONG", b"-NOAUTH"))
            except OSError:
                return False

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self._short.cleanup()


class Kept:
    """What is in a server of a host."""

    def __init__(self, client: Any, host: str) -> None:
        self.client = client
        self.host = host

    def key(self, part: str) -> str:
        return keys.key(self.host, part)

    def meta(self) -> dict[str, str]:
        found: dict[str, str] = self.client.hgetall(self.key(keys.META))
        return found

    def hash(self, part: str) -> dict[str, Any]:
        found = self.client.hgetall(self.key(part))
        return {name: json.loads(value) for name, value in found.items()}

    def events(self, part: str | None = None) -> list[dict[str, Any]]:
        """The events of the stream that is written, as the daemon tells them."""
        stream = self.meta().get("stream", "") if part is None else part
        return [
            {"seq": keys.number_of(name), "event": each["e"], "data": json.loads(each["d"])}
            for name, each in self.client.xrange(self.key(stream))
        ]

    def now(self) -> list[dict[str, Any]]:
        """The entries of `now`, the oldest first."""
        return [json.loads(each["w"]) for _, each in self.client.xrange(self.key(keys.NOW))]

    def newest(self) -> dict[str, Any]:
        found = self.now()
        return found[-1] if found else {}


class Relay:
    """A relay with its own directories under `place`; started, killed and started again.

    Attributes:
        patience: seconds that are waited for its end.
    """

    def __init__(
        self, place: Path, socket: Path, host: str = "h", env: Mapping[str, str] | None = None
    ) -> None:
        self.place = place
        self.host = host
        self.state = place / f"relay-{host}"
        self.settings = place / f"fleet-{host}.toml"
        self.socket = socket
        self.log = place / f"relay-{host}.log"
        self.env = {**os.environ, "NOTIFY_SOCKET": "", **(env or {})}
        self.patience = PATIENCE
        self.process: asyncio.subprocess.Process | None = None
        place.mkdir(parents=True, exist_ok=True)

    def tell(self, servers: Sequence[str], relay: str = "", redis: str = "") -> None:
        """Write settings."""
        self.settings.write_text(
            f'host = "{self.host}"\n[labels]\nsite = "Wien"\n'
            f"[redis]\nservers = {json.dumps(list(servers))}\n{redis}\n[relay]\n{relay}\n"
        )

    def password(self, text: str) -> Path:
        """Write a password; return its file."""
        file = self.place / f"password-{self.host}"
        file.write_text(text + "\n")
        file.chmod(0o600)
        return file

    def command(self, *more: str) -> list[str]:
        return [
            *(sys.executable, "-m", "kaspad_taskd.fleet.relay.main"),
            *("--config", str(self.settings), "--state-dir", str(self.state)),
            *("--socket", str(self.socket), *more),
        ]

    async def start(self, *more: str) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command(*more),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
            )

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    async def says(self, text: str) -> None:
        """Wait until its log has it."""
        await once(lambda: text in self.said(), f"the relay of {self.host} says {text!r}")

    async def ended(self) -> int:
        assert self.process is not None
        async with awaited(f"the relay of {self.host} ends", self.patience):
            return await self.process.wait()

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal, wait; returns the exit code and the seconds it took."""
        assert self.process is not None
        with Stopwatch() as watch:
            self.process.send_signal(number)
            code = await self.ended()
        return code, watch.took

    async def __aenter__(self) -> Relay:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.ended()
