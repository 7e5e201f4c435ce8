"""A daemon that may open few files: who takes those of one door takes nothing from anybody else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bridged import free_port, listening
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = pytest.mark.system

FILES = 256
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
DEFINITION = """
type = "http-json"
service = "watched"
interval = "250ms"
[checker]
url = "{url}"
progress = "p"
"""


class LimitedTaskd(Taskd):
    """A daemon whose limit of open files is 256, hard and soft."""

    def command(self, *more: str) -> list[str]:
        python, *rest = super().command(*more)
        return [python, "-c", LIMITED, *rest]


@pytest.fixture(name="watched")
async def _watched() -> AsyncIterator[str]:
    """A service that is being watched, and closes after each answer: each look needs a file."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{"p":5}'
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.fixture(name="daemon")
async def _daemon(tmp_path: Path, watched: str) -> AsyncIterator[tuple[LimitedTaskd, int]]:
    port = free_port()
    taskd = LimitedTaskd(tmp_path)
    taskd.arguments = ("--bridge", f"127.0.0.1:{port}")
    taskd.define("watched", DEFINITION.format(url=watched))
    async with taskd:
        line = await taskd.start()
        await until(lambda: listening(port))
        await until(lambda: _checked(line))
        yield taskd, port


async def _checked(line: Line) -> Any:
    return (await line.call("getTask", taskId="watched"))["lastChecked"]


class Stranger(asyncio.Protocol):
    """Connects and says nothing; what he is told is kept."""

    told: bytes = b""

    def data_received(self, data: bytes) -> None:
        self.told += data


async def _crowd(port: int, count: int) -> list[tuple[asyncio.BaseTransport, Stranger]]:
    loop = asyncio.get_running_loop()
    return [await loop.create_connection(Stranger, "127.0.0.1", port) for _ in range(count)]


async def test_a_stranger_takes_all_of_the_bridge_and_nothing_else(
    daemon: tuple[LimitedTaskd, int],
) -> None:
    """He is refused with a word; the socket answers, looks go on, the log stays small."""
    taskd, port = daemon
    crowd = await _crowd(port, FILES * 2)
    line = await Line.open(taskd.socket)
    before = await _checked(line)
    await until(lambda: _later(line, before))
    task = await line.call("getTask", taskId="watched")
    assert (task["health"], task["reason"]) == ("ok", None)
    await line.close()
    told = [each.told for _, each in crowd if each.told]
    assert len(told) > FILES
    for said in told:
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"too many connections" in body
    for transport, _ in crowd:
        transport.abort()  # type: ignore[attr-defined]
    assert len(taskd.said().splitlines()) < 20, taskd.said()
    assert "Traceback" not in taskd.said()


async def _later(line: Line, before: Any) -> bool:
    return bool(await _checked(line) != before)


async def test_looks_that_take_all_files_are_told_so_and_the_socket_answers(tmp_path: Path) -> None:
    """Three hundred services that keep their connections: the limit is called our own."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"p":5}')
        writer.close()

    taskd = LimitedTaskd(tmp_path)
    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for number in range(300):
        taskd.define(f"work-{number}", DEFINITION.format(url=url).replace("250ms", "1s"))
    async with server, taskd:
        line = await taskd.start()

        async def troubled() -> list[Any]:
            found = [each for each in await _tasks(taskd) if each["health"] != "ok"]
            return [each for each in found if each["lastChecked"]]

        trouble = await until(troubled)
        for _ in range(20):
            trouble += await troubled()
            await asyncio.sleep(0.1)
        assert {each["reason"] for each in trouble} == {"own-limit"}
        assert trouble[0]["hints"][0]["code"] == "own-limit"
        await line.close()
    assert "Traceback" not in taskd.said()


async def _tasks(taskd: Taskd) -> Any:
    """All tasks, over a connection of its own."""
    line = await Line.open(taskd.socket)
    try:
        return await line.call("getAllTasks")
    finally:
        await line.close()


async def test_connections_that_say_nothing_are_closed_in_seconds(
    daemon: tuple[LimitedTaskd, int],
) -> None:
    """Nor is one kept that begins its headers and does not end them."""
    _, port = daemon
    for beginning in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


FILLER = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
held, said = [], b""
while not said and len(held) < 400:
    one = socket.socket(socket.AF_UNIX)
    one.connect(sys.argv[1])
    one.settimeout(0.02)
    held.append(one)
    try:
        said = one.recv(65536)
    except TimeoutError:
        pass
print(said.decode(), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users, so root")
async def test_one_user_who_fills_the_socket_shuts_nobody_else_out(
    daemon: tuple[LimitedTaskd, int],
) -> None:
    """He is told `busy`; root and any other user get in."""
    taskd, _ = daemon
    for directory in (taskd.runtime, *taskd.runtime.parents):
        if directory.stat().st_uid == 0 and str(directory) not in ("/", "/tmp"):
            directory.chmod(0o755)
    taskd.socket.chmod(0o666)
    pipe = asyncio.subprocess.PIPE
    filler = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FILLER, str(taskd.socket), stdin=pipe, stdout=pipe
    )
    assert filler.stdout is not None
    assert filler.stdin is not None
    async with asyncio.timeout(PATIENCE):
        said = json.loads(await filler.stdout.readline())
    assert said["error"]["data"]["reason"] == "busy"
    line = await Line.open(taskd.socket)
    assert await line.call("ping")
    await line.close()
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OTHER, str(taskd.socket), stdout=pipe
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await other.communicate()
    assert b"pong" in out
    filler.stdin.close()
    await filler.wait()


OTHER = """
import os, socket, sys
os.setgid(65533); os.setuid(65533)
one = socket.socket(socket.AF_UNIX)
one.connect(sys.argv[1])
one.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\\n')
print(one.recv(65536).decode())
"""
