"""Keeping watch: what a look at a complete task means. Its status stays, its health is the news.

In this order: who refuses or does not answer is unreachable; who has nothing new for `stall_after`
is stalled; who is not in sync for `behind_after` is behind; else it is well, after `confirmations`
good looks in a row. What is neither stays as it was: one bad look is no trouble, and one good one
amid bad ones no end of it.

All that the rules count is live: a crash, a restart, a clock jump only let them count anew, from
the health that is on record.
"""

from __future__ import annotations

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import progress, runway, unanswered
from kaspad_taskd.core.change import anew, begun, changed, done, fact, patient
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.inputs import Look
from kaspad_taskd.core.model import (
    TROUBLE,
    Definition,
    Health,
    Live,
    Moment,
    Status,
    Task,
    Watch,
)
from kaspad_taskd.core.observation import Following, Reading, Refused, Unreachable, deciding
from kaspad_taskd.core.patience import (
    endpoint,
    far_apart,
    health_data,
    patient_since,
    refusal_stands,
    spent,
    stalled,
    waiting_since,
)
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.unanswered import all_hints

RELAPSE_MS = 600_000
"""At most one attempt in so long begins by itself."""
FAR_BEHIND = "far-behind"
"""Why an attempt began by itself, where no data was lost."""
AWAITED = 3.0
"""Units that a span must let expect before their coming says anything of the pace."""
SURE = 4.0
"""Square roots of what was awaited: so many are missing by no chance, for they come at random."""
LONG_MS = 300_000
"""So long is waited for them where not even none at all would be so many."""
PACE = 0.5
"""Of the pace of all others: who keeps so much of it keeps up, for blocks come unevenly."""

Outcome = tuple[Task, list[Fact]]


def look(task: Task, definition: Definition, given: Look, now: Moment) -> Outcome:
    """Return the task after a look at it, and what happened."""
    if _late(task.live, definition, now):
        task = replace(task, live=patient(_uncounted(task.live), now))
    match given.observation:
        case Reading() as reading:
            return _read(task, definition, reading, now)
        case Unreachable() as missed:
            return _missed(task, definition, missed, now)
        case Refused() as refused:
            return _refused(task, definition, refused, now)


def _late(live: Live, definition: Definition, now: Moment) -> bool:
    """Whether nobody looked for so long that what was in between is not known."""
    return live.last_checked is not None and now - live.last_checked > far_apart(live, definition)


def begin(task: Task, now: Moment) -> Task:
    """Return a complete task on watch: nothing is known of it until its first good look."""
    live = patient(_uncounted(done(task.live)), now)
    return changed(task, live, watch=Watch.ON, watched_since=None)


def pause(task: Task, now: Moment) -> Outcome:
    """Return the task with its watch paused: from here on its health is not known."""
    return _become(_with(task, Watch.PAUSED), _unseen(task.live), Health.UNKNOWN, None, now)


def resume(task: Task, now: Moment) -> Outcome:
    """Return the task on watch again; its first look will tell how it is."""
    return changed(task, patient(task.live, now), watch=Watch.ON), []


def end(task: Task, now: Moment) -> Outcome:
    """Return the task as one that is complete and looked at no more."""
    return _become(_with(task, Watch.NONE), _unseen(task.live), Health.UNKNOWN, None, now)


def in_sync(task: Task) -> bool | None:
    """Whether it is in sync by its newest look, and not only by its health, which is patient.

    None: nobody knows, or it is no task to which this applies: one that is not complete.
    """
    if not task.watched or task.status is not Status.COMPLETE or task.health is Health.UNKNOWN:
        return None
    return task.health is Health.OK and (task.live.bad_since is None or task.live.good > 0)


def attach(task: Task, now: Moment) -> Task:
    """Return the task as the daemon takes up its watch: patience begins anew, no more.

    After a jump the clock may be right again.
    """
    live = replace(task.live, misses=0, clock_off=False)
    return replace(task, live=patient(_uncounted(live), now))


def jumped(task: Task, now: Moment) -> Task:
    """Return the task with the moment of its relapse by the clock as it is now.

    How long ago it was, its newest look tells. One that is over for RELAPSE_MS needs none.
    """
    if task.relapsed_at is None:
        return task
    passed = (task.live.last_checked or task.relapsed_at) - task.relapsed_at
    if not 0 <= passed < RELAPSE_MS:
        return task
    return changed(task, task.live, relapsed_at=now - passed)


def afresh(task: Task, now: Moment) -> Outcome:
    """Return the task on watch over something else: what was seen of the other says nothing."""
    live = replace(Live(), eta=0.0, eta_reason=None)
    new, facts = _become(task, patient(live, now), Health.UNKNOWN, None, now)
    return changed(new, new.live, watched_since=None), facts


def other_patience(task: Task, old: Definition, new: Definition, now: Moment) -> Outcome:
    """Return the task after its patience was changed: what it bears with now is no trouble."""
    if task.health_since is None or task.health not in (Health.STALLED, Health.BEHIND):
        return task, []
    moved, bad = waiting_since(task, old), task.live.bad_since or now
    if task.health is Health.BEHIND:
        bad = min(bad, task.health_since - round(old.behind_after * 1000))
    elif moved is None or now - moved >= new.stall_after * 1000:
        return task, []
    else:
        bad = min(bad, task.health_since)
    health = Health.BEHIND if now - bad >= new.behind_after * 1000 else Health.OK
    if health is task.health:
        return task, []
    live = replace(task.live, bad_since=bad, patient_since=moved)
    return _become(task, live, health, None, now)


def _with(task: Task, watch: Watch) -> Task:
    return changed(task, task.live, watch=watch)


def _uncounted(live: Live) -> Live:
    return replace(live, paced=None, good=0, bad_since=None)


def _unseen(live: Live) -> Live:
    """Nobody looks: how far behind it was says nothing of now."""
    return replace(_uncounted(done(live)), behind=None)


def _missed(task: Task, definition: Definition, missed: Unreachable, now: Moment) -> Outcome:
    live = _untold(unanswered.missed(task, definition, missed, now), now)
    return _become(task, live, Health.UNREACHABLE, missed.reason, now)


def _refused(task: Task, definition: Definition, refused: Refused, now: Moment) -> Outcome:
    live = _untold(unanswered.refused(task.live, refused, now), now)
    stands = refusal_stands(live, definition, now)
    health = Health.UNREACHABLE if stands else task.health
    return _become(task, live, health, refused.reason, now)


def _untold(live: Live, now: Moment) -> Live:
    """One more look that was not good, and that did not tell how far behind it is."""
    return replace(_bad(live, now), behind=None, paced=None)


def _bad(live: Live, now: Moment) -> Live:
    """One more look that was not good."""
    since = now if live.bad_since is None else min(now, live.bad_since)
    return replace(live, good=0, bad_since=since)


def _read(task: Task, definition: Definition, reading: Reading, now: Moment) -> Outcome:
    live = _seen(task, definition, reading, now)
    because = _relapse(task, definition, reading, live, now)
    if because is not None:
        new = anew(task, now, Status.IN_PROGRESS, task.attempt + 1, because)
        return new, [begun(new, now)]
    following = reading.following
    if following is not None and live.clock_off:
        live, health = _by_pace(task, live, following, now)
        return _become(task, live, health, Reason.CLOCK_SKEW, now)
    live = replace(live, paced=None)
    stands = following is not None and _stands(task, live, definition, now)
    good = reading.complete and not stands
    live = _good(live, definition) if good else _bad(live, now)
    health = _health(task, live, definition, stands=stands, good=reading.complete, now=now)
    if task.watched_since is None and live.good:
        task = changed(task, task.live, watched_since=now)
    return _become(task, live, health, _reason(reading, health), now)


def _stands(task: Task, live: Live, definition: Definition, now: Moment) -> bool:
    """Whether nothing has come for too long; once that is said, something has to come."""
    still = live.newest == task.live.newest
    return still and (task.health is Health.STALLED or stalled(live, definition, now))


def _good(live: Live, definition: Definition) -> Live:
    """One more good look; enough of them in a row, and all is well."""
    good = live.good + 1
    if good < definition.confirmations:
        return replace(live, good=good)
    return replace(live, good=good, bad_since=None, lost=None)


def _health(
    task: Task, live: Live, definition: Definition, *, stands: bool, good: bool, now: Moment
) -> Health:
    if stands:
        return Health.STALLED
    if good:
        return Health.OK if live.good >= definition.confirmations else task.health
    bad = now - (live.bad_since or now)
    if task.health in TROUBLE and task.health_since is not None:
        bad = max(bad, now - task.health_since)
    return Health.BEHIND if bad >= definition.behind_after * 1000 else task.health


def _reason(reading: Reading, health: Health) -> Reason | None:
    if reading.reason is not None or health is not Health.STALLED:
        return reading.reason
    joined = reading.following is not None and reading.following.joined
    return Reason.NETWORK_STANDS_STILL if joined else Reason.NO_MOVEMENT


def _by_pace(task: Task, live: Live, following: Following, now: Moment) -> tuple[Live, Health]:
    """Return the health while the clock is wrong: well is who was so and keeps up with all others.

    Of anybody else nothing is known.
    """
    live = replace(live, good=0, bad_since=None)
    keeps, live = _keeps_up(task.live, live, following, now)
    well = task.health is Health.OK and following.joined and keeps is not False
    return live, Health.OK if well else Health.UNKNOWN


def _keeps_up(
    before: Live, live: Live, following: Following, now: Moment
) -> tuple[bool | None, Live]:
    """Whether its score rises as all others' do; None: not enough was to be expected yet."""
    if following.score is None:
        return None, replace(live, paced=None)
    here = (following.score, now)
    if before.paced is None:
        return None, replace(live, paced=here)
    score, at = before.paced
    awaited = following.pace * (now - at) / 1000
    got = following.score - score
    keeps = got >= PACE * awaited
    rare = awaited < SURE**2 and now - at >= LONG_MS
    told = keeps or rare or awaited - got >= SURE * awaited**0.5
    if awaited < AWAITED or not told:
        return None, replace(live, paced=before.paced)
    return keeps, replace(live, paced=here)


def _relapse(
    task: Task, definition: Definition, reading: Reading, live: Live, now: Moment
) -> str | None:
    """Why it has to do all of it again, or None: by scores alone, and not twice within minutes."""
    following = reading.following
    if task.watched_since is None or live.clock_off:
        return None
    if task.relapsed_at is not None and 0 <= now - task.relapsed_at < RELAPSE_MS:
        return None
    if live.lost is not None and not reading.complete:
        return live.lost
    lacks = None if following is None else following.lacks
    return FAR_BEHIND if lacks is not None and lacks > definition.relapse_after else None


def _seen(task: Task, definition: Definition, reading: Reading, now: Moment) -> Live:
    """The live fields after a reading, but for what the rules count."""
    old, following = task.live, reading.following
    newest = None if following is None else following.newest
    moved = newest is None or newest != old.newest
    return replace(
        old,
        last_checked=now,
        last_update=now,
        last_moved=now if moved and newest is not None else old.last_moved,
        read_at=now,
        position=reading.position,
        target=reading.target,
        shown=reading.shown,
        detail=progress.detail(reading) if reading.complete else None,
        behind=reading.behind,
        hints=all_hints(task, definition, reading.hints, reading.disk, None, passing=False),
        conditions=deciding(reading),
        metadata=runway.facts(reading.metadata, reading.disk),
        params=reading.params,
        memory=reading.memory,
        misses=0,
        refusals=0,
        refused_since=None,
        answered=endpoint(definition),
        patient_since=now if moved else patient_since(task, definition, now),
        newest=newest,
        clock_off=_clock_off(old, reading),
        lost=reading.epoch or old.lost,
    )


def _clock_off(old: Live, reading: Reading) -> bool:
    """Whether the clock is wrong: what was told of it stands until something tells otherwise.

    A node that no longer follows tells nothing of it, and its clock is as wrong as before.
    """
    if reading.complete or reading.following is None:
        return False
    told = reading.following.clock_off
    return old.clock_off if told is None else told


def _become(task: Task, live: Live, health: Health, reason: Reason | None, now: Moment) -> Outcome:
    """The task with this health, and the fact of its change; before a good look there is none."""
    if task.watched_since is None:
        health, reason = Health.UNKNOWN, None
    if health is task.health:
        return changed(task, live, reason=reason), []
    new = changed(task, live, health=health, health_since=now, reason=reason)
    data = health_data(health, now, reason, {**spent(live, reason, now), **live.params})
    if health is Health.BEHIND:
        data["behind"] = live.behind
    if health is Health.OK:
        data["was"] = task.health
    return new, [fact(new, EventName.HEALTH, now, **data)]
