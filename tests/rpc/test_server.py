"""The socket: who may connect, what is in the way, how it ends."""

# ruff: noqa: ASYNC240 (a look at a file is all the blocking there is)

from __future__ import annotations

import asyncio
import grp
import os
import resource
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.base.descriptors import allow_files
from kaspad_taskd.rpc import peer
from kaspad_taskd.rpc.server import PATH_LIMIT, CannotListenError, RpcServer, listen
from tests.fakes.patience import PATIENCE
from tests.rpc.house import House, until

GROUP = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rpc.sock"


@pytest.fixture
def files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_owner_and_group_alone_may_connect(path: Path, umask: int) -> None:
    """The mode is 0660 and the group the one asked for, whatever the umask."""
    before = os.umask(umask)
    try:
        listen(path, GROUP).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert path.stat().st_gid == os.getgid()


def test_nobody_can_connect_before_the_mode_is_right(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the file is the group's alone, a connection is refused."""
    seen = []

    def chmod(self: Path, mode: int) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            seen.append(client.connect_ex(str(self)))
        os.chmod(self, mode)  # noqa: PTH101

    monkeypatch.setattr(Path, "chmod", chmod)
    listen(path, GROUP).close()
    assert seen == [111]  # ECONNREFUSED


def test_a_group_that_does_not_exist_is_no_fault(path: Path) -> None:
    """On a machine without the group the socket is the daemon's own group's."""
    listen(path, "no-such-group-here").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_dead_socket_is_replaced(path: Path) -> None:
    """The file of a daemon that was killed is no obstacle."""
    listen(path, GROUP).close()
    before = path.stat().st_ino
    with listen(path, GROUP):
        assert path.exists()
        assert before
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_live_socket_is_refused(path: Path) -> None:
    """Another daemon's socket is never taken; the sentence says what to do."""
    with listen(path, GROUP):
        with pytest.raises(CannotListenError, match="another daemon: stop that one first"):
            listen(path, GROUP)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_live_socket_with_a_full_queue_is_refused_too(path: Path) -> None:
    """A daemon too busy to accept is alive."""
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(CannotListenError, match="another daemon"):
            listen(path, GROUP)


@pytest.mark.parametrize("what", ["file", "directory", "link"])
def test_what_is_no_socket_is_left_alone(path: Path, what: str) -> None:
    """A file that is no socket is never removed."""
    if what == "file":
        path.write_text("mine")
    elif what == "directory":
        path.mkdir()
    else:
        path.symlink_to("elsewhere")
    with pytest.raises(CannotListenError, match="no socket: remove it"):
        listen(path, GROUP)
    assert path.is_symlink() or path.exists()


def test_a_path_too_long_is_named_with_the_cure(tmp_path: Path) -> None:
    """Linux takes 107 bytes; one more is refused with the number and the option."""
    stem = tmp_path / ("x" * (PATH_LIMIT - len(os.fsencode(tmp_path)) - 1))
    listen(stem, GROUP).close()
    with pytest.raises(CannotListenError, match=r"108 bytes, Linux takes 107: .*--runtime-dir"):
        listen(Path(f"{stem}x"), GROUP)


def test_a_missing_directory_is_a_sentence(tmp_path: Path) -> None:
    """What the system refuses is told with the path."""
    with pytest.raises(CannotListenError, match=r"gone/rpc.sock: No such file"):
        listen(tmp_path / "gone" / "rpc.sock", GROUP)


async def test_the_file_goes_with_the_server(path: Path) -> None:
    """After a stop the path is free, and clients get a clear ENOENT."""
    async with House(path) as house:
        assert await (await house.client()).call("echo", "hi") == "hi"
    assert not path.exists()
    await house.server.stop()


async def test_another_ones_file_is_left_alone(path: Path) -> None:
    """A socket that somebody put in place of ours is not removed at our stop."""
    async with House(path):
        path.unlink()
        other = listen(path, GROUP)
    assert path.exists()
    other.close()


async def test_a_socket_of_systemd_is_used_and_left(path: Path) -> None:
    """A passed socket is answered on, and its file stays for the next start."""
    passed = listen(path, GROUP)
    async with House(path, passed=passed) as house:
        assert await (await house.client()).call("echo", 1) == 1
    assert path.exists()


async def test_a_thousand_connections_at_once(path: Path, files: None) -> None:
    """1,000 clients are connected and answered at the same time."""
    allow_files(4096)
    async with House(path) as house:
        clients = await asyncio.gather(*(house.client() for _ in range(1000)))
        answers = await asyncio.gather(*(c.call("echo", n) for n, c in enumerate(clients)))
        assert answers == list(range(1000))
        assert house.server.connections == 1000
        await asyncio.gather(*(client.close() for client in clients))
        await until(lambda: house.server.connections == 0)


async def test_one_connection_too_many_is_told_so(path: Path) -> None:
    """Beyond the limit a client gets `busy` with the limit, and room is made when one leaves."""
    async with House(path, limit=2) as house:
        clients = [await house.client(), await house.client()]
        await asyncio.gather(*(client.call("echo", 1) for client in clients))
        extra = await house.client()
        error = (await extra.read())["error"]
        assert (error["code"], error["data"]) == (-32008, {"reason": "busy", "limit": 2})
        assert await extra.read() is None
        await clients[0].close()
        await until(lambda: house.server.connections == 1)
        assert await (await house.client()).call("echo", 2) == 2


async def test_stop_says_what_is_being_said(path: Path) -> None:
    """An answer under way reaches its client; new clients are refused from the first moment."""
    async with House(path) as house:
        client = await house.client()
        client.ask("hold")
        await until(lambda: house.running == 1)
        client.write(b'{"jsonrpc":"2.0","method":"echo","id":2')
        await asyncio.sleep(0)
        stop = asyncio.create_task(house.server.stop(PATIENCE))
        await asyncio.sleep(0)
        with pytest.raises(FileNotFoundError):
            await house.client()
        house.gate.set()
        assert (await client.read())["result"] == "held"
        assert await client.read() is None
        await stop
        assert house.inline == 0


async def test_stop_waits_no_longer_than_its_deadline(path: Path) -> None:
    """A request that does not end, and a client that takes nothing, do not hold the stop up."""
    async with House(path) as house:
        waiting, slow = await house.client(), await house.client()
        waiting.ask("hold")
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        slow.ask("big", 3_000_000)
        await until(lambda: house.running == 1)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await house.server.stop(0.05)
        assert loop.time() - before < peer.PATIENCE - 5  # not until the slow one is cut
        assert house.server.connections == 0
        assert house.running == 0
        assert await waiting.read() is None


async def test_stop_lets_the_last_events_out(path: Path) -> None:
    """Events that became true just before the stop reach their followers."""
    async with House(path) as house:
        client = await house.client()
        assert await client.call("subscribe") == {"seq": 0, "tasks": []}
        await until(lambda: house.feed.running == 1)
        house.feed.tell(250)
        await house.server.stop(PATIENCE)
        seqs = []
        while (event := await client.read()) is not None:
            seqs.append(event["params"]["seq"])
        assert seqs == list(range(1, 251))
        assert house.feed.running == 0


async def test_stop_is_quick_when_there_is_nothing_to_say(path: Path) -> None:
    """Idle clients do not make a stop wait."""
    async with House(path) as house:
        clients = [await house.client() for _ in range(10)]
        await until(lambda: house.server.connections == 10)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await house.server.stop(PATIENCE)
        assert loop.time() - before < PATIENCE / 2
        for client in clients:
            assert await client.read() is None


async def test_a_server_that_never_started_stops(path: Path) -> None:
    """Stopping is always allowed."""
    house = House(path)
    await house.server.stop()
    assert isinstance(house.server, RpcServer)


def test_open_files_are_allowed_up_to_the_hard_limit(files: None) -> None:
    """The soft limit rises, never falls, and asks for no more than the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    allow_files(300)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    allow_files(200)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    if hard != resource.RLIM_INFINITY:
        allow_files(sys.maxsize)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard


async def test_who_asks_is_known(path: Path) -> None:
    """Pid, uid and gid of the connecting process are known to every method."""
    async with House(path) as house:
        client = await house.client()
        await client.call("echo", 1)
        caller = house.callers[0]
        assert (caller.pid, caller.uid, caller.gid) == (os.getpid(), os.getuid(), os.getgid())
        assert caller.door == "rpc"
