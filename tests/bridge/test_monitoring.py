"""The dashboard and the alert rules: checked by promtool, asked of a real Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.model import Health
from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.bridged import bridged, free_port, program
from tests.fakes.taskd_process import Line, until
from tests.fakes.tempo import Tempo
from tests.fakes.told_node import BPS, TIP, Says, ToldGrpc

MONITORING = Path(__file__).parents[2] / "packaging" / "monitoring"
RULES = MONITORING / "kaspad-taskd.rules.yml"
BOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
QUERIES = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
SPEED, AHEAD = 20.0, 13.5
"""Times left and rates are there, and stay until they were asked for."""


def program_of(name: str) -> str:
    """Where a program of Debian's prometheus package is, or skip."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt install prometheus")
    return found


def promtool(*arguments: str) -> None:
    command = [program_of("promtool"), *arguments]
    outcome = subprocess.run(
        command, capture_output=True, text=True, cwd=MONITORING, timeout=150, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_rules_are_rules() -> None:
    """Prometheus takes them."""
    promtool("check", "rules", RULES.name)


def test_each_rule_fires_when_it_should_and_not_before() -> None:
    """By promtool's own unit tests."""
    promtool("test", "rules", "kaspad-taskd.rules.test.yml")


def test_every_alert_has_a_test() -> None:
    """In both directions: that it fires."""
    names = [line.split(": ")[1] for line in RULES.read_text().splitlines() if "- alert:" in line]
    tests = (MONITORING / "kaspad-taskd.rules.test.yml").read_text()
    assert len(names) == 12
    for name in names:
        assert f"alertname: {name}\n        exp_alerts" in tests, name


def test_each_health_has_its_place_in_the_panel() -> None:
    """A number in the query, and a word and a colour for that number."""
    (panel,) = (each for each in BOARD["panels"] if each["title"] == "Health")
    query = panel["targets"][0]["expr"]
    numbers = dict(re.findall(r'(\d) \* \([^(]*kaspad_taskd_task_health="([a-z]+)"', query))
    assert sorted(numbers.values()) == sorted(Health)
    shown = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert {number: each["text"] for number, each in shown.items()} == numbers
    assert len({each["color"] for each in shown.values()}) == len(shown)


def test_each_state_of_a_record_has_the_colour_of_its_health() -> None:
    """One colour means one thing on the board."""
    panels = {each["title"]: each for each in BOARD["panels"]}
    shown = panels["Health"]["fieldConfig"]["defaults"]["mappings"][0]["options"].values()
    overrides = panels["States of what is kept watch on"]["fieldConfig"]["overrides"]
    assert {
        each["matcher"]["options"]: each["properties"][0]["value"]["fixedColor"]
        for each in overrides
    } == {each["text"]: each["color"] for each in shown}


def test_every_trouble_of_a_task_has_an_alert() -> None:
    """Whatever health is one; and one that is meant for what is in progress says so."""
    rules = RULES.read_text()
    for health in set(Health) - {Health.OK, Health.UNKNOWN}:
        assert f'{{kaspad_taskd_task_health="{health}"}} == 1' in rules, health


def test_panels_do_not_overlap() -> None:
    """Each place of the board is one panel's."""
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        places = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not places & taken
        assert max(x for x, _ in places) < 24
        taken |= places


class Prometheus:
    """One that scrapes a daemon each second."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/v1"

    async def get(self, path: str, **query: str) -> Any:
        url = f"{self._base}/{path}?{urllib.parse.urlencode(query)}"
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=60).read())
        return json.loads(answer)["data"]

    async def up(self) -> bool:
        try:
            targets = (await self.get("targets"))["activeTargets"]
        except OSError:
            return False
        return bool(targets) and targets[0]["health"] == "up"

    async def found(self, query: str) -> list[Any]:
        """What a query returns."""
        for name, value in (
            ("$instance", ".*"),
            ("$__rate_interval", "5s"),
            ("$__range", "1h"),
        ):
            query = query.replace(name, value)
        result: list[Any] = (await self.get("query", query=query))["result"]
        return result


SERVICE = """\
[services.kasia-indexer]
unit = "kasia-indexer.service"
node = "grpc://127.0.0.1:1"
network = "mainnet"
env = {URL = "ws://127.0.0.1:1"}
public_env = {URL = "wss://public.example"}
"""
SETTINGS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: kaspad-taskd
    static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.mark.system
@pytest.mark.timeout(300)
async def test_every_query_of_the_dashboard_finds_data(tmp_path: Path) -> None:
    """A real Prometheus scrapes the real daemon while it follows a recorded sync."""
    found = program_of("prometheus")
    began = time.time() * 1000
    fast = Fast(SPEED, began)
    log = tmp_path / "node.log"
    log.touch()
    playing = PlayingNode(
        load(), SPEED, log=log, monotonic=Tempo(AHEAD), wall_ms=lambda: fast.wall() * 1000
    )
    clock = ("kaspad_taskd.demo.daemon", str(SPEED), str(began))
    (tmp_path / "kaspad-taskd.toml").write_text(SERVICE)
    synced = ToldGrpc()
    synced.says = lambda: Says(
        score=TIP + int((fast.wall() % 1e6) * BPS), now_ms=int(fast.wall() * 1000)
    )
    async with playing as node, synced, bridged(tmp_path, *clock) as (taskd, bridge):
        line = await taskd.line()
        await _register(line, node.url)
        await _register(line, synced.url, service="synced", network="mainnet", watchInterval=250)
        settings, port = tmp_path / "prometheus.yml", free_port()
        target = bridge.removeprefix("http://")
        settings.write_text(SETTINGS.format(rules=RULES, target=target))
        options = (f"--config.file={settings}", f"--storage.tsdb.path={tmp_path / 'tsdb'}")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        async with program(found, *options, listen, "--log.level=error"):
            asked = Prometheus(port)
            await until(asked.up, patience=120)
            missing = list(QUERIES)
            async with asyncio.timeout(150):
                while missing:
                    missing = [each for each in missing if not await asked.found(each)]
                    await asyncio.sleep(0.5)
            rules = (await asked.get("rules"))["groups"][0]["rules"]
            assert {rule["health"] for rule in rules} == {"ok"}
            (target_now,) = (await asked.get("targets"))["activeTargets"]
            assert target_now["lastError"] == ""


async def _register(line: Line, url: str, **more: Any) -> None:
    address = url.removeprefix("grpc://")
    host, _, port = address.rpartition(":")
    usual = {"service": "kaspa-node", "network": "simnet", "checkInterval": 250}
    await line.call("registerNodeSyncTask", host=host, port=int(port), **{**usual, **more})
