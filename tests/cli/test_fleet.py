"""`kaspad-taskctl fleet`, over a real server, and the lines that it shows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from kaspad_taskd.cli import fleet_rows
from kaspad_taskd.cli.main import run
from kaspad_taskd.words.plain import width
from tests.fakes.fleet_reader import HUB_RIGHTS, Written
from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.patience import PATIENCE, once
from tests.fakes.redis_server import RedisServer, needs_redis

if TYPE_CHECKING:
    from kaspad_taskd.cli.screen import Line

pytestmark = pytest.mark.usefixtures("utc")

NOW = 1_764_475_200.0  # 2025-11-30T04:00:00Z

GONE = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name == "{name}":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Gone())
"""
"""A Python that has everything but one module."""


def a_host(name: str = "a", verdict: str = "ok", **given: Any) -> dict[str, Any]:
    return {
        "host": name, "verdict": verdict, "since": 1_764_471_600_000, "gone": None, "labels": {},
        "tasks": 2, "ill": 0, "attentions": 0, "warnings": 0, "address": f"{name}.example.org",
        "daemon": "1.0", "relay": "1.0", "gap": None, "fault": None, **given,
    }  # fmt: skip


def page(hosts: list[dict[str, Any]], cells: int, *, narrowed: bool = False) -> list[Line]:
    counts = Counter(each["verdict"] for each in hosts)
    return fleet_rows.page(hosts, counts, cells, NOW, narrowed=narrowed)


def texts(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def tones(lines: list[Line]) -> set[str]:
    return {tone for line in lines for text, tone in line if text.strip()}


# -- the lines


def test_hosts_stand_in_columns_below_how_many_are_well() -> None:
    """As `list` shows tasks; what does not fit is cut, and nobody's text is more than text."""
    hosts = [
        a_host("wien-1", "trouble", ill=1, labels={"site": "\x1b[31mWien"}),
        a_host("graz-22", "silent", gone="host", since=1_764_000_000_000),
        a_host("b", "unknown", since=None, tasks=0),
        a_host("linz"),
    ]
    shown = texts(page(hosts, 100))
    assert shown[0] == "! 1 of 4 hosts are well: 1 in trouble, 1 silent, 1 not known."
    assert shown[1].split() == ["HOST", "STATE", "SINCE", "TASKS"]
    assert shown[2] == "! wien-1   trouble   03:00        2 tasks, 1 in trouble, site=?[31mWien"
    assert shown[3].startswith("✗ graz-22  silent    24 Nov 16:00 nothing comes from it or its")
    assert "nothing was ever heard of it" in shown[4]
    assert shown[5].startswith("✓ linz     well      03:00        2 tasks")
    for cells in (40, 80, 200):
        for line in page(hosts, cells)[1:]:
            assert width("".join(text for text, _ in line)) <= max(cells, 60)


def test_no_host_is_said() -> None:
    """There is none, or none that is wanted."""
    assert texts(page([], 80)) == ["There is no host in this fleet yet."]
    assert texts(page([], 80, narrowed=True)) == ["No host is as wanted."]
    assert texts(page([a_host()], 80))[0] == ("✓ The one host is well.")


def test_one_host_is_shown_with_its_tasks_and_what_needs_somebody() -> None:
    """Its tasks as `list` has them; what is to be typed is typed there, so no command is named."""
    ill = a_task(1, health="unreachable", reason="refused", note="It refuses.")
    attention = {"code": "node-lost", "note": "Its node is lost.", "cure": "x"}
    of = {
        "tasks": [a_task(), ill],
        "services": [{"service": "kasia", "attention": attention}, {"service": "b"}],
        "warnings": [{"id": 1, "code": "no-backup", "note": "There is no backup."}],
    }
    host = a_host(labels={"site": "Wien"}, verdict="trouble", gap={"after": 3, "next": 9}, ill=1)
    shown = texts(fleet_rows.detail(host, of, 80, NOW))
    assert shown[0].startswith("! a: trouble, since 03:00, 2 tasks, 1 in trouble, events after 3")
    assert "  a.example.org, kaspad-taskd 1.0, relay 1.0, site=Wien" in shown
    assert any(line.startswith("! node-1 ") for line in shown)
    assert "! kasia: Its node is lost." in shown
    assert "! There is no backup." in shown
    assert "kaspad-taskctl" not in "".join(shown)
    assert "" in tones(fleet_rows.detail(host, of, 80, NOW)[2:])


def test_what_is_known_of_a_host_that_is_gone_is_grey() -> None:
    """It was so."""
    of = {"tasks": [a_task()], "services": None, "warnings": []}
    host = a_host(verdict="silent", gone="host")
    assert tones(fleet_rows.detail(host, of, 80, NOW)[2:]) == {"dim"}


def test_a_task_of_which_little_is_told_is_shown_all_the_same() -> None:
    """An older daemon, or a host that says as little as it may."""
    bare = {"id": "x", "type": "new", "service": "s", "status": "in-progress", "health": "ok"}
    of = {"tasks": [bare, {**bare, "id": "y", "health": "odd"}], "services": [], "warnings": []}
    for cells in (40, 80, 140):
        assert any("x" in line for line in texts(fleet_rows.detail(a_host(), of, cells, NOW)))


def test_a_small_terminal_shows_what_there_is_room_for() -> None:
    """Trouble is first, so it is what is seen."""
    lines: list[Line] = [[(str(n), "")] for n in range(10)]
    assert texts(fleet_rows.within(lines, 4)) == [
        "0", "1", "2", "  and 7 more lines: kaspad-taskctl fleet",
    ]  # fmt: skip
    assert fleet_rows.within(lines, 10) == lines


# -- the verb, over a server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "one") as server, server.client() as client:
        client.execute_command("ACL", "SETUSER", "hub", "reset", *HUB_RIGHTS.split())
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Redis]:
    with server.client() as client:
        yield client


@pytest.fixture
def config(server: RedisServer, tmp_path: Path) -> str:
    """Settings with the hub's kind of user."""
    secret = tmp_path / "hub"
    secret.write_text("pw\n")
    secret.chmod(0o600)
    file = tmp_path / "fleet.toml"
    file.write_text(
        f'[redis]\nservers = ["{server.server}"]\n[hub]\nuser = "hub"\npassword_file = "{secret}"\n'
    )
    return str(file)


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fleet(config: str, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs the verb."""

    def ran(*words: str) -> tuple[int, str, str]:
        code = run(["fleet", "--config", config, *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ran


async def beating(written: Written, *hosts: FleetHost) -> None:
    """Let hosts give signs of life until cancelled."""
    while True:
        for host in hosts:
            written.batch(host)
        await asyncio.sleep(0.2)


@needs_redis
async def test_hosts_and_one_with_its_tasks_are_told(fleet: Said, client: Redis) -> None:
    """Verdicts, exit codes, names, patterns, --trouble and --json."""
    well, ill = FleetHost("wien-1"), FleetHost("graz-1")
    written = Written(client, well, ill)
    written.batch(well, tasks=[a_task()])
    written.batch(ill, tasks=[a_task(health="unreachable"), a_task(1)])
    alive = asyncio.create_task(beating(written, well, ill))
    try:
        code, out, _ = await asyncio.to_thread(fleet)
        assert code == 7
        assert out.startswith("! 1 of 2 hosts are well: 1 in trouble.")
        assert [line.split()[1] for line in out.splitlines()[2:]] == ["graz-1", "wien-1"]
        code, out, _ = await asyncio.to_thread(fleet, "wien-*", "--json")
        assert code == 0
        assert [each["host"] for each in json.loads(out)["hosts"]] == ["wien-1"]
        code, out, _ = await asyncio.to_thread(fleet, "--trouble")
        assert (code, "graz-1" in out, "wien-1" in out) == (7, True, False)
        assert out.startswith("! 1 of 2 hosts are well")  # not of those alone that are shown
        code, out, _ = await asyncio.to_thread(fleet, "--trouble", "wien-1")
        assert (code, out) == (0, "✓ The one host is well.\n")
        code, out, _ = await asyncio.to_thread(fleet, "graz-1", "--json")
        told = json.loads(out)
        assert (code, told["host"]["ill"], len(told["tasks"])) == (7, 1, 2)
        code, out, _ = await asyncio.to_thread(fleet, "wien-1")
        assert code == 0
        assert "node-0" in out
        code, out, err = await asyncio.to_thread(fleet, "linz")
        assert (code, out) == (1, "")
        assert "there is no host linz in this fleet" in err
        assert "graz-1, wien-1" in err
        assert (await asyncio.to_thread(fleet, "linz-*"))[:2] == (0, "No host is as wanted.\n")
    finally:
        alive.cancel()


@needs_redis
async def test_a_silent_host_is_not_waited_for_longer_than_one_wants(
    fleet: Said, client: Redis
) -> None:
    """It is not known, and what it said last is there."""
    written = Written(client, FleetHost("a"))
    written.batch(written.hosts[0], tasks=[a_task()])
    code, out, _ = await asyncio.to_thread(fleet, "a", "--timeout", "1")
    assert code == 7
    assert "a: not known" in out
    assert "node-0" in out


@needs_redis
async def test_live_it_tells_what_changes_until_nobody_reads(config: str, client: Redis) -> None:
    """A line each in a pipe; when its reader has gone it ends, and what reads the fleet, too."""
    host = FleetHost("a")
    written = Written(client, host)
    written.batch(host, tasks=[a_task()])
    alive = asyncio.create_task(beating(written, host))
    words = ("fleet", "--watch", "--config", config)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kaspad_taskd.cli", *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            await _until(process.stdout, " a ok")
            written.batch(host, tasks=[a_task(health="unreachable")])
            await _until(process.stdout, " a trouble ill=1")
        assert len(client.client_list()) == 3  # two of ours here, and the one that reads
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        await asyncio.wait_for(process.wait(), PATIENCE)
        await once(lambda: len(client.client_list()) == 2)
    finally:
        alive.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until(stream: asyncio.StreamReader, said: str) -> None:
    while said not in (line := (await stream.readline()).decode()):
        assert line, "it ended"


@needs_redis
def test_the_time_that_one_watches_may_be_over(fleet: Said, client: Redis) -> None:
    """Exit code 6, as of `watch`."""
    Written(client, FleetHost("a"))
    code, out, _ = fleet("--watch", "--json", "--timeout", "1")
    assert code == 6
    assert json.loads(out.splitlines()[-1])["hosts"][0]["verdict"] == "unknown"


def test_a_server_that_is_away_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; nobody waits for it."""
    file = tmp_path / "fleet.toml"
    file.write_text(f'[redis]\nservers = ["unix:{tmp_path}/none"]\n')
    assert run(["fleet", "--config", str(file)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("! Redis cannot be read:")
    assert "no host" not in said  # who knows
    assert run(["fleet", "a", "--json", "--config", str(file)]) == 1
    assert "none" in json.loads(capsys.readouterr().out)["fault"]


def test_bad_settings_are_named_with_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 78, as of the hub."""
    assert run(["fleet", "--config", str(tmp_path / "none.toml")]) == 78
    said = capsys.readouterr().err
    assert "none.toml" in said
    assert "man kaspad-taskd-hub" in said


@pytest.mark.parametrize(
    ("missing", "said"),
    [("redis", "apt install python3-redis"), ("kaspad_taskd.fleet", "kaspad-taskd-fleet")],
)
def test_without_the_library_it_says_what_to_install(
    missing: str,
    said: str,
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A Python without redis-py; a package without the fleet's part."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(GONE.format(name=missing))
    monkeypatch.setenv("PYTHONPATH", f"{hooks}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert run(["fleet", "--config", config]) == 1
    assert said in capsys.readouterr().err
