"""A real Chromium, one command at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes import npm

PROGRAM = Path(__file__).with_name("browser.mjs")
SHOTS = npm.ROOT / ".cache" / "shots"
PATIENCE = 180.0
"""Seconds for a command, whose own waits end earlier."""

LIVE = "document.querySelector('#link').dataset.link === 'live'"
"""Whether the page hears of what happens."""
TOLD = """
window.told = [];
const note = () => {
  for (const one of document.querySelectorAll(AT)) {
    if (one.textContent !== window.told.at(-1)) window.told.push(one.textContent);
  }
};
new MutationObserver(note).observe(document.body, {
  childList: true, subtree: true, characterData: true,
});
note();
"""
"""Keeps what AT says, however short it is there."""


class Browser:
    """Commands of browser.mjs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, command: str, **more: Any) -> Any:
        """Return the answer of a command; raises AssertionError with what went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **more}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    async def watch(self, at: str) -> None:
        """Keep in `window.told` of the page that stays what `at` says from now on."""
        await self.do("eval", code=f"{{{TOLD.replace('AT', json.dumps(at))}}}")

    async def text(self, at: str) -> str:
        """Return the text of an element of the page that stays."""
        code = f"document.querySelector({json.dumps(at)})?.innerText ?? ''"
        return str(await self.do("eval", code=code))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the browser; skips in words where it or its driver is missing."""
    node, executable, modules = npm.node(), npm.chromium(), npm.modules()
    SHOTS.mkdir(parents=True, exist_ok=True)
    pipe = asyncio.subprocess.PIPE
    command = (node, str(PROGRAM), str(modules), str(executable))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24)
    try:
        yield Browser(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(60):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def shot(name: str) -> str:
    """Return where a picture goes: a folder that git ignores."""
    return str(SHOTS / f"{name}.png")


DEVICES = (("phone", 390, 844), ("desktop", 1280, 900))
"""Name, width and height."""


async def looked_over(
    browser: Browser,
    address: str,
    name: str,
    axe: tuple[str, ...] = ("phone", "desktop"),
    **more: Any,
) -> None:
    """See a page on each device, light and dark; raises AssertionError with what is wrong with it.

    Args:
        browser: sees it.
        address: where it and all that it may ask for is.
        name: of it.
        axe: on which devices it is judged.
        more: for the command "look".
    """
    for device, width, height in DEVICES:
        for dark in (False, True):
            seen = await browser.do(
                "look",
                url=address + name,
                width=width,
                height=height,
                dark=dark,
                shot=shot(f"{name}-{device}-{'dark' if dark else 'light'}"),
                axe=device in axe,
                **more,
            )
            assert seen["found"] == []
            assert seen["said"] == []
            assert seen["wide"] <= 0
            assert all(url.startswith(address) for url in seen["asked"])
