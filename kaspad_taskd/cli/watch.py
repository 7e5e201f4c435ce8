"""`watch`: the tasks live. On a terminal a frame, in a pipe a line per change, with --json events.

The connection that tells events says what has changed, another one asks for it: at most four times
a second, and never more than a fifth of the time.
"""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli import live
from kaspad_taskd.cli.ending import RETRY, TIMED_OUT, code_of_all
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.frame import Frame
from kaspad_taskd.cli.streams import must_be_read
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words.apart import told_apart
from kaspad_taskd.words.moment import clock
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.client import Subscription

    Tell: TypeAlias = Callable[["Watched", str], None]

_FASTEST = 0.25
_TICK = 1.0
_FEW = 8  # tasks asked for one by one; more, and all are
_QUIET = 300.0  # a line at least so often


class Watched:
    """The tasks watched, as last heard, and what of them has changed since they were asked for.

    Attributes:
        ids: those wanted, or None for all.
        tasks: by id, in order of registration.
        seq: of the newest event heard.
    """

    def __init__(self, run: Run, ids: list[str] | None) -> None:
        self._run = run
        self.ids = ids
        self.tasks: dict[str, dict[str, Any]] = {}
        self.seq = 0
        self._changed: set[str] = set()
        self._asked = 0.0
        self._took = 0.0

    def snapshot(self, subscription: Subscription) -> None:
        """Take what a new subscription begins with."""
        self.tasks = {task["id"]: task for task in subscription.tasks}
        self.seq = subscription.seq
        self._changed.clear()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Note what an event is about."""
        self.seq = max(self.seq, int(event["seq"]))
        if event["data"].get("taskId") is not None:  # somebody's switch has no task
            self._changed.add(event["data"]["taskId"])

    @property
    def due(self) -> float | None:
        """Seconds until what has changed may be asked for, or None where nothing has."""
        if not self._changed:
            return None
        pause = max(_FASTEST, 4 * self._took)
        return max(0.0, self._asked + pause - time.monotonic())

    def refresh(self) -> None:
        """Ask for what has changed."""
        began = time.monotonic()
        changed, self._changed = self._changed, set()
        try:
            if len(changed) > _FEW or not changed <= self.tasks.keys():
                every = self._run.call("getAllTasks")
                wanted = self.ids
                self.tasks = {t["id"]: t for t in every if wanted is None or t["id"] in wanted}
            else:
                self._ask_each(changed)
        except Unreachable:
            self._changed |= changed
            raise
        self._asked = time.monotonic()
        self._took = self._asked - began

    def _ask_each(self, changed: set[str]) -> None:
        for task_id in changed:
            task = self._run.call("getTask", {"taskId": task_id})
            if task is None:
                del self.tasks[task_id]
            else:
                self.tasks[task_id] = task

    def ended(self) -> int | None:
        """Return the exit code once all wanted tasks have ended; without names there is no end."""
        if self.ids is None:
            return None
        return code_of_all(self.tasks.get(task_id) for task_id in self.ids)


def run(run: Run) -> int:
    """Watch until all named tasks have ended, the time is up, or Ctrl-C."""
    names = getattr(run.options, "task", None)
    ids = [find(run, name)["id"] for name in names] if names else None
    watched = Watched(run, ids)
    if run.options.json:
        return _follow(run, watched, lambda _watched, _link: None, run.print_json)
    if not run.screen.terminal:
        return _follow(run, watched, _Log(run).tell)
    host = str(run.call("getInfo").get("host") or "")
    with Frame(run.screen) as frame:
        return _follow(run, watched, _Painter(frame, host).tell)


def _follow(
    run: Run, watched: Watched, tell: Tell, each: Callable[[Mapping[str, Any]], None] | None = None
) -> int:
    """Follow events over restarts of the daemon; `tell` is called whenever there may be news."""
    limit = time.monotonic() + (run.options.timeout or float("inf"))
    lost: float | None = None
    while True:
        try:
            source = run.client.subscribe(tasks=watched.ids)
        except Unreachable:
            if lost is None:
                raise  # there was no daemon to begin with
            if time.monotonic() >= limit:
                return TIMED_OUT
            tell(watched, say("watch.reconnecting", when=clock(lost)))
            must_be_read()
            time.sleep(RETRY)
            continue
        try:
            code = _listen(watched, source, tell, each, limit)
        except (Unreachable, Refused) as fault:
            if isinstance(fault, Refused) and fault.reason != "gap":
                raise
            lost = time.time()
        else:
            return code
        finally:
            source.close()
        tell(watched, say("watch.reconnecting", when=clock(lost)))


def _listen(
    watched: Watched,
    source: Subscription,
    tell: Tell,
    each: Callable[[Mapping[str, Any]], None] | None,
    limit: float,
) -> int:
    """Return the exit code at the end; raises Unreachable when the connection is lost."""
    watched.snapshot(source)
    while True:
        tell(watched, say("watch.live"))
        code = watched.ended()
        if code is not None:
            return code
        now = time.monotonic()
        if now >= limit:
            return TIMED_OUT
        must_be_read()
        hear(watched, source, each, min(now + _TICK, limit))


def hear(
    watched: Watched,
    source: Subscription,
    each: Callable[[Mapping[str, Any]], None] | None,
    until: float,
) -> None:
    """Hear events until something new may be shown, `until` at the latest.

    Raises:
        Unreachable: the connection is lost.
    """
    while (left := until - time.monotonic()) > 0:
        due = watched.due
        if due == 0:
            watched.refresh()
            return
        event = source.next(left if due is None else min(left, due))
        if event:
            watched.hear(event)
            if each:
                each(event)


class _Painter:
    """Shows the tasks in a frame."""

    def __init__(self, frame: Frame, host: str) -> None:
        self._frame = frame
        self._host = host

    def tell(self, watched: Watched, link: str) -> None:
        """Paint what is known now; what has not changed is not written."""
        now = time.time()
        frame = self._frame
        frame.measure()
        head = live.heading(self._host, link, frame.columns, now)
        tasks = list(watched.tasks.values())
        frame.paint([head, *live.body(tasks, frame.columns, frame.rows - 2, now)])


class _Log:
    """Writes a line for each change of state, step or whole percent, else one in five minutes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: dict[str, tuple[tuple[object, ...], float]] = {}
        self._link = say("watch.live")

    def tell(self, watched: Watched, link: str) -> None:
        """Write what is news."""
        if link != self._link:
            self._link = link
            sys.stderr.write(f"kaspad-taskd: {link}\n")
        now = time.monotonic()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for task in told_apart(list(watched.tasks.values())):
            task_id = str(task["id"])
            mark, at = self._told.get(task_id, ((), -_QUIET))
            news = live.mark(task)
            if news != mark or now - at >= _QUIET:
                self._told[task_id] = (news, now)
                self._run.screen.show([[(live.plain(task, stamp), "")]])
