"""python-socketio's own client, which polls and never upgrades: prints a line for what it is told.

Runs as a program: in the server's process it would share the server's limits.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import socketio


async def main(url: str, auth: str) -> None:
    client = socketio.AsyncClient(reconnection=False)

    @client.on("*")  # type: ignore[untyped-decorator, unused-ignore]
    async def told(name: str, data: Any) -> None:
        print(json.dumps([name, data]), flush=True)

    await client.connect(url, auth=json.loads(auth), transports=["polling"], wait_timeout=60)
    await client.wait()
    print(json.dumps(["ended", None]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
