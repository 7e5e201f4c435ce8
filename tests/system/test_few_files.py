"""A daemon that may open few files: who takes those of one door takes nothing from anybody else."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bridged import free_port, listening
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Refusal, Taskd, until

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
async def _daemon(watched: str) -> AsyncIterator[tuple[LimitedTaskd, int]]:
    port = free_port()
    place = Path(tempfile.mkdtemp())  # pytest's own are closed to other users
    taskd = LimitedTaskd(place)
    taskd.arguments = ("--bridge", f"127.0.0.1:{port}")
    taskd.define("watched", DEFINITION.format(url=watched))
    async with taskd:
        line = await taskd.start()
        await until(lambda: listening(port))
        await until(lambda: _checked(line))
        yield taskd, port
    shutil.rmtree(place)


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

    async def refused() -> bool:
        return len([each for _, each in crowd if each.told]) > FILES

    await until(refused)
    told = [each.told for _, each in crowd if each.told]
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


async def test_more_tasks_than_files_are_all_looked_at(tmp_path: Path) -> None:
    """Three hundred services that would keep a connection: each is asked, both doors answer."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"p":5}')
        writer.close()

    port = free_port()
    taskd = LimitedTaskd(tmp_path, "--bridge", f"127.0.0.1:{port}")
    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for number in range(300):
        taskd.define(f"work-{number}", DEFINITION.format(url=url).replace("250ms", "1s"))
    async with server, taskd:
        line = await taskd.start()
        checked: dict[str, set[str]] = {}

        async def often() -> bool:
            for task in await _tasks(taskd):
                assert task["reason"] is None
                checked.setdefault(task["id"], set()).add(task["lastChecked"])
            return all(len(each) > 3 for each in checked.values())

        await until(often, every=0.2)
        assert await listening(port)
        assert await line.call("getEvents", limit=10)
        assert await line.call("backup")
    assert "Traceback" not in taskd.said()


async def test_a_limit_that_is_reached_is_called_our_own(
    daemon: tuple[LimitedTaskd, int],
) -> None:
    """Not one more file: looks say whose limit it is, the socket answers; then all goes on."""
    taskd, _ = daemon
    line = await taskd.line()
    assert taskd.process is not None
    pid = taskd.process.pid

    async def reason() -> Any:
        (task,) = await _tasks(taskd)
        return task["reason"]

    async def without_files() -> Any:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (_lowest_free(pid), FILES))
        return await reason()

    assert await until(without_files) == "own-limit"
    assert (await line.call("getTask", taskId="watched"))["hints"][0]["code"] == "own-limit"
    assert await line.call("getEvents")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))

    async def well() -> bool:
        return await reason() is None

    await until(well)
    assert "Traceback" not in taskd.said()


async def test_without_a_file_what_is_not_english_is_told_as_well(tmp_path: Path) -> None:
    """A failure in its program's own words is in the log, and its subscriber hears of it."""
    words = "диск полон"
    async with LimitedTaskd(tmp_path) as taskd:  # that asks nobody: what looks load is not there
        line = await taskd.start()
        await line.call("registerTask", id="work", type="report", service="s", config={})
        follower = await Line.open(taskd.socket)
        await follower.call("subscribe")
        assert taskd.process is not None
        pid = taskd.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (_lowest_free(pid), FILES))
        await line.call("errorTask", taskId="work", error=words)
        async with asyncio.timeout(PATIENCE):
            while (told := await follower.events.get()) and told["event"] != "sync:error":
                pass
        assert told is not None
        assert words in json.dumps(told, ensure_ascii=False)
        await follower.close()

        async def logged() -> bool:
            return f"failed: {words}" in taskd.said()

        await until(logged)
        assert "Traceback" not in taskd.said()


async def test_what_a_request_needs_a_file_for_is_busy_without_one(tmp_path: Path) -> None:
    """The first task of a type loads what looks at it: told as our own limit, and done later."""
    definition = {"id": "index", "type": "indexer-sync", "service": "s",
                  "config": {"url": "http://127.0.0.1:9/", "flavor": "kasia"}}  # fmt: skip
    async with LimitedTaskd(tmp_path) as taskd:
        line = await taskd.start()
        assert taskd.process is not None
        pid, found = taskd.process.pid, [0]

        async def settled() -> bool:
            found.append(await line.call("ping") and _lowest_free(pid))
            return found[-5:] == [found[-1]] * 5

        await until(settled, every=0.1)
        lowest = found[-1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, FILES))
        for _ in range(3):
            with pytest.raises(Refusal) as refused:
                await line.call("registerTask", **definition)
            assert refused.value.data == {"reason": "busy", "limit": lowest}
            assert "open no more files" in str(refused.value)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        assert (await line.call("registerTask", **definition))["success"]
        said = taskd.said()
    assert (said.count("may open no more files"), "Traceback" in said) == (1, False), said


def _lowest_free(pid: int) -> int:
    """The number of the file that a process would open next."""
    numbers = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in range(FILES) if number not in numbers)


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

    async def begin(said: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()

    await asyncio.gather(begin(b""), begin(b"GET / HTTP/1.1\r\nHost: x\r\n"))


async def test_what_strangers_send_does_not_fill_the_log(tmp_path: Path) -> None:
    """A library that warns of each header, with its text, is heard once a minute."""
    port = free_port()
    async with Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}") as taskd:
        await taskd.start()
        for number in range(50):
            part = f"--x\r\nContent-Disposition: form-data; name=;{number}\r\n\r\na\r\n--x--"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = (
                "POST /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n"
                f"Content-Length: {len(part)}\r\n\r\n"
            )
            writer.write((head + part).encode())
            async with asyncio.timeout(PATIENCE):
                assert (await reader.read()).startswith(b"HTTP/1.1 4")
            writer.close()
        said = taskd.said()
    assert said.count("BadContentDisposition") < 10
    assert len(said.splitlines()) < 20


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
    for directory in (taskd.runtime, taskd.place):
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
