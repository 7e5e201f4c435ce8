"""`kaspad-taskd demo --fleet`, as somebody has it who looks at it for a minute."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kaspad_taskd.demo import fleet
from kaspad_taskd.demo.line import Line
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.patience import PATIENCE, once
from tests.fakes.redis_server import needs_redis

SHORT = """
import signal, sys
from kaspad_taskd.demo import fleet, hosts
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is deaf to it
fleet.HOSTS = 3
hosts.DIES, hosts.CUT, hosts.BACK = 0.2, 0.4, 18.0
sys.exit(fleet.show(20.0))
"""
"""The demo, with fewer hosts, whose troubles come sooner."""


class Shown:
    """The demo at work; what it says, as it says it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())

    def told(self, host: str) -> list[str]:
        """The verdicts of a host that were told, in order."""
        found = re.findall(rf"(?m)^\S+Z {host} (\S+)", "\n".join(self.lines))
        return [verdict for verdict in found if verdict not in ("unknown", "trouble")]


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose sockets' paths the kernel takes."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


def page_of(lines: list[str]) -> str:
    """What the page says whose address was told, as soon as it can be had."""
    (url,) = re.findall(r"(?m)^The same in a browser: (\S+)$", "\n".join(lines))
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < until, lines
            time.sleep(0.1)


def left(place: Path) -> list[str]:
    """Processes that have something to do with a place."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except OSError:
            continue
        if str(place).encode() in words:
            found.append(words.replace(b"\0", b" ").decode())
    return found


@pytest.mark.system
@needs_redis
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_hosts_are_well_one_dies_one_comes_back_and_nothing_is_left(
    number: signal.Signals, short: Path
) -> None:
    """What it shows is what happens to them; then no process and no file of it is there."""
    shown = Shown(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SHORT), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "TMPDIR": str(short)},
            start_new_session=True,
        )
    )  # fmt: skip
    reading = asyncio.create_task(shown.read())
    try:
        if number == signal.SIGINT:
            await once(lambda: "ok" in shown.told("node-01"))
            assert "node-01" in await asyncio.to_thread(page_of, shown.lines)
            await once(lambda: shown.told("node-02")[-1:] == ["silent"])
            await once(lambda: "silent" in shown.told("node-03"))
            await once(lambda: shown.told("node-03")[-1:] == ["ok"])
            os.killpg(shown.process.pid, number)  # as a terminal does
        else:  # amid its beginning
            await once(lambda: len(left(short)) > 3)
            shown.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            assert await shown.process.wait() == 128 + number
            await reading
    finally:
        if shown.process.returncode is None:
            os.killpg(shown.process.pid, signal.SIGKILL)
            await shown.process.wait()
    said = "\n".join(shown.lines)
    assert "node-02 dies after 0.2 s" in said
    assert "Traceback" not in said
    assert "Unknown child" not in said
    assert shown.lines[-1].startswith("All of it is ended and removed")
    assert (left(short), [*short.iterdir()]) == ([], [])  # noqa: ASYNC240


def test_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert fleet.show(1.0) == 1
    assert "sudo apt install redis-server" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mib", "hosts"), [(0, 3), (300, 4), (100_000, 12)], ids=["none", "little", "much"]
)
def test_there_are_as_many_hosts_as_there_is_memory_for(mib: int, hosts: int) -> None:
    assert fleet.fitting(mib << 20) == hosts
    assert fleet.fitting(None) == fleet.HOSTS


async def test_a_line_that_is_cut_lets_nobody_in_until_it_is_mended(tmp_path: Path) -> None:
    """What was open ends; what is mended carries as before, both ways."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    target = tmp_path / "target"
    async with await asyncio.start_unix_server(echo, target):
        line = Line(tmp_path / "line", target)
        for turn in (b"one", b"two"):
            await line.mend()
            reader, writer = await asyncio.open_unix_connection(line.path)
            writer.write(turn)
            async with asyncio.timeout(PATIENCE):
                assert await reader.readexactly(3) == turn
                await line.cut()
                assert await reader.read() == b""
            writer.close()
            refused = pytest.raises(OSError, match=r"refused|No such")
            with socket.socket(socket.AF_UNIX) as other, refused:
                other.connect(str(line.path))


async def test_a_node_is_played_from_another_place_on() -> None:
    """Its first answer is that of the recorded second, which passes as in one from the start."""
    now = Random(1).random()
    node = PlayingNode(load(), 2.0, beginning=100.0, monotonic=lambda: now)
    async with node:
        assert node.played == 100.0
        now += 5
        assert node.played == pytest.approx(110.0)
