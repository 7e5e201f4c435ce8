"""`events`: what happened, the newest at the end, and on request what happens now."""

from __future__ import annotations

import time

from kaspad_taskd.cli.find import find
from kaspad_taskd.words.event import sentence
from kaspad_taskd.words.moment import clock, seconds_of, when
from kaspad_taskd.words.plain import fit, safe, width

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

_PAGE = 1000
_NEWEST = 2**53
_DAY = 86400


def run(run: Run) -> int:
    """Print what happened; with --follow, go on."""
    options = run.options
    task = find(run, options.task)["id"] if options.task else None
    seq = _past(run, task)
    if options.follow:
        tasks = [task] if task else None
        for event in run.client.events(after=seq, tasks=tasks):
            _print(run, event)
    return 0


def _past(run: Run, task: str | None) -> int:
    """Print the events asked for; returns the `seq` after which following goes on."""
    options = run.options
    which: dict[str, Any] = {"taskId": task} if task else {}
    if options.after is None:
        size = {"before": _NEWEST, "limit": min(max(options.last, 1), _PAGE)}
        answer = run.call("getEvents", {**which, **size})
        for event in answer["events"] if options.last > 0 else ():
            _print(run, event)
        return int(answer["seq"])
    after = options.after
    while True:
        answer = run.call("getEvents", {**which, "after": after, "limit": _PAGE})
        for event in answer["events"]:
            _print(run, event)
            after = event["seq"]
        if len(answer["events"]) < _PAGE:
            return int(answer["seq"])


def _print(run: Run, event: Mapping[str, Any]) -> None:
    if run.options.json:
        run.print_json(event)
    elif event["event"] != "sync:progress":  # state, not history
        run.screen.show([line(event, time.time())])


def line(event: Mapping[str, Any], now: float) -> Line:
    """Return one event: its local time, number, service and sentence."""
    data: Mapping[str, Any] = event["data"]
    at = seconds_of(data.get("timestamp"))
    stamp = "" if at is None else clock(at) if abs(now - at) < _DAY / 2 else when(at, now)
    name = safe(data.get("service") or "-", 100)
    return [
        (fit(stamp, 12 if len(stamp) > 8 else 8) + "  ", "dim"),
        (f"{event['seq']:>4}  ", "dim"),
        (fit(name, min(max(14, width(name)), 30)) + " ", ""),
        (sentence(str(event["event"]), data), ""),
    ]
