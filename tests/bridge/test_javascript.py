"""The clients that wizards have: socket.io-client 4.5.4 and the newest, against the real daemon."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bridged import bridged, free_port, line_of, listening, program
from tests.fakes.node_packages import Missing, install
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PACKAGES = {"client-4-5-4": "npm:socket.io-client@4.5.4", "client-newest": "npm:socket.io-client@4"}
SCRIPT = Path(__file__).parents[1] / "fakes" / "socketio_client.mjs"
OWN = ("hello", "sync:progress", "server:stopping", "task:error")
NODE = {"type": "node-sync", "service": "kaspa-node", "config": {"useHttps": False}}


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return install("socket.io-client", PACKAGES)
    except Missing as why:
        pytest.skip(str(why))


class Wizard:
    """A JavaScript client, and all that it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def next(self, key: str, value: Any = None) -> Any:
        """What it says next under a key (with this value)."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    line = await line_of(self.process)
            except TimeoutError:
                line = ""
            assert line, f"nothing after: {self.said[-3:]}"
            said = json.loads(line)
            self.said.append(said)
            if key in said and value in (None, said[key]):
                return said

    async def ask(self, name: str, *args: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, *args]).encode() + b"\n")
        while (said := await self.next("answer"))["request"] != name:
            pass
        return said["answer"]

    def events(self, name: str) -> list[Any]:
        return [said["data"] for said in self.said if said.get("event") == name]

    def journal(self) -> list[int]:
        """Numbers of the events on record that it was told."""
        told = [said for said in self.said if "event" in said and said["event"] not in OWN]
        return [said["data"]["seq"] for said in told if "seq" in (said["data"] or {})
                and "tasks" not in said["data"]]  # fmt: skip

    async def until_told(self, seq: int) -> None:
        while not self.journal() or self.journal()[-1] < seq:
            await self.next("event")


@asynccontextmanager
async def wizard(
    folder: Path, package: str, transports: str, url: str, token: str, path: str = "/socket.io/"
) -> AsyncIterator[Wizard]:
    node = shutil.which("node") or "node"
    given = (str(folder), package, transports, url, path, token)
    async with program(node, str(SCRIPT), *given) as process:
        yield Wizard(process)


def token_of(taskd: Taskd) -> str:
    return (taskd.state / "bridge.token").read_text().strip()


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
@pytest.mark.parametrize("package", PACKAGES)
async def test_every_event_over_a_kill_and_a_restart(
    folder: Path, tmp_path: Path, package: str, transports: str
) -> None:
    """All requests are answered; no event is lost and none told twice; the state is right after."""
    async with (
        bridged(tmp_path, "tests.fakes.slow_goodbye") as (taskd, url),
        wizard(folder, package, transports, url, token_of(taskd)) as client,
    ):
        await client.next("event", "hello")
        await _ask_everything(client)
        await taskd.kill()
        await client.next("disconnected")
        line = await taskd.start()
        for service in ("one", "two"):
            await line.call("registerTask", type="report", service=service)
        await client.next("event", "hello")
        await _ask_more(client)
        seq = (await line.call("ping"))["seq"]
        await client.until_told(seq)
        assert client.journal() == list(range(1, seq + 1))
        await until(lambda: _same(client, line))
        code, _ = await taskd.end(signal.SIGTERM)
        assert code == 0
        assert (await client.next("event", "server:stopping"))["data"] == {"reason": "signal"}
        await client.next("disconnected")


async def _same(client: Wizard, line: Line) -> bool:
    """Whether both doors show the same (looks go on between two questions)."""
    shown = (await client.ask("tasks:list"))["tasks"]
    tasks = await line.call("getAllTasks")
    return [_lasting(each) for each in shown] == [_lasting(each) for each in tasks]


def _lasting(task: dict[str, Any]) -> dict[str, Any]:
    return {key: task[key] for key in ("id", "status", "attempt", "revision", "progress")}


async def _ask_everything(client: Wizard) -> None:
    registered = await client.ask("task:register", NODE)
    task_id = registered["taskId"]
    assert client.events("task:registered") == [registered]
    assert (await client.ask("task:status", {"taskId": task_id}))["task"]["id"] == task_id
    assert (await client.ask("sync:pause", None)) == {"taskIds": [task_id]}
    assert (await client.ask("sync:resume")) == {"taskIds": [task_id]}
    assert (await client.ask("task:cancel", {"taskId": task_id})) == {"taskId": task_id}
    assert (await client.ask("task:cancel", {"taskId": task_id}))["reason"] == "not-allowed"
    assert (await client.ask("task:cancel"))["error"]
    chosen = {"choice": "wait", "nodeKey": "kaspa-node"}
    assert (await client.ask("sync:strategy-chosen", chosen))["decision"]["context"] == chosen
    assert (await client.ask("rpc", {"method": "ping"}))["result"]["pong"] is True


async def _ask_more(client: Wizard) -> None:
    task_id = "node-sync-kaspa-node"
    assert (await client.ask("task:retry", {"taskId": task_id}))["task"]["attempt"] == 2
    big = {"method": "getEvents", "params": {"limit": 1000}}
    assert (await client.ask("rpc", big))["result"]["events"]
    text = "ü\u202e<b>" * 5000
    answer = await client.ask("rpc", {"method": "recordDecision", "params": {"decision": text}})
    assert answer["error"]["data"]["parameter"] == "decision"


@pytest.mark.parametrize("package", PACKAGES)
async def test_a_client_without_the_token_reads_and_one_with_a_wrong_one_is_told(
    folder: Path, tmp_path: Path, package: str
) -> None:
    """`connect_error` has the words."""
    async with bridged(tmp_path) as (_, url):
        async with wizard(folder, package, "websocket", url, "") as reader:
            assert (await reader.next("event", "hello"))["data"]["canChange"] is False
            assert (await reader.ask("task:register", NODE))["reason"] == "forbidden"
        async with wizard(folder, package, "polling", url, "wrong") as stranger:
            said = await stranger.next("refused")
            assert said["refused"] == "That token is not right."
            assert said["data"]["reason"] == "forbidden"


NGINX = """\
daemon off; pid {place}/nginx.pid; error_log {place}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {place}/b; proxy_temp_path {place}/p;
  fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  server {{
    listen 127.0.0.1:{port};
    location /taskd/ {{
      proxy_pass {bridge}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 60s;
    }}
  }}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
}}
"""


@asynccontextmanager
async def nginx(place: Path, bridge: str) -> AsyncIterator[str]:
    """Nginx with the bridge under /taskd/."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip("nginx is not installed: apt install nginx")
    port = free_port()
    settings = place / "nginx.conf"
    settings.write_text(NGINX.format(place=place, port=port, bridge=bridge))
    async with program(found, "-p", str(place), "-c", str(settings)):
        await until(lambda: listening(port), PATIENCE)
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
@pytest.mark.parametrize("package", PACKAGES)
async def test_behind_nginx_under_a_prefix(
    folder: Path, tmp_path: Path, package: str, transports: str
) -> None:
    """With nothing configured but the proxy."""
    async with bridged(tmp_path) as (taskd, bridge), nginx(tmp_path, bridge) as url:
        token, path = token_of(taskd), "/taskd/socket.io/"
        async with wizard(folder, package, transports, url, token, path) as client:
            await client.next("event", "hello")
            await client.ask("task:register", NODE)
            await client.until_told(2)
            assert client.journal() == [1, 2]


async def test_pages_behind_nginx_stay_under_the_prefix(tmp_path: Path) -> None:
    """Every link is relative, the cookie's path too."""
    async with bridged(tmp_path) as (taskd, bridge), nginx(tmp_path, bridge) as url:
        body = json.dumps({"token": token_of(taskd)})
        command = ["curl", "-si", "-H", "Content-Type: application/json", "-d", body]
        answer = await asyncio.to_thread(
            subprocess.run, [*command, f"{url}/taskd/session"], capture_output=True, check=True
        )
        assert b"200 OK" in answer.stdout
        assert b"Path" not in answer.stdout
        page = await asyncio.to_thread(
            subprocess.run, ["curl", "-s", f"{url}/taskd/"], capture_output=True, check=True
        )
        assert b'="/' not in page.stdout
