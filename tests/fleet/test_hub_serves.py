"""A hub over a real server: its pages, what its clients are told, and who may see it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics import parser
from redis import Redis

from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.site import HubSite
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Engine, Login, Server
from tests.fakes.fleet_reader import write
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task
from tests.fakes.hub import Fleet, Hub, HubProcess, Watcher, fleet
from tests.fakes.patience import PATIENCE
from tests.fakes.redis_server import RedisServer, needs_redis

pytestmark = [needs_redis, pytest.mark.timeout(300)]

DOCS = Path(__file__).parents[2] / "docs/fleet.md"
NAMES = ("node-1", "node-2", "node-3")


@pytest.fixture
async def hosts(client: Redis) -> AsyncIterator[Fleet]:
    async with fleet(client, *NAMES) as made:
        yield made


@pytest.fixture
async def hub(tmp_path: Path, server: RedisServer, hosts: Fleet) -> AsyncIterator[Hub]:
    async with Hub(tmp_path / "hub", server.server) as made:
        await made.until("/", lambda text: text.count('data-verdict="ok"') == len(hosts.hosts))
        yield made


def order(text: str) -> list[tuple[str, str]]:
    """Hosts and verdicts of a page, from top to bottom."""
    return re.findall(r'data-host="([^"]*)" data-verdict="([^"]*)"', text)


async def test_trouble_comes_first_and_each_host_has_its_page(hub: Hub, hosts: Fleet) -> None:
    hosts.write("node-2", tasks=[a_task(health="unreachable")])
    text = await hub.until("/", lambda text: 'data-verdict="trouble"' in text)
    assert order(text) == [("node-2", "trouble"), ("node-1", "ok"), ("node-3", "ok")]
    assert "1 of 3 hosts needs somebody" in text
    status, page = await hub.get("/host/node-2/")
    assert (status, "No answer for" in page) == (200, True)
    assert "data-action" not in page  # nobody changes anything from here
    assert (await hub.get("/host/node-2"))[0] == 200  # it is sent on
    for path in ("/host/other/", "/host/%2F%2Fexample.org", "/host/node-2/task/other"):
        assert (await hub.get(path))[0] == 404


async def test_while_nothing_is_read_nobody_says_that_there_is_no_such_host(tmp_path: Path) -> None:
    """After a start, or while a server is away: who asks is told why, and asks again by himself."""
    with RedisServer(tmp_path / "redis") as server:
        server.kill()
        async with Hub(tmp_path / "hub", server.server) as hub:
            for path in ("/host/one/", "/host/one/task/a"):
                async with aiohttp.ClientSession() as http, http.get(hub.url + path) as answer:
                    said = await answer.text()
                assert (answer.status, answer.headers.get("Refresh")) == (503, "2"), said
                assert "no such host" not in said
            refused = await Watcher(hub, host="one").refused()
            assert (refused["data"]["reason"], refused["data"]["retryAfter"]) == ("busy", 2)
            server.start()
            with server.client() as client:
                async with fleet(client, "one"):
                    await hub.until("/host/two/", lambda text: "no such host" in text)
                    assert (await hub.get("/host/two/"))[0] == 404
                    assert (await hub.get("/host/one/"))[0] == 200


async def test_a_host_that_was_found_and_not_read_yet_is_waited_for(tmp_path: Path) -> None:
    """Else who looks at it as a hub starts is told of no events, and then that they are gone."""
    written, mirror = FleetHost("a"), Mirror()
    written.event()
    written.batch(tasks=[a_task()])
    assert mirror.find("a", "server") is not None
    archive = Archive(Engine((Server(path="/none"),)), Login())
    site = HubSite(mirror, archive, tmp_path / "token", "fleet.toml")
    with pytest.raises(Refused) as refused:
        site.topic({"host": "a"})
    assert refused.value.status == 503
    mirror.begin("a", written.read())
    mirror.line("server").read(1.0)
    site.topic({"host": "a"})
    site._hosts["a"].end()


async def test_rows_are_told_as_they_change(hub: Hub, hosts: Fleet) -> None:
    """To who looks at all hosts: one word for all that changed; to who looks at one, of that."""
    async with Watcher(hub) as all_of_them, Watcher(hub, host="node-1", gather=True) as one:
        hello = await all_of_them.until("hello")
        assert hello["canChange"] is False
        await all_of_them.host("node-1", verdict="ok")
        hosts.write("node-1", tasks=[a_task(status="error", error="no")])
        told = await all_of_them.host("node-1", verdict="trouble")
        assert (told["ill"], told["tasks"]) == (1, 1)
        await one.host("node-1", verdict="trouble")
        assert all(
            row["host"] == "node-1"
            for name, data in one.told if name == "host:news" for row in data["hosts"]
        )  # fmt: skip


async def test_a_number_that_moves_is_told_at_once(hub: Hub, hosts: Fleet) -> None:
    """As the host's line alone; the next one who comes has it in its row, as the page does."""
    async with Watcher(hub) as watcher:
        await watcher.host("node-1", verdict="ok")
        for share in (41, 42):
            hosts.write("node-1", progress=[a_progress("task-0", progress=share)])

            def moved(news: dict[str, dict[str, str]], share: int = share) -> bool:
                return f" {share} %" in news["moved"].get("node-1", "")

            news = await watcher.until("host:news", moved)
            assert not news["hosts"]
        told = await watcher.rpc("getHosts")
        (row,) = [one for one in told["result"] if one["host"] == "node-1"]
        assert row["said"] == news["moved"]["node-1"]
    async with Watcher(hub) as another:
        assert (await another.host("node-1"))["said"] == row["said"]


async def test_a_host_s_page_hears_what_its_own_daemon_s_would(hub: Hub, hosts: Fleet) -> None:
    """Events with their numbers, state in packets of many tasks; and it goes on where it was."""
    host = hosts.hosts["node-1"]
    hosts.write("node-1", events=[host.event()])
    async with Watcher(hub, host="node-1", gather=True) as watcher:
        await watcher.until("hello", lambda hello: hello["journal"] == host.journal)
        hosts.write("node-1", events=[host.event("sync:resumed")])
        assert (await watcher.until("sync:resumed"))["seq"] == 2
        hosts.write("node-1", progress=[a_progress("task-0", progress=64)])

        def moved(news: dict[str, list[dict[str, object]]]) -> bool:
            return any(one["progress"] == 64 for one in news["tasks"])

        await watcher.until("sync:progress:many", moved)
        task = (await watcher.rpc("getTask", taskId="task-0"))["result"]
        assert (task["progress"], task["id"]) == (64, "task-0")
        for method in ("pauseTask", "stop", "switchService"):
            refused = (await watcher.rpc(method, taskId="task-0"))["error"]
            assert refused["data"]["reason"] == "no-such-method"
    hosts.write("node-1", events=[host.event("sync:paused")])
    auth = {"host": "node-1", "since": 1, "journal": host.journal}
    async with Watcher(hub, **auth) as again:
        await again.until("sync:paused")
        assert [data["seq"] for name, data in again.told if name.startswith("sync:") and
                name != "sync:progress"] == [2, 3]  # fmt: skip
    async with Watcher(hub, **{**auth, "journal": "another"}) as other:
        refused = await other.until("task:error")
        assert (refused["reason"], refused["journal"]) == ("gap", host.journal)


async def test_what_was_of_a_task_is_on_its_page(hub: Hub, hosts: Fleet, client: Redis) -> None:
    """Its incidents and its history, as far as they were carried; of the rest it says where."""
    seconds = {"ok": 86_000, "behind": 0, "stalled": 0, "unreachable": 400, "unknown": 0}
    record = {
        "taskId": "task-0", "service": "node-0", "days": 30, "since": "2026-11-20T00:00:00.000Z",
        "until": None, "seconds": seconds, "incidents": {"count": 1, "longest": 400},
        "from": "2026-11-20T00:00:00.000Z", "to": "2026-11-21T00:00:00.000Z",
    }  # fmt: skip
    incident = {
        "id": 1, "taskId": "task-0", "service": "node-0", "began": "2026-11-20T10:00:00.000Z",
        "ended": "2026-11-20T10:06:40.000Z", "health": "unreachable", "reason": "refused",
        "note": "127.0.0.1:16110 refuses", "worstBehind": None, "ending": None,
    }  # fmt: skip
    points = [[1_796_000_000_000 + 60_000 * at, at, 5.0, "ok"] for at in range(30)]
    past = {"record": record, "incidents": [incident], "history": points}
    client.hset(keys.key("node-1", keys.PAST), "task-0", json.dumps(past))
    _, page = await hub.get("/host/node-1/task/task-0")
    assert "127.0.0.1:16110 refuses" in page
    assert 'id="chart"' in page
    assert "on the host itself" in page
    client.hset(keys.key("node-1", keys.PAST), "task-0", '{"history": [[1e99, "x", {}, 0]]}')
    status, page = await hub.get("/host/node-1/task/task-0")
    assert (status, 'id="chart"' in page) == (200, False)


async def test_what_was_seen_last_stays_and_it_is_said_who_is_gone(
    hub: Hub, hosts: Fleet, server: RedisServer
) -> None:
    """A daemon, a host, the engine: the page says which, since when, and shows nothing as well."""
    hosts.hosts["node-1"].answers = False
    text = await hub.until("/", lambda text: 'data-verdict="daemon-away"' in text)
    assert "Its relay is there, its daemon does not answer" in text
    del hosts.living["node-2"]
    text = await hub.until("/", lambda text: 'data-verdict="silent"' in text)
    assert "Nothing comes from it or its relay" in text
    assert order(text)[0] == ("node-2", "silent")
    _, page = await hub.get("/host/node-2/")
    assert '<html lang="en" class="lost"' in page
    assert "What is shown is from when it was heard last." in page
    assert "node-0" in page
    hosts.living.clear()
    await asyncio.sleep(1)  # who still writes has written
    server.kill()
    text = await hub.until("/", lambda text: 'data-verdict="ok"' not in text)
    assert "Redis cannot be read" in text
    assert (await hub.get("/healthz"))[0] == 503


async def test_searched_grouped_and_a_hundred_a_page(hub: Hub, hosts: Fleet, client: Redis) -> None:
    more = [FleetHost(f"m-{at:03}", labels={"site": ("Wien", "Graz")[at % 2]}) for at in range(120)]
    for host in more:
        write(client, [*host.begin(), *host.commands(host.batch(tasks=[a_task()]))])
    await hub.until("/", lambda text: text.count("data-host") == 100 and "of 123" in text)
    await hub.until("/?by=site", lambda text: "Graz <span>60 hosts" in text)
    _, first = await hub.get("/?by=site")
    assert len(order(first)) == 100
    assert [re.sub("<.*?>", "", each) for each in re.findall("<h2>(.*?)</h2>", first)][:2] == [
        "Graz 60 hosts, 60 of them not well", "Wien 60 hosts, 60 of them not well",
    ]  # fmt: skip
    _, second = await hub.get("/?by=site&page=2")
    assert len(order(second)) == 23
    assert {name for name, _ in order(first)}.isdisjoint(name for name, _ in order(second))
    _, found = await hub.get("/?q=SITE%3Dwien")
    assert len(order(found)) == 60
    assert "60 of 123 hosts" in found
    _, wall = await hub.get("/?wall")
    assert len(order(wall)) == 100  # those that are not well


async def test_a_hub_that_is_come_to_from_outside_shows_nothing_without_the_token(
    tmp_path: Path, server: RedisServer, hosts: Fleet
) -> None:
    """Neither pages nor metrics nor news; a page of another origin gets nothing at all."""
    token = tmp_path / "token"
    token.write_text("a-token-of-twenty-letters\n")
    token.chmod(0o600)
    hub = Hub(tmp_path / "hub", server.server, f'token_file = "{token}"')
    hub.settings.write_text(hub.settings.read_text().replace("127.0.0.1:", "0.0.0.0:"))
    async with hub:
        for path in ("/", "/host/node-1/", "/host/none/", "/host/node-1/task/task-0"):
            status, page = await hub.get(path)
            assert (status, "node-1" in page) == (401, False), path
            assert 'id="token-form"' in page
        assert (await hub.get("/metrics"))[0] == 401
        with pytest.raises(Exception, match=r"rejected|token|connect"):
            async with Watcher(hub, host="node-1"):
                pass
        allowed = {"Authorization": f"Bearer {token.read_text().strip()}"}
        assert (await hub.get("/metrics", **allowed))[0] == 200
        async with Watcher(hub, token=token.read_text().strip()) as watcher:
            await watcher.host("node-1", verdict="ok")
        status, said = await hub.get("/", Origin="https://elsewhere.example.org")
        assert status == 403
        assert "in [hub] of fleet.toml" in said


async def test_metrics_are_of_all_hosts_and_of_what_is_heard(hub: Hub, hosts: Fleet) -> None:
    """Of a host that is silent there is only that: an old number is no number."""
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    hosts.living.pop("node-3")
    await hub.until("/", lambda text: 'data-verdict="silent"' in text)
    _, text = await hub.get("/metrics", **accept)
    found = {each.name: each for each in parser.text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    verdicts = {
        each.labels["host"]: each.labels["kaspad_taskd_host_verdict"]
        for each in found["kaspad_taskd_host_verdict"].samples if each.value
    }  # fmt: skip
    assert verdicts == {"node-1": "ok", "node-2": "ok", "node-3": "silent"}
    shares = found["kaspad_taskd_task_progress_ratio"].samples
    assert {each.labels["host"] for each in shares} == {"node-1", "node-2"}


async def test_the_program_of_the_page_hears_of_hosts(hub: Hub, hosts: Fleet) -> None:
    """As it stands in docs/fleet.md, but for the address."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    program = found[1].replace("http://127.0.0.1:3081", hub.url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            told = [(await process.stdout.readline()).decode().split() for _ in NAMES]
            assert {tuple(words[:2]) for words in told} == {(name, "ok") for name in NAMES}
            hosts.write("node-2", tasks=[a_task(health="unreachable")])
            while (await process.stdout.readline()).split()[:2] != [b"node-2", b"trouble"]:
                pass
    finally:
        process.kill()
        await process.wait()


async def test_a_stop_says_goodbye(tmp_path: Path, server: RedisServer, hosts: Fleet) -> None:
    async with HubProcess(tmp_path / "hub", server.server) as hub:
        async with Watcher(hub) as watcher:
            await watcher.host("node-1", verdict="ok")
            stopping = asyncio.create_task(hub.stop())
            await watcher.until("server:stopping")
            await stopping
        assert hub.process.returncode == 0
        assert "Traceback" not in hub.log.read_text()
