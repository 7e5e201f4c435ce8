"""`kaspad-taskd-hub --once`: the program, over a real server."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from kaspad_taskd.fleet.host import Verdict
from kaspad_taskd.fleet.hub import rows
from kaspad_taskd.fleet.hub.main import main
from kaspad_taskd.fleet.hub.once import once
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.words.fleet import VERDICTS
from tests.fakes.fleet_reader import Written
from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.patience import PATIENCE
from tests.fakes.patience import once as once_there
from tests.fakes.redis_server import Kept, RedisServer, Relay, needs_redis


def settings(place: Path, server: str, hub: str = "") -> Path:
    """A fleet.toml."""
    file = place / "fleet.toml"
    file.write_text(f'host = "x"\n[redis]\nservers = ["{server}"]\n[hub]\n{hub}\n')
    return file


async def look(file: Path, *more: str) -> tuple[int, str]:
    """Run the program; return its exit code and what it prints."""
    command = [sys.executable, "-m", "kaspad_taskd.fleet.hub.main", "--config", str(file), "--once"]
    process = await asyncio.create_subprocess_exec(
        *command, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def beating(written: Written, *hosts: FleetHost) -> None:
    """Let hosts give signs of life until cancelled."""
    while True:
        for host in hosts:
            written.batch(host)
        await asyncio.sleep(0.5)


@needs_redis
async def test_it_says_who_is_well_and_who_needs_somebody(
    server: RedisServer, client: Redis, tmp_path: Path
) -> None:
    well, ill = FleetHost("well"), FleetHost("ill", labels={"site": "\x1b[31mred"})
    written = Written(client, well, ill)
    written.batch(well, tasks=[a_task()])
    file = settings(tmp_path, server.server)
    alive = asyncio.create_task(beating(written, well, ill))
    try:
        code, out = await look(file, "--json")
        assert code == 0
        told: dict[str, Any] = json.loads(out)
        assert [each["verdict"] for each in told["hosts"]] == ["ok", "ok"]
        written.batch(ill, tasks=[a_task(health="unreachable"), a_task(1)])
        code, out = await look(file)
    finally:
        alive.cancel()
    assert code == 7
    first, second = out.splitlines()
    assert first.startswith("ill   trouble  since ")
    assert "2 tasks, 1 in trouble" in first
    assert "\x1b" not in first
    assert second.startswith("well  well     since ")


@needs_redis
async def test_a_host_that_is_silent_is_told_after_a_while(
    server: RedisServer,
    client: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for place in ("mirror", "line"):
        monkeypatch.setattr(f"kaspad_taskd.fleet.{place}.SILENT_S", 1.5)
    monkeypatch.setattr("kaspad_taskd.fleet.hub.once.BEAT_S", 0.5)
    host = FleetHost("a")
    Written(client, host).batch(host, tasks=[a_task()])
    told = load(settings(tmp_path, server.server, 'expected = ["b"]'), Part.HUB)
    assert isinstance(told, Settings)
    assert await once(told, as_json=True) == 7
    silent, never = json.loads(capsys.readouterr().out)["hosts"]
    assert (silent["verdict"], silent["gone"], silent["tasks"]) == ("silent", "host", 1)
    assert silent["since"] == host.at
    assert (never["host"], never["verdict"], never["since"]) == ("b", "unknown", None)


@needs_redis
async def test_a_host_whose_daemon_never_answered_lives(
    server: RedisServer, client: Redis, tmp_path: Path
) -> None:
    """Its relay says so: it has no journal to tell of yet, and is not silent."""
    async with Relay(tmp_path, tmp_path / "none.sock") as relay:
        relay.tell([server.server])
        await relay.start()
        await once_there(lambda: Kept(client, relay.host).now())
        code, out = await look(settings(tmp_path, server.server), "--json")
    assert code == 7
    (host,) = json.loads(out)["hosts"]
    assert (host["verdict"], host["gone"], host["fault"]) == ("daemon-away", "daemon", None)


async def test_a_server_that_is_away_is_said_at_once(tmp_path: Path) -> None:
    code, out = await look(settings(tmp_path, f"unix:{tmp_path}/none", 'expected = ["b"]'))
    assert code == 1
    assert "Redis cannot be read: unix:" in out
    assert "b  not known" in out


def test_bad_settings_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = settings(tmp_path, "unix:/s", 'expected = ["no host"]\nuser = "hub"')
    assert main(["--config", str(file), "--once"]) == 78
    said = capfd.readouterr().err
    assert 'hub.expected: "no host" must be letters' in said
    assert "hub.password_file: is required" in said


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_it_says_what_it_is(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert "kaspad-taskd-hub" in capsys.readouterr().out


def test_trouble_is_first_and_silence_second() -> None:
    assert VERDICTS == ("trouble", "silent", "daemon-away", "unknown", "ok")
    assert {*VERDICTS} == {*Verdict}
    assert rows.rows(Mirror(["b", "a"]), 0, 0)[0]["host"] == "a"
