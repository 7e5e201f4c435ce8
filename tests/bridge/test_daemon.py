"""The bridge in the real daemon: it opens, it stops in time, it says why it cannot open."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import pytest

from kaspad_taskd.bridge.lean import NOT_OURS
from tests.bridge.house import Visitor
from tests.fakes.bridged import bridged, free_port, listening
from tests.fakes.notify_socket import NotifySocket
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import AT_ONCE, Taskd, until

pytestmark = pytest.mark.system


def _mapped(pid: int) -> str:
    """The files that a process has mapped: compiled libraries among them."""
    return Path(f"/proc/{pid}/maps").read_text()


def _read(path: Path) -> tuple[int, str]:
    """Mode and text of a file."""
    return stat.S_IMODE(path.stat().st_mode), path.read_text().strip()


async def test_a_port_that_is_taken_does_not_end_the_daemon(tmp_path: Path) -> None:
    """It is ready, and says everywhere who has the port and that he is not to be trusted."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    words: list[str] = []
    with taken, NotifySocket(tmp_path / "notify") as systemd:

        async def ready() -> bool:
            words.extend(systemd.words())
            return "READY=1" in words

        async with Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}", env=told) as taskd:
            line = await taskd.start()
            info = (await line.call("getInfo"))["bridge"]
            await until(ready)
            code, verdict = await _ctl(taskd)
            failed, found = await _ctl(taskd, "doctor")
            await taskd.end()
            said = taskd.said()
    status = next(word for word in words if word.startswith("STATUS="))
    assert (info["listening"], info["url"], info["address"]) == (False, None, f"127.0.0.1:{port}")
    who = f"(pid {os.getpid()}) of user"
    for text in (info["problem"], status, verdict, found, said):
        assert who in " ".join(text.split())
        assert "give it no token" in " ".join(text.split())
    assert (code, failed) == (0, 1)
    assert f"the bridge cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert said.count("ERROR") == 1
    assert "Traceback" not in said


async def _ctl(taskd: Taskd, *verb: str) -> tuple[int | None, str]:
    """What the client says, and how it ends."""
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.socket), *verb),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await client.communicate()
    return client.returncode, out.decode()


async def test_a_token_file_that_is_missing_ends_it_too(tmp_path: Path) -> None:
    """A door without a lock is not opened."""
    taskd = Taskd(tmp_path, "--bridge", f"127.0.0.1:{free_port()}")
    taskd.settings.write_text('[bridge]\ntoken_file = "/nowhere/token"\n')
    async with taskd:
        await taskd.spawn()
        assert await taskd.ended() == 1
        assert "cannot use the token of the bridge in /nowhere/token" in taskd.said()


async def test_without_the_bridge_its_libraries_are_not_loaded(tmp_path: Path) -> None:
    """`--bridge off` is a daemon without a browser's door, and without its memory."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        assert (await line.call("getInfo"))["bridge"] is None
        assert taskd.process is not None
        assert "aiohttp" not in _mapped(taskd.process.pid)


async def test_a_daemon_with_a_browser_has_no_client_and_no_broker(tmp_path: Path) -> None:
    """They are installed here, and python-socketio would load them: redis-py alone is 7 MiB."""
    if find_spec("redis") is None:
        pytest.skip("there is no redis-py that could be loaded: apt install python3-redis")
    if os.environ.get("KASPAD_TASKD_LAB") == "1":
        pytest.skip("the daemon that is installed here finds no test, which would count for it")
    port = free_port()
    counted = tmp_path / "loaded"
    taskd = Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}", env={"COUNTED": str(counted)})
    taskd.program = ("tests.fakes.counted_taskd",)
    async with taskd, aiohttp.ClientSession() as http:
        await taskd.start()
        await until(lambda: listening(port))
        address = f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(address) as line:
            visitor = Visitor(line)
            await line.receive()
            await line.send_str("40")
            await visitor.read()
            assert (await visitor.event("hello"))["version"]
        assert await taskd.end() is not None
    tops = {name.partition(".")[0] for name in counted.read_text().split()}
    assert "socketio" in tops
    assert tops.isdisjoint(NOT_OURS)


async def test_who_finds_the_socket_is_answered_by_the_bridge(tmp_path: Path) -> None:
    """Both doors are open at once, though the bridge's libraries come with the first visitor."""
    port = free_port()
    async with Taskd(tmp_path, "--bridge", f"127.0.0.1:{port}") as taskd:
        line = await taskd.start()
        assert (await line.call("getInfo"))["bridge"]["listening"]
        assert taskd.process is not None
        assert "aiohttp" not in _mapped(taskd.process.pid)
        url = f"http://127.0.0.1:{port}/healthz"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert answer.status == 200


async def test_a_stop_before_the_bridge_serves_is_a_stop(tmp_path: Path) -> None:
    """Nobody waits for its libraries."""
    async with Taskd(tmp_path, "--bridge", f"127.0.0.1:{free_port()}") as taskd:
        await taskd.start()
        code, _ = await taskd.end(signal.SIGTERM)
        assert code == 0
        assert "Traceback" not in taskd.said()


async def test_get_info_says_where_the_bridge_is(tmp_path: Path) -> None:
    """And whose file the token is in, for the group."""
    async with bridged(tmp_path) as (taskd, url):
        info = (await (await taskd.line()).call("getInfo"))["bridge"]
        assert info["url"] == f"{url}/"
        assert info["address"] == url.removeprefix("http://")
        assert info["tokenFile"] == str(taskd.state / "bridge.token")
        mode, token = _read(taskd.state / "bridge.token")
        assert mode == 0o640
        assert token not in taskd.said()


async def test_the_page_and_its_files_are_served(tmp_path: Path) -> None:
    """The real page, and all that it loads from its own host."""
    async with bridged(tmp_path) as (taskd, url):
        await (await taskd.line()).call("registerTask", type="report", service="job")

        def get(path: str) -> str:
            with urllib.request.urlopen(url + path, timeout=PATIENCE) as answer:
                return str(answer.read().decode())

        page = await asyncio.to_thread(get, "/")
        assert "report-job" in page
        assert "report-job" in await asyncio.to_thread(get, "/task/report-job")
        for path in ("/static/app.js", "/embed/kaspad-taskd.js", "/embed/kaspad-taskd.d.ts"):
            assert await asyncio.to_thread(get, path)
        assert json.loads(await asyncio.to_thread(get, "/healthz"))["status"] == "ok"


@pytest.mark.parametrize("how", ["signal", "shutdown"])
async def test_it_stops_within_a_second_with_clients(tmp_path: Path, how: str) -> None:
    """Each is told why, and loses its connection without being told to stay away."""
    async with bridged(tmp_path) as (taskd, url), aiohttp.ClientSession() as http:
        visitors = []
        for _ in range(20):
            line = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
            await line.receive()
            await line.send_str("40")
            visitors.append(Visitor(line))
            await visitors[-1].read()
            await visitors[-1].event("hello")
        if how == "signal":
            code, took = await taskd.end(signal.SIGTERM)
            assert took < AT_ONCE
        else:
            await (await taskd.line()).call("shutdown")
            code = await taskd.ended()
        assert code == 0
        for visitor in visitors:
            assert await visitor.event("server:stopping") == {"reason": how}
            await visitor.ended()
        assert "Traceback" not in taskd.said()
