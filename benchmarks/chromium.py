"""A Chromium that nobody looks over the shoulder of: what it costs is what a person's costs.

It is driven over its pipe by the few DevTools commands that are needed. A test driver follows all
traffic, which takes a third of the CPU by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.process import cpu_seconds

PROGRAM = "/usr/bin/chromium"
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--remote-debugging-pipe", "--window-size=1280,900"),
)
PATIENCE = 60.0
"""Seconds for an answer, or until something holds."""


class Chromium:
    """A browser with one tab that counts."""

    def __init__(
        self, process: asyncio.subprocess.Process, answers: asyncio.StreamReader, ask: int
    ):
        self._process = process
        self._answers = answers
        self._ask = ask
        self._number = 0
        self._tab = ""

    async def do(self, method: str, session: str = "", **params: Any) -> Any:
        """Return the result of a command; raises SystemExit with what went wrong."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params}
        asked |= {"sessionId": session} if session else {}
        os.write(self._ask, json.dumps(asked).encode() + b"\0")
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = json.loads((await self._answers.readuntil(b"\0"))[:-1])
                if answer.get("id") == self._number:
                    break
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]

    async def open(self, url: str) -> None:
        """Open it in a new tab, which is in front."""
        tab = (await self.do("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self.do("Target.attachToTarget", targetId=tab, flatten=True)
        self._tab = attached["sessionId"]
        await self.do("Performance.enable", self._tab)
        await self.do("Page.navigate", self._tab, url=url)

    async def cover(self) -> None:
        """Put another tab in front."""
        await self.do("Target.createTarget", url="about:blank")

    async def close(self) -> None:
        """Close all tabs, but for one that is empty."""
        await self.do("Target.createTarget", url="about:blank")
        found = (await self.do("Target.getTargets"))["targetInfos"]
        for each in [each["targetId"] for each in found if each["type"] == "page"][1:]:
            await self.do("Target.closeTarget", targetId=each)

    async def eval(self, code: str) -> Any:
        """Return what an expression is there, its promise fulfilled; None while it is no value."""
        more = {"returnByValue": True, "awaitPromise": True}
        return (await self.do("Runtime.evaluate", self._tab, expression=code, **more))[
            "result"
        ].get("value")

    async def wait(self, code: str) -> Any:
        """Return what an expression is, once it holds."""
        until = time.monotonic() + PATIENCE
        while not (found := await self.eval(code)):
            if time.monotonic() > until:
                raise SystemExit(f"not within {PATIENCE:g} s: {code}")
            await asyncio.sleep(0.05)
        return found

    async def weigh(self, *, tidy: bool = False) -> dict[str, float]:
        """Return what DevTools count of the tab; with `tidy` without its garbage."""
        if tidy:
            await self.do("HeapProfiler.collectGarbage", self._tab)
        found = (await self.do("Performance.getMetrics", self._tab))["metrics"]
        return {each["name"]: each["value"] for each in found}

    async def cost(self, seconds: float) -> float:
        """Percent of a core that all of the browser's processes take meanwhile."""
        before, began = self._spent(), time.perf_counter()
        await asyncio.sleep(seconds)
        after = self._spent()
        spent = sum(each - before.get(pid, 0.0) for pid, each in after.items())
        return spent / (time.perf_counter() - began) * 100

    def _spent(self) -> dict[int, float]:
        found, due = {}, [self._process.pid]
        while due:
            pid = due.pop()
            try:
                found[pid] = cpu_seconds(pid)
                for each in Path(f"/proc/{pid}/task").iterdir():
                    due += map(int, (each / "children").read_text().split())
            except OSError:
                continue  # it has just ended
        return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """Start the browser, with a profile of its own."""
    theirs, ask = os.pipe()
    answers, ours = os.pipe()
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=1 << 24)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        os.fdopen(answers) as file,
    ):
        shell = f'exec "$@" 3<&{theirs} 4>&{ours} 2>/dev/null'
        command = ("sh", "-c", shell, "sh", PROGRAM, *OPTIONS, f"--user-data-dir={profile}")
        process = await asyncio.create_subprocess_exec(*command, pass_fds=(theirs, ours))
        os.close(theirs)
        os.close(ours)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        try:
            yield Chromium(process, reader, ask)
        finally:
            os.close(ask)  # which ends it
            await process.wait()
