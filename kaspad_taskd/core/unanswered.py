"""What is noted of a look that tells nothing of the work: nobody answered, or it was refused."""

from __future__ import annotations

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core import runway
from kaspad_taskd.core.model import Definition, Live, Moment, Task
from kaspad_taskd.core.observation import Disk, Hint, Refused, Unreachable


def missed(task: Task, definition: Definition, seen: Unreachable, now: Moment) -> Live:
    """Return the live fields after nobody answered; what was measured is as it was."""
    old = task.live
    return replace(
        old,
        last_checked=now,
        misses=old.misses + 1,
        refusals=0,
        refused_since=None,
        hints=all_hints(task, definition, seen.hints, seen.disk, None, passing=True),
        metadata=runway.facts(old.metadata, seen.disk),
        params=seen.params,
        memory=old.memory if seen.memory is None else seen.memory,
    )


def refused(old: Live, seen: Refused, now: Moment) -> Live:
    """Return the live fields after a refusal; what was measured is as it was."""
    return replace(
        old,
        last_checked=now,
        last_update=now,
        misses=0,
        refusals=old.refusals + 1,
        refused_since=now if old.refused_since is None else min(now, old.refused_since),
        hints=seen.hints,
        params=seen.params,
        metadata=old.metadata if seen.metadata is None else seen.metadata,
    )


def all_hints(
    task: Task,
    definition: Definition,
    found: tuple[Hint, ...],
    disk: Disk | None,
    left: float | None,
    *,
    passing: bool,
) -> tuple[Hint, ...]:
    """The hints of a look, with what is to be told of the disk that the work fills."""
    if disk is None and not definition.checker.get("dataDir"):
        return found
    told = runway.told(disk, left, task.live.hints, passing=passing)
    return runway.joined(found, told)
