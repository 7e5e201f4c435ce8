"""What is known of tools, as a table."""

from __future__ import annotations

from kaspad_taskd.cli.run.listing import row, table
from kaspad_taskd.cli.run.tools.rsync import TOOL


def test_a_row_says_what_a_tool_tells() -> None:
    """With the versions that its reader was made for."""
    name, versions, tells, source = row(TOOL)
    assert (name, versions) == ("rsync", "3.2.7, 3.5.0")
    assert "progress2" in tells
    assert "to-chk" in source


def test_as_markdown() -> None:
    """A head, a line, and a row for each."""
    lines = table([TOOL, TOOL]).splitlines()
    assert [line.count(" | ") for line in lines] == [3, 3, 3, 3]
    assert lines[2] == lines[3]
