"""What a registration may hold is described by what reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kaspad_taskd.api.components import Components
from kaspad_taskd.api.registrations import (
    indexer_registration,
    node_registration,
    registration,
    wizard_registration,
)
from kaspad_taskd.base.tables import Table
from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.probes import TYPES
from kaspad_taskd.probes.probe_type import Checker, ProbeType

HEADER = {
    *("id", "type", "service", "checkInterval", "timeout", "confirmations", "stallAfter"),
    *("giveUpAfter", "after", "start", "autoSwitch", "keepWatching", "watchInterval"),
    *("behindAfter", "relapseAfter", "config"),
}
GOOD: dict[str, dict[str, Any]] = {
    "node-sync": {"host": "127.0.0.1", "port": 16110, "network": "mainnet", "maxLag": "90s"},
    "indexer-sync": {"flavor": "kasia", "url": "http://localhost:8080", "maxLag": 90_000},
    "database-migration": {"dsn": "main", "tool": "sqlx", "version": 7},
    "http-json": {"url": "http://localhost:9000/status", "done": "a", "total": "b", "unit": "rows"},
    "report": {},
}
FLAVORS = ("simply-kaspa", "kasia", "k-indexer", "generic")


def parsed(given: Mapping[str, Any]) -> Any:
    """A definition, or its faults, as an API would have them."""
    return parse_definition(dict(given), TYPES, origin=Origin.API, style="json")


def configs(body: Mapping[str, Any]) -> dict[str, Any]:
    """Each type's `config` by the name of its shape."""
    return {each["title"]: each for each in body["properties"]["config"]["anyOf"]}


def takes(body: Mapping[str, Any], given: Any) -> bool:
    return bool(Draft202012Validator(body).is_valid(given))


def test_the_keys_of_a_registration() -> None:
    """Those that stand in files too, but commands."""
    body = registration()
    assert body["properties"].keys() == HEADER
    assert body["required"] == ["type", "service"]
    assert set(body["properties"]["type"]["enum"]) == GOOD.keys()
    assert configs(body).keys() == {
        "NodeSyncConfig", "IndexerSyncConfig", "DatabaseMigrationConfig", "HttpJsonConfig",
        "ReportConfig",
    }  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_read_is_described(kind: str) -> None:
    """A good registration of each type fits, with its whole header; a misspelt key does not."""
    given = {
        "type": kind, "service": "s", "id": "x", "checkInterval": 5000, "timeout": "3s",
        "confirmations": 3, "stallAfter": "1h", "giveUpAfter": "never", "after": ["a"],
        "start": False, "autoSwitch": False, "config": GOOD[kind],
    }  # fmt: skip
    assert isinstance(parsed(given), Definition)
    body = registration()
    assert takes(body, given)
    for wrong in ({"checkIntervall": 1}, {"confirmations": 0}, {"after": "a"}, {"type": "command"}):
        assert not takes(body, {**given, **wrong})
        assert not isinstance(parsed({**given, **wrong}), Definition)
    assert not takes(body, {**given, "config": {**GOOD[kind], "colour": 1}})


def unknown(kind: str, config: Mapping[str, Any]) -> set[str]:
    """Keys of a checker that nobody asks for."""
    faults = parsed({"type": kind, "service": "s", "config": config})
    found = faults if isinstance(faults, list) else []
    return {each.key.removeprefix("config.") for each in found if "unknown key" in each.problem}


@pytest.mark.parametrize("kind", GOOD)
def test_every_key_of_a_checker_is_described_and_no_other(kind: str) -> None:
    """Each that is described is asked for, at least beside one of the words of another key."""
    title = "".join(part.capitalize() for part in kind.split("-")) + "Config"
    described = configs(registration())[title]["properties"].keys()
    assert described >= GOOD[kind].keys()
    tried = [{**GOOD[kind], "flavor": each} for each in FLAVORS] if "flavor" in described else []
    for key in described:
        asked = [key not in unknown(kind, {**config, key: "x"}) for config in tried or [{}]]
        assert any(asked), key
    assert not described & {"ca", "dataDir", "headers", "query", "command", "onComplete"}


def test_what_the_methods_of_old_take() -> None:
    """A node's and an indexer's keys stand beside the header; `url` is `indexerUrl` too."""
    node, indexer = node_registration(), indexer_registration()
    assert {"service", "host", "port", "protocol", "network", "maxLag"} <= node["properties"].keys()
    assert {"checkInterval", "after", "autoSwitch", "config"} <= node["properties"].keys()
    assert {"indexerUrl", "url", "flavor", "after", "config"} <= indexer["properties"].keys()
    assert node["required"] == indexer["required"] == ["service"]
    assert "type" not in {*node["properties"], *indexer["properties"]}
    assert takes(node, {"service": "kaspa-node", "port": 16210, "config": {"host": "::1"}})
    assert takes(indexer, {"service": "kasia", "indexerUrl": "http://localhost:8080"})


def test_what_wizards_send() -> None:
    """Arguments of the methods of old inside `config`, `useHttps` among them."""
    body = wizard_registration()
    old = {"service": "kaspa-node", "host": "localhost", "port": 16110, "useHttps": False}
    assert takes(body, {"type": "node-sync", "service": "kaspa-node", "config": old})
    new = {"indexerUrl": "http://localhost:8080", "checkInterval": 5000}
    assert takes(body, {"type": "indexer-sync", "service": "kasia-indexer", "config": new})
    assert not takes(body, {"type": "node-sync", "config": old})


def read(table: Table, _service: str) -> Checker:
    """A type of another package: every kind of key, some of them below."""
    table.number("share", 0.5, 0.0, 1.0)
    table.integer("count")
    table.boolean("loud")
    table.strings("names", ())
    table.texts("labels", {})
    table.raw("extra")
    inner = table.table("inner")
    inner.string("mode", choices=("slow", "fast"))
    for each in table.tables("parts").values():
        each.duration("pause")
    if table.string("mode", "a", choices=("a", "b")) == "b":
        table.integer("only_b", 1, 0, 9)
    return Checker()


def stumbling(table: Table, service: str) -> Checker:
    """One that has an error in it."""
    read(table, service)
    raise RuntimeError("not written yet")


@pytest.mark.parametrize("reader", [read, stumbling])
def test_a_type_of_another_package_is_described_as_well(
    monkeypatch: pytest.MonkeyPatch, reader: Any
) -> None:
    """By what it asks for, even where its reader stumbles."""
    kinds = [
        ProbeType(name, reader, lambda _definition, _means: None)
        for name in ("weather", "node_sync")  # the second is called like one of ours, as a type
    ]
    more = {**TYPES, **{each.name: each for each in kinds}}
    monkeypatch.setattr("kaspad_taskd.api.registrations.TYPES", more)
    body = registration()
    assert "weather" in body["properties"]["type"]["enum"]
    weather = configs(body)["WeatherConfig"]
    fields = weather["properties"]
    assert weather["required"] == ["count", "loud"]
    assert (fields["share"]["default"], fields["share"]["maximum"]) == (0.5, 1)
    assert fields["onlyB"] == {"type": "integer", "minimum": 0, "maximum": 9, "default": 1}
    good = {"count": 1, "loud": True, "inner": {"mode": "fast"}, "parts": {"a": {"pause": "1s"}}}
    assert takes(weather, good)
    wrong: tuple[dict[str, Any], ...] = (
        {"inner": {"mode": "odd"}},
        {"parts": {"a": {}}},
        {"labels": {"a": 1}},
    )
    assert [each for each in wrong if takes(weather, {**good, **each})] == []
    shapes = Components()
    assert shapes.of(body, "Body") == {"$ref": "#/components/schemas/Registration"}
    assert {"NodeSyncConfig", "NodeSyncConfig2", "WeatherConfig"} <= shapes.schemas.keys()
