"""The servers that `benchmarks/bridge.py` measures: `python -m benchmarks.bridge_servers NAME`.

Each says its port in a line, then for each line "COUNT SECONDS" that it reads sends so many events
of about 400 bytes to all its clients, SECONDS apart, each with the moment at which it was made.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

PROGRESS: dict[str, Any] = {
    "status": "in-progress", "health": "ok", "phase": "blocks", "progress": 45.2,
    "percentage": 45.2, "estimatedTimeRemaining": 4800, "formattedTimeRemaining": "1 hour 20 min",
    "syncRate": 812.5, "currentBlock": 412345678, "targetBlock": 412618678,
    "blocksRemaining": 273000, "connected": True, "synced": False,
}  # fmt: skip
NODE = """
const { createRequire } = require('module');
const { Server } = createRequire(process.argv[1] + '/')('socket.io');
const server = require('http').createServer();
const io = new Server(server, { perMessageDeflate: false });
const progress = PROGRESS;
let seq = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [count, seconds] = line.split(' ').map(Number);
  let left = count;
  const timer = setInterval(() => {
    const sent = Number(process.hrtime.bigint());
    io.emit('task:changed', { seq: ++seq, timestamp: new Date().toISOString(), sent,
      taskId: 'node-sync-kaspa-node', service: 'kaspa-node', type: 'node-sync', ...progress });
    if (--left === 0) { clearInterval(timer); console.log('done'); }
  }, seconds * 1000);
}).on('close', () => process.exit());
""".replace("PROGRESS", json.dumps(PROGRESS))


async def send_when_told(make: Callable[[], Awaitable[None]]) -> None:
    """Follow the lines of the standard input."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        count, seconds = line.split()
        for _ in range(int(count)):
            await asyncio.sleep(float(seconds))
            await make()
        await asyncio.sleep(float(seconds))
        print("done", flush=True)


class Raw(asyncio.Protocol):
    """The floor: a WebSocket that is written to, and nothing more."""

    lines: ClassVar[set[asyncio.Transport]] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _cause: Exception | None) -> None:
        self.lines.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"GET"):
            if len(data) == 8:  # "40", masked: it wants in
                self.transport.write(_frame('40{"sid":"x"}'))
                self.lines.add(self.transport)
            return
        key = next(each for each in data.split(b"\r\n") if b"-WebSocket-Key:" in each)
        accept = key.split(b":")[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = base64.b64encode(hashlib.sha1(accept).digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(head + b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n")
        self.transport.write(_frame('0{"sid":"x"}'))


def _frame(text: str) -> bytes:
    data = text.encode()
    head = bytes((0x81, len(data))) if len(data) < 126 else b"\x81\x7e" + len(data).to_bytes(2)
    return head + data


async def raw() -> None:
    server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    seq = 0

    async def make() -> None:
        nonlocal seq
        seq += 1
        data = {"seq": seq, "timestamp": "2026-01-01T00:00:00.000Z", "sent": time.monotonic_ns(),
                "taskId": "node-sync-kaspa-node", "service": "kaspa-node", "type": "node-sync",
                **PROGRESS}  # fmt: skip
        line = _frame("42" + json.dumps(["task:changed", data], separators=(",", ":")))
        for transport in Raw.lines:
            transport.write(line)

    await send_when_told(make)


async def ours() -> None:
    """The bridge on an engine with a store in memory: each event goes the whole way."""
    from benchmarks.bridge_house import make_bridge
    from kaspad_taskd.core.fact import EventName, Fact

    with tempfile.TemporaryDirectory() as place:
        engine, bridge, url = make_bridge(Path(place))
        await bridge.start()
        print(urlsplit(url).port, flush=True)

        async def make() -> None:
            data = {"sent": time.monotonic_ns(), **PROGRESS}
            where = ("node-sync-kaspa-node", "kaspa-node", "node-sync")
            engine.commit(facts=[Fact(EventName.TASK_CHANGED, *where, engine.now(), data)])

        await send_when_told(make)
        await bridge.stop("signal")


if __name__ == "__main__":
    asyncio.run({"ours": ours, "raw": raw}[sys.argv[1]]())
