"""`events`: what happened, the newest at the end, and on request what happens now."""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.streams import must_be_read
from kaspad_taskd.words.apart import owners, shared
from kaspad_taskd.words.event import called, sentence
from kaspad_taskd.words.moment import clock, seconds_of, when
from kaspad_taskd.words.plain import fit, width
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from typing import Any, TypeAlias

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line
    from kaspad_taskd.client import Refused

    Event: TypeAlias = Mapping[str, Any]

_PAGE = 1000
_USUAL = 20
_NEWEST = 2**53
_DAY = 86400


def run(run: Run) -> int:
    """Print what happened; with --follow, go on."""
    options = run.options
    task = find(run, options.task)["id"] if options.task else None
    told = _Told(run)
    seq = _past(run, task, told)
    if options.follow:
        tasks = [task] if task else None
        for event in run.client.events(after=seq, tasks=tasks, idle=must_be_read, gap=_say_gap):
            told.tell([event])
    return 0


def _say_gap(_why: Refused) -> None:
    """Say, beside what is printed, that some are missing, and go on from now."""
    sys.stderr.write(f"kaspad-taskd: {say('watch.gap')}\n")


def _past(run: Run, task: str | None, told: _Told) -> int:
    """Print the events asked for; returns the `seq` after which following goes on."""
    last, after = run.options.last, run.options.after
    which: dict[str, Any] = {"taskId": task} if task else {}
    if after is None or last is not None:
        seq, events = _newest(run, which, _USUAL if last is None else last, after)
        told.tell(events)
        return seq
    while True:
        answer = run.call("getEvents", {**which, "after": after, "limit": _PAGE})
        told.tell(answer["events"])
        if len(answer["events"]) < _PAGE:
            return int(answer["seq"])
        after = answer["events"][-1]["seq"]


def _newest(
    run: Run, which: Mapping[str, Any], last: int, after: int | None
) -> tuple[int, list[Event]]:
    """Return the newest `seq`, and the last events, of those that followed `after` where given."""
    if after is not None:  # what is not kept any more is said, as without --last
        run.call("getEvents", {**which, "after": after, "limit": 1})
    found: list[Event] = []
    before, seq = _NEWEST, None
    while True:
        size = min(max(last - len(found), 1), _PAGE)
        answer = run.call("getEvents", {**which, "before": before, "limit": size})
        page = [each for each in answer["events"] if after is None or each["seq"] > after]
        found = [*page, *found]
        seq = int(answer["seq"]) if seq is None else seq
        if len(page) < size or len(found) >= last:
            return seq, found[-last:] if last > 0 else []
        before = page[0]["seq"]


class _Told:
    """Prints events; those of tasks that share a service with their ids."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[tuple[Any, Any], Mapping[str, Any]] = {}  # told of, by service and id
        self._alike: set[str] = set() if run.options.json else shared(run.call("getAllTasks"))

    def tell(self, events: Sequence[Event]) -> None:
        """Print them, as they are for programs, else a line each."""
        if self._run.options.json:
            for event in events:
                self._run.print_json(event)
            return
        self._learn(owners(events))
        for event in events:
            if event["event"] != "sync:progress":  # state, not history
                self._run.screen.show([line(event, time.time(), self._alike)])

    def _learn(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        found = {(one["service"], one["id"]): one for one in tasks}
        if found.keys() - self._known.keys():
            self._known |= found
            self._alike |= shared(self._known.values())


def line(event: Event, now: float, alike: Container[str] = ()) -> Line:
    """Return one event: its local time, number, service (with the id, where alike), sentence."""
    data: Mapping[str, Any] = event["data"]
    at = seconds_of(data.get("timestamp"))
    stamp = "" if at is None else clock(at) if abs(now - at) < _DAY / 2 else when(at, now)
    name = called(data, alike) or "-"
    longest = 30 if data.get("service") not in alike else width(name)  # an id is not cut
    return [
        (fit(stamp, 12 if len(stamp) > 8 else 8) + "  ", "dim"),
        (f"{event['seq']:>4}  ", "dim"),
        (fit(name, min(max(14, width(name)), longest)) + " ", ""),
        (sentence(str(event["event"]), data), ""),
    ]
