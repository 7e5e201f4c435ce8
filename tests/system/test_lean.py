"""What a daemon does not do, it does not load: neither time of its start nor memory goes there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fakes.bridged import free_port
from tests.fakes.taskd_process import Taskd

pytestmark = pytest.mark.system

STRANGERS = {
    "aiohttp", "asyncpg", "difflib", "engineio", "fractions", "google", "grpclib", "h2", "jinja2",
    "jmespath", "jsonrpcserver", "jsonschema", "multiprocessing", "oslash", "socketio",
    "statistics", "tomli_w", "unicodedata",
}  # fmt: skip
"""Libraries, and parts of the standard library, that cost milliseconds and a MiB together."""
NODE = (
    "kaspa", "probes.data_dir", "probes.node",
)  # fmt: skip
OTHERS = (
    "bridge.server", "demo", "notify", "probes.general.command", "probes.general.http_json",
    "probes.http", "probes.indexers", "probes.migrations", "rpc.envelope", "store.salvage",
    "switching.acting", "switching.node", "web",
)  # fmt: skip
"""Rooms and files of ours that few daemons need."""
WIRE = {"google", "grpclib", "h2", "multiprocessing", "unicodedata"}
"""What a look at a node over gRPC brings along."""
DEFINITION = """\
type = "node-sync"
service = "node"
[checker]
url = "grpc://127.0.0.1:{port}"
"""
LOADED = re.compile(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", re.MULTILINE)


def begins(module: str, rooms: tuple[str, ...]) -> bool:
    """Whether a module is in one of these rooms of ours."""
    names = tuple(f"kaspad_taskd.{room}" for room in rooms)
    return module in names or module.startswith(tuple(f"{name}." for name in names))


async def loaded(daemon: Taskd) -> set[str]:
    """Start it, let it answer, stop it; all modules that it ever loaded."""
    line = await daemon.start()
    assert isinstance(await line.call("getAllTasks"), list)
    assert (await line.call("getInfo"))["bridge"]["listening"] is True
    assert (await daemon.end())[0] == 0
    found = set(LOADED.findall(daemon.said()))
    assert {"asyncio", "kaspad_taskd.daemon.house", "kaspad_taskd.store.sqlite"} <= found
    return found


def made(place: Path) -> Taskd:
    """A daemon that says what it loads, with its bridge open."""
    listen = f"127.0.0.1:{free_port()}"
    return Taskd(place, "--bridge", listen, env={"PYTHONPROFILEIMPORTTIME": "1"})


async def test_an_ordinary_life_loads_what_it_needs(tmp_path: Path) -> None:
    """Until it is ready, and afterwards while nobody comes by the bridge."""
    async with made(tmp_path) as daemon:
        found = await loaded(daemon)
    assert {each for each in found if each.partition(".")[0] in STRANGERS} == set()
    assert {each for each in found if begins(each, (*NODE, *OTHERS))} == set()


async def test_a_node_brings_its_own_alone(tmp_path: Path) -> None:
    """Neither an indexer's modules nor a database's, nor a client for HTTP."""
    async with made(tmp_path) as daemon:
        daemon.define("node", DEFINITION.format(port=free_port()))
        found = await loaded(daemon)
    assert {e for e in found if e.partition(".")[0] in STRANGERS - WIRE} == set()
    assert {each for each in found if begins(each, OTHERS)} == set()
    assert "kaspad_taskd.probes.node.node_sync" in found
