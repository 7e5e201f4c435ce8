"""The looks: one heap of what is due, at most 64 looks at once, each with a deadline.

A look that fails in any way is an observation; nothing that a probe does ends its task or the loop.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import random
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from kaspad_taskd.base.descriptors import is_exhausted, is_own_limit, limit
from kaspad_taskd.base.frozen import replace
from kaspad_taskd.base.libraries import cause
from kaspad_taskd.base.repeats import Repeats, counted
from kaspad_taskd.core.inputs import Input, Look, Tick
from kaspad_taskd.core.model import Task
from kaspad_taskd.core.observation import Hint, Observation, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.schedule import next_look
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.ports import Probe, ProbeMaker

_log = logging.getLogger(__name__)

INCIDENTS = 1024
"""Faults of looks whose numbers are remembered."""
PLACES = 64
"""Looks at once (contract section 2)."""
BEATS = 128
"""Looks begin at so many moments of a second: those that begin together are one commit."""
SUPERSEDED = 64
"""Plans that were superseded and may stay in the heap, beside one for each task."""
_PERHAPS_OURS: Final = frozenset(
    {
        Reason.OWN_LIMIT, Reason.TIMEOUT, Reason.STREAM_CLOSED, Reason.NAME_UNKNOWN,
        Reason.NETWORK_DOWN, Reason.BAD_ANSWER, Reason.CREDENTIALS,
    }
)  # fmt: skip
"""What a look may be told by a library for which there was no file of ours."""


class Monitors:
    """Looks at every task that is watched, in its own time: in progress, or complete and on watch.

    Args:
        engine: whose tasks.
        make: makes the probe of a definition.
        jitter: -1 to 1, for the backoff.
        places: looks at once.
        crowded: whether looks must not keep their connections, lest too many files be open; it is
            told how many may be opened until it is asked again.
    """

    def __init__(
        self,
        engine: Engine,
        make: ProbeMaker,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311
        *,
        places: int = PLACES,
        crowded: Callable[[int], bool] = lambda _more: False,
    ) -> None:
        self._engine = engine
        self._make = make
        self._jitter = jitter
        self._places = places
        self._repeats = Repeats()
        self._incidents: dict[str, str] = {}
        self._crowded = crowded
        self._close_after = False
        self._heap: list[tuple[float, str]] = []
        self._due: dict[str, float] = {}
        self._ready: deque[str] = deque()
        self._probes: dict[str, Probe | None] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._deadlines: dict[str, float] = {}
        self._cut: set[str] = set()
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._time = asyncio.get_running_loop().time
        engine.on_swap.append(self._swapped)

    # -- what others ask

    def begin(self) -> None:
        """Begin with all tasks that are watched."""
        for task in self._engine.tasks():
            if task.watched:
                self._plan(task.id, self._time())

    def due_in(self, task_id: str) -> float | None:
        """Seconds until the next look at a task, 0 for one under way, None for none."""
        if task_id in self._looks:
            return 0.0
        due = self._due.get(task_id)
        return None if due is None else max(0.0, due - self._time())

    def overdue(self) -> float:
        """Seconds that the worst look is past its deadline, 0 where none is."""
        return max(0.0, self._time() - min(self._deadlines.values(), default=self._time()))

    async def check(self, task_id: str) -> None:
        """Take a look now, or wait for the one in flight; returns when it has been judged."""
        if task_id not in self._looks:
            if task_id not in self._due:
                return
            self._ready.appendleft(task_id)
            self._wake.set()
        asked = self._asked.setdefault(task_id, asyncio.get_running_loop().create_future())
        await asyncio.shield(asked)

    async def run(self) -> None:
        """Take looks as they become due, until cancelled; then cancels those in flight."""
        try:
            while True:
                self._wake.clear()
                wait = self._begin_due()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        finally:
            await self._end()

    # -- the heap

    def _plan(self, task_id: str, due: float) -> None:
        self._due[task_id] = due
        first = not self._heap or due < self._heap[0][0]
        heapq.heappush(self._heap, (due, task_id))
        if len(self._heap) > 2 * len(self._due) + SUPERSEDED:
            self._heap = [(each, planned) for planned, each in self._due.items()]
            heapq.heapify(self._heap)
        if first:
            self._wake.set()

    def _begin_due(self) -> float | None:
        """Begin what is due, as far as there are places; returns the seconds to the next."""
        now = self._time()
        while self._heap and self._heap[0][0] <= now:
            due, task_id = heapq.heappop(self._heap)
            if self._due.get(task_id) == due:
                self._ready.append(task_id)
        self._begin_ready()
        moments = [*self._cut_late(now), *(due for due, _ in self._heap[:1])]
        return max(0.0, min(moments) - now) if moments else None

    def _begin_ready(self) -> None:
        """Begin what is ready, as far as there are places.

        Whether files are scarce is asked once for all that begins here, not at each look's end: the
        question is two system calls, at which the store's writer would take what is queued, in
        groups of one. No more than `places` looks end until it is asked again.
        """
        if self._ready and len(self._looks) < self._places:
            self._close_after = self._crowded(self._places)
        while self._ready and len(self._looks) < self._places:
            task_id = self._ready.popleft()
            if task_id in self._due and task_id not in self._looks:
                self._start(task_id)

    def _cut_late(self, now: float) -> list[float]:
        """Cut looks that are past their deadline; returns the deadlines that are ahead.

        One sweep for all: a timer for each would cost more than a look at a service that is near.
        """
        for task_id, deadline in self._deadlines.items():
            if deadline <= now and task_id not in self._cut:
                self._cut.add(task_id)
                self._looks[task_id].cancel()
        return [deadline for deadline in self._deadlines.values() if deadline > now]

    def _start(self, task_id: str) -> None:
        del self._due[task_id]
        task = self._engine.get(task_id)
        if task is None:
            return
        look = asyncio.get_running_loop().create_task(self._look(task_id), name=f"look {task_id}")
        look.add_done_callback(lambda _: self._ended(task_id))
        self._looks[task_id] = look
        self._deadlines[task_id] = self._time() + task.definition.timeout

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        task = new or old
        assert task is not None
        if old is not None and new is not None and _only_moved(old, new):
            return
        was = old is not None and old.watched
        runs = new is not None and new.watched
        if was and old is not None and (not runs or _other_work(old, new)):
            self._let_go(task.id)
        if new is not None and runs and (not was or _other_work(old, new)):
            self._plan(new.id, self._time())
        elif new is not None and was and runs and _other_patience(old, new):
            self._judge_soon(new.id)

    def _judge_soon(self, task_id: str) -> None:
        """Take a look now, unless one is under way: it is judged by another patience."""
        if task_id in self._due:
            self._plan(task_id, self._time())

    def _let_go(self, task_id: str) -> None:
        """Nobody looks at the task any more, or at something else."""
        self._due.pop(task_id, None)
        look = self._looks.get(task_id)
        if look is None:
            self._answer(task_id)
        elif look is not asyncio.current_task():
            look.cancel()
        self._let_connection_go(task_id)

    def _let_connection_go(self, task_id: str) -> None:
        """Close a task's probe; the next look makes another one."""
        probe = self._probes.pop(task_id, None)
        if probe is not None:
            closing = asyncio.get_running_loop().create_task(self._close(probe))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _answer(self, task_id: str) -> None:
        """Tell those who asked for a look at the task that it is over."""
        asked = self._asked.pop(task_id, None)
        if asked is not None and not asked.done():
            asked.set_result(None)

    # -- a look

    async def _look(self, task_id: str) -> None:
        task = self._engine.get(task_id)
        if task is not None and task.watched:
            await self._take(task)

    def _ended(self, task_id: str) -> None:
        """A look is over, or was cancelled before it began."""
        del self._looks[task_id]
        self._deadlines.pop(task_id, None)
        self._cut.discard(task_id)
        self._answer(task_id)
        self._plan_next(task_id)
        if self._ready:
            self._wake.set()

    async def _take(self, task: Task) -> None:
        given: Input
        try:
            probe = self._probe(task)
            seen = None if probe is None else await self._ask(task, probe)
            given = Tick() if seen is None else Look(task.attempt, own_limit_or(seen))
        except Exception as error:
            given = Look(task.attempt, self._explain(task, error))
        if self._close_after:
            self._let_connection_go(task.id)
        if self._engine.newest(task.id) is None:
            return
        written = self._engine.submit(task.id, given)
        self._deadlines.pop(task.id, None)
        if written is not None:
            await written

    async def _ask(self, task: Task, probe: Probe) -> Observation | None:
        """Raises TimeoutError where the look was cut."""
        try:
            return await probe.observe(task.live.memory)
        except asyncio.CancelledError:
            look = asyncio.current_task()
            if task.id not in self._cut or (look is not None and look.uncancel()):
                raise
            raise TimeoutError from None

    def _probe(self, task: Task) -> Probe | None:
        if task.id not in self._probes:
            self._probes[task.id] = self._make(task.definition)
        return self._probes[task.id]

    def _explain(self, task: Task, error: Exception) -> Observation:
        """What a look that raised tells: never the task's fault."""
        if isinstance(error, TimeoutError):
            return own_limit_or(Unreachable(Reason.TIMEOUT, {"seconds": task.definition.timeout}))
        if is_own_limit(error) or is_exhausted():
            return own_limit()
        if isinstance(error, ImportError):
            return Unreachable(Reason.LIBRARY_MISSING, {**cause(error)})
        return Unreachable(Reason.CHECKER_FAULT, {"incident": self._incident(task.id, error)})

    def _incident(self, task_id: str, error: Exception) -> str:
        """Log a fault of ours, each of its kind once a minute; returns the number in the log."""
        kind = f"{type(error).__name__} {task_id}"
        held = self._repeats.told("looks", kind, asyncio.get_running_loop().time())
        if held is None and kind in self._incidents:
            return self._incidents[kind]
        number = self._incidents[kind] = secrets.token_hex(4)
        if len(self._incidents) > INCIDENTS:
            del self._incidents[next(iter(self._incidents))]
        told = {"task": task_id, "incident": number}
        _log.error("%s", counted("a look failed", held or 0), exc_info=error, extra=told)
        return number

    def _plan_next(self, task_id: str) -> None:
        if task_id in self._due:  # planned anew while this look was ending
            self._plan(task_id, self._due[task_id])
            return
        task = self._engine.get(task_id)
        if task is None or not task.watched:
            return
        due = self._time() + next_look(task, task.definition, self._jitter())
        self._plan(task_id, math.ceil(due * BEATS) / BEATS)

    # -- the end

    async def _end(self) -> None:
        looks = list(self._looks.values())
        for look in looks:
            look.cancel()
        probes = [probe for probe in self._probes.values() if probe is not None]
        self._probes.clear()
        if looks:
            await asyncio.wait(looks, timeout=0.3)
        each = iter(probes)  # shared by a few who close: a task for each of 10,000 takes its time
        await asyncio.gather(*(self._close_all(each) for _ in range(PLACES)), *self._closing)

    async def _close_all(self, probes: Iterator[Probe]) -> None:
        for probe in probes:
            await self._close(probe)

    async def _close(self, probe: Probe) -> None:
        try:
            async with asyncio.timeout(0.3):
                await probe.close()
        except Exception as error:
            _log.warning("a probe did not close: %r", error)


def _only_moved(old: Task, new: Task) -> bool:
    """Whether the same is looked at in the same way as before, as after nearly every look."""
    same = old.definition is new.definition and old.attempt == new.attempt
    return same and old.watched == new.watched


def _other_work(old: Task | None, new: Task | None) -> bool:
    """Whether another attempt began, or another definition: the old probe must not answer."""
    if old is None or new is None or old.attempt != new.attempt:
        return True
    return old.definition is not new.definition and (
        _pace(old) != _pace(new) or not old.definition.same_work(new.definition)
    )


def _pace(task: Task) -> tuple[float, float, float]:
    known = task.definition
    return known.interval, known.watch_interval, known.timeout  # which a probe shares out


def _other_patience(old: Task | None, new: Task) -> bool:
    """Whether the same look may mean something else now."""
    return old is not None and old.definition is not new.definition


def own_limit() -> Unreachable:
    """What a look tells that had no file to ask with: nothing of whom it would have asked."""
    return Unreachable(Reason.OWN_LIMIT, {"limit": limit()}, (Hint("own-limit"),))


def own_limit_or(seen: Observation) -> Observation:
    """Return what was seen, unless what was missing was a file of ours.

    Libraries hide that behind other failures; those that tell of the service itself stand.
    """
    if not isinstance(seen, Unreachable) or seen.reason not in _PERHAPS_OURS:
        return seen
    if seen.reason is not Reason.OWN_LIMIT and not is_exhausted():
        return seen
    return replace(own_limit(), memory=seen.memory)
