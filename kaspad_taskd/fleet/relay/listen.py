"""What the daemon tells, over `watch.sock`, and is asked: in a thread of its own.

It waits where nobody takes what it has: then the daemon tells the rest later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final

from kaspad_taskd.client import Client, Refused, Subscription, Unreachable
from kaspad_taskd.fleet.relay.batch import PROGRESS
from kaspad_taskd.fleet.relay.past import INCIDENTS, POINTS, packed
from kaspad_taskd.fleet.relay.plan import Facts, Found, Start, start, told_event
from kaspad_taskd.fleet.relay.words import (
    Away,
    Begun,
    Heard,
    Known,
    Past,
    Served,
    Wants,
    Wire,
    Word,
)

PATIENCE: Final = 10.0
"""Seconds for an answer."""
PAUSE: Final = 1.0
"""Seconds between two tries to reach the daemon."""
HELD: Final = 200
"""Words that may wait to be taken."""
QUIET: Final = 20.0
"""Seconds without a word after which the daemon is asked whether it is there."""
TOUCHED_S: Final = 0.1
"""Seconds after an event in which more may come before its task is asked for."""
SERVED_S: Final = 60.0
"""Seconds between two questions for what no event may have told."""
PAST_S: Final = 300.0
"""Seconds between two questions for the past of what changed."""
AT_ONCE: Final = 20
"""Questions between two looks for an event."""
ADDED: Final = "task:added"
_STATE: Final = ("status", "health", "phase")
"""What of a task's progress is durable, beside the number that every one brings."""

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Somebody wants it to end."""


class Listener:
    """Listens until it is stopped, over restarts of the daemon.

    Args:
        socket: the path of `watch.sock`.
        keep: events that a stream which begins is given at most.

    Attributes:
        words: what it has to say, in order.
    """

    def __init__(self, socket: str, keep: int) -> None:
        self._keep = keep
        self._events = Client(socket, timeout=PATIENCE, patience=0.0)
        self._asking = Client(socket, timeout=PATIENCE, patience=0.0)
        self._room = threading.BoundedSemaphore(HELD)
        self._answers: SimpleQueue[Found] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self.words: SimpleQueue[Word] = SimpleQueue()
        self._forget(())

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end; a question under way is not waited for."""
        self._stop.set()

    def taken(self) -> None:
        """A word was taken: there is room for another."""
        self._room.release()

    def answer(self, found: Found) -> None:
        """Say what is in Redis, as it was asked for."""
        self._answers.put(found)

    @property
    def lives(self) -> bool:
        """Whether it does its work, or will."""
        return self._thread.is_alive()

    # the thread

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except Stopped:
                break
            except Refused as fault:
                self._refused(fault)
            except Unreachable as fault:
                self._lost(str(fault), PAUSE)
            except Exception:
                log.exception("listening to the daemon failed")
                self._lost("a fault of the relay's", PAUSE * 10)
        self._events.close()
        self._asking.close()

    def _refused(self, fault: Refused) -> None:
        """What has a gap by now, for we were slow or it was put back, is begun again."""
        if fault.reason != "gap":
            self._lost(str(fault), PAUSE)
            return
        log.info("the daemon's events are taken up anew: %s", fault)
        self._stop.wait(PAUSE)

    def _lost(self, why: str, pause: float) -> None:
        self._asking.close()
        try:
            self._say(Away(why))
        except Stopped:
            return
        self._stop.wait(pause)

    def _follow(self) -> None:
        with self._begun() as source:
            while True:
                event = source.next(self._patience())
                if event is not None:
                    self._hear(event)
                self._turn(event is not None)

    @contextmanager
    def _begun(self) -> Iterator[Subscription]:
        """Find out where to go on, and go on there."""
        info = self._ask("getInfo")
        journal = info.get("journal") or ""
        if not journal:
            raise Unreachable("not-taskd", self._asking.path, "it has no journal to go on with")
        found = self._found(journal)
        begin = start(found, self._facts(found, journal), self._keep)
        source = self._events.subscribe(begin.after, None, journal)
        try:
            self._hold_to(begin, found, journal)
            self._begin(begin, journal, str(info.get("version") or ""))
            yield source
        finally:
            source.close()

    def _hold_to(self, begin: Start, found: Found, journal: str) -> None:
        """See that what was found out before the subscription was so with it."""
        again = start(found, self._facts(found, journal), self._keep)
        if again.stream != begin.stream:
            raise Unreachable("closed", self._asking.path, "it became another one meanwhile")

    def _begin(self, begin: Start, journal: str, version: str) -> None:
        tasks = self._ask("getAllTasks")
        self._forget([each["id"] for each in tasks])
        services, warnings = self._ask("getServices"), self._ask("getWarnings")
        self._say(Begun(begin, journal, version, tasks, services, warnings))

    def _found(self, journal: str) -> Found:
        self._say(Wants(journal))
        while True:
            self._hold_on()
            try:
                return self._answers.get(timeout=PAUSE)
            except Empty:
                continue

    def _facts(self, found: Found, journal: str) -> Facts:
        page = self._ask("getEvents", limit=1, journal=journal)
        seq, oldest, last = page["seq"], page["oldest"], found.last
        there = None
        if last is not None and oldest <= last.number <= seq:
            events = self._ask("getEvents", after=last.number - 1, limit=1)["events"]
            there = next((told_event(each) for each in events), None)
        return Facts(journal, seq, oldest, there)

    # events, and what is asked because of them

    def _forget(self, ids: Any) -> None:
        self._touched: dict[str, None] = {}
        self._touched_at = 0.0
        self._serve = False
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._moved: dict[str, None] = {}
        self._due: dict[str, None] = dict.fromkeys(ids)
        self._served_at = self._past_at = self._heard_at = time.monotonic()

    def _hear(self, event: Wire) -> None:
        self._heard_at = time.monotonic()
        self._say(Heard(event))
        name, data = event["event"], event["data"]
        task_id = data.get("taskId")
        if task_id is None or not name.startswith("sync:"):
            self._serve = True
        if task_id is None:
            return
        self._moved[task_id] = None
        if name == ADDED:
            self._due[task_id] = None
        if name == PROGRESS:
            state = tuple(data.get(key) for key in _STATE)
            known = self._seen.get(task_id, state)
            self._seen[task_id] = state
            if state == known:
                return
        self._touch(task_id)

    def _touch(self, task_id: str) -> None:
        if not self._touched:
            self._touched_at = time.monotonic()
        self._touched[task_id] = None

    def _patience(self) -> float:
        """Seconds in which nothing is to be asked."""
        if self._touched or self._serve:
            return TOUCHED_S
        return 0.01 if self._due else PAUSE

    def _turn(self, busy: bool) -> None:
        """Ask what is due; while events come only what they are the reason for."""
        self._hold_on()
        now = time.monotonic()
        if self._touched and (not busy or now - self._touched_at > TOUCHED_S):
            self._ask_tasks()
        if busy:
            return
        if now - self._served_at > (PAUSE if self._serve else SERVED_S):
            self._ask_services(now)
        elif self._due:
            self._ask_past(next(iter(self._due)))
        elif now - self._past_at > PAST_S:
            self._past_at = now
            self._due, self._moved = self._moved, {}
            self._touched.update(self._due)
        elif now - self._heard_at > QUIET:
            self._ask("ping")
            self._heard_at = time.monotonic()

    def _ask_tasks(self) -> None:
        for task_id in list(self._touched)[:AT_ONCE]:
            del self._touched[task_id]
            task = self._ask("getTask", taskId=task_id)
            if task is None:
                self._seen.pop(task_id, None)
                self._due.pop(task_id, None)
                self._moved.pop(task_id, None)
            self._say(Known(task_id, task))

    def _ask_services(self, now: float) -> None:
        self._serve = False
        self._served_at = now
        services, warnings = self._ask("getServices"), self._ask("getWarnings")
        self._say(Served(services, warnings))

    def _ask_past(self, task_id: str) -> None:
        del self._due[task_id]
        try:
            record = self._ask("getRecord", taskId=task_id)
            incidents = self._ask("getIncidents", taskId=task_id, limit=INCIDENTS)["incidents"]
            points = self._ask("getHistory", taskId=task_id, points=POINTS)["points"]
        except Refused as fault:
            if fault.reason != "not-found":
                raise
            return
        self._say(Past(task_id, packed(record, incidents, points)))

    def _ask(self, method: str, **params: Any) -> Any:
        self._hold_on()
        return self._asking.call(method, params or None)

    # words

    def _say(self, word: Word) -> None:
        self._hold_on()
        while not self._room.acquire(timeout=PAUSE):
            self._hold_on()
        self.words.put(word)

    def _hold_on(self) -> None:
        if self._stop.is_set():
            raise Stopped
