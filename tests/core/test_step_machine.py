"""Random walks through all that can happen to a task; the invariants hold after each step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kaspad_taskd.core import inputs
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.fact import TERMINAL_EVENTS, EventName, Fact
from kaspad_taskd.core.model import Definition, Status, Task
from kaspad_taskd.core.observation import (
    Done,
    Following,
    Hint,
    Leg,
    Observation,
    PlannedPhase,
    Reading,
    Refused,
    Route,
    Unreachable,
)
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.transition import TABLE, WATCH, Action, step
from tests.core.play import NOW, check, definition, durable, reloaded

KEYS = ("proof", "headers", "blocks")

scalars = st.dictionaries(st.sampled_from("ab"), st.integers(0, 9) | st.booleans(), max_size=2)
positions = st.integers(0, 12).map(lambda tenth: tenth * 100.0) | st.floats(-1e9, 1e9)
plans = st.lists(
    st.builds(PlannedPhase, st.sampled_from(KEYS), st.floats(0, 10)),
    max_size=3,
    unique_by=lambda each: each.key,
).map(tuple)
routes = st.builds(
    Route,
    st.lists(st.builds(Leg, st.sampled_from(KEYS), positions), max_size=2).map(tuple),
    positions,
    st.sampled_from([(), ("headers", "blocks"), ("blocks",)]),
)
followings = st.builds(
    Following,
    st.sampled_from("nm"),
    st.none() | positions,
    st.sampled_from([0.0, 10.0]),
    st.booleans(),
    st.sampled_from([None, None, 10.0, 7200.0]),
    st.sampled_from([False, False, True]),
)
readings = st.builds(
    Reading,
    complete=st.sampled_from([False, False, True]),
    phase=st.none() | st.sampled_from(KEYS),
    plan=plans,
    pass_number=st.integers(1, 2),
    position=st.none() | positions,
    start=st.none() | positions,
    target=st.none() | positions,
    drift=st.sampled_from([0.0, 10.0]),
    unit=st.just("blocks"),
    basis=st.sampled_from(["exact", "estimated", "unknown"]),
    floor=st.none() | st.floats(0, 1),
    route=st.none() | routes,
    settled=st.booleans(),
    done=st.none() | st.builds(Done, st.sampled_from(KEYS), positions),
    at_work=st.none() | st.booleans(),
    epoch=st.sampled_from([None, None, None, "db-reset"]),
    eta_reason=st.sampled_from([None, EtaReason.NO_TOTAL]),
    reason=st.sampled_from([None, Reason.NO_PEERS]),
    following=st.none() | followings,
    params=scalars,
    hints=st.lists(st.builds(Hint, st.just("disk-full"), scalars), max_size=1).map(tuple),
    metadata=scalars,
    memory=scalars,
)
misses = st.builds(Unreachable, st.sampled_from([Reason.REFUSED, Reason.TIMEOUT]), scalars)
refusals = st.builds(Refused, st.just(Reason.WRONG_NETWORK), scalars)
definitions = st.builds(
    definition,
    type=st.sampled_from(["http-json", "report"]),
    keep_watching=st.booleans(),
    behind_after=st.sampled_from([0.0, 60.0]),
    confirmations=st.integers(1, 3),
    stall_after=st.sampled_from([5.0, 60.0]),
    give_up_after=st.sampled_from([None, None, 90.0]),
    checker=st.fixed_dictionaries({"url": st.sampled_from("xy")}),
)


class Walk(RuleBasedStateMachine):
    """A task, and what an onlooker counts by himself."""

    @initialize(first=definitions, started=st.booleans())
    def begin(self, first: Definition, started: bool) -> None:
        self.now = NOW
        self.task = Task(first, NOW, health_since=NOW)
        self.facts: list[tuple[int, Fact]] = []
        self.complete_looks = 0
        self.refused_looks = 0
        if started:
            self.give(inputs.Start())

    def give(self, given: inputs.Input) -> bool:
        """One input; whether it was allowed. A refusal must change nothing."""
        before, kept = self.task, durable(self.task)
        try:
            self.task, facts = step(before, before.definition, given, self.now)
        except NotAllowed:
            assert durable(before) == kept
            return False
        check(before, self.task, facts)
        self._onlooker(before, given, facts)
        self.facts += [(self.task.attempt, each) for each in facts]
        return True

    def _onlooker(self, before: Task, given: inputs.Input, facts: list[Fact]) -> None:
        names = {each.name for each in facts}
        seen = given.observation if isinstance(given, inputs.Look) else None
        fresh = before.attempt != self.task.attempt or EventName.EPOCH in names
        if fresh or self.task.status is Status.PAUSED:
            self.complete_looks = self.refused_looks = 0
        if seen is not None and before.status is Status.IN_PROGRESS:
            complete = isinstance(seen, Reading) and seen.complete
            self.complete_looks = self.complete_looks + 1 if complete else 0
            self.refused_looks = self.refused_looks + 1 if isinstance(seen, Refused) else 0
        pushed = isinstance(given, inputs.Look) and given.pushed
        if EventName.COMPLETE in names and not isinstance(given, inputs.Complete):
            assert isinstance(seen, Reading)
            assert pushed or (
                seen.settled and self.complete_looks >= before.definition.confirmations
            )
        if EventName.ERROR in names and not isinstance(given, inputs.Fail):
            self._may_fail(before, given, pushed)
        if isinstance(given, inputs.Attach):
            assert facts == []
            kept = durable(self.task)
            if given.jumped:  # that moment is told by the clock as it is now
                kept["relapsed_at"] = before.relapsed_at
            assert durable(before) == kept

    def _may_fail(self, before: Task, given: inputs.Input, pushed: bool) -> None:
        failure = self.task.failure
        assert failure is not None
        if failure.reason is Reason.GAVE_UP:
            assert before.definition.give_up_after is not None
        else:
            assert isinstance(given, inputs.Look)
            assert isinstance(given.observation, Refused)
            since = before.live.refused_since
            lasted = since is not None and self.now - since >= 60_000
            assert pushed or (self.refused_looks >= 3 and lasted)

    @rule(seconds=st.sampled_from([0.2, 0.9, 2.0, 10.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    @rule(seen=readings | misses | refusals, pushed=st.sampled_from([False, False, False, True]))
    def look(self, seen: Observation, pushed: bool) -> None:
        assert self.give(inputs.Look(self.task.attempt, seen, pushed))

    @rule(
        where=st.integers(0, 100),
        phase=st.sampled_from(KEYS),
        looks=st.integers(1, 9),
        pace=st.sampled_from([250, 10_000]),
    )
    def advance(self, where: int, phase: str, looks: int, pace: int) -> None:
        """A plain way through a phase: the random readings rarely get anywhere."""
        for each in range(looks):
            self.now += pace
            seen = Reading(
                phase=phase,
                plan=tuple(map(PlannedPhase, KEYS)),
                position=float(where + each),
                target=100.0,
                basis="exact",
                memory={"looks": each},
            )
            self.give(inputs.Look(self.task.attempt, seen))

    @rule()
    def look_done(self) -> None:
        self.give(inputs.Look(self.task.attempt, Reading(complete=True)))

    @rule()
    def look_refused(self) -> None:
        self.give(inputs.Look(self.task.attempt, Refused(Reason.CREDENTIALS)))

    @rule(action=st.sampled_from(list(Action)))
    def act(self, action: Action) -> None:
        given: dict[Action, inputs.Input] = {
            Action.START: inputs.Start(),
            Action.PAUSE: inputs.Pause(),
            Action.CANCEL: inputs.Cancel(),
            Action.COMPLETE: inputs.Complete({"by": "word"}),
            Action.FAIL: inputs.Fail("x"),
            Action.RETRY: inputs.Retry(),
        }
        if action in given:
            allowed = (self.task.status, action) in TABLE or (self.task.watch, action) in WATCH
            assert self.give(given[action]) == allowed

    @precondition(lambda self: not self.task.status.live)
    @rule()
    def retry(self) -> None:
        self.give(inputs.Retry())

    @precondition(lambda self: self.task.status in (Status.PENDING, Status.PAUSED))
    @rule()
    def start(self) -> None:
        self.give(inputs.Start())

    @rule(other=definitions)
    def redefine(self, other: Definition) -> None:
        self.give(inputs.Redefine(other))

    @rule(ids=st.lists(st.sampled_from("bc"), unique=True).map(tuple))
    def wait_for(self, ids: tuple[str, ...]) -> None:
        self.give(inputs.Await(ids))

    @rule()
    def tick(self) -> None:
        self.give(inputs.Tick())

    @rule(jumped=st.booleans())
    def attach(self, jumped: bool) -> None:
        self.give(inputs.Attach(jumped))

    @rule()
    def restart(self) -> None:
        """What is on disk is the task, wherever it stands."""
        assert reloaded(self.task) == self.task
        self.task = reloaded(self.task)
        self.give(inputs.Attach())

    @rule(seen=readings | misses | refusals, off=st.sampled_from([-1, 1]))
    def late_look(self, seen: Observation, off: int) -> None:
        """A look of another attempt changes nothing; neither does one at a task not watched."""
        late = inputs.Look(self.task.attempt + off, seen, pushed=True)
        assert step(self.task, self.task.definition, late, self.now) == (self.task, [])
        if not self.task.watched:
            mine = replace(late, attempt=self.task.attempt)
            assert step(self.task, self.task.definition, mine, self.now) == (self.task, [])

    @invariant()
    def nothing_after_the_end(self) -> None:
        """One terminal fact per attempt; after it only words about definition and health."""
        ended: set[int] = set()
        for attempt, told in self.facts:
            if attempt in ended:
                assert told.name in (EventName.TASK_CHANGED, EventName.HEALTH)
            if told.name in TERMINAL_EVENTS:
                ended.add(attempt)


class LongWalk(Walk):
    """Looks, time and restarts alone, so that attempts grow old."""

    @initialize(first=definitions)
    def begin(self, first: Definition, started: bool = True) -> None:
        super().begin(first, started)

    act = redefine = wait_for = look_done = look_refused = None  # type: ignore[assignment]


calm: Any = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestWalk = Walk.TestCase
TestWalk.settings = calm
TestLongWalk = LongWalk.TestCase
TestLongWalk.settings = calm
