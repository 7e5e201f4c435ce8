"""Guarantees of `kaspad_taskd.base.tables`."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import MAX_FAULTS, MAX_UNKNOWN, Fault, Style, Table

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.just(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
STYLES: tuple[Style, ...] = ("toml", "json")

GETTERS: dict[str, Callable[[Table, str], Any]] = {
    "string": lambda table, key: table.string(key, "x", choices=("x", "y"), maximum=9),
    "pattern": lambda table, key: table.string(key, pattern="[a-z]+"),
    "integer": lambda table, key: table.integer(key, None, 1, 9),
    "number": lambda table, key: table.number(key, minimum=0),
    "boolean": lambda table, key: table.boolean(key, True),
    "duration": lambda table, key: table.duration(key, 1.0, 0.5, 60.0),
    "strings": lambda table, key: table.strings(key),
    "texts": lambda table, key: table.texts(key),
    "raw": lambda table, key: table.raw(key),
    "table": lambda table, key: table.table(key).string("name", None),
    "tables": lambda table, key: [each.integer("n", 1) for each in table.tables(key).values()],
}


def problem(value: object, get: Callable[[Table], object], style: Style = "toml") -> str:
    """What is noted when `get` reads {"key": value}."""
    faults: list[Fault] = []
    table = Table({"key": value}, faults, style=style)
    get(table)
    table.done()
    assert len({fault.key for fault in faults}) <= 1
    return "; ".join(fault.problem for fault in faults)


@given(st.dictionaries(st.sampled_from(sorted(GETTERS)) | st.text(), VALUES), st.booleans())
def test_nothing_raises_and_nothing_passes_silently(data: dict[str, Any], as_json: bool) -> None:
    """Whatever was written, each key is taken or is a fault, and what was taken is JSON."""
    faults: list[Fault] = []
    table = Table(data, faults, style="json" if as_json else "toml")
    taken = {key: get(table, key) for key, get in GETTERS.items()}
    sound = table.done()
    assert sound == (not faults)
    for style in STYLES:
        shown = table.canonical(style)
        json.dumps(shown, allow_nan=False)
        if sound:
            left = {key for key, value in data.items() if value not in (None, {})} - shown.keys()
            assert left == set()
    assert all(fault.problem for fault in faults)
    assert isinstance(taken["boolean"], bool)
    assert 0.5 <= taken["duration"] <= 60


def test_every_fault_is_told_at_once_with_its_path() -> None:
    """One pass finds all; each fault has file, full key path and the cure."""
    faults: list[Fault] = []
    data = {"interval": "10 parsecs", "checker": {"max_lag": 5, "ulr": "x"}, "timout": "5s"}
    table = Table(data, faults, file="/etc/a.toml")
    table.duration("interval", 10.0)
    table.duration("timeout", 5.0)
    checker = table.table("checker")
    checker.duration("max_lag", 60.0)
    checker.string("url")
    assert not table.done()
    assert [str(fault) for fault in faults] == [
        '/etc/a.toml, interval: "10 parsecs" is no duration; write "10s" or "5min"',
        '/etc/a.toml, checker.max_lag: must be a duration like "10s" or "5min", not a number',
        "/etc/a.toml, checker.url: is required",
        '/etc/a.toml, timout: unknown key; did you mean "timeout"?',
        '/etc/a.toml, checker.ulr: unknown key; did you mean "url"?',
    ]


def test_json_has_its_own_spelling() -> None:
    """Keys are camelCase in JSON, or have their own name there, and faults say them so."""
    faults: list[Fault] = []
    data = {"config": {"maxLag": True, "max_lag": 1}, "checkInterval": 1500, "giveUp": None}
    names = {"interval": "checkInterval", "checker": "config"}
    table = Table(data, faults, style="json", names=names)
    assert table.duration("interval", 10.0) == 1.5
    assert table.string("give_up", "never") == "never"
    table.table("checker").duration("max_lag", 60.0)
    table.done()
    assert [fault.key for fault in faults] == ["config.maxLag", "config.max_lag"]
    assert table.canonical("toml") == {"interval": "1s 500ms", "give_up": "never"}
    assert table.canonical("json") == {"checkInterval": "1s 500ms", "giveUp": "never"}


NUMBER = "must be a string, not a number"
CONTROL = "must have no control characters"


@pytest.mark.parametrize(
    ("value", "get", "told"),
    [
        (1, lambda t: t.string("key"), "must be a string, not a number"),
        ("", lambda t: t.string("key"), "is empty; leave it out, or write something"),
        ("a\0", lambda t: t.string("key"), "must have no control characters"),
        ("a" * 9, lambda t: t.string("key", maximum=8), "must be 8 characters at most"),
        ("c", lambda t: t.string("key", choices=("a", "b")), '"c" is none of a, b'),
        ("c", lambda t: t.string("key", pattern="a", must="must be a"), "must be a"),
        (True, lambda t: t.integer("key"), "must be a whole number, not a boolean"),
        (1.5, lambda t: t.integer("key"), "must be a whole number, not a number"),
        (0, lambda t: t.integer("key", 1, 1, 5), "must be 1 to 5"),
        (0, lambda t: t.integer("key", 1, 1), "must be 1 at least"),
        (10**400, lambda t: t.number("key", maximum=5), "must be 5 at most"),
        (float("nan"), lambda t: t.number("key"), "must be a finite number"),
        ("yes", lambda t: t.boolean("key"), "must be true or false, not a string"),
        ("1ms", lambda t: t.duration("key", 1, 1), '"1ms" is too short; 1s is the shortest'),
        ("2h", lambda t: t.duration("key", 1, 1, 9), '"2h" is too long; 9s is the longest'),
        (["a", 1], lambda t: t.strings("key"), "entry 2 must be a string, not a number"),
        (["\0", 1], lambda t: t.strings("key"), f"entry 1 {CONTROL}; entry 2 {NUMBER}"),
        (["a"] * 3, lambda t: t.strings("key", maximum=2), "must be 2 strings at most"),
        ({"A": 1, "B": "\0"}, lambda t: t.texts("key"), f'"A" {NUMBER}; "B" {CONTROL}'),
        ([], lambda t: t.table("key"), "must be a table, not a list"),
        ({"a": 1}, lambda t: t.tables("key"), "must be a table, not a number"),
        (datetime.date(2026, 1, 1), lambda t: t.raw("key"), "must not be a date or time"),
        (2**60, lambda t: t.raw("key"), None),
    ],
)
def test_what_is_wrong_is_said(value: object, get: Callable[[Table], object], told: str) -> None:
    """Each kind of mistake has a sentence that goes on after the key."""
    if told is None:
        assert problem(value, get)
    else:
        assert problem(value, get) == told


def test_a_wrong_entry_costs_the_others_nothing() -> None:
    """What is right in a list or table is read on, and may be found wrong for another reason."""
    faults: list[Fault] = []
    table = Table({"a": ["x", 1, "y"], "b": {"X": "x", "Y": 2}}, faults)
    assert (table.strings("a"), table.texts("b")) == (("x", "y"), {"X": "x"})
    table.fault_each("a", ["y is no place", "x is no place"])
    table.fault("a", "and nothing is said of the whole, where entries are wrong")
    assert [(fault.key, fault.problem.split()[0]) for fault in faults] == [
        ("a", "entry"), ("b", '"Y"'), ("a", "y"), ("a", "x"),
    ]  # fmt: skip


def test_a_fault_does_not_show_what_might_be_a_secret() -> None:
    """A value of the wrong shape is not repeated."""
    said = problem("hunter2 hunter2", lambda table: table.string("key", pattern="[a-z]+"))
    assert "hunter2" not in said


def test_a_stand_in_keeps_the_type() -> None:
    """A bad value gives the default, or the type's empty value, so that reading goes on."""
    table = Table({"a": 1, "b": "x", "c": 1, "d": "x"}, [])
    assert table.string("a") == ""
    assert table.integer("b", 7) == 7
    assert table.strings("c") == ()
    assert table.duration("d", None) is None
    assert table.canonical("toml") == {}


def test_depth_and_size_are_bounded() -> None:
    """What is taken as it is can be neither deep nor wide without end."""
    deep: list[Any] = []
    for _ in range(50):
        deep = [deep]
    assert problem(deep, lambda table: table.raw("key")) == "is nested too deeply"
    assert "256" in problem(list(range(300)), lambda table: table.raw("key"))
    many: dict[str, object] = {str(number): {} for number in range(300)}
    assert "256" in problem(many, lambda table: table.tables("key"))


def test_a_flood_of_mistakes_is_told_in_part() -> None:
    """However much is wrong, the list of faults stays short and says how much is left out."""
    faults: list[Fault] = []
    Table({f"key{number}": 1 for number in range(5000)}, faults).done()
    assert len(faults) == MAX_UNKNOWN + 1
    assert faults[-1].problem == f"{5000 - MAX_UNKNOWN} more unknown keys"
    table = Table({str(n): {str(m): 1 for m in range(20)} for n in range(20)}, faults)
    table.done()
    for number in range(200):
        table.string(f"wanted_{number}")
    assert len(faults) == MAX_FAULTS


def test_one_key_has_one_fault() -> None:
    """The first thing wrong with a key is told, not what follows from it."""
    faults: list[Fault] = []
    table = Table({"url": 5}, faults)
    table.string("url")
    table.fault("url", "is no URL")
    assert [fault.problem for fault in faults] == ["must be a string, not a number"]
