"""The diagram is the table."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from kaspad_taskd.core.diagram import diagram
from kaspad_taskd.core.model import TERMINAL, Status
from kaspad_taskd.core.transition import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_every_row_is_drawn_and_nothing_else() -> None:
    """Read back, the arrows are the rows of the table."""
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", diagram(), re.MULTILINE)
    drawn = {
        (source.replace("_", "-"), action, target.replace("_", "-"))
        for source, target, actions in arrows
        for action in actions.split(", ")
    }
    assert drawn == {(s.value, a.value, t.value) for (s, a), t in TABLE.items()}


def test_begin_and_ends() -> None:
    """A task begins pending; what is terminal leads out, nothing else does."""
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> pending"]
    ends = {Status(line.split()[0]) for line in lines if line.endswith("--> [*]")}
    assert ends == TERMINAL


@pytest.mark.skipif(not PAGE.exists(), reason="docs/architecture.md is not there yet")
def test_page_shows_it() -> None:
    """The page for newcomers holds the diagram as it is today."""
    assert diagram() in PAGE.read_text(encoding="utf-8")


def test_printed_by_its_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m kaspad_taskd.core.diagram` is how the page is renewed."""
    monkeypatch.delitem(sys.modules, "kaspad_taskd.core.diagram")
    runpy.run_module("kaspad_taskd.core.diagram", run_name="__main__")
    assert capsys.readouterr().out == diagram() + "\n"
