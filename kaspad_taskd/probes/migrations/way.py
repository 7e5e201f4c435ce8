"""The way of a known script: which steps lie between two versions, and which one runs now."""

from __future__ import annotations

from collections.abc import Sequence

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import PlannedPhase
from kaspad_taskd.probes.migrations.counters import Counted
from kaspad_taskd.probes.migrations.seen import Backend
from kaspad_taskd.probes.migrations.tool import Script, Step


def steps_between(scripts: Sequence[Script], begin: int, wanted: int) -> tuple[Step, ...]:
    """Return the steps that take long from a version to the wanted one."""
    return tuple(
        step for script in scripts if begin < script.version <= wanted for step in script.steps
    )


def phases(steps: Sequence[Step]) -> tuple[PlannedPhase, ...]:
    """Return the phases of these steps; an index has two of them."""
    return tuple(
        PlannedPhase(key, step.weight / len(step.keys)) for step in steps for key in step.keys
    )


def begin_of(scripts: Sequence[Script], version: int, leftover: bool) -> int:
    """Return the version that a migration really comes from.

    A script that stamps first and has left something over began at the version before.
    """
    for before, script in zip((None, *scripts), scripts, strict=False):
        if script.stamps_first and script.version == version and leftover:
            return before.version if before else version - 1
    return version


@frozen
class At:
    """A step that runs.

    Attributes:
        step: which.
        key: of its phase.
        backend: whose session.
        count: what the server counts of it.
    """

    step: Step
    key: str
    backend: Backend
    count: Counted | None


def locate(
    scripts: Sequence[Script], version: int, backend: Backend, count: Counted | None
) -> At | None:
    """Return the step that a session runs at a version, or None where it is none."""
    for script in scripts:
        ahead = script.version > version or (script.stamps_first and script.version == version)
        for step in script.steps if ahead else ():
            if step.begins.match(backend.statement):
                return At(step, _key(step, count), backend, count)
    return None


def _key(step: Step, count: Counted | None) -> str:
    return step.keys[-1 if count is not None and count.loads else 0]
