"""The page on checkers: what it shows works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.base.tables import Table
from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.probes import TYPES, Means

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checkers.md").read_text()
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = sorted((ROOT / "etc" / "kaspad-taskd" / "tasks.d").glob("*.toml.example"))


async def test_the_probe_on_the_page_runs(tmp_path: Path) -> None:
    """From its table to complete."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    module: dict[str, Any] = {"__name__": "file_size"}
    exec(source, module)
    file = tmp_path / "file"
    faults: list[Any] = []
    table = Table({"path": str(file), "size": 4}, faults)
    checker = module["TYPE"].parse(table, "s")
    assert table.done()
    probe = module["TYPE"].open(Definition("f", "file-size", "s", checker=checker.config), Means())
    assert isinstance(await probe.observe({}), Unreachable)
    file.write_text("ab")
    half = await probe.observe({})
    assert isinstance(half, Reading)
    assert (half.position, half.target, half.complete) == (2, 4, False)
    file.write_text("abcd")
    assert (await probe.observe(half.memory)).complete
    module["TYPE"].parse(Table({"path": "x", "size": "4"}, faults), "s")
    assert [fault.key for fault in faults] == ["path", "size"]


@pytest.mark.parametrize("text", TOML, ids=range(len(TOML)))
def test_the_tables_on_the_page_are_good(text: str) -> None:
    """Whole definitions, or the table of the type whose keys it has."""
    data = tomllib.loads(text)
    if "type" not in data:
        kind = "command" if "command" in data["checker"] else "http-json"
        data |= {"type": kind, "service": "x"}
    found = parse_definition(data, TYPES, origin=Origin.ADMIN, style="toml", id="x")
    assert isinstance(found, Definition), found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_good(path: Path) -> None:
    """They can be copied as they are; what they wait for is there, too."""
    data = tomllib.loads(path.read_text())
    found = parse_definition(data, TYPES, origin=Origin.ADMIN, style="toml", id="x")
    assert isinstance(found, Definition), found
    shipped = (ROOT / "packaging" / "tasks.d").glob("*.toml")
    names = {each.name.partition(".")[0] for each in (*EXAMPLES, *shipped)}
    assert set(found.after) <= names
