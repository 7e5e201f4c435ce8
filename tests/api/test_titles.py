"""Every schema of both descriptions has a name that a generator of clients can use as a type's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kaspad_taskd.api.components import Components
from kaspad_taskd.api.schemas import FLAG, TEXT, maybe, record, word
from kaspad_taskd.bridge import asyncapi
from kaspad_taskd.core.fact import EventName
from tests.api.house import ApiHouse

SCHEMAS = ("properties", "anyOf", "items", "additionalProperties")
RESERVED = {
    *("any", "array", "boolean", "date", "enum", "error", "function", "import", "interface"),
    *("json", "map", "none", "null", "number", "object", "pass", "string", "struct", "switch"),
    *("type", "undefined", "unknown", "var"),
}
"""What languages take for themselves, in small letters."""


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all that it is made of, references as they stand."""
    yield schema
    for key in SCHEMAS:
        inner = schema.get(key)
        if isinstance(inner, dict):
            for each in inner.values() if key == "properties" else [inner]:
                yield from walk(each)
        elif isinstance(inner, list):
            for each in inner:
                yield from walk(each)


def openrpc(house: ApiHouse) -> tuple[Any, list[Any]]:
    """The description of the socket, and the schemas that stand in it."""
    house.described("ping")
    document = house.document
    found = list(document["components"]["schemas"].values())
    for method in document["methods"]:
        found += [each["schema"] for each in (*method["params"], method["result"])]
    return document, found


def bridge() -> tuple[Any, list[Any]]:
    """The same of the browsers' door."""
    document = asyncapi.describe("localhost:3080")
    messages = document["channels"]["socket"]["messages"].values()
    found = list(document["components"]["schemas"].values())
    return document, found + [each["payload"] for each in messages]


def judge(document: Any, found: list[Any]) -> set[str]:
    """Hold each schema to having a title of its own; returns them."""
    every = [each for schema in found for each in walk(schema)]
    named = [each for each in every if "$ref" not in each]
    assert [each for each in named if not re.fullmatch("[A-Z][A-Za-z0-9]*", each["title"])] == []
    titles = Counter(each["title"] for each in named)
    assert [title for title, times in titles.items() if times > 1] == []
    assert [each for each in titles if re.search(r"(?<!Choice)\d$", each)] == []
    assert not {title.lower() for title in titles} & RESERVED
    assert len({title.lower() for title in titles}) == len(titles)
    shapes = document["components"]["schemas"]
    assert [name for name, each in shapes.items() if each["title"] != name] == []
    referred = {each["$ref"].rpartition("/")[2] for each in every if "$ref" in each}
    assert referred <= shapes.keys()
    return set(titles)


@pytest.mark.looptime
async def test_every_schema_of_the_socket_has_a_title(house: ApiHouse) -> None:
    """No two alike, and none like a method, which is a type in a client as well."""
    document, found = openrpc(house)
    titles = judge(document, found)
    methods = {each["name"].lower() for each in document["methods"]}
    assert not methods & {title.lower() for title in titles}
    assert {"Task", "Event", "SyncProgressEvent"} <= document["components"]["schemas"].keys()


def test_every_schema_of_the_bridge_has_a_title() -> None:
    """The tasks in all its messages are one shape."""
    document, found = bridge()
    judge(document, found)
    shapes = document["components"]["schemas"]
    assert {"Task", "TaskRefusal", "Hello"} <= shapes.keys()
    payload = document["channels"]["socket"]["messages"]["task:status:response"]["payload"]
    answer = shapes[payload["$ref"].rpartition("/")[2]]
    assert answer["properties"]["task"] == {"$ref": "#/components/schemas/Task"}


@pytest.mark.looptime
async def test_the_description_does_not_list_itself(house: ApiHouse) -> None:
    """Its name is none that a client could call a function."""
    names = [each["name"] for each in (await house.ask("rpc.discover"))["methods"]]
    assert names == [name for name in house.methods if name != "rpc.discover"]
    assert all(name.isidentifier() for name in names)


@pytest.mark.looptime
async def test_both_doors_call_the_same_things_the_same(house: ApiHouse) -> None:
    """A shape of one name is one shape; each event's data is among the socket's."""
    socket = openrpc(house)[0]["components"]["schemas"]
    browsers = bridge()[0]["components"]["schemas"]
    both = socket.keys() & browsers.keys()
    assert {name for name in both if socket[name] != browsers[name]} == set()
    assert len([name for name in both if name.endswith("Event")]) == len(EventName)


def test_a_name_that_is_taken_gets_a_number() -> None:
    """So a type from another package never spoils the description; the same shape is one."""
    shapes = Components()
    shapes.of(record("Thing", a=TEXT), "Place")
    assert shapes.of(record("Thing", a=TEXT), "Elsewhere") == {"$ref": "#/components/schemas/Thing"}
    for _ in range(2):
        second = shapes.of(record("Thing", a=FLAG), "Place")
        assert second == {"$ref": "#/components/schemas/Thing2"}
    assert [shapes.of(TEXT, "ThingA")["title"] for _ in range(2)] == ["ThingA2", "ThingA3"]
    assert shapes.schemas.keys() == {"Thing", "Thing2"}
    assert shapes.schemas["Thing2"]["properties"]["a"]["title"] == "Thing2A"


def test_what_is_plain_is_called_after_its_place() -> None:
    """And may be null; shapes are referred to."""
    shapes = Components()
    side = word("Side", ["left", "right"])
    shapes.of(record("Thing", a=TEXT, b=maybe(side), c=maybe(TEXT)), "Place")
    assert shapes.schemas["Side"] == {"title": "Side", "type": "string", "enum": ["left", "right"]}
    assert shapes.schemas["Thing"]["properties"] == {
        "a": {"title": "ThingA", "type": "string"},
        "b": {
            "title": "ThingB",
            "anyOf": [
                {"$ref": "#/components/schemas/Side"},
                {"title": "ThingBNull", "type": "null"},
            ],
        },
        "c": {
            "title": "ThingC",
            "anyOf": [
                {"title": "ThingCChoice1", "type": "string"},
                {"title": "ThingCNull", "type": "null"},
            ],
        },
    }
