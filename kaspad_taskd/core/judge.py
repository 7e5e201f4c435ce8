"""What a look means for its task: health, progress, confirmations, the end."""

from __future__ import annotations

from typing import Any

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import progress, runway, unanswered
from kaspad_taskd.core.change import at_rest, changed, done, fact, patient, unwatched
from kaspad_taskd.core.estimate import broken, follow, is_over, rates_of, stands, waited, walk
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.inputs import Look
from kaspad_taskd.core.model import (
    TROUBLE,
    Definition,
    Detail,
    Epoch,
    Failure,
    Health,
    Live,
    Moment,
    Status,
    Task,
    Walk,
    Watch,
    Window,
)
from kaspad_taskd.core.movement import Movement, afresh, movement
from kaspad_taskd.core.observation import (
    Hint,
    Reading,
    Refused,
    Unreachable,
    deciding,
)
from kaspad_taskd.core.patience import (
    LATE_S,
    endpoint,
    health_data,
    patient_since,
    refusal_stands,
    spent,
    stalled,
    waiting_since,
)
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.unanswered import all_hints

PASSING = frozenset({EtaReason.WARMING_UP, EtaReason.STALLED, EtaReason.NO_ANSWER})
"""Why a time left is missing that was there, or will be."""
PROGRESS_EVERY_MS = 1_000  # progress from looks is taken, and so written, this often at most

Outcome = tuple[Task, list[Fact]]


def judge(task: Task, definition: Definition, look: Look, now: Moment) -> Outcome:
    """Return the task after a look at it, and what happened."""
    match look.observation:
        case Reading() as reading:
            return _read(task, definition, reading, look.pushed, now)
        case Unreachable() as missed:
            return _missed(task, definition, missed, now)
        case Refused() as refused:
            return _refused(task, definition, refused, look.pushed, now)


def lose_patience(task: Task, definition: Definition, now: Moment) -> Outcome:
    """Return the task after time alone has passed: it may have stalled, or be given up."""
    if _given_up(task.live, definition, now):
        return _give_up(task, definition, now)
    report = task.definition.type == "report"
    answers = task.health is Health.OK or (report and task.health is Health.UNKNOWN)
    if not answers or not stalled(task.live, definition, now):
        return task, []
    heard = task.live.last_update
    silent = report and (heard is None or heard <= (task.live.patient_since or 0))
    reason = Reason.SILENT_REPORT if silent else Reason.NO_MOVEMENT
    return _with_health(task, _still(task.live), Health.STALLED, reason, now)


def other_patience(task: Task, old: Definition, new: Definition, now: Moment) -> Outcome:
    """Return the task after its patience was changed: what it bears with now is not stalled."""
    if task.health is not Health.STALLED or task.status is not Status.IN_PROGRESS:
        return task, []
    began = waiting_since(task, old)
    if began is None or now - began >= new.stall_after * 1000:
        return task, []
    live = replace(task.live, patient_since=min(now, began), eta_reason=EtaReason.NO_ANSWER)
    health = Health.UNKNOWN if live.last_update is None else Health.OK
    return _with_health(task, live, health, None, now)


def fail(task: Task, failure: Failure, now: Moment, hints: tuple[Hint, ...] = ()) -> Outcome:
    """Return the task ended in error, the place reached kept; `hints` are its failure's own."""
    live = replace(at_rest(task.live), hints=hints)
    ended = unwatched(
        task, Status.ERROR, live, now, ended_at=now, failure=failure, confirmed=0
    )  # fmt: skip
    data = {"reason": failure.reason, "params": dict(failure.params), "text": failure.text}
    return ended, [fact(ended, EventName.ERROR, now, status="error", erroredAt=now, **data)]


def finish(task: Task, live: Live, now: Moment, *, proven: bool) -> Outcome:
    """Return the task complete, and on watch where that is wanted and its last look was good.

    `proven`: by its looks, not by somebody's word.
    """
    last = progress.finished(progress.shown(task), now)
    ended = unwatched(
        task, Status.COMPLETE, done(live), now, ended_at=now, percent=last.percent,
        basis=last.basis, phase=last.phase, phases=last.phases, proven=proven,
    )  # fmt: skip
    took = now - (ended.started_at or now)
    data = {"status": "complete", "progress": 100, "completedAt": now, "durationMs": took}
    if task.because is not None:
        data["because"] = task.because
    facts = [fact(ended, EventName.COMPLETE, now, **data)]
    if not task.definition.keep_watching or not (proven or task.confirmed):
        return ended, facts
    if not proven and task.confirmed < task.definition.confirmations:
        live = replace(patient(ended.live, now), good=task.confirmed)
        return changed(ended, live, watch=Watch.ON, watched_since=now), facts
    if task.health in TROUBLE:  # what was told is over
        facts.insert(0, fact(task, EventName.HEALTH, now, **health_data(Health.OK, now)))
    kept = changed(
        ended, patient(ended.live, now), watch=Watch.ON, watched_since=now, health=Health.OK,
        health_since=now,
    )  # fmt: skip
    return kept, facts


def _give_up(task: Task, definition: Definition, now: Moment) -> Outcome:
    params = {"seconds": definition.give_up_after or 0.0}
    return fail(task, Failure(Reason.GAVE_UP, params), now)


def _missed(task: Task, definition: Definition, missed: Unreachable, now: Moment) -> Outcome:
    live = _unmeasured(unanswered.missed(task, definition, missed, now))
    if _given_up(live, definition, now):
        return _give_up(task, definition, now)
    return _with_health(task, live, Health.UNREACHABLE, missed.reason, now, confirmed=0)


def _refused(
    task: Task, definition: Definition, refused: Refused, pushed: bool, now: Moment
) -> Outcome:
    live = _unmeasured(unanswered.refused(task.live, refused, now))
    lost = refused.reason is Reason.RUN_LOST
    if pushed or refusal_stands(live, definition, now, lost):
        text = refused.params.get("text")
        said = text if isinstance(text, str) else None
        task = replace(task, live=live)
        return fail(task, Failure(refused.reason, refused.params, said), now, refused.hints)
    health = Health.OK if task.health is Health.UNREACHABLE else task.health
    return _with_health(task, live, health, refused.reason, now, confirmed=0)


def _unmeasured(live: Live) -> Live:
    return replace(
        live,
        rate=None,
        eta=None,
        eta_reason=EtaReason.NO_ANSWER,
        window=broken(live.window),
    )


def _read(
    task: Task, definition: Definition, reading: Reading, pushed: bool, now: Moment
) -> Outcome:
    facts: list[Fact] = []
    if reading.epoch is not None:
        task = _new_epoch(task, reading.epoch, now)
        facts.append(fact(task, EventName.EPOCH, now, number=task.epoch.number, since=now,
                          reason=reading.epoch))  # fmt: skip
    seen = movement(task, reading)
    moving = _moving(seen, reading)
    confirmed = task.confirmed + 1 if reading.complete else 0
    detail = progress.detail(reading)
    taken = _taken(task, reading, detail, confirmed, pushed, now)
    progressed_at = now if taken else task.live.progressed_at
    live = _live(task, definition, reading, detail, seen, progressed_at, now)
    enough = reading.settled and confirmed >= definition.confirmations
    if reading.complete and (pushed or enough):
        ended, more = finish(changed(task, live, **taken), live, now, proven=True)
        return ended, facts + more
    if _given_up(live, definition, now):
        ended, more = _give_up(replace(task, live=live), definition, now)
        return ended, facts + more
    health = _health(task, live, definition, moving, now)
    reason = reading.reason or (Reason.NO_MOVEMENT if health is Health.STALLED else None)
    if reason is None and seen.moved is None and not reading.complete:
        reason = Reason.MOVEMENT_UNSEEN
    if health is Health.STALLED:
        live = _still(live)
    task, more = _with_health(task, live, health, reason, now, **taken)
    return task, facts + more


def _new_epoch(task: Task, why: str, now: Moment) -> Task:
    live = afresh(
        replace(task.live, window=Window(rates=rates_of(task.live.window)), progressed_at=None)
    )
    epoch = Epoch(task.epoch.number + 1, now, why)
    return changed(
        task, live, epoch=epoch, percent=0.0, basis="unknown", phases=(), pass_number=1, confirmed=0
    )


def _live(
    task: Task,
    definition: Definition,
    reading: Reading,
    detail: Detail | None,
    seen: Movement,
    progressed_at: Moment | None,
    now: Moment,
) -> Live:
    """The live fields after a reading: one object made, for this is done at every look."""
    old = task.live
    position, phase = reading.position, reading.phase
    before = broken(old.window) if _late(old, definition, now) else old.window
    between = reading.route is not None and is_over(reading.route)
    window = broken(before) if position is None else follow(before, phase, position, now, between)
    rates = rates_of(window)
    ahead = EtaReason.CONFIRMING if reading.complete else walk(reading, rates, waited(window, now))
    left = ahead.seconds if isinstance(ahead, Walk) else None
    if left is not None and left > 0 and stands(window, now):
        ahead, left = EtaReason.STALLED, None
    moving = _moving(seen, reading)
    return Live(
        last_checked=now,
        last_update=now,
        last_moved=now if seen.moved else old.last_moved,
        read_at=now,
        position=position,
        target=reading.target,
        shown=reading.shown,
        detail=detail,
        floor=reading.floor,
        behind=reading.behind,
        rate=rates.get(phase or "") if position is not None else None,
        eta=left,
        eta_reason=ahead if isinstance(ahead, EtaReason) else None,
        walk=ahead if isinstance(ahead, Walk) else None,
        hints=all_hints(
            task,
            definition,
            reading.hints,
            reading.disk,
            0.0 if reading.complete else left,  # until nothing more is written for this task
            passing=left is None and ahead in PASSING,
        ),
        conditions=deciding(reading),
        metadata=runway.facts(reading.metadata, reading.disk),
        params=reading.params,
        window=window,
        memory=reading.memory,
        reached=seen.reached,
        entered=seen.entered,
        answered=endpoint(definition),
        patient_since=now if moving else patient_since(task, definition, now),
        persistent_since=now if moving else old.persistent_since,
        progressed_at=progressed_at,
    )


def _moving(seen: Movement, reading: Reading) -> bool:
    """Whether patience begins anew: what is done needs none, what cannot be seen gets it."""
    return seen.moved is not False or (reading.complete and reading.settled)


def _late(live: Live, definition: Definition, now: Moment) -> bool:
    """Whether nobody looked for so long that what happened meanwhile tells no rate."""
    usual = 3 * definition.interval + definition.timeout + LATE_S
    return live.last_checked is not None and now - live.last_checked > usual * 1000


def _taken(
    task: Task,
    reading: Reading,
    detail: Detail | None,
    confirmed: int,
    pushed: bool,
    now: Moment,
) -> dict[str, Any]:
    """The durable fields of the reading's progress; none if a look's was taken within a second."""
    before = progress.shown(task)
    after = progress.advance(before, reading, detail, now)
    if after == before and confirmed == task.confirmed:
        return {}
    since = None if pushed else task.live.progressed_at
    early = since is not None and 0 <= now - since < PROGRESS_EVERY_MS
    if early and confirmed == task.confirmed and after.phase == before.phase:
        return {}
    return {
        "percent": after.percent,
        "basis": after.basis,
        "phase": after.phase,
        "phases": after.phases,
        "pass_number": after.pass_number,
        "confirmed": confirmed,
    }


def _health(task: Task, live: Live, definition: Definition, moving: bool, now: Moment) -> Health:
    if moving:
        return Health.OK
    if task.health is Health.STALLED or stalled(live, definition, now):
        return Health.STALLED
    return Health.OK


def _still(live: Live) -> Live:
    """What stands still has no rate and no time left."""
    return replace(live, rate=None, eta=None, eta_reason=EtaReason.STALLED)


def _given_up(live: Live, definition: Definition, now: Moment) -> bool:
    since, limit = live.persistent_since, definition.give_up_after
    return limit is not None and since is not None and now - since >= limit * 1000


def _with_health(
    task: Task,
    live: Live,
    health: Health,
    reason: Reason | None,
    now: Moment,
    **durable: Any,
) -> Outcome:
    """The task with this health; a fact if it changed, but for the first answer's "ok"."""
    if health is task.health:
        if reason is not task.reason or durable:
            return changed(task, live, reason=reason, **durable), []
        return replace(task, live=live), []
    first = task.health is Health.UNKNOWN and health is Health.OK
    new = changed(task, live, health=health, health_since=now, reason=reason, **durable)
    if first:
        return new, []
    params = {**spent(live, reason, now), **live.params}
    return new, [fact(new, EventName.HEALTH, now, **health_data(health, now, reason, params))]
