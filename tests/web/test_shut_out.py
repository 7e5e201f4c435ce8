"""A page that the bridge does not let in says so, and which setting is missing: in a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.fakes.bridged import bridged
from tests.web.browser import Browser, chromium
from tests.web.served import HTML, served

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SAID = "It runs, but does not let this page in:"


@asynccontextmanager
async def behind(address: str) -> AsyncIterator[str]:
    """A proxy that passes on another Host than the browser's, as many do; gives its origin."""
    host = address.rpartition("/")[2]
    name, _, port = host.partition(":")

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            head = re.sub(rb"(?im)^host: .*$", b"Host: " + host.encode() + b"\r", head)
            if head.startswith(b"GET /embed/"):  # a copy of its own, as it were
                head = re.sub(rb"(?im)^origin: .*\n", b"", head)
            if b"upgrade: websocket" not in head.lower():
                head = re.sub(rb"(?im)^connection: .*$", b"Connection: close\r", head)
            back, there = await asyncio.open_connection(name, int(port))
            there.write(head)
            await asyncio.gather(pipe(reader, there), pipe(back, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def says(browser: Browser, text: str, at: str = "document.body.innerText") -> None:
    await browser.do("wait", code=f"({at}).includes({text!r})")


async def test_the_page_behind_a_proxy_that_passes_on_another_host(tmp_path: Path) -> None:
    """The page comes, and its events do not: it is told apart from a daemon that does not run."""
    async with (
        bridged(tmp_path) as (taskd, address),
        behind(address) as origin,
        chromium() as browser,
    ):
        await browser.do("open", url=f"{origin}/")
        await says(browser, f'{SAID} origins = ["{origin}"], in [bridge]')
        code = (
            "(async () => { await import('/embed/kaspad-taskd.js');"
            " document.body.append(document.createElement('kaspad-tasks')); })()"
        )
        await browser.do("eval", code=code)
        element = "document.querySelector('kaspad-tasks')?.shadowRoot?.textContent ?? ''"
        await says(browser, f'origins = ["{origin}"]', element)
        await taskd.end()
        gone = f"!({element}).includes('origins')"
        await browser.do("wait", code=gone)


async def test_the_page_within_a_foreign_page(tmp_path: Path) -> None:
    """Where the browser would say that nobody answers."""
    async with bridged(tmp_path) as (taskd, address), chromium() as browser:
        around = f'<!doctype html><title>w</title><iframe src="{address}/"></iframe>'.encode()
        with served(lambda _path: (around, HTML), "default-src 'none'; frame-src *") as origin:
            await browser.do("open", url=f"{origin}/")
            said = await browser.do("framed", text=SAID)
            assert f'origins = ["{origin}"]' in said
        await taskd.end()
