"""Guarantees of `kaspad_taskd.config.definitions`, with the real types of task."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import Fault, Style
from kaspad_taskd.config.definitions import FORBIDDEN, parse_definition
from kaspad_taskd.core.model import Definition, OnComplete, Origin
from kaspad_taskd.probes import TYPES

ROOT = Path(__file__).parents[2]
KEYS = (
    *("type", "service", "interval", "checkInterval", "timeout", "confirmations", "after"),
    *("stall_after", "stallAfter", "give_up_after", "start", "checker", "config", "id"),
    *("on_complete", "onComplete", "auto_switch"),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["node-sync", "report", "command", "kaspa", "10s", "never", "grpc://a:1"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["url", "network", "command", "maxLag"]), inner)
        | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=6,
)


def from_toml(text: str, origin: Origin = Origin.ADMIN) -> Definition | list[Fault]:
    data = tomllib.loads(text)
    return parse_definition(data, TYPES, origin=origin, style="toml", id="a", file="/t/a.toml")


def from_json(data: object) -> Definition | list[Fault]:
    return parse_definition(data, TYPES, origin=Origin.API, style="json")


def told(result: Definition | list[Fault]) -> dict[str, str]:
    """The problems by key."""
    assert isinstance(result, list)
    assert len({fault.key for fault in result}) == len(result)
    return {fault.key: fault.problem for fault in result}


NODE: dict[str, Any] = {
    "type": "node-sync",
    "service": "kaspa-node",
    "config": {"url": "grpc://localhost:16110"},
}


def test_a_file_with_every_key() -> None:
    """Each key of a definition file reaches its field; the id is the file's."""
    definition = from_toml("""
        type = "node-sync"
        service = "kaspa-node"
        interval = "1min 30s"
        timeout = "2s"
        confirmations = 3
        stall_after = "1h"
        give_up_after = "2d"
        after = ["x", "y", "x"]
        start = false
        auto_switch = false
        keep_watching = false
        watch_interval = "1min"
        behind_after = "5min"
        relapse_after = "2h"
        [checker]
        url = "grpc://localhost:16110"
        network = "mainnet"
        max_lag = "2min"
        [on_complete]
        command = ["/usr/local/bin/notify", "{id}"]
    """)
    assert isinstance(definition, Definition)
    assert definition == Definition(
        id="a",
        type="node-sync",
        service="kaspa-node",
        interval=90.0,
        timeout=2.0,
        confirmations=3,
        stall_after=3600.0,
        give_up_after=172_800.0,
        after=("x", "y"),
        start=False,
        auto_switch=False,
        keep_watching=False,
        watch_interval=60.0,
        behind_after=300.0,
        relapse_after=7200.0,
        checker=definition.checker,
        endpoint="grpc://localhost:16110",
        on_complete=OnComplete(("/usr/local/bin/notify", "{id}")),
        origin=Origin.ADMIN,
    )
    assert definition.checker["network"] == "mainnet"


@pytest.mark.parametrize(
    ("kind", "keep"),
    [("node-sync", True), ("indexer-sync", True), ("http-json", False), ("report", False)],
)
def test_nodes_and_indexers_are_kept_watch_on_unless_they_say_otherwise(
    kind: str, keep: bool
) -> None:
    """The others end; who wants more says so, but of what nobody looks at."""
    checkers = {
        "indexer-sync": 'flavor = "kasia"\nurl = "http://localhost:8080"',
        "http-json": 'url = "http://localhost:9000"\ncompleted = "done"',
    }
    head, tail = f'type = "{kind}"\nservice = "s"\n', f"[checker]\n{checkers.get(kind, '')}"
    definition = from_toml(head + tail)
    assert isinstance(definition, Definition)
    assert definition.keep_watching is keep
    other = from_toml(f"{head}keep_watching = {str(not keep).lower()}\n{tail}")
    if kind == "report":
        assert told(other) == {
            "keep_watching": "must be false: a report comes by itself, nobody looks"
        }
    else:
        assert isinstance(other, Definition)
        assert other.keep_watching is not keep


def test_what_is_left_out_has_the_defaults() -> None:
    """The shortest file is enough, and equals the one that spells the defaults out."""
    short = from_toml('type = "report"\nservice = "s"')
    long = from_toml("""
        type = "report"
        service = "s"
        interval = "10s"
        timeout = "5s"
        confirmations = 2
        stall_after = "10min"
        give_up_after = "never"
        start = true
        auto_switch = true
    """)
    assert isinstance(short, Definition)
    assert short == long == Definition(id="a", type="report", service="s")


def test_json_says_it_in_its_own_words() -> None:
    """In JSON keys are camelCase, `checkInterval` and `config`, spans also milliseconds."""
    data = NODE | {"checkInterval": 2500, "stallAfter": "1h", "giveUpAfter": None, "after": []}
    definition = from_json(data)
    assert isinstance(definition, Definition)
    assert (definition.interval, definition.stall_after) == (2.5, 3600.0)
    assert definition.give_up_after is None
    assert definition.origin is Origin.API


def test_without_an_id_it_is_type_and_service() -> None:
    """A registration may name its id; else it is `<type>-<service>`."""
    unnamed, named = from_json(NODE), from_json(NODE | {"id": "mine"})
    assert isinstance(unnamed, Definition)
    assert isinstance(named, Definition)
    assert (unnamed.id, named.id) == ("node-sync-kaspa-node", "mine")


def test_all_faults_come_at_once() -> None:
    """One look at a bad file names every key that is wrong."""
    result = from_toml("""
        type = "node-sync"
        service = "no spaces"
        id = "b"
        interval = "100ms"
        timeout = "5"
        confirmations = 0
        stall_after = "soon"
        give_up_after = "sometimes"
        after = ["a b"]
        start = "yes"
        chekcer = {}
        [checker]
        url = "grpc://localhost:16110"
        colour = "red"
        [on_complete]
        command = []
    """)
    problems = told(result)
    assert problems.keys() == {
        *("service", "id", "interval", "timeout", "confirmations", "stall_after", "start"),
        *("give_up_after", "after", "chekcer", "checker.colour", "on_complete.command"),
    }
    assert problems["interval"] == '"100ms" is too short; 250ms is the shortest'
    assert problems["chekcer"] == 'unknown key; did you mean "checker"?'
    assert isinstance(result, list)
    assert all(fault.file == "/t/a.toml" for fault in result)


def test_an_unknown_type_names_the_known_ones() -> None:
    """Of a checker that nobody can judge no key is called unknown."""
    problems = told(from_toml('type = "node-sink"\nservice = "s"\n[checker]\nfoo = 1'))
    assert problems.keys() == {"type"}
    assert "node-sync" in problems["type"]


@pytest.mark.parametrize("data", [None, [], "x", 5, {}])
def test_no_definition_at_all(data: object) -> None:
    """What is no table, or an empty one, is told as that."""
    assert told(from_json(data))


def test_waiting_for_itself_is_a_fault() -> None:
    """A task that waits for itself would never start; one that waits for a missing one may."""
    text = 'type = "report"\nservice = "s"\nafter = ["{}"]'
    assert told(from_toml(text.format("a"))).keys() == {"after"}
    assert isinstance(from_toml(text.format("not-there-yet")), Definition)


def test_commands_come_from_files_only() -> None:
    """Over an API a command is forbidden, which is another answer than a bad definition."""
    over_api = from_json(NODE | {"onComplete": {"command": ["/bin/true"]}})
    assert isinstance(over_api, list)
    assert [(fault.key, fault.kind) for fault in over_api] == [("onComplete", FORBIDDEN)]
    as_type = from_json({"type": "command", "service": "s", "config": {"command": ["/bin/true"]}})
    assert isinstance(as_type, list)
    assert ("type", FORBIDDEN) in [(fault.key, fault.kind) for fault in as_type]
    in_file = from_toml('type = "report"\nservice = "s"\n[on_complete]\ncommand = ["/bin/true"]')
    assert isinstance(in_file, Definition)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), VALUES), st.booleans())
def test_any_data_is_a_definition_or_faults(data: dict[str, Any], as_json: bool) -> None:
    """Nothing raises, and a key that no definition has never passes."""
    style: Style = "json" if as_json else "toml"
    result = parse_definition(data, TYPES, origin=Origin.API, style=style, id="a")
    if isinstance(result, list):
        assert result
        return
    wrong = {"checkInterval", "stallAfter", "config", "onComplete"}
    if as_json:
        wrong = {"interval", "stall_after", "checker", "on_complete", "give_up_after"}
    given_keys = {key for key, value in data.items() if value is not None}
    assert given_keys <= set(KEYS) - wrong


def test_the_shipped_definition_watches_the_node_here() -> None:
    """The package's own definition is sound, and its file's name is the id of the contract."""
    path = ROOT / "packaging/tasks.d/node-sync-kaspa-node.toml"
    definition = parse_definition(
        tomllib.loads(path.read_text()), TYPES, origin=Origin.VENDOR, style="toml", id=path.stem
    )
    assert isinstance(definition, Definition)
    assert definition.id == f"{definition.type}-{definition.service}"
    assert definition.endpoint == "grpc://localhost:16110"


EXAMPLES = sorted((ROOT / "etc/kaspad-taskd/tasks.d").glob("*.example"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_sound(path: Path) -> None:
    """What people are shown to copy works, also with its commented keys set."""
    text = path.read_text()
    uncommented = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text)
    for version in (text, uncommented):
        assert isinstance(from_toml(version), Definition)


def test_there_are_examples() -> None:
    """The test above tests something."""
    assert len(EXAMPLES) >= 2
