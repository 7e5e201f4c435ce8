"""The others in `bench fleet`: servers that tell browsers what comes to them over the same Redis.

`python -m benchmarks.fleet_peers PLACE`: python-socketio with its own AsyncRedisManager; says its
port in a line, and ends with its input. `NODE` is the same by socket.io and its Redis adapter, and
its sender. A browser says in `auth.host` of which host it is to be told; without, it is told all.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.fakes.fleet_writer import a_progress
from tests.fakes.node_packages import install

PACKAGES = {"socket.io": "4.8.4", "@socket.io/redis-adapter": "8.3.0", "redis": "4.7.1"}
NODE = """
const [, folder, role, path, hosts, changes, progress] = process.argv;
const load = require('module').createRequire(folder + '/');
const { Server } = load('socket.io');
const { createAdapter } = load('@socket.io/redis-adapter');
const input = require('readline').createInterface({ input: process.stdin });
const name = (host) => 'host-' + String(host).padStart(5, '0');
const now = () => Number(process.hrtime.bigint()) / 1e9;
const base = JSON.parse(progress);
async function main() {
  const pub = load('redis').createClient({ socket: { path } }), sub = pub.duplicate();
  await Promise.all([pub.connect(), sub.connect()]);
  const server = require('http').createServer();
  const io = new Server(server, { perMessageDeflate: false, adapter: createAdapter(pub, sub) });
  input.on('close', () => process.exit());
  if (role === 'serve') {
    io.on('connection', (socket) => socket.join(socket.handshake.auth.host || 'all'));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    return;
  }
  let count = 0, skipped = 0, began = now();
  input.on('line', () => console.log(JSON.stringify({ changes: count })));
  console.log('{}');
  setInterval(() => {
    let due = Math.floor((now() - began) * changes) - count - skipped;
    skipped += Math.max(0, due - changes);
    for (due = Math.min(due, changes / 10); due > 0; due -= 1, count += 1) {
      const host = name(count % hosts), task = Math.floor(count / hosts) % 5;
      io.to('all').to(host).emit('sync:progress', { ...base, host, taskId: 'task-' + task,
        service: 'node-' + task, progress: 1 + Math.floor(count / hosts / 5) % 98, stamp: now() });
    }
  }, 20);
}
main();
"""


def node(role: str, path: str, hosts: int, changes: float) -> list[str]:
    """Return the command of node's server (`serve`) or sender (`emit`).

    Raises:
        Missing: node or its packages cannot be had.
    """
    folder = install("fleet", PACKAGES)
    from kaspad_taskd.base.jsontext import dumps

    base = dumps(a_progress("task-0", stamp=0.5)).decode()
    program = shutil.which("node") or ""
    return [program, "-e", NODE, str(folder), role, path, str(hosts), str(int(changes)), base]


async def serve(path: str) -> None:
    """Tell browsers what comes, until the input ends."""
    import socketio

    sio = socketio.AsyncServer(
        async_mode="aiohttp", client_manager=socketio.AsyncRedisManager(f"unix://{path}")
    )

    async def connect(sid: str, _environ: Mapping[str, Any], auth: Mapping[str, Any]) -> None:
        await sio.enter_room(sid, (auth or {}).get("host") or "all")

    sio.on("connect", connect)
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1].removeprefix("unix:")))
