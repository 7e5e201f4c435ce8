"""The table of types: what each takes, refuses, and asks."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from kaspad_taskd.base.tables import Fault, Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes import TYPES, Checker, open_probe


def parse(
    kind: str, data: dict[str, Any], style: Literal["toml", "json"] = "toml"
) -> tuple[Checker, list[Fault]]:
    faults: list[Fault] = []
    table = Table(data, faults, "checker" if style == "toml" else "config", style)
    checker = TYPES[kind].parse(table, "service")
    table.done()
    return checker, faults


def problems(kind: str, data: dict[str, Any], style: Literal["toml", "json"] = "toml") -> str:
    return "; ".join(f"{fault.key}: {fault.problem}" for fault in parse(kind, data, style)[1])


def test_all_types_of_the_contract_are_known() -> None:
    """A definition of any of them is told what it needs."""
    assert set(TYPES) == {
        "node-sync", "indexer-sync", "database-migration", "command", "http-json", "report",
    }  # fmt: skip


def test_a_node_sync_is_read_with_its_defaults() -> None:
    """As the contract writes it."""
    checker, faults = parse(
        "node-sync",
        {
            "url": "grpc://localhost:16110",
            "network": "mainnet",
            "reference": "wss://node.example:18110/x",
            "log": "journal:kaspad.service",
        },
    )
    assert faults == []
    assert checker.endpoint == "grpc://localhost:16110"
    assert checker.asks == (("localhost", 16110), ("node.example", 18110))
    assert checker.config == {
        "url": "grpc://localhost:16110",
        "network": "mainnet",
        "maxLag": "1min",
        "reference": "wss://node.example:18110/x",
        "log": "journal:kaspad.service",
    }


@pytest.mark.parametrize(
    ("data", "url"),
    [
        ({}, "grpc://localhost:16110"),
        ({"host": "10.0.0.1", "port": 16210}, "grpc://10.0.0.1:16210"),
        ({"host": "::1"}, "grpc://[::1]:16110"),
        ({"protocol": "wrpc-json"}, "ws://localhost:18110"),
        ({"useHttps": True, "maxLag": 5000}, "grpc://localhost:16110"),
    ],
)
def test_a_wizard_may_say_host_and_port(data: dict[str, Any], url: str) -> None:
    """It comes out as the URL, so that both spellings are the same work."""
    checker, faults = parse("node-sync", data, "json")
    assert (faults, checker.endpoint, checker.config["url"]) == ([], url, url)


@pytest.mark.parametrize(
    ("data", "key", "words"),
    [
        ({"url": "grpc://localhost:17110"}, "checker.url", "Borsh"),
        ({"port": 17110}, "checker.port", "Borsh"),
        ({"url": "http://localhost"}, "checker.url", "grpc://"),
        ({"url": "grpc://u:p@localhost:1"}, "checker.url", "password"),
        ({"network": "bitcoin"}, "checker.network", "mainnet"),
        ({"max_lag": "soon"}, "checker.max_lag", "duration"),
        ({"log": "journal:"}, "checker.log", "unit"),
        ({"log": "x.log"}, "checker.log", "absolute"),
        ({"protocol": "borsh"}, "checker.protocol", "wrpc-json"),
        ({"lag": 5}, "checker.lag", "unknown"),
        ({"reference": "grpc://:1"}, "checker.reference", "host"),
    ],
)
def test_a_fault_names_its_key_and_the_cure(data: dict[str, Any], key: str, words: str) -> None:
    """All faults at once, by the name that their writer used."""
    found = problems("node-sync", data)
    assert found.startswith(f"{key}: ")
    assert words in found


def test_a_command_over_an_api_is_forbidden_first() -> None:
    """Before anything else is said about it."""
    _, faults = parse("command", {"command": []}, "json")
    assert faults[0].kind == "forbidden"


async def test_a_report_takes_nothing_and_has_nothing_to_look_at() -> None:
    """Its work reports by itself; only that a process which reported is gone could be seen."""
    assert parse("report", {}) == (Checker(), [])
    assert "unknown" in problems("report", {"url": "x"})
    probe = open_probe(Definition("r", "report", "r"))
    assert probe is not None
    assert await probe.observe({}) is None
    await probe.close()
