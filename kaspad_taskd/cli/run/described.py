"""`run` as argparse has it: its help, its faults, and the list of the tools that it knows."""

from __future__ import annotations

from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.run.listing import row
from kaspad_taskd.cli.run.recognise import NoSuchTool, all_tools, recognise
from kaspad_taskd.cli.run.wish import Wish, is_name
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.run.tools.tool import Tool

_HELP = "kaspad-taskctl run --help"
_NAMES = 13


def run(run: Run) -> int:
    """List the tools, or run the command; who comes here with a fault is told of it."""
    if run.options.tools:
        return _list(run)
    wish = wish_of_options(run.options)
    check(wish.chosen)
    from kaspad_taskd.cli.run import verb

    return verb.run(wish)


def check(chosen: str | None) -> None:
    """Refuse what `--as` says, where there is no such tool.

    Raises:
        UsageFault: it is none.
    """
    try:
        recognise(["true"], chosen)
    except NoSuchTool:
        raise UsageFault(say("run.no-tool", tool=chosen), "kaspad-taskctl run --list") from None


def wish_of_options(options: Any) -> Wish:
    """Return what parsed options ask for; raises UsageFault: they cannot."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UsageFault(say("run.no-command"), _HELP)
    for name, text, longest in (("--id", options.id, 100), ("--service", options.service, 64)):
        if not is_name(text, longest):
            raise UsageFault(say("run.no-name", option=name, text=text, longest=longest), _HELP)
    wish = Wish(command)
    for name in ("service", "id", "title", "chosen", "stall_after", "output", "quiet", "socket"):
        setattr(wish, name, getattr(options, name))
    wish.ok_codes = tuple(options.ok_codes)
    return wish


def _list(run: Run) -> int:
    found = all_tools()
    if run.options.json:
        run.print_json([described(tool) for tool in found])
        return 0
    for tool in found:
        known = described(tool)
        name = tool.name if tool.programs else f"--as {tool.name}"
        run.screen.show([[(f"{name:{_NAMES}}  ", ""), (known["tells"], "")]])
    return 0


def described(tool: Tool) -> dict[str, Any]:
    """Return what is known of a tool: `{tool, programs, versions, tells, source}`."""
    _, _, tells, source = row(tool)
    return {
        "tool": tool.name,
        "programs": list(tool.programs),
        "versions": list(tool.versions),
        "tells": tells,
        "source": source,
    }
