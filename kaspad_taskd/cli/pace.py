"""`set`: another pace or patience for a task that a program registered."""

from __future__ import annotations

from kaspad_taskd.cli.faults import USAGE, Fault, UsageFault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.wish import SPANS, differing, snake
from kaspad_taskd.words import task as words
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run

_WIRE = {
    "interval": "checkInterval", "timeout": "timeout", "stall_after": "stallAfter",
    "give_up_after": "giveUpAfter", "confirmations": "confirmations", "after": "after",
    "auto_switch": "autoSwitch", "keep_watching": "keepWatching",
    "watch_interval": "watchInterval", "behind_after": "behindAfter",
    "relapse_after": "relapseAfter",
}  # fmt: skip
"""What can be set, as files spell it, and on the wire."""
_WORDS = {"true": True, "false": False}


def run(run: Run) -> int:
    """Change it, and say what was so before."""
    wanted = wish(run.options.pairs)
    task = find(run, run.options.task)
    answer = run.call("updateTask", {"taskId": task["id"], **wanted})
    if run.options.json:
        run.print_json(answer)
        return 0
    name, new = words.name(task), answer["task"]
    known = {**new, "confirmations": (new.get("confirmations") or {}).get("need")}
    changes = [
        say("changed.pace.one", key=snake(key), now=now, before=before)
        for key, now, before in differing({key: known[key] for key in wanted}, task)
    ]
    said = "changed.pace.done" if changes else "changed.pace.same"
    run.screen.say(say(said, name=name, changes=", ".join(changes)))
    return 0


def wish(pairs: Sequence[str]) -> dict[str, Any]:
    """Return KEY=VALUE words as `updateTask` takes them; keys as files, options or JSON have them.

    Raises:
        Fault: `bad-pair`.
        UsageFault: a key that cannot be set.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise Fault("bad-pair", USAGE, pair=pair)
        name = snake(key.replace("-", "_"))
        if name not in _WIRE:
            known = ", ".join(_WIRE)
            raise UsageFault(
                say("error.set-key", key=key, known=known), "kaspad-taskctl set --help"
            )
        found[_WIRE[name]] = _value(_WIRE[name], text)
    return found


def _value(key: str, text: str) -> Any:
    """As the wire has it; what it cannot be the daemon says."""
    if key == "after":
        return [each.strip() for each in text.split(",") if each.strip()]
    if key in SPANS:
        return text
    return int(text) if text.isascii() and text.isdigit() else _WORDS.get(text, text)
