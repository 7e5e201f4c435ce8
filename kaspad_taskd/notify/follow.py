"""What the daemon tells, over `watch.sock`: in a thread of its own, for ever, none missing.

It asks for what no event tells as well, and knows whether the daemon answers at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.client import Client, Refused, Subscription, Unreachable
from kaspad_taskd.notify.ear import Ear, Stopped
from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.snapshot import Snapshot, Wire

QUIET: Final = 20.0
"""Seconds without a word after which the daemon is asked whether it is there."""
PATIENCE: Final = 10.0
"""Seconds for an answer."""
PAUSE: Final = 1.0
"""Seconds between two tries to reach it."""
HELD: Final = 200
"""Words that may wait to be taken; then the daemon waits, and tells the rest later."""

log = logging.getLogger(__name__)


@frozen
class Began:
    """It was begun from now: at the first start, or where the journal is another one.

    Attributes:
        snapshot: what is so at `cursor`.
        cursor: from where events follow.
    """

    snapshot: Snapshot
    cursor: Cursor


@frozen
class Heard:
    """An event, and how far the journal is heard with it."""

    event: Wire
    cursor: Cursor


@frozen
class Learned:
    """Answers to what no event tells; `warnings` None: not asked."""

    tasks: Sequence[Wire]
    warnings: Sequence[Wire] | None


@frozen
class CaughtUp:
    """The daemon answers, and all that it had to tell is heard."""


@frozen
class Lost:
    """The daemon does not answer."""


Word: TypeAlias = Began | Heard | Learned | CaughtUp | Lost


class Follower(Ear[Word]):
    """Reads on until it is stopped.

    Args:
        socket: the path of `watch.sock`.
        cursor: from where, None for now.
        tell: takes each word; not called again before it returns.
        idle: called every second or so.
        every: seconds between two questions for what no event tells.

    Attributes:
        asks: what is asked for then.
    """

    def __init__(
        self,
        socket: str,
        cursor: Cursor | None,
        tell: Callable[[Word], None],
        idle: Callable[[], None],
        every: float = 60.0,
    ) -> None:
        super().__init__("follow", tell, idle)
        self._cursor = cursor
        self._every = every
        self._events = Client(socket, timeout=PATIENCE, patience=0.0)
        self._asking = Client(socket, timeout=PATIENCE, patience=0.0)
        self._sparing = Sparing()
        self._caught = False
        self._need: int | None = None
        self._pinged = 0.0
        self._apart = False
        self._asked = time.monotonic()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except Stopped:
                break
            except (Unreachable, Refused) as fault:
                self._note_lost(fault)
            except Exception:
                log.exception("following the daemon failed")
                self._stop.wait(PAUSE * 10)
        self._events.close()
        self._asking.close()

    def _follow(self) -> None:
        cursor = self._cursor
        events = self._events.events(
            after=None if cursor is None else cursor.seq,
            journal=None if cursor is None else cursor.journal,
            last=_event_of(cursor),
            lost=self._note_end,
            idle=self._turn,
            gap=self._note_gap,
            fresh=self._begin,
        )
        try:
            for event in events:
                self._hear(event)
        finally:
            events.close()  # type: ignore[attr-defined]

    def _hear(self, event: Wire) -> None:
        self.answered = time.monotonic()
        if self._cursor is not None:
            seq = max(self._cursor.seq, event["seq"])
            last = self._cursor.last
            if event["event"] != "sync:progress":
                last = (event["seq"], event["event"], str(event["data"].get("timestamp")))
            self._cursor = Cursor(self._cursor.journal, seq, last)
            self._say(Heard(event, self._cursor))
        self._turn()

    def _begin(self, source: Subscription) -> None:
        warnings = self._asking.call("getWarnings")["warnings"]
        attentions = self._asking.call("getInfo").get("attentions") or []
        self._cursor = Cursor(source.journal, source.seq)
        self._say(Began(Snapshot(source.tasks, warnings, attentions), self._cursor))
        source.tasks = []
        self._apart = False
        self._note_caught()

    def _note_gap(self, fault: Refused) -> None:
        log.warning("the daemon's journal is not the one that was heard (%s): begun anew", fault)

    def _note_end(self, fault: Unreachable) -> None:
        """The connection for events is gone; the next turn is still without one."""
        self._apart = True
        self._note_lost(fault)

    def _note_lost(self, fault: Unreachable | Refused) -> None:
        self._need = None
        self._asking.close()
        if self._caught:
            self._caught = False
            log.warning("the daemon does not answer: %s", fault)
            self._say(Lost())
        elif (more := self._sparing.may(str(fault))) is not None:
            log.info("no answer of the daemon (%d tries before): %s", more, fault)
        self._stop.wait(PAUSE)
        self._live()

    def _note_caught(self) -> None:
        self.answered = time.monotonic()
        if not self._caught:
            self._caught = True
            log.info("the daemon answers, and is heard")
            self._say(CaughtUp())

    def _turn(self) -> None:
        """What is done besides, every second or so, and between events."""
        self._live()
        now = time.monotonic()
        if self._apart:
            self._apart = False
        elif not self._caught:
            self._catch_up(now)
        elif now - self.answered > QUIET:
            self._ping()
        elif now - self._asked > self._every:
            self._asked = now
            self._ask()

    def _catch_up(self, now: float) -> None:
        """See whether all is heard that the daemon has on record."""
        if self._need is None or now - self._pinged > PAUSE:
            self._pinged = now
            self._ping()
        if self._need is not None and self._cursor is not None and self._cursor.seq >= self._need:
            self._note_caught()

    def _ping(self) -> None:
        """Ask whether it is there, and how far its journal goes."""
        try:
            self._need = self._asking.call("ping")["seq"]
        except (Unreachable, Refused) as fault:
            self._note_lost(fault)
        else:
            self.answered = time.monotonic()

    def _ask(self) -> None:
        asks = self.asks
        if not asks.tasks and not asks.warnings:
            return
        try:
            tasks = [self._asking.call("getTask", {"taskId": task}) for task in asks.tasks]
            warnings = self._asking.call("getWarnings")["warnings"] if asks.warnings else None
        except (Unreachable, Refused) as fault:
            log.info("asking the daemon failed: %s", fault)
            self._asking.close()
            return
        self._say(Learned([task for task in tasks if task], warnings))


def _event_of(cursor: Cursor | None) -> dict[str, Any] | None:
    if cursor is None or cursor.last is None:
        return None
    seq, name, timestamp = cursor.last
    return {"seq": seq, "event": name, "data": {"timestamp": timestamp}}
