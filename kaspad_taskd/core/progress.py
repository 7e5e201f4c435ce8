"""The share of the way that is known to be done, overall and phase by phase."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Detail, Moment, PhaseRecord, Task
from kaspad_taskd.core.observation import PlannedPhase, Reading

ALMOST = 99.9  # 100 is shown in `complete` alone


@frozen
class Progress:
    """What is shown of the way: all durable fields that a mere advance changes."""

    percent: float
    basis: str
    phase: str | None
    phases: tuple[PhaseRecord, ...]
    pass_number: int


def shown(task: Task) -> Progress:
    """The progress that a task shows."""
    return Progress(task.percent, task.basis, task.phase, task.phases, task.pass_number)


def advance(before: Progress, reading: Reading, known: Detail | None, now: Moment) -> Progress:
    """Return the progress after a reading, whose detail is `known`: never less, never 100."""
    share = share_of(reading.floor, known)
    counted = overall(reading.plan, reading.phase, share)
    return Progress(
        percent=before.percent if counted is None else max(before.percent, counted),
        basis=_basis(reading, share, before),
        phase=reading.phase,
        phases=_records(before, reading, share, now),
        pass_number=reading.pass_number,
    )


def finished(before: Progress, now: Moment) -> Progress:
    """The progress of a complete task: every phase done, 100 %."""
    phases = tuple(
        PhaseRecord(
            each.key, "done", each.weight, 100.0, "exact", each.started_at,
            now if each.state == "current" else each.ended_at,
        )
        for each in before.phases
    )  # fmt: skip
    return replace(before, percent=100.0, basis="exact", phase=None, phases=phases)


def detail(reading: Reading) -> Detail | None:
    """The current phase in numbers, or None where nothing is counted."""
    if reading.position is None:
        return None
    begin = reading.start or 0.0
    total = None if reading.target is None else max(0.0, reading.target - begin)
    return Detail(max(0.0, reading.position - begin), total, reading.unit, reading.basis)


def share_of(floor: float | None, known: Detail | None) -> float | None:
    """The share of a phase (0 to 1): `floor` where it is told by other means, else done / total."""
    if floor is not None:
        return min(1.0, max(0.0, floor))
    if known is None or not known.total:
        return None
    return min(1.0, known.done / known.total)


def overall(
    plan: Sequence[PlannedPhase | PhaseRecord], phase: str | None, share: float | None
) -> float | None:
    """The percent of the whole way, of which done phases count whole and this one by its share.

    None: the phase is not on the way, which tells nothing.
    """
    if not plan:
        return _floored((share or 0.0) * 100)
    whole = ahead = 0.0
    found = False
    for each in plan:
        whole += each.weight
        if each.key == phase:
            found = True
            ahead += each.weight * (share or 0.0)
        elif not found:
            ahead += each.weight
    return _floored(ahead / whole * 100) if found and whole > 0 else None


def _floored(percent: float) -> float:
    return min(ALMOST, floor(percent * 10 + 1e-9) / 10)


def _basis(reading: Reading, share: float | None, before: Progress) -> str:
    if reading.plan and not any(each.weight for each in reading.plan):
        return before.basis  # nobody knows how long the way is
    if len(reading.plan) > 1:  # weights are estimates
        return "estimated" if before.percent or share or reading.phase else "unknown"
    return reading.basis if share is not None else before.basis


def _records(
    before: Progress, reading: Reading, share: float | None, now: Moment
) -> tuple[PhaseRecord, ...]:
    if not reading.plan:
        return ()
    old = {each.key: each for each in before.phases}
    keys = [each.key for each in reading.plan]
    if reading.phase not in keys:  # between two phases: the way stays as it was
        return tuple(old.get(each.key) or _next(each) for each in reading.plan)
    current = keys.index(reading.phase)
    same_way = before.phase == reading.phase and before.pass_number == reading.pass_number
    records = []
    for index, planned in enumerate(reading.plan):
        known = old.get(planned.key)
        if index < current:
            records.append(_done(planned, known, now))
        elif index == current:
            records.append(
                _current(planned, known if same_way else None, known, reading, share, now)
            )
        else:
            records.append(_next(planned))
    return tuple(records)


def _next(planned: PlannedPhase) -> PhaseRecord:
    return PhaseRecord(planned.key, "next", planned.weight)


def _done(planned: PlannedPhase, known: PhaseRecord | None, now: Moment) -> PhaseRecord:
    if known is None or known.started_at is None:  # it ended before anybody looked
        return PhaseRecord(planned.key, "done", planned.weight, 100.0, "exact")
    ended = known.ended_at or now
    return PhaseRecord(planned.key, "done", planned.weight, 100.0, "exact", known.started_at, ended)


def _current(
    planned: PlannedPhase,
    going_on: PhaseRecord | None,
    known: PhaseRecord | None,
    reading: Reading,
    share: float | None,
    now: Moment,
) -> PhaseRecord:
    percent = None if share is None else _floored(share * 100)
    if going_on is not None and going_on.progress is not None:
        percent = max(percent or 0.0, going_on.progress)
    started = known.started_at if known is not None and known.started_at is not None else now
    basis = reading.basis if percent is not None else "unknown"
    return PhaseRecord(planned.key, "current", planned.weight, percent, basis, started)
