"""Why a task is shown as it is: what was read, by which rule it counts, of when it is. Pure.

Nothing is judged here. What the rules decided, and from what, they have kept with the task; this
puts it in order for those who doubt it. Words for rules are closed lists, as reasons are.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.estimate import ENOUGH_MS, ENOUGH_SAMPLES, rates_of
from kaspad_taskd.core.model import Definition, Detail, Health, Moment, Status, Task, Walk, Watch
from kaspad_taskd.core.observation import Condition
from kaspad_taskd.core.progress import overall, share_of
from kaspad_taskd.core.reason import EtaReason, Reason

COMPLETE_RULES = (
    "proven",  # all conditions held
    "requested",  # somebody said so
    "conditions",  # some do not hold, by the newest answer
    "no-answer",  # the same, but by an old one: nothing usable came since
    "next-look",  # all hold by now (fewer confirmations are asked for): the next look ends it
    "unread",  # no reading of this attempt yet
    "not-watched",
    "failed",
)
PERCENT_RULES = (
    "complete",
    "unread",
    "weights",  # phases that are over count whole, this one by its share
    "off-the-way",  # the phase is none of the way: the percent stands
    "told",  # the share was told as such
    "counted",  # done of total
    "unknown",  # nothing tells a share
)
HEALTH_RULES = (
    "not-watched",
    "unread",
    "not-good-yet",  # complete, and no look of its watch was good yet
    "clock",  # complete, and the clock is wrong: no age says anything
    "unreachable",
    "refused",
    "stalled",
    "behind",
    "answers",
)


@frozen
class Completion:
    """Why it is complete, or is not.

    Attributes:
        complete: the verdict.
        rule: one of COMPLETE_RULES.
        conditions: all that has to hold, the core's own (`confirmed`) last; empty where nothing
            was read.
    """

    complete: bool
    rule: str
    conditions: tuple[Condition, ...]


@frozen
class Percent:
    """Why this percent.

    Attributes:
        shown: the percent.
        basis: "exact", "estimated" or "unknown".
        rule: one of PERCENT_RULES.
        counted: what the newest reading comes to, None where it tells nothing; `shown` is above
            it where more was shown before, for it never falls.
        share: of the current phase, 0 to 1, None where that is not known.
        detail: the phase in numbers, None where nothing is counted.
    """

    shown: float
    basis: str
    rule: str
    counted: float | None
    share: float | None
    detail: Detail | None

    @property
    def held(self) -> bool:
        """Whether more was shown before than the newest reading comes to."""
        return self.counted is not None and self.counted < self.shown


@frozen
class Step:
    """Which phase: the `number`-th `of` so many (0 of 0: not on the way), entered `since`."""

    key: str
    number: int
    of: int
    pass_number: int
    since: Moment | None


@frozen
class Wellness:
    """Why this health: by one of HEALTH_RULES; so many looks in a row without a good answer."""

    health: Health
    rule: str
    since: Moment | None
    reason: Reason | None
    missed: int


@frozen
class Motion:
    """Whether it moves.

    Attributes:
        moves: the newest reading brought it forward; None: nothing shows that, nothing answers now,
            or nobody looks.
        at: when it last moved.
        reached: the furthest that was seen, by counter, the newest last.
        waited: seconds for which nothing has moved, as patience counts them; None: nobody waits.
        stall_after: seconds after which it counts as stalled.
        give_up_after: seconds after which it fails, or None for never.
    """

    moves: bool | None
    at: Moment | None
    reached: Mapping[str, float]
    waited: float | None
    stall_after: float
    give_up_after: float | None


@frozen
class TimeLeft:
    """Why this time left, or why there is none.

    Attributes:
        seconds: the time left as of the newest reading, or None.
        reason: why there is none.
        walk: how it was reckoned, where there is one.
        rates: units a second by phase, as far as they are known.
        samples: movements of the current phase; its rate is told as soon as they agree, and
            however they do from `ENOUGH_SAMPLES` on.
        moving: seconds that they span, and have to span then: `ENOUGH_MS`.
    """

    seconds: float | None
    reason: EtaReason | None
    walk: Walk | None
    rates: Mapping[str, float]
    samples: int
    moving: float
    samples_needed: int = ENOUGH_SAMPLES
    moving_needed: float = ENOUGH_MS / 1000


@frozen
class Explanation:
    """All of it, as of the moment `at`.

    Attributes:
        looked: when the newest look ended.
        answered: when something last answered.
        read: when the newest reading was taken; conditions and numbers are of then.
        position, target: absolute, as the type counts them; None where they are not known.
    """

    at: Moment
    completion: Completion
    percent: Percent
    step: Step | None
    wellness: Wellness
    motion: Motion
    time_left: TimeLeft
    looked: Moment | None
    answered: Moment | None
    read: Moment | None
    position: float | None
    target: float | None


def explain(task: Task, definition: Definition, now: Moment) -> Explanation:
    """Return why a task is shown as it is."""
    live = task.live
    return Explanation(
        now,
        completion(task, definition),
        _percent(task),
        _step(task),
        _wellness(task),
        _motion(task, definition, now),
        _time_left(task),
        live.last_checked,
        live.last_update,
        live.read_at,
        live.position,
        live.target,
    )


def completion(task: Task, definition: Definition) -> Completion:
    """Return why a task is complete or not; that all conditions hold ends one in progress."""
    proven = task.status is Status.COMPLETE and task.proven
    conditions = _conditions(task, definition, proven)
    return Completion(
        task.status is Status.COMPLETE, _completion_rule(task, conditions, proven), conditions
    )


def _conditions(task: Task, definition: Definition, proven: bool) -> tuple[Condition, ...]:
    if task.live.read_at is None:
        return ()
    if definition.type == "report":  # what reports itself is believed at once
        return task.live.conditions
    have, need = task.confirmed, definition.confirmations
    if proven:  # what is asked for by now may be more
        need = min(have, need)
    return (*task.live.conditions, Condition("confirmed", have >= need, have, need))


def _completion_rule(task: Task, conditions: tuple[Condition, ...], proven: bool) -> str:
    if task.status is Status.COMPLETE:
        return "proven" if proven else "requested"
    if task.status is Status.ERROR:
        return "failed"
    if task.status is not Status.IN_PROGRESS:
        return "not-watched"
    if task.live.read_at is None:
        return "unread"
    if task.live.misses or task.live.refusals:
        return "no-answer"
    return "next-look" if all(each.holds for each in conditions) else "conditions"


def _percent(task: Task) -> Percent:
    live = task.live
    share = share_of(live.floor, live.detail)
    rule = _percent_rule(task, share)
    known = rule not in ("complete", "unread")
    counted = overall(task.phases, task.phase, share) if known else None
    return Percent(task.percent, task.basis, rule, counted, share, live.detail)


def _percent_rule(task: Task, share: float | None) -> str:
    if task.status is Status.COMPLETE:
        return "complete"
    if task.live.read_at is None:
        return "unread"
    if task.phases:
        on_the_way = any(each.key == task.phase for each in task.phases)
        return "weights" if on_the_way else "off-the-way"
    if share is None:
        return "unknown"
    return "counted" if task.live.floor is None else "told"


def _step(task: Task) -> Step | None:
    if task.phase is None:
        return None
    for number, each in enumerate(task.phases, 1):
        if each.key == task.phase:
            return Step(each.key, number, len(task.phases), task.pass_number, each.started_at)
    return Step(task.phase, 0, 0, task.pass_number, None)


def _wellness(task: Task) -> Wellness:
    missed = task.live.misses + task.live.refusals
    return Wellness(task.health, _health_rule(task), task.health_since, task.reason, missed)


def _health_rule(task: Task) -> str:
    if not task.watched:
        return "not-watched"
    if task.live.refusals:
        return "refused"
    if task.watch is Watch.ON and task.health is Health.UNKNOWN:
        return _unknown_rule(task)
    by_health = {Health.UNKNOWN: "unread", Health.OK: "answers"}
    return by_health.get(task.health, task.health.value)


def _unknown_rule(task: Task) -> str:
    if task.live.last_checked is not None and task.watched_since is None:
        return "not-good-yet"
    return "clock" if task.reason is Reason.CLOCK_SKEW else "unread"


def _motion(task: Task, definition: Definition, now: Moment) -> Motion:
    live = task.live
    since = live.patient_since if task.watched else None
    return Motion(
        _moves(task),
        live.last_moved,
        live.reached,
        None if since is None else max(0, now - since) / 1000,
        definition.stall_after,
        definition.give_up_after,
    )


def _moves(task: Task) -> bool | None:
    live = task.live
    if not task.watched or live.read_at is None:
        return None
    if task.watch is Watch.ON and live.newest is None:  # it has nothing that could be new
        return None
    if live.misses or live.refusals:
        return None
    if live.last_moved == live.read_at:
        return True
    return None if task.reason is Reason.MOVEMENT_UNSEEN else False


def _time_left(task: Task) -> TimeLeft:
    live, moments = task.live, task.live.window.samples.moments
    moving = (moments[-1] - moments[0]) / 1000 if moments else 0.0
    running = task.status is Status.IN_PROGRESS and live.eta is not None
    return TimeLeft(
        live.eta,
        live.eta_reason,
        live.walk if running else None,
        rates_of(live.window),
        len(moments),
        moving,
    )
