"""`incidents`: when what is kept watch on was not in sync, the newest at the end."""

from __future__ import annotations

import time

from kaspad_taskd.cli.faults import Fault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.screen import hang
from kaspad_taskd.words.apart import shared
from kaspad_taskd.words.event import called
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import fit, width
from kaspad_taskd.words.record import incident
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

_USUAL = 20
_MOST = 1000


def run(run: Run) -> int:
    """Run the verb."""
    last, since = run.options.last, run.options.since
    usual = _USUAL if since is None else _MOST
    params: dict[str, Any] = {"limit": min(_MOST, usual if last is None else last)}
    if run.options.task:
        params["taskId"] = _id(run, run.options.task)
    if since is not None:
        params["from"] = _iso(since)
    answer = run.call("getIncidents", params)
    if run.options.json:
        run.print_json(answer)
        return 0
    found = answer["incidents"][::-1]
    if not found:
        run.screen.say(say("incident.none"))
        return 0
    now, alike = time.time(), shared(run.call("getAllTasks"))
    for one in found:
        run.screen.show(lines(one, run.screen.width, now, alike))
    return 0


def _id(run: Run, name: str) -> str:
    """The id of a task, or of one that is gone and whose incidents are still told."""
    try:
        return str(find(run, name)["id"])
    except Fault:
        if run.call("getIncidents", {"taskId": name, "limit": 1})["incidents"]:
            return name
        raise


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def lines(one: Mapping[str, Any], cells: int, now: float, alike: Container[str] = ()) -> list[Line]:
    """Return one incident: when it began, whose it is, what it was; one that lasts stands out."""
    began = seconds_of(one["began"])
    stamp = fit("" if began is None else when(began, now), 12)
    name = called(one, alike) or "-"
    tone = "attention" if one["ended"] is None else ""
    head = [(f"{stamp}  ", "dim"), (fit(name, max(14, min(30, width(name)))) + " ", tone)]
    return hang(head, incident(one, now), cells)
