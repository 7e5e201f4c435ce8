"""What is known of each tool, for `run --list` and for the table in docs/run.md."""

from __future__ import annotations

from kaspad_taskd.words.sentences import maybe

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kaspad_taskd.cli.run.tools.tool import Tool

HEAD = ("tool", "versions", "what it tells", "where the numbers are from")


def row(tool: Tool) -> tuple[str, str, str, str]:
    """Return a tool's name, the versions that it was tried with, what it tells, and by what."""
    tells, source = (maybe(f"run.tool.{tool.name}.{what}") or "" for what in ("tells", "source"))
    return tool.name, ", ".join(tool.versions), tells, source


def table(tools: Iterable[Tool]) -> str:
    """Return the rows as a table of Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(row(tool) for tool in tools)]
    return "".join(f"| {' | '.join(_cell(text) for text in each)} |\n" for each in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
