"""Guarantees of `kaspad_taskd.config.writing`: what is written is read back as it was."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import Table
from kaspad_taskd.config.definitions import ProbeType, parse_definition
from kaspad_taskd.config.writing import to_json, to_toml
from kaspad_taskd.core.model import Definition, OnComplete, Origin
from kaspad_taskd.probes import TYPES


@dataclass(frozen=True)
class Read:
    config: Mapping[str, Any]
    endpoint: str | None = None


class Rich:
    """A type whose checker has every shape a checker can have."""

    @staticmethod
    def parse(table: Table, _service: str) -> Read:
        table.duration("max_lag", 60.0)
        table.string("base_url", None)
        table.number("some_ratio", None)
        table.strings("arguments", ())
        table.texts("metadata", {})
        table.raw("any_thing")
        table.table("inner_part").duration("how_long", None)
        for each in table.tables("named_parts").values():
            each.integer("how_many", 1)
        return Read(table.canonical("json"))


ALL: dict[str, ProbeType] = {**TYPES, "rich": Rich()}

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
SPANS = st.integers(1000, 86_400_000).map(lambda ms: ms / 1000)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
ANYTHING = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
RICH = st.fixed_dictionaries(
    {},
    optional={
        "maxLag": st.integers(0, 10**9),
        "baseUrl": TEXT,
        "someRatio": st.floats(allow_nan=False, allow_infinity=False),
        "arguments": st.lists(TEXT | st.just("a\nb\tc") | st.just(""), max_size=3),
        "metadata": st.dictionaries(TEXT, TEXT, max_size=3),
        "anyThing": ANYTHING,
        "innerPart": st.fixed_dictionaries({"howLong": st.just("1h 5ms")}),
        "namedParts": st.dictionaries(IDS, st.fixed_dictionaries({"howMany": st.integers(0, 9)})),
    },
)
NODE = st.fixed_dictionaries(
    {"url": st.sampled_from(["grpc://localhost:16110", "ws://[::1]:18110", "wss://n.org:443"])},
    optional={"network": st.just("testnet-10"), "maxLag": st.just("90s")},
)


@st.composite
def definitions(draw: st.DrawFn, origin: Origin = Origin.API) -> Definition:
    """Sound definitions, as parsing gives them."""
    kind, config = draw(
        st.sampled_from([("rich", RICH), ("node-sync", NODE), ("report", st.just({}))]).flatmap(
            lambda pair: st.tuples(st.just(pair[0]), pair[1])
        )
    )
    data = {"type": kind, "service": draw(IDS), "config": config, "id": draw(IDS)}
    plain = parse_definition(data, ALL, origin=origin, style="json")
    assert isinstance(plain, Definition), plain
    return replace(
        plain,
        interval=draw(SPANS),
        timeout=draw(st.integers(100, 600_000)) / 1000,
        confirmations=draw(st.integers(1, 100)),
        stall_after=draw(SPANS),
        give_up_after=draw(st.none() | SPANS),
        after=tuple(draw(st.lists(IDS.filter(lambda id_: id_ != plain.id), unique=True))),
        start=draw(st.booleans()),
        auto_switch=draw(st.booleans()),
    )


@given(definitions())
def test_toml_round_trip(definition: Definition) -> None:
    """A definition file written from a definition says exactly that definition."""
    data = tomllib.loads(to_toml(definition, ALL))
    again = parse_definition(data, ALL, origin=Origin.API, style="toml", id=definition.id)
    assert again == definition


@given(definitions())
def test_json_round_trip(definition: Definition) -> None:
    """The JSON of a definition registers exactly that definition."""
    data = json.loads(json.dumps(to_json(definition), allow_nan=False))
    assert parse_definition(data, ALL, origin=Origin.API, style="json") == definition


def test_it_is_written_as_people_write() -> None:
    """Keys are snake_case, durations are words, chosen names stay as they were chosen."""
    config = {"maxLag": 90_000, "metadata": {"blockHeight": "$.h"}, "innerPart": {"howLong": "1h"}}
    data = {"type": "rich", "service": "s", "config": config, "giveUpAfter": "1d"}
    definition = parse_definition(data, ALL, origin=Origin.API, style="json")
    assert isinstance(definition, Definition)
    written = to_toml(replace(definition, on_complete=OnComplete(("/bin/true", "{id}"))), ALL)
    table = tomllib.loads(written)
    assert table["give_up_after"] == "1d"
    assert table["interval"] == "10s"
    assert table["checker"]["max_lag"] == "1min 30s"
    assert table["checker"]["metadata"] == {"blockHeight": "$.h"}
    assert table["checker"]["inner_part"] == {"how_long": "1h"}
    assert table["on_complete"] == {"command": ["/bin/true", "{id}"]}
