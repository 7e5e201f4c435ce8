"""`warnings`: what must have been seen once, and `warnings ack`: that it was."""

from __future__ import annotations

import time

from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

ALL = "all"
_SHOWN = 3  # above a list; the rest is counted


def run(run: Run) -> int:
    """Run the verb."""
    if run.options.action == "ack":
        return _acknowledge(run, run.options.id)
    if run.options.id is not None:
        raise UsageFault(say("error.ack-what"), f"{PROG} warnings --help")
    answer = run.call("getWarnings")
    if run.options.json:
        run.print_json(answer)
    elif not answer["warnings"]:
        run.screen.say(say("warnings.none"))
    else:
        run.screen.show(lines(answer["warnings"], run.screen.width, time.time()))
    return 0


def _acknowledge(run: Run, which: str | None) -> int:
    if which is None or not (which == ALL or (which.isascii() and which.isdigit())):
        raise UsageFault(say("error.ack-which"), f"{PROG} warnings")
    if which == ALL:
        numbers = [one["id"] for one in run.call("getWarnings")["warnings"]]
    else:
        numbers = [int(which)]
    answers = [run.call("acknowledgeWarning", {"id": number}) for number in numbers]
    if run.options.json:
        run.print_json(answers if which == ALL else answers[0])
        return 0
    for answer in answers:
        run.screen.say(say("warnings.seen", note=safe(answer["warning"]["note"])))
    if not answers:
        run.screen.say(say("warnings.none"))
    return 0


def lines(warnings: Sequence[Mapping[str, Any]], cells: int, now: float) -> list[Line]:
    """Return each warning: what is, since when, the cure, and how to say that it was seen."""
    shown: list[Line] = []
    for one in warnings:
        began = seconds_of(one.get("at"))
        at = when(began, now) if began else say("unknown")
        text = say("warnings.one", when=at, note=safe(one.get("note")))
        shown += hang([("! ", "attention")], text, cells)
        cure = one.get("cure")
        if cure:
            shown += [[(f"  {part}", "")] for part in wrap(safe(cure), cells - 2)]
        shown.append([(f"  {PROG} warnings ack {one.get('id')}", "dim")])
    return shown


def above(warnings: Sequence[Mapping[str, Any]], cells: int, now: float) -> list[Line]:
    """Return the newest few as they stand above a list of tasks."""
    shown = lines(warnings[-_SHOWN:], cells, now)
    more = len(warnings) - _SHOWN
    if more > 0:
        shown.append([(f"  {say('warnings.more', n=more)}", "dim")])
    return shown
