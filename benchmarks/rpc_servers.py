"""The servers that `benchmarks/rpc.py` measures: `python -m benchmarks.rpc_servers NAME SOCKET`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kaspad_taskd.api.method import Json, Method, Param
from kaspad_taskd.rpc.server import RpcServer

TASK: dict[str, Any] = {
    "id": "node-sync-kaspa-node",
    "type": "node-sync",
    "service": "kaspa-node",
    "endpoint": "grpc://localhost:16110",
    "checkInterval": 10000,
    "status": "in-progress",
    "health": "ok",
    "healthSince": "2025-01-01T00:00:00.000Z",
    "reason": None,
    "phase": "blocks",
    "progress": 45.2,
    "progressDetail": {"done": 123456, "total": 273000, "unit": "blocks", "basis": "exact"},
    "syncRate": 812.5,
    "estimatedTimeRemaining": 4800,
    "formattedTimeRemaining": "1 hour 20 min",
    "createdAt": "2025-01-01T00:00:00.000Z",
    "lastChecked": "2025-01-01T00:10:00.000Z",
    "attempt": 1,
    "revision": 17,
}
"""About 600 bytes of JSON."""

CONSTANT = json.dumps({"jsonrpc": "2.0", "result": TASK, "id": 1}).encode() + b"\n"

NODE = """
const net = require('net'), fs = require('fs');
const tasks = new Map([[%(id)s, %(task)s]]);
net.createServer(socket => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', chunk => {
    const lines = (rest + chunk).split('\\n');
    rest = lines.pop();
    let out = '';
    for (const line of lines) {
      const request = JSON.parse(line);
      const result = tasks.get(request.params.taskId);
      out += JSON.stringify({jsonrpc: '2.0', result, id: request.id}) + '\\n';
    }
    if (out) socket.write(out);
  });
  socket.on('error', () => {});
}).listen(process.argv[1]);
"""

SUPERVISOR = """
[unix_http_server]
file={socket}
[supervisord]
directory={directory}
logfile={directory}/supervisord.log
pidfile={directory}/supervisord.pid
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:kaspa-node]
command=/bin/sleep 100000
"""


def node(path: Path) -> list[str]:
    """Return the command of node's server."""
    return [
        "node",
        "-e",
        NODE % {"id": json.dumps(TASK["id"]), "task": json.dumps(TASK)},
        str(path),
    ]


def supervisord(program: str, path: Path) -> list[str]:
    """Write supervisord's settings beside the socket and return its command."""
    settings = path.with_suffix(".conf")
    settings.write_text(SUPERVISOR.format(socket=path, directory=path.parent))
    return [program, "-c", str(settings)]


class _NoEvents:
    def open(self, after: int | None, tasks: Sequence[str] | None) -> Any:
        raise NotImplementedError


def _task_id(value: Json) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise ValueError("must be an id")
    return value


def methods() -> Mapping[str, Method]:
    """One method that answers from memory."""
    tasks: Mapping[str, Json] = {TASK["id"]: TASK}
    method = Method(
        "getTask",
        "",
        lambda _caller, bound: tasks.get(bound["taskId"]),
        (Param("taskId", {}, _task_id),),
    )
    return {method.name: method}


async def ours(path: Path) -> None:
    """The real door."""
    await RpcServer(methods(), _NoEvents(), path=path).start()


class _Constant(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(CONSTANT * data.count(b"\n"))


async def constant(path: Path) -> None:
    """The limit: asyncio, and an answer that needs no thought."""
    await asyncio.get_running_loop().create_unix_server(_Constant, str(path), backlog=1024)


async def default(path: Path) -> None:
    """The library alone: jsonrpcserver as its readme has it, on asyncio streams."""
    from jsonrpcserver import Success, async_dispatch

    async def get_task(taskId: str) -> Any:  # noqa: N803
        return Success(TASK if taskId == TASK["id"] else None)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await async_dispatch(line.decode(), {"getTask": get_task})
            writer.write(answer.encode() + b"\n")
            await writer.drain()
        writer.close()

    await asyncio.start_unix_server(serve, str(path), backlog=1024)


SERVERS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "ours": ours,
    "constant": constant,
    "default": default,
}


async def main(name: str, path: str) -> None:
    """Serve until killed."""
    await SERVERS[name](Path(path))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
