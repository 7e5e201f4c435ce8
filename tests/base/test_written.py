"""Guarantees of tables laid one over the other, and of who wrote what in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.written import merge

NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
TABLES = st.dictionaries(
    NAMES,
    st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=20),
    max_size=4,
)
LAYERS = st.lists(TABLES, max_size=4).map(
    lambda tables: [(f"{number}.toml", table) for number, table in enumerate(tables)]
)
Path = tuple[str, ...]


def paths(table: Mapping[str, Any], above: Path = ()) -> dict[Path, Any]:
    """Every value that is no table, and every table that is empty, by the way to it."""
    found: dict[Path, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            found |= paths(value, (*above, key))
        else:
            found[(*above, key)] = value
    return found


def at(table: Mapping[str, Any], path: Path) -> Any:
    """What stands there; KeyError where nothing does."""
    value: Any = table
    for name in path:
        if not isinstance(value, Mapping):
            raise KeyError(name)
        value = value[name]
    return value


def over(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """The rule as the documents say it, for two."""
    laid = dict(low)
    for key, value in high.items():
        old = laid.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            laid[key] = over(old, value)
        else:
            laid[key] = value
    return laid


@given(LAYERS)
def test_tables_merge_key_by_key_and_all_else_replaces(layers: list[tuple[str, Any]]) -> None:
    """Any number of layers, as two of them each time; what was given is not touched."""
    before = repr(layers)
    expected: dict[str, Any] = {}
    for _, table in layers:
        expected = over(expected, table)
    merged, _ = merge(layers)
    assert merged == expected
    assert repr(layers) == before


@given(LAYERS)
def test_a_value_is_the_last_files_that_set_it(layers: list[tuple[str, Any]]) -> None:
    """Every value that stands is found at its place in the file that is named for it."""
    merged, written = merge(layers)
    tables = dict(layers)
    for path, value in paths(merged).items():
        file = written.at(*path).file
        assert at(tables[file], path) == value or value == {}
        later = [name for name in tables if name > file]
        for name in later:  # no later one says anything of it
            try:
                found = at(tables[name], path)
            except KeyError:
                continue
            raise AssertionError((name, path, found))


@given(LAYERS)
def test_a_table_is_the_last_files_that_set_anything_in_it(layers: list[tuple[str, Any]]) -> None:
    """A key that nobody wrote is told of the table around it."""
    merged, written = merge(layers)
    for key, value in merged.items():
        setting = [file for file, table in layers if key in table]
        assert written.at(key).file == setting[-1]
        if isinstance(value, Mapping):
            assert written.at(key, "nobody", key).file == setting[-1]
    assert written.at("nobody").file == (layers[-1][0] if layers else "")


def test_a_file_may_nest_deeper_than_python() -> None:
    """It is laid over the others all the same."""
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"a": deep}
    merged, written = merge([("low", {"a": 1}), ("deep", deep)])
    assert isinstance(merged["a"], dict)
    assert written.at("a", "a", "a").file == "deep"
