"""A real cluster of three masters: relays and hubs find each host's, whoever is named."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.host import Gone
from kaspad_taskd.fleet.settings import Engine, Login, Server
from tests.fakes.bridged import free_port
from tests.fakes.fleet_reader import Followed
from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.hub import HubProcess, Watcher
from tests.fakes.patience import PATIENCE, once
from tests.fakes.redis_server import Kept, RedisServer, Relay, needs_redis
from tests.fakes.taskd_process import Taskd
from tests.fleet.test_rights import SECRET, lines
from tests.fleet.trio import works

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

HOSTS = ("a", "b", "c")
"""Of whose keys each master has one's."""
SPREAD = {"n-4": 0, "n-8": 0, "n-1": 1, "n-2": 1, "n-3": 2, "n-7": 2}
"""Hosts, and the master that has their slots."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    if shutil.which("redis-cli") is None:
        pytest.skip("there is no redis-cli: apt install redis-tools")
    place = tmp_path_factory.mktemp("cluster")
    (users := place / "users.acl").touch()
    with contextlib.ExitStack() as stack:
        servers = [
            RedisServer(
                place / str(number), "--cluster-enabled", "yes", "--aclfile", str(users),
                "--cluster-port", str(free_port()), port=free_port(),
            )
            for number in range(3)
        ]  # fmt: skip
        for server in servers:
            stack.enter_context(server)
        named = [server.server for server in servers]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *named, "--cluster-yes"],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        for server in servers:  # as docs/fleet.md has it, else all of it is down soon after one is
            with server.client() as client:
                client.config_set("cluster-require-full-coverage", "no")
        yield servers


def carrier(server: RedisServer) -> Carrier:
    return Carrier(Engine((Server("127.0.0.1", server.port),)), Login())


async def test_whoever_is_asked_says_who_has_the_host(cluster: list[RedisServer]) -> None:
    """Questions and transactions both; no right is needed for that."""
    places, kinds = set(), set()
    for host in HOSTS:
        for server in cluster:
            it = carrier(server)
            command = ("HSET", keys.key(host, keys.META), "host", host)

            def written(it: Carrier = it, command: tuple[str, ...] = command) -> bool:
                try:
                    return isinstance(it.write([command])[0], int)
                except Trouble as trouble:  # a cluster that was just made needs a moment
                    kinds.add(trouble.kind)
                    return False

            await once(written)
            assert it.table(keys.key(host, keys.META)) == {"host": host}
            places.add(it.place)
            it.close()
    assert kinds <= {Kind.MOVED, Kind.GONE}
    assert places == {server.server for server in cluster}


async def test_a_relay_finds_the_server_of_its_host(
    cluster: list[RedisServer], tmp_path: Path
) -> None:
    async with Taskd(tmp_path / "d") as taskd:
        line = await taskd.start()
        await works(line, "t", 2)
        for host, server in zip(("r-1", "r-2", "r-3"), cluster, strict=True):
            async with Relay(tmp_path, taskd.runtime / "watch.sock", host) as relay:
                relay.tell([server.server])
                await relay.start()
                await relay.says("the daemon is heard")
                it = carrier(server)

                def there(it: Carrier = it, host: str = host) -> dict[str, str]:
                    try:
                        return it.table(keys.key(host, keys.TASKS))
                    except Trouble:
                        return {}

                await once(there)
                owner = next(each for each in cluster if each.server == it.place)
                it.close()
                with owner.client() as client:
                    told = (await line.call("getEvents"))["events"]
                    kept = Kept(client, host)
                    await once(lambda kept=kept, told=told: kept.events() == told)  # type: ignore[misc]


async def test_a_reader_follows_all_masters_and_each_line_for_itself(
    cluster: list[RedisServer],
) -> None:
    """One that is killed takes nobody else's hosts with it, and is read again when it is back."""
    hosts = [FleetHost(f"h-{number}") for number in range(9)]
    owners: dict[str, str] = {}

    async def write(host: FleetHost, first: bool = False) -> None:
        told = [host.event()]
        entry = host.batch([a_task(host.seq)], events=told, anew=first)
        commands = [*(host.begin() if first else ()), *host.commands(entry, told)]
        it = carrier(cluster[0])

        def written() -> bool:
            try:
                it.write(commands)
            except Trouble:
                return False
            owners[host.name] = it.place
            return True

        await once(written)
        it.close()

    for host in hosts:
        await write(host, first=True)
    assert len(set(owners.values())) == 3
    async with Followed(cluster[1].server) as reader:
        await reader.comes_to(*hosts)
        assert reader.mirror.lines.keys() == {server.server for server in cluster}
        for host in hosts:
            await write(host)
        await reader.comes_to(*hosts)
        cluster[2].kill()
        mine = {name for name, place in owners.items() if place == cluster[2].server}

        def lost() -> set[str]:  # other tests have left hosts in this cluster, too
            gone = {host.name for host in reader.mirror if host.gone is Gone.ENGINE}
            return gone & owners.keys()

        await once(lambda: lost() == mine)
        cluster[2].start()
        for host in hosts:
            await write(host)
        await reader.comes_to(*hosts)
        await once(lambda: not lost())
    for host in hosts:
        assert reader.events[host.name] == list(range(1, host.seq + 1))


def verdicts(page: str) -> dict[str, str]:
    """How the page of all hosts shows those of SPREAD; other tests have left hosts, too."""
    found = re.findall(r'data-host="([^"]*)" data-verdict="([^"]*)"', page)
    return {name: verdict for name, verdict in found if name in SPREAD}


async def test_a_hub_shows_the_hosts_of_all_masters_over_the_loss_of_one(
    cluster: list[RedisServer], tmp_path: Path
) -> None:
    """As its own kind of user: what was on it is grey, with why; all others stay as they are."""
    password = tmp_path / "password"
    password.write_text(SECRET)
    password.chmod(0o600)
    for server in cluster:
        with server.client() as client:
            for line in lines():
                client.execute_command(*line)
            client.execute_command("ACL", "SAVE")
    lost = {name for name, owner in SPREAD.items() if owner == 2}
    well = dict.fromkeys(SPREAD, "ok")
    async with Taskd(tmp_path / "d") as taskd, contextlib.AsyncExitStack() as stack:
        daemon = await taskd.start()
        await works(daemon, "before")
        for name, owner in SPREAD.items():
            relay = Relay(tmp_path, taskd.runtime / "watch.sock", name)
            servers = cluster[owner - 1], cluster[owner]  # first another one than has it
            relay.tell([server.server for server in servers])
            await stack.enter_async_context(relay)
            await relay.start()
        user = f'user = "hub"\npassword_file = "{password}"'
        one = cluster[0].server
        hub = await stack.enter_async_context(HubProcess(tmp_path / "hub", one, user))
        await hub.until("/", lambda page: verdicts(page) == well)
        assert (await hub.get("/healthz"))[0] == 200
        news = await stack.enter_async_context(Watcher(hub))
        cluster[2].kill()
        grey = well | dict.fromkeys(lost, "unknown")
        page = await hub.until("/", lambda page: verdicts(page) == grey)
        assert f"Redis cannot be read: {cluster[2].server}" in page
        assert (await hub.get("/healthz"))[0] == 503
        for name in lost:
            assert (await news.host(name, verdict="unknown"))["gone"] == "engine"
            _, page = await hub.get(f"/host/{name}/")
            assert 'class="lost"' in page
            assert 'data-id="before"' in page  # what was seen last stays
        await works(daemon, "meanwhile")
        for name in SPREAD.keys() - lost:
            await hub.until(f"/host/{name}/", lambda page: 'data-id="meanwhile"' in page)
        cluster[2].start()
        for name in SPREAD:
            await hub.until(f"/host/{name}/", lambda page: 'data-id="meanwhile"' in page)
        await hub.until("/", lambda page: verdicts(page) == well)
        assert (await hub.get("/healthz"))[0] == 200
        rows = [row for name, data in news.told if name == "host:news" for row in data["hosts"]]
        assert {row["host"] for row in rows if row["gone"] == "engine"} & SPREAD.keys() == lost
        assert "Traceback" not in hub.log.read_text()
