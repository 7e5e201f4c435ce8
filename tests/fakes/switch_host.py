"""A host on which a real daemon can switch services: a stand-in systemctl, endpoints, indexers.

`python -m tests.fakes.switch_host STAGE UNIT` is what root's helper does when its unit is started:
it writes the endpoint file. The real helper and a real systemd are tried in tests/system.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching.endpoint import render
from tests.fakes.bridged import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 160.0
"""Seconds that a helper is held at most."""
SYSTEMCTL = """#!/bin/sh
for unit; do :; done
case "$*" in
  *' start '*) cd {root} && exec {python} -m tests.fakes.switch_host {stage} "$unit" ;;
esac
state=active
case "$unit" in kaspad-taskd-switch@*) state=inactive ;; esac
echo LoadState=loaded
echo ActiveState=$state
echo SubState=running
echo InvocationID=1
echo NRestarts=0
echo "EnvironmentFiles={stage}/endpoints/${{unit%.service}}.env (ignore_errors=yes)"
"""


class SwitchHost:
    """Services that answer, but those in `deaf`, which do not while they use the local node."""

    def __init__(self, stage: Path) -> None:
        self.stage = stage
        self.port = free_port()
        self.deaf: set[str] = set()
        (stage / "endpoints").mkdir(parents=True)
        (stage / "bin").mkdir()
        systemctl = stage / "bin" / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(root=ROOT, python=sys.executable, stage=stage))
        systemctl.chmod(systemctl.stat().st_mode | stat.S_IXUSR)
        self._values: dict[str, Mapping[str, Mapping[str, str]]] = {}

    @property
    def env(self) -> dict[str, str]:
        """For the daemon."""
        path = f"{self.stage / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "ENDPOINTS": str(self.stage / "endpoints")}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold root's helper meanwhile: what it has written is written, no restart is over."""
        held = self.stage / "held"
        held.touch()
        try:
            yield
        finally:
            held.unlink()

    def declare(
        self, name: str, node: str, within: str = "5min", *, public: str = "", more: str = ""
    ) -> str:
        """Return its part of the settings; `public`: the address of a public node."""
        url = f"ws://127.0.0.1:{self.port}/node"
        there = {"NODE_URL": public} if public else {}
        self._values[name] = {"local": {"NODE_URL": url}, "public": there}
        public_env = f'{{NODE_URL = "{public}"}}' if public else "{}"
        (self.stage / "values.json").write_text(json.dumps(self._values))
        return (
            f'[services.{name}]\nunit = "{name}.service"\nnode = "{node}"\nnetwork = "simnet"\n'
            f'env = {{NODE_URL = "{url}"}}\npublic_env = {public_env}\n{more}'
            f'verify = {{http = "http://127.0.0.1:{self.port}/{name}", within = "{within}"}}\n'
        )

    async def _node(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    async def _service(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        file = self.stage / "endpoints" / f"{name}.env"
        local = file.exists() and "uses the local node" in file.read_text()
        return web.Response(status=503 if local and name in self.deaf else 200)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[SwitchHost]:
        """Answer for the node's port and for the services."""
        app = web.Application()
        app.add_routes([web.get("/node", self._node), web.get("/{name}", self._service)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()


def help_root(stage: Path, unit: str) -> None:
    """Write the endpoint file of `kaspad-taskd-switch@SERVICE:SIDE.service`."""
    instance = unit.partition("@")[2].removesuffix(".service").replace("\\x2d", "-")
    service, _, side = instance.partition(":")
    values: dict[str, Any] = json.loads((stage / "values.json").read_text())[service]
    text = render(service, Side(side), values[side])
    path = stage / "endpoints" / f"{service}.env"
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)
    until = time.monotonic() + PATIENCE
    while (stage / "held").exists() and time.monotonic() < until:
        time.sleep(0.05)  # it restarts the service


if __name__ == "__main__":
    help_root(Path(sys.argv[1]), sys.argv[2])
