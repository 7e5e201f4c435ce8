"""Logging in from a real Chromium at an address that is no loopback, in a network of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import npm
from tests.fakes.bridged import line_of, program
from tests.fakes.taskd_process import Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
ADDRESS, PORT = "192.0.2.7", 3080
UP = f"ip link set lo up && ip addr add {ADDRESS}/32 dev lo && echo up && exec sleep 600"


@pytest.fixture
def inside() -> Iterator[list[str]]:
    """What runs a command in a network that has that address and nobody else."""
    missing = [each for each in ("unshare", "nsenter", "ip") if not shutil.which(each)]
    if missing or os.geteuid() != 0:
        pytest.skip("a network of its own needs root, util-linux and iproute2")
    command = ["unshare", "--net", "sh", "-c", UP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stderr is not None
            if holder.stdout.readline() != b"up\n":
                pytest.skip(f"no network of its own here: {holder.stderr.read().decode()[:200]}")
            yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        finally:
            holder.kill()


class Inside(Taskd):
    """A daemon in that network."""

    prefix: tuple[str, ...] = ()

    def command(self, *more: str) -> list[str]:
        return [*self.prefix, *super().command(*more)]


async def test_each_way_of_logging_in(tmp_path: Path, inside: list[str]) -> None:
    """A form without scripts and with them: a wrong token is said, the right one opens it."""
    chromium, modules = npm.chromium(), npm.modules()
    taskd = Inside(tmp_path)
    taskd.prefix = tuple(inside)
    taskd.arguments = ("--bridge", f"{ADDRESS}:{PORT}")
    taskd.settings.write_text(f'[bridge]\nhosts = ["{ADDRESS}"]\n')
    token = taskd.state / "bridge.token"
    url = f"http://{ADDRESS}:{PORT}/"
    async with taskd:
        line = await taskd.start()

        async def listening() -> bool:
            return bool((await line.call("getInfo"))["bridge"]["listening"])

        await until(listening)
        script = str(Path(__file__).with_name("login.mjs"))
        given = (str(modules), str(chromium), url, token.read_text().strip())
        async with program(*inside, npm.node(), script, *given) as browser:
            seen = json.loads(await line_of(browser))
        await taskd.end()
    for way in ("form", "scripts"):
        found = seen[way]
        assert (found["wrong"], found["right"], found["form"]) == ("seen", "seen", False), seen
        assert found["sent"] == [url.rstrip("/")]
        assert found["cookies"] == [{"httpOnly": True, "sameSite": "Strict"}]
