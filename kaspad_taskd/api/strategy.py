"""What is recommended to somebody who waits for a task: the shape that a wizard's dialog reads.

Pure. The dialog shows texts as they are and calls methods of numbers, so that none of them is an
object or missing: while nothing is known the text says so, and a count of blocks is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.wire import BLOCKS, blocks
from kaspad_taskd.core.model import TROUBLE, Status, Task
from kaspad_taskd.words import task as said

Json: TypeAlias = Any

SOON_S = 300.0
"""Up to here the wizard's user may as well wait (contract section 3)."""
LATER_S = 3600.0
"""Beyond here the wizard's user should go on without the node (contract section 3)."""
CHOICES = ("wait", "background", "skip")


def strategy(task: Task, shape: Mapping[str, Json]) -> dict[str, Json]:
    """Return what to recommend, and all that a dialog shows beside it.

    Args:
        task: what is waited for.
        shape: the same as the wire has it.
    """
    complete = task.status is Status.COMPLETE
    late = complete and task.health in TROUBLE
    left = None if late else 0.0 if complete else task.live.eta
    best = _recommended(left)
    return {
        "recommended": best,
        "options": [_option(name, best) for name in CHOICES],
        "estimatedTime": (
            _trouble(shape, "brief") if late else words.format_time_left(left, complete)
        ),
        "estimatedSeconds": None if left is None else int(left),
        "note": _trouble(shape, "note") if late else _ready(shape) if complete else None,
        "syncStatus": {"percentage": task.percent, **_position(task)},
        "nodeKey": task.definition.service,
    }


def _recommended(left: float | None) -> str:
    if left is not None and left < SOON_S:
        return "wait"
    return "background" if left is None or left < LATER_S else "skip"


def _option(name: str, best: str) -> dict[str, Json]:
    label = words.say(f"strategy.{name}.label")
    return {
        "id": name,
        "label": label,
        "title": label,  # as it was called first
        "description": words.say(f"strategy.{name}.sentence"),
        "recommended": name == best,
    }


def _trouble(shape: Mapping[str, Json], form: str) -> str:
    """How what is complete is not in sync now."""
    behind = shape["behind"] if shape["health"] == "behind" else None
    return words.say(
        f"strategy.late.{shape['health']}.{form}",
        name=said.name(shape),
        word=said.done_word(shape),
        behind=behind or None,
        why=said.why(shape) if shape["reason"] else None,
    )


def _ready(shape: Mapping[str, Json]) -> str:
    return words.say("strategy.ready", name=said.name(shape), word=said.done_word(shape))


def _position(task: Task) -> dict[str, Json]:
    if task.definition.type not in BLOCKS:
        return {}
    nothing = {"currentBlock": 0, "targetBlock": 0, "blocksRemaining": 0}
    return blocks(task) or nothing
