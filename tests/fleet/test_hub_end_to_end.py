"""A real daemon, a real relay, a real redis-server, and hubs: what happens there is told here."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from kaspad_taskd.fleet import keys
from tests.fakes.fleet_writer import a_task
from tests.fakes.hub import Hub, HubProcess, Watcher, fleet
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.fleet.test_rights import SECRET, lines
from tests.fleet.trio import running, works

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), needs_redis]

EVIL = "</script><img src=x onerror=alert(1)>\u202e\u0000\ud800"
"""HTML, a text that runs backwards, and what is no text at all."""


async def test_what_a_daemon_does_is_seen_at_a_hub_under_its_own_user(tmp_path: Path) -> None:
    """By the commands of the docs the hub may only read; a program, a relay, a hub of their own."""
    async with running(tmp_path) as stage:
        for line in lines():
            stage.kept.client.execute_command(*line)
        password = tmp_path / "hub-password"
        password.write_text(SECRET)
        password.chmod(0o600)
        taskd = await stage.taskd.start()
        await works(taskd, "a", 3)
        await stage.relay.start()
        user = f'user = "hub"\npassword_file = "{password}"'
        async with HubProcess(tmp_path / "hub", stage.redis.server, user) as hub:
            async with Watcher(hub) as all_hosts, contextlib.AsyncExitStack() as then:
                assert (await all_hosts.host("h", verdict="ok"))["labels"] == {"site": "Wien"}
                watcher = await then.enter_async_context(Watcher(hub, host="h", gather=True))
                hello = await watcher.until("hello")
                assert hello["journal"] == (await taskd.call("getInfo"))["journal"]
                await works(taskd, "b", 2)
                await watcher.until("task:added", lambda event: event["taskId"] == "b")
                await taskd.call("reportTask", taskId="b", progress=40)

                def told(news: dict[str, list[dict[str, object]]]) -> bool:
                    return any(
                        each["taskId"] == "b" and each["progress"] == 40 for each in news["tasks"]
                    )

                await watcher.until("sync:progress:many", told)
                own = (await taskd.call("getEvents"))["events"]
                page = await hub.until("/host/h/", lambda text: 'data-id="b"' in text)
                assert f'data-seq="{own[-1]["seq"]}"' in page
                await stage.taskd.end()
                await all_hosts.host("h", verdict="daemon-away", gone="daemon")
            assert "Traceback" not in hub.log.read_text()


async def test_three_hubs_show_the_same_and_two_may_go(tmp_path: Path) -> None:
    """Who comes from one to another goes on there, or is told to begin anew; with one token."""
    token = tmp_path / "token"
    token.write_text("a-token-of-twenty-letters\n")
    token.chmod(0o600)
    with RedisServer(tmp_path / "redis") as server, server.client() as client:
        async with fleet(client, "one", "two") as hosts:
            hosts.write("two", tasks=[a_task(health="unreachable")])
            made = [
                Hub(tmp_path / name, server.server, f'token_file = "{token}"') for name in "abc"
            ]
            for hub in made:
                await hub.start()
            shown = set()
            for hub in made:
                text = await hub.until("/", lambda text: text.count('"ok"') == 1
                                       and text.count('"trouble"') == 1)  # fmt: skip
                shown.add(text[text.index('data-part="hosts"') :].split("</div>")[0])
            assert len({_without_moments(each) for each in shown}) == 1
            host = hosts.hosts["one"]
            hosts.write("one", events=[host.event()])
            await made[0].until("/host/one/", lambda text: 'data-seq="1"' in text)
            async with Watcher(made[0], host="one") as watcher:
                await watcher.until("hello", lambda hello: hello["seq"] == 1)
            await made[0].stop()
            await made[1].stop()
            hosts.write("one", events=[host.event("sync:resumed")])
            async with Watcher(made[2], host="one", since=1, journal=host.journal) as again:
                assert (await again.until("sync:resumed"))["seq"] == 2
            await made[2].stop()


def _without_moments(text: str) -> str:
    """A page without since when, which each hub counts from when it came."""
    return "".join(part for part in text.split("<") if not part.startswith(("time", "span class")))


async def test_a_hostile_host_harms_nobody_else_s_row(tmp_path: Path) -> None:
    """Its texts, its clock, another's name, a MiB: all of it is its own affair."""
    with RedisServer(tmp_path / "redis") as server, server.client() as client:
        async with (
            fleet(client, "good", "bad", "liar", "fat") as hosts,
            Hub(tmp_path / "hub", server.server) as hub,
        ):
            await hub.until("/", lambda text: text.count('data-verdict="ok"') == 4)
            async with Watcher(hub) as watcher, Watcher(hub, host="bad") as of_bad:
                bad = hosts.hosts["bad"]
                bad.at += 366 * 86_400_000
                raw = json.dumps({EVIL: EVIL})  # as text alone: no lone half of a letter is bytes
                client.hset(bad.key(keys.META), "labels", raw)
                client.hset(bad.key(keys.META), "address", EVIL[:-1])
                hosts.write("bad", tasks=[a_task(service=EVIL[:-1], error=EVIL[:-1],
                                                 status="error")])  # fmt: skip
                client.hset(hosts.hosts["liar"].key(keys.META), "host", "good")
                del hosts.living["fat"]
                fat = hosts.hosts["fat"]
                fat.count += 1
                client.xadd(fat.key(keys.NOW), {"w": "x" * 2**21}, keys.entry_id(fat.count))
                await watcher.host("bad", verdict="trouble")
                for host in ("liar", "fat"):
                    client.xadd(hosts.hosts[host].key(keys.NOW), {"w": "no JSON"}, "99999999-0")
                    hosts.living.pop(host, None)
                    await watcher.host(host, verdict="trouble")
                hosts.write("good", tasks=[a_task(1)])
                await watcher.host("good", tasks=2, verdict="ok")
                await of_bad.until("host:news")
            for path in ("/", "/?by=site", "/?wall", "/host/bad/", "/host/bad/task/task-0"):
                status, page = await hub.get(path)
                assert (status, "<img" in page) == (200, False), path
                assert path.startswith("/host") or "\u202e" not in page
            _, page = await hub.get("/")
            assert 'data-host="good" data-verdict="ok"' in page
            status, text = await hub.get("/metrics")
            assert status == 200
            assert 'host="good"' in text
            assert (await hub.get("/host/good/"))[0] == 200
