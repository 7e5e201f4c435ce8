"""What tools say of an end, and of themselves, is in the table, and nothing beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaspad_taskd.cli.run import tools
from kaspad_taskd.words.table import entry

FILES = sorted(Path(tools.__file__).parent.glob("*.py"))
SAID = re.compile(r'"(run\.(?:end|rerun)\.[\w-]+)"')


def test_every_sentence_is_there_and_used() -> None:
    """Those of ends and of what another run does."""
    asked = {name for file in FILES for name in SAID.findall(file.read_text())}
    known = {f"run.{kind}.{name}" for kind in ("end", "rerun") for name in entry(f"run.{kind}")}
    assert asked == known


TOOLS = sorted(entry("run.tool"))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_says_what_it_tells(tool: str) -> None:
    """And where its numbers are from."""
    for what in ("tells", "source"):
        text = entry(f"run.tool.{tool}.{what}")
        assert isinstance(text, str)
        assert not text.endswith(".")
