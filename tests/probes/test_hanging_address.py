"""A name whose first address hangs: the second is asked within the deadline, whatever asks."""

from __future__ import annotations

import pytest

from kaspad_taskd.core.observation import Reading
from kaspad_taskd.switching import node
from kaspad_taskd.switching.hands import Good
from tests.fakes.hanging import HANGS, hanging, resolves
from tests.fakes.node import WrpcNode
from tests.fakes.patience import PATIENCE
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made
from tests.probes.migrations.databases import VARS, Place, at_version, run

HERE = "127.0.0.1"


async def test_an_http_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over aiohttp."""
    async with Website({"/": Reply({"done": 5, "total": 10})}) as site:
        resolves(monkeypatch, HANGS, HERE)
        with hanging(site.port):
            data = {"url": f"http://work.example:{site.port}/", "done": "done", "total": "total"}
            seen = await look(made("http-json", data))
    assert isinstance(seen, Reading)
    assert seen.position == 5


async def test_the_switch_s_test_of_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The WebSocket that a service will use."""
    async with WrpcNode() as there:
        port = int(there.url.rpartition(":")[2])
        resolves(monkeypatch, HANGS, HERE)
        with hanging(port):
            tried = await node.endpoints_open({"URL": f"ws://node.example:{port}"}, looks=1)
    assert isinstance(tried, Good)


@pytest.mark.parametrize(
    ("host", "sslmode", "timeout"),
    [
        ("db.example", "disable", PATIENCE),
        ("db.example", "prefer", PATIENCE),
        (f"{HANGS},{HERE}", "disable", 20.0),  # the first has half of it
    ],
)
async def test_a_database(
    place: Place, host: str, sslmode: str, timeout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name of two addresses, and a DSN of two hosts."""
    await run(place.root, (VARS, at_version(23)))
    resolves(monkeypatch, HANGS, HERE)
    with hanging(place.server.port):
        place.name_it(host=host, sslmode=sslmode)
        probe = place.probe(tool="simply-kaspa", timeout=timeout)
        seen = await place.look(probe)
        await probe.close()
    assert isinstance(seen, Reading)
    assert seen.complete
