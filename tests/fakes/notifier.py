"""A real notifier in a process of its own, and a real HTTP server that its messages reach."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fakes.patience import PATIENCE, once
from tests.fakes.stopwatch import Stopwatch


class Hook:
    """Takes what is posted: `with Hook() as hook: ... hook.got`.

    Attributes:
        got: the JSON bodies, in the order in which they came.
        beats: how often somebody asked by GET.
        status: what is answered; 0 holds the answer back until `release`.
        paths: what is answered by GET, by path; else 200 and nothing.
    """

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.beats = 0
        self.status = 200
        self.paths: dict[str, Callable[[], tuple[int, Any]]] = {}
        self._released = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append(json.loads(body))
                if hook.status == 0:
                    hook._released.wait(PATIENCE)
                self._answer(hook.status or 200, b"said")

            def do_GET(self) -> None:
                if self.path in hook.paths:
                    status, told = hook.paths[self.path]()
                    self._answer(status, json.dumps(told).encode())
                    return
                hook.beats += 1
                self._answer(200, b"")

            def _answer(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # who asked was killed meanwhile
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/topic-of-mine"

    def release(self) -> None:
        """Let those go whose answer is held back."""
        self._released.set()

    def of(self, task: str, kind: str) -> list[dict[str, Any]]:
        """Return the messages with such an item of a task, in order."""
        return [
            each
            for each in list(self.got)
            if any(i["of"] == f"task:{task}" and i["kind"] == kind for i in each["items"])
        ]

    def __enter__(self) -> Hook:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Notifier:
    """A notifier with its own directories under `place`; started, killed and started again."""

    def __init__(self, place: Path, socket: Path, env: Mapping[str, str] | None = None) -> None:
        self.place = place
        self.state = place / "notify"
        self.settings = place / "notify.toml"
        self.socket = socket
        self.log = place / "notify.log"
        self.env = {**os.environ, "NOTIFY_SOCKET": "", **(env or {})}
        self.process: asyncio.subprocess.Process | None = None

    def tell(self, hook: Hook, keys: str = "", rest: str = "", head: str = "") -> None:
        """Write settings with one `[[to]]` that is the hook."""
        file = self.place / "hook"
        file.write_text(hook.url + "\n")
        file.chmod(0o600)
        to = f'[[to]]\nname = "hook"\nwebhook_file = "{file}"\n'
        self.settings.write_text(f"{head}{to}{keys}\n{rest}")

    def command(self, *more: str) -> list[str]:
        return [
            *(sys.executable, "-m", "kaspad_taskd.notify.main", "--config", str(self.settings)),
            *("--state-dir", str(self.state), "--socket", str(self.socket), *more),
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
        return self.log.read_text()

    def status(self) -> dict[str, Any]:
        """What it shows of itself, {} before it does."""
        try:
            found: dict[str, Any] = json.loads((self.state / "status.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    async def heard(self) -> None:
        """Wait until the daemon answers it, and is heard."""
        await once(lambda: self.status().get("daemon", {}).get("answers"))

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    async def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal, wait; returns the exit code and the seconds it took."""
        assert self.process is not None
        with Stopwatch() as watch:
            self.process.send_signal(number)
            code = await self.ended()
        return code, watch.took

    async def __aenter__(self) -> Notifier:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.ended()
