"""A tiny language for what happens to a task, and what must be true after every step.

    start; see 10/100; gone; see 11/100; done; done

Commands follow each other by ten seconds; `+600` lets that many seconds pass besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kaspad_taskd.core import inputs
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.fact import TERMINAL_EVENTS, EventName, Fact
from kaspad_taskd.core.model import Definition, Health, Status, Task, Watch
from kaspad_taskd.core.observation import Observation, PlannedPhase, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.transition import step
from kaspad_taskd.store import codec

NOW = 1_790_000_000_000
SPACING_MS = 10_000

STATUS_FACTS = {
    EventName.START: Status.IN_PROGRESS,
    EventName.RESUMED: Status.IN_PROGRESS,
    EventName.PAUSED: Status.PAUSED,
    EventName.COMPLETE: Status.COMPLETE,
    EventName.ERROR: Status.ERROR,
    EventName.CANCELLED: Status.CANCELLED,
}
DURABLE = tuple(each.name for each in fields(Task) if each.name not in ("live", "revision"))


def definition(**given: Any) -> Definition:
    return Definition(**{"id": "a", "type": "http-json", "service": "s", **given})


def pending(**given: Any) -> Task:
    return Task(definition(**given), NOW, health_since=NOW)


def durable(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in DURABLE}


def reloaded(task: Task) -> Task:
    """The task as it comes back from disk."""
    known = codec.definition_of(codec.definition_text(task.definition))
    return codec.task_of(codec.task_text(task), known)


@dataclass
class Story:
    """A task that a text happens to."""

    task: Task = field(default_factory=pending)
    now: int = NOW
    facts: list[Fact] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def play(self, text: str) -> Story:
        for command in filter(None, (each.strip() for each in text.split(";"))):
            if command.startswith("+"):
                self.now += int(float(command[1:]) * 1000)
            else:
                self.now += SPACING_MS
                self.give(self._input(*command.split()))
        return self

    def give(self, given: inputs.Input) -> Story:
        """One input: its facts are told, `!` stands for "not allowed"."""
        before = self.task
        try:
            after, facts = step(before, before.definition, given, self.now)
        except NotAllowed:
            self.told.append("!")
            return self
        check(before, after, facts)
        self.task = after
        self.facts += facts
        self.told += [brief(each) for each in facts]
        return self

    def _input(self, verb: str, *words: str) -> inputs.Input:
        plain = PLAIN.get(verb)
        return plain() if plain else getattr(self, f"_{verb}")(*words)

    def _look(self, seen: Observation, pushed: bool = False) -> inputs.Look:
        return inputs.Look(self.task.attempt, seen, pushed)

    def _see(self, where: str, phase: str | None = None, plan: str = "") -> inputs.Look:
        return self._look(reading(where, phase, plan))

    def _report(self, where: str) -> inputs.Look:
        return self._look(reading(where), pushed=True)

    def _done(self, how: str = "") -> inputs.Look:
        live = self.task.live
        seen = Reading(complete=True, position=live.position, target=live.target, basis="exact")
        return self._look(seen, pushed=how == "pushed")

    def _gone(self) -> inputs.Look:
        return self._look(Unreachable(Reason.REFUSED))

    def _refused(self, how: str = "") -> inputs.Look:
        params = {"network": "testnet-10", "text": "no"}
        return self._look(Refused(Reason.WRONG_NETWORK, params), pushed=how == "pushed")

    def _lost(self, where: str) -> inputs.Look:
        return self._look(replace(reading(where), epoch="db-reset"))

    def _late(self, where: str) -> inputs.Look:
        return inputs.Look(self.task.attempt - 1, reading(where))

    def _fail(self, *words: str) -> inputs.Fail:
        return inputs.Fail(" ".join(words))

    def _await(self, ids: str = "") -> inputs.Await:
        return inputs.Await(tuple(filter(None, ids.split(","))))

    def _redefine(self, what: str) -> inputs.Redefine:
        key, value = what.split("=")
        new: Any = {"url": value} if key == "checker" else float(value)
        return inputs.Redefine(replace(self.task.definition, **{key: new}))


PLAIN: dict[str, Callable[[], inputs.Input]] = {
    "start": inputs.Start,
    "pause": inputs.Pause,
    "cancel": inputs.Cancel,
    "retry": inputs.Retry,
    "complete": inputs.Complete,
    "attach": inputs.Attach,
    "jump": lambda: inputs.Attach(jumped=True),
    "tick": inputs.Tick,
}


def reading(where: str, phase: str | None = None, plan: str = "") -> Reading:
    """`10/100` (position, target), `10` (no target known) or `-` (no position)."""
    position, _, target = where.partition("/")
    return Reading(
        phase=phase,
        plan=tuple(PlannedPhase(key) for key in plan.split(",") if key),
        position=None if position == "-" else float(position),
        target=float(target) if target else None,
        basis="exact" if target else "unknown",
    )


def brief(told: Fact) -> str:
    """`start#2`, `health=stalled(no-movement)`, `error(gave-up)`, `epoch#2`, else the bare name."""
    name = told.name.value.removeprefix("sync:")
    data = told.data
    if told.name is EventName.START and data["attempt"] > 1:
        return f"{name}#{data['attempt']}"
    if told.name is EventName.EPOCH:
        return f"{name}#{data['number']}"
    if told.name is EventName.HEALTH:
        name += f"={data['health']}"
    reason = data.get("reason")
    return f"{name}({reason})" if reason else name


def check(before: Task, after: Task, facts: list[Fact]) -> None:
    """What is true of every step."""
    rise = int(durable(before) != durable(after))
    assert after.revision == before.revision + rise
    _check_status(before, after, facts)
    _check_progress(before, after)
    assert (after.live.eta is None) == (after.live.eta_reason is not None)
    assert len(after.live.window.samples) <= 20
    if not after.watched:
        assert after.health is Health.UNKNOWN
        assert after.reason is None
    if after.status is not Status.IN_PROGRESS:
        assert after.live.rate is None
    begun = (after.attempt, after.started_at) != (before.attempt, before.started_at)
    ended = after.status is not before.status
    if after.health is before.health and not begun and not (ended and after.watched):
        assert after.health_since == before.health_since


def _check_status(before: Task, after: Task, facts: list[Fact]) -> None:
    of_status = [each.name for each in facts if each.name in STATUS_FACTS]
    if after.status is not before.status:
        assert len(of_status) == 1
        assert STATUS_FACTS[of_status[0]] is after.status
    elif of_status:  # other work: in progress before and after, but another attempt
        assert of_status == [EventName.START]
        assert after.attempt == before.attempt + 1
    terminal = [index for index, each in enumerate(facts) if each.name in TERMINAL_EVENTS]
    assert terminal in ([], [len(facts) - 1])
    assert (after.ended_at is None) == after.status.live
    assert after.watch is Watch.NONE or after.status is Status.COMPLETE
    of_health = [each for each in facts if each.name is EventName.HEALTH]
    if before.watch is not Watch.NONE and after.status is Status.COMPLETE:
        assert len(of_health) == (after.health is not before.health)
        assert not of_health or of_health[0].data["health"] == after.health
    assert (after.failure is not None) == (after.status is Status.ERROR)


def _check_progress(before: Task, after: Task) -> None:
    assert (after.percent == 100) == (after.status is Status.COMPLETE)
    assert 0 <= after.percent <= 100
    assert round(after.percent, 1) == after.percent
    if after.status is Status.COMPLETE:
        assert (after.live.eta, after.live.eta_reason) == (0.0, None)
    if (before.attempt, before.epoch.number) == (after.attempt, after.epoch.number):
        assert after.percent >= before.percent
