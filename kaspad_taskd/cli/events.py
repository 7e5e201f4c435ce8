"""`events`: what happened, the newest at the end, and on request what happens now."""

from __future__ import annotations

import sys
import time
from fnmatch import fnmatchcase

from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.streams import must_be_read
from kaspad_taskd.words.apart import owners, shared
from kaspad_taskd.words.event import called, sentence
from kaspad_taskd.words.moment import clock, seconds_of, when
from kaspad_taskd.words.plain import fit, width
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
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
    last, after, since = run.options.last, run.options.after, run.options.since
    which: dict[str, Any] = {"taskId": task} if task else {}
    if after is None or last is not None or since is not None:
        wanted = _Wanted(after, since, told.takes, bool(run.options.type))
        usual = None if since is not None else _USUAL
        seq, events = _newest(run, which, wanted, usual if last is None else last)
        told.tell(events)
        return seq
    while True:
        answer = run.call("getEvents", {**which, "after": after, "limit": _PAGE})
        told.tell(answer["events"])
        if len(answer["events"]) < _PAGE:
            return int(answer["seq"])
        after = answer["events"][-1]["seq"]


class _Wanted:
    """Which events of the past are wanted.

    Args:
        after: those with a higher `seq`; None: all.
        since: those from this moment on, s since 1970 UTC; None: all.
        takes: whether an event is one of those to be told at all.
        picky: whether that may be few of them.
    """

    def __init__(
        self, after: int | None, since: float | None, takes: Callable[[Event], bool], picky: bool
    ) -> None:
        self.after = after
        self._since = since
        self._takes = takes
        self._picky = picky or since is not None

    def holds(self, event: Event) -> bool:
        """Whether this one is wanted."""
        return self._is_in_time(event) and self._takes(event)

    def page(self, missing: int | None) -> int:
        """Return how many to ask for, where so many are missing (None: all)."""
        return _PAGE if self._picky or missing is None else min(max(missing, 1), _PAGE)

    def ends(self, events: Sequence[Event]) -> bool:
        """Whether nothing before these is wanted: of a whole page all are too old.

        Not of the first that is: while a clock was wrong, events may not be in order of time.
        """
        if not events or (self.after is not None and events[0]["seq"] <= self.after):
            return True
        return not any(self._is_in_time(event) for event in events)

    def _is_in_time(self, event: Event) -> bool:
        if self.after is not None and event["seq"] <= self.after:
            return False
        at = None if self._since is None else seconds_of(event["data"].get("timestamp"))
        return at is None or self._since is None or at >= self._since


def _newest(
    run: Run, which: Mapping[str, Any], wanted: _Wanted, count: int | None
) -> tuple[int, list[Event]]:
    """Return the newest `seq`, and the last events that are wanted, `count` (None: all)."""
    if wanted.after is not None:  # what is not kept any more is said, as without --last
        run.call("getEvents", {**which, "after": wanted.after, "limit": 1})
    found: list[Event] = []
    before, seq = _NEWEST, None
    while True:
        size = wanted.page(None if count is None else count - len(found))
        answer = run.call("getEvents", {**which, "before": before, "limit": size})
        page = answer["events"]
        found = [*filter(wanted.holds, page), *found]
        seq = int(answer["seq"]) if seq is None else seq
        enough = count is not None and len(found) >= count
        if enough or len(page) < size or wanted.ends(page):
            return seq, found if count is None else found[-count:] if count > 0 else []
        before = page[0]["seq"]


class _Told:
    """Prints events; those of tasks that share a service with their ids."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._types: Sequence[str] = run.options.type or ()
        self._known: dict[tuple[Any, Any], Mapping[str, Any]] = {}  # told of, by service and id
        self._alike: set[str] = set() if run.options.json else shared(run.call("getAllTasks"))

    def takes(self, event: Event) -> bool:
        """Whether it is of a type that is wanted."""
        name = str(event["event"])
        return not self._types or any(fnmatchcase(name, each) for each in self._types)

    def tell(self, events: Sequence[Event]) -> None:
        """Print those of the types that are wanted, as they are for programs, else a line each."""
        events = [*filter(self.takes, events)]
        if self._run.options.json:
            for event in events:
                self._run.print_json(event)
            return
        self._learn(owners(events))
        for event in events:
            if event["event"] != "sync:progress" or "sync:progress" in self._types:  # else: state
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
