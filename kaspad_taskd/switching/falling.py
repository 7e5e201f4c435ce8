"""Brings services to the public node while their local node is lost or behind, and back again.

The rules are `core.fallback`; here is what they are told: each look at a node as the table takes
it, the steady clock, the switches on record, a look at the public node. What was counted survives a
restart as marks of the service, at most KEPT old.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.config.switched import MOST_FLIPS, PUBLIC, SwitchedService
from kaspad_taskd.core import fallback
from kaspad_taskd.core.ageing import DAY
from kaspad_taskd.core.fallback import (
    BY,
    NOTHING,
    Act,
    PublicLook,
    PublicState,
    Rules,
    Situation,
    Verdict,
)
from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.patience import far_apart
from kaspad_taskd.core.record import SWITCHES_KEPT
from kaspad_taskd.core.standing import (
    UNSEEN,
    Count,
    Standing,
    count,
    fresh,
    taken_up,
    view,
)
from kaspad_taskd.core.switch import Side, Switch
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.switching.declared import of_node, watching_task
from kaspad_taskd.switching.hands import Hands
from kaspad_taskd.switching.refusals import AlreadyThere, Busy, Undeclared

EVERY: Final = 30.0
"""Seconds between two decisions when no look is taken."""
KEPT: Final = 60_000
"""Ms of a count that a kill may take, at the most."""
MET: Final = 4 * SWITCHES_KEPT
"""Ages that are kept: of two moments of each switch, and as many of those that are not."""
_MARK: Final = "fallback/"
_SEEN: Final = "seen"

_log = logging.getLogger(__name__)


@frozen
class State:
    """How a service is.

    Attributes:
        verdict: what is to be done with it, or why nothing is.
        used: how often it went within 24 hours.
        fallen: the fallback by which it is on the public node, or None.
    """

    verdict: Verdict
    used: int
    fallen: Switch | None


@dataclass(slots=True)
class _Known:
    """What is known of one service.

    Attributes:
        node: the node that it is of.
        count: how that stands, and for how long.
        before: the moment of a look that is not counted: it was before this began.
        apart: ms between two looks that leave nothing unseen.
        verdict: of the newest decision.
        public: the newest look at the public node, and its steady moment, ms.
        asking: a look that is under way.
    """

    node: str
    count: Count = UNSEEN
    before: Moment | None = None
    apart: int = 0
    verdict: Verdict = NOTHING
    public: tuple[PublicLook, int] | None = None
    asking: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Ages:
    """How old switches are, by a clock that never jumps: as stamps had it when they were met."""

    steady: Callable[[], int]
    now: Callable[[], Moment]
    _met: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    def of(self, switch: Switch, what: str, moment: Moment) -> int:
        """Return the ms since a moment of a switch."""
        steady = self.steady()
        if len(self._met) > MET:
            del self._met[next(iter(self._met))]
        if (switch.id, what) not in self._met:
            self._met[switch.id, what] = steady, max(0, self.now() - moment)
        met, age = self._met[switch.id, what]
        return age + steady - met


class Falling:
    """All fallbacks and returns.

    Args:
        engine: has the nodes' tasks, and what is on record.
        services: what the settings declare, as they are now.
        hands: tell where a service points, and look at its public node.
        begin: `Switcher.begin`.
        held: whether people alone switch a service.
    """

    def __init__(
        self,
        engine: Engine,
        services: Mapping[str, SwitchedService],
        hands: Hands,
        begin: Callable[..., Awaitable[Switch]],
        held: Callable[[str], bool],
    ) -> None:
        self._engine = engine
        self._services = services
        self._hands = hands
        self._begin = begin
        self._held = held
        self._known: dict[str, _Known] = {}
        self._ages = _Ages(_steady, engine.now)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Decide until cancelled."""
        self._engine.on_swap.append(self._swapped)
        try:
            while True:
                self._wake.clear()
                for name, declared in list(self._services.items()):
                    await self._tend(name, declared)
                for name in self._known.keys() - self._services.keys():
                    self._forget(name)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._wake.wait()
        finally:
            self._engine.on_swap.remove(self._swapped)
            asking = [each.asking for each in self._known.values() if each.asking is not None]
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    # -- what others ask

    def state(self, name: str) -> State:
        """How a service is: what is to be done with it, or why nothing is."""
        declared = self._services[name]
        now = self._situation(name, declared)
        fell = fallback.fallen(now.switches) if now.points is Side.PUBLIC else None
        return State(fallback.decide(rules(declared), now), now.used, fell)

    def stuck(self, name: str) -> Mapping[str, Scalar]:
        """Why a service stays on a node that is lost or behind, as an attention has it.

        Empty where it does not fall back, or its time is not up.
        """
        known = self._known.get(name)
        why = None if known is None else known.verdict.why
        if known is None or why is None or not why.stuck:
            return {}
        facts = dict(known.verdict.facts)
        if "address" in facts:  # that of the local node is told besides
            facts["public"] = facts.pop("address")
        return {"stays": str(why), **facts}

    # -- looks

    def _swapped(self, old: Task | None, new: Task | None) -> None:
        """Nothing follows from a task of another node, of which there may be a thousand."""
        changed = [task.definition for task in (old, new) if task is not None]
        for name, known in self._known.items():
            declared = self._services.get(name)
            if declared is not None and any(of_node(each, declared.node) for each in changed):
                self._count(declared, known)
                self._wake.set()

    def _count(self, declared: SwitchedService, known: _Known) -> None:
        """Take what the table says of the node now."""
        task = watching_task(declared.node, self._engine.tasks())
        if task is None:
            known.count = UNSEEN
            return
        look = task.live.last_checked
        if look == known.before:  # of another run, or before it fell back at all
            return
        known.before = None
        known.apart = round(far_apart(task.live, task.definition))
        seen = view(task)
        known.count = count(known.count, seen, look, _steady(), known.apart)

    def _meet(self, name: str, declared: SwitchedService) -> _Known:
        """What is known of a service, from the first time on that it may fall back."""
        known = self._known.get(name)
        if known is not None and known.node == declared.node:
            return known
        task = watching_task(declared.node, self._engine.tasks())
        counted = UNSEEN
        for standing in (Standing.OK, Standing.BAD):
            since, seen = (self._engine.marks.get(key) for key in _keys(name, standing))
            if known is None and since is not None and seen is not None:
                counted = taken_up(standing, since, seen)
        before = None if task is None else task.live.last_checked
        self._known[name] = _Known(declared.node, counted, before)
        return self._known[name]

    # -- decisions

    async def _tend(self, name: str, declared: SwitchedService) -> None:
        if declared.fallback != PUBLIC:
            self._forget(name)
            return
        known = self._meet(name, declared)
        self._keep(name, declared, known)
        known.verdict = fallback.decide(rules(declared), self._situation(name, declared))
        match known.verdict.act:
            case Act.LOOK:
                if known.asking is None:
                    known.asking = asyncio.create_task(self._ask(name, declared, known))
            case Act.FALL | Act.RETURN:
                await self._go(name, declared, known)

    def _situation(self, name: str, declared: SwitchedService) -> Situation:
        known = self._known.get(name)
        switches = self._engine.switches.of(name)
        last = switches[0] if switches else None
        ended = None if last is None else last.ended_at
        rested = DAY if last is None or ended is None else self._ages.of(last, "ended", ended)
        node, public = UNSEEN, None
        if known is not None:
            node = fresh(known.count, _steady(), known.apart)
            if known.public is not None:
                public = replace(known.public[0], age=_steady() - known.public[1])
        points = self._hands.pointing(name, declared).side
        held = self._held(name)
        return Situation(points, node, switches, rested, self._used(name), held, public)

    def _used(self, name: str) -> int:
        """Fallbacks and returns of the last 24 hours; as many as are kept where some are not."""
        oldest = self._engine.switches.forgotten()
        if oldest is not None and self._ages.of(oldest, "begun", oldest.started_at) < DAY:
            return MOST_FLIPS
        own = [each for each in self._engine.switches.of(name) if each.by == BY]
        return sum(self._ages.of(each, "begun", each.started_at) < DAY for each in own)

    async def _ask(self, name: str, declared: SwitchedService, known: _Known) -> None:
        try:
            known.public = await self._hands.public(declared), _steady()
        except Exception:  # a fault of ours: it is not known to be good
            _log.exception("the public node of %s cannot be looked at", name)
            known.public = PublicLook(PublicState.SILENT), _steady()
        finally:
            known.asking = None
            self._wake.set()

    async def _go(self, name: str, declared: SwitchedService, known: _Known) -> None:
        """Begin a switch; what cannot be put on record now is tried with the next decision."""
        to = Side.PUBLIC if known.verdict.act is Act.FALL else Side.LOCAL
        task = watching_task(declared.node, self._engine.tasks())
        why = fallback.because(known.count.view)
        known.public = None
        task_id = None if task is None else task.id
        with contextlib.suppress(Busy, AlreadyThere, Undeclared, NotDurable):
            await self._begin(name, to, task_id=task_id, by=BY, because=why)

    # -- on record

    def _keep(self, name: str, declared: SwitchedService, known: _Known) -> None:
        """Put on record what was counted, where a decision may come of it."""
        now, given = known.count, rules(declared)
        if now.look is None or now.steady is None:
            return
        fell = fallback.fallen(self._engine.switches.of(name)) is not None
        if now.standing is not (Standing.OK if fell else Standing.BAD):
            self._clear(name)
            return
        here, newest = _keys(name, now.standing)
        since, seen = (self._engine.marks.get(key) for key in (here, newest))
        enough = given.return_after if fell else given.fallback_after
        if since is not None and seen is not None:
            due = not 0 <= now.look - seen < KEPT and now.span < enough + 2 * KEPT
            if not due and abs(since - (now.since() or 0)) < KEPT:
                return
        other = Standing.BAD if fell else Standing.OK
        gone, _ = _keys(name, other)
        self._engine.commit(marks={here: now.since(), newest: now.look, gone: None})

    def _clear(self, name: str) -> None:
        kept = [each for each in self._engine.marks if each.startswith(f"{_MARK}{name}/")]
        if kept:
            self._engine.commit(marks=dict.fromkeys(kept))

    def _forget(self, name: str) -> None:
        known = self._known.pop(name, None)
        if known is not None and known.asking is not None:
            known.asking.cancel()
        self._clear(name)


def rules(declared: SwitchedService) -> Rules:
    """What the settings say of a service's fallback, spans in ms."""
    return Rules(
        declared.fallback == PUBLIC,
        declared.auto,
        round(declared.fallback_after * 1000),
        round(declared.return_after * 1000),
        declared.flips,
    )


def _keys(name: str, standing: Standing) -> tuple[str, str]:
    return f"{_MARK}{name}/{standing}", f"{_MARK}{name}/{_SEEN}"


def _steady() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
