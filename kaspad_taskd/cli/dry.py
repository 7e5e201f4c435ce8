"""`register --dry-run`: the file that a task would have, and nothing registered."""

from __future__ import annotations

import sys

from kaspad_taskd.cli.faults import FAILED
from kaspad_taskd.cli.listing import own_files
from kaspad_taskd.cli.proposed import judge
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run

_HEADER = (
    "id", "type", "service", "checkInterval", "timeout", "confirmations", "stallAfter",
    "giveUpAfter", "after", "start", "autoSwitch", "keepWatching", "watchInterval", "behindAfter",
    "relapseAfter", "onComplete",
)  # fmt: skip
"""Keys that stand beside `config`."""


def show(run: Run, kind: str | None, wish: Mapping[str, Any]) -> int:
    """Print the TOML and where it belongs; whatever is wrong with it goes to standard error.

    Args:
        run: its daemon, if there is one, says where the files are.
        kind: the type, where the checker's keys stand beside the header's.
        wish: as it would be sent.
    """
    info = _info(run)
    answer = judge(info, body=wish if kind is None else _plain(kind, wish))
    faults, warnings = answer["faults"], answer["warnings"]
    directory = own_files(info)
    file = None if answer["id"] is None else f"{directory}/{answer['id']}.toml"
    if run.options.json:
        run.print_json({**answer, "file": file})
    elif not faults:
        run.screen.out.write(f"# {safe(file, 4096)}\n{answer['toml']}")
        run.screen.out.flush()
        tell([say("dry.warning", what=safe(each)) for each in warnings], run)
    if faults and not run.options.json:
        said = say("error.dry.what")
        tell([say("error.prefix", what=said), *("  " + safe(each) for each in faults)], run)
    return FAILED if faults else 0


def tell(lines: Sequence[str], run: Run) -> None:
    """Write lines to standard error."""
    Screen(sys.stderr, "never", run.options.ascii).show([[(line, "")] for line in lines])


def _info(run: Run) -> Mapping[str, Any]:
    """What a daemon says of itself; nothing where none answers: none need run."""
    try:
        info: Mapping[str, Any] = run.call("getInfo")
    except (Refused, Unreachable):
        return {}
    return info


def _plain(kind: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    """The body of `registerTask` for what the methods of a type take flat."""
    header = {key: value for key, value in wish.items() if key in _HEADER}
    config = {key: value for key, value in wish.items() if key not in _HEADER}
    if "indexerUrl" in config:
        config["url"] = config.pop("indexerUrl")
    return {**header, "type": kind, "config": config}
