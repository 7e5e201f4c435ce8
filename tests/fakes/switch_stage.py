"""Stand-ins for a host: a node that has synced, and indexers that read their endpoint as real ones.

    python -m tests.fakes.switch_stage node
    python -m tests.fakes.switch_stage indexer NAME [-s URL] [-n NETWORK] [-l HOST:PORT]

simply-kaspa-indexer takes command-line options alone; kasia-indexer KASPA_NODE_WBORSH_URL alone.
What an indexer uses it writes to STAGE/NAME.uses. On the local node, and there alone, it behaves
as the word in STAGE/NAME.mood says: `fail`, `die`, `deaf`, `elsewhere`, `stubborn`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientError, ClientSession, web

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.indexers import SimplyKaspa

STAGE = Path("/run/switch-stage")
NODE, BORSH, PUBLIC, INDEXER = 16590, 17510, 17777, 18590
LOCAL_URL, PUBLIC_URL = f"ws://127.0.0.1:{BORSH}", f"ws://127.0.0.1:{PUBLIC}"
SPEED = 60.0
"""Its sync of 345 s is over in 6."""


async def node() -> None:
    """Play the recorded sync, and take WebSockets where services connect."""
    async with PlayingNode(load(), SPEED, port=NODE):
        await serve({"/": take}, BORSH)
        await asyncio.Event().wait()


async def take(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for _ in ws:
        pass
    return ws


async def serve(pages: dict[str, Any], port: int) -> None:
    app = web.Application()
    app.add_routes([web.get(path, page) for path, page in pages.items()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()


async def indexer(name: str, url: str, network: str, listen: str) -> None:
    """Use the node at `url` until told to stop."""
    local = url == LOCAL_URL
    found = STAGE / f"{name}.mood"
    mood = found.read_text().strip() if local and found.exists() else ""
    said = STAGE / f"{name}.said"
    said.write_text(f"{url} {os.getpid()}")
    said.rename(STAGE / f"{name}.uses")  # whole, whoever reads it when
    if mood == "fail":
        sys.exit("panicked: no such block")
    stop = asyncio.Event()
    handler = (lambda: None) if mood == "stubborn" else stop.set
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, handler)
    if mood == "stubborn":
        found.unlink()
    if listen and mood != "deaf":
        seen = "testnet-10" if mood == "elsewhere" else network
        await serve(pages(seen), int(listen.rpartition(":")[2]))
    using = asyncio.create_task(use(url))
    try:
        async with asyncio.timeout(5 if mood == "die" else None):
            await stop.wait()
    except TimeoutError:
        sys.exit("panicked after 5 s")
    finally:
        using.cancel()


async def use(url: str) -> None:
    """Hold a WebSocket to the node, and come back when it is gone."""
    async with ClientSession() as session:
        while True:
            with contextlib.suppress(ClientError, OSError):
                async with session.ws_connect(url) as ws:
                    await ws.receive()
            await asyncio.sleep(0.2)


def pages(network: str) -> dict[str, Any]:
    twin = SimplyKaspa()
    twin.behind = 3

    def page(path: str) -> Any:
        async def answer(_request: web.Request) -> web.Response:
            reply = cast(Any, twin.replies[path])(None)
            body: Any = reply.body
            if path == "/api/health":
                body["kaspad"]["networkId"] = network
            return web.json_response(body, status=reply.status)

        return answer

    return {path: page(path) for path in twin.replies}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("node", "indexer"))
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("-s", dest="url", default=os.environ.get("KASPA_NODE_WBORSH_URL", ""))
    parser.add_argument("-n", dest="network", default="simnet")
    parser.add_argument("-l", dest="listen", default="")
    given = parser.parse_args()
    if not STAGE.exists():
        STAGE.mkdir()
        STAGE.chmod(0o777)  # not all of them are root
    if given.what == "node":
        asyncio.run(node())
    else:
        asyncio.run(indexer(given.name, given.url, given.network, given.listen))


if __name__ == "__main__":
    main()
