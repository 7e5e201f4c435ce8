"""docs/run.md has the table of what the code knows."""

from __future__ import annotations

import os
from pathlib import Path

from kaspad_taskd.cli.run.listing import table
from kaspad_taskd.cli.run.recognise import all_tools

PAGE = Path(__file__).parents[3] / "docs" / "run.md"
BEGIN, END = "<!-- begin: tools (kaspad_taskd.cli.run.listing) -->\n", "<!-- end: tools -->"


def test_the_table_is_what_the_tools_say() -> None:
    """After a change of a tool: GOLDEN=write pytest tests/cli/run/test_docs.py."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}\n{table(all_tools())}\n{END}{after}"
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(wanted)
    assert PAGE.read_text() == wanted
