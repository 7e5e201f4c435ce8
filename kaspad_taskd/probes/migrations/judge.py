"""What a look at a database means for its migration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kaspad_taskd.core.observation import (
    Condition,
    Done,
    Hint,
    Json,
    Observation,
    Reading,
    Refused,
    Scalar,
    Unreachable,
)
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.kaspa.client import clean as printable
from kaspad_taskd.probes.migrations.seen import Backend, Counted, Record, Server
from kaspad_taskd.probes.migrations.tool import Step, Tool
from kaspad_taskd.probes.migrations.way import At, begin_of, locate, phases, steps_between
from kaspad_taskd.words.spans import down

QUIET: Final = 3
"""Looks in a row that find nobody at work and something left to do."""

LONGEST_NAME: Final = 64
"""Characters of a role's or an application's name."""

_PHASES: Final = {
    "index": "statement_index",
    "copy": "statement_copy",
    "cluster": "statement_cluster",
    "vacuum": "statement_vacuum",
    "analyze": "statement_analyze",
}

_COUNTED: Final = {
    "index": "CREATE INDEX",
    "copy": "COPY",
    "cluster": "CLUSTER",
    "vacuum": "VACUUM",
    "analyze": "ANALYZE",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a definition wants.

    Attributes:
        tool: which tool migrates.
        version: the version to be reached; "" for the tool `sql`.
        table: where versions are recorded, `schema.table` or `table`.
        user: only sessions of this role may be the migration's; "" is any.
        application: only sessions that name themselves so; "" is any.
    """

    tool: Tool
    version: str = ""
    table: str = ""
    user: str = ""
    application: str = ""

    def admits(self, backend: Backend) -> bool:
        """Whether a session may be the migration's, as far as its names tell."""
        by_user = not self.user or backend.user == self.user
        return by_user and (not self.application or backend.application == self.application)

    def owns(self, backend: Backend) -> bool:
        """Whether a session is the migration's."""
        if backend.hidden or not self.admits(backend):
            return False
        return bool(self.application) or self.tool.mine(backend)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step's own query told: how far it is; `done` None where the record has it."""

    start: float | None
    done: float | None
    total: float | None


def at_work(wanted: Wanted, server: Server) -> tuple[Backend, ...]:
    """Return the sessions that migrate, the one that has worked longest first."""
    found = [each for each in server.backends if wanted.owns(each)]
    return tuple(sorted(found, key=lambda each: (each.idle, -each.seconds)))


def running_step(wanted: Wanted, server: Server, version: str | None) -> At | None:
    """Return the step of a known script that runs now."""
    number = _number(version)
    for backend in at_work(wanted, server) if number is not None else ():
        count = server.counted.get(backend.pid)
        found = locate(wanted.tool.scripts, number or 0, backend, count)
        if found is not None:
            return found
    return None


def judge(
    wanted: Wanted,
    server: Server,
    record: Record | None,
    memory: Mapping[str, Json],
    measured: Measured | None = None,
) -> Observation:
    """Return what it all means; `record` None: there is no version table."""
    if server.replica:
        return Unreachable(
            Reason.WRONG_PROGRAM, {"program": "A read replica", "expected": "the primary server"}
        )
    found = record or Record()
    work = at_work(wanted, server)
    blind = any(each.hidden and wanted.admits(each) for each in server.backends)
    failure = found.failure or (None if blind else found.unfinished)
    if failure is not None and not work:
        return Refused(Reason.CHECKER_ERROR, {"text": failure})
    reading = _way(wanted, server, found, memory, measured, work)
    quiet = 0 if work else min(QUIET, _quiet(memory) + 1)
    reason, params = _reason(server, found, work, blind)
    conditions = _conditions(wanted, found, work, blind)
    return replace(
        reading,
        complete=all(each.holds for each in conditions),
        conditions=conditions,
        reason=reason,
        params=params,
        hints=_hints(wanted, server, record, reason, quiet, params),
        done=_done(work, server, reading),
        at_work=any(not (each.locked or each.idle) for each in work),
        metadata=_metadata(wanted, found, work, server),
        memory={**reading.memory, "quiet": quiet, "version": found.version},
    )


def _conditions(
    wanted: Wanted, found: Record, work: Sequence[Backend], blind: bool
) -> tuple[Condition, ...]:
    """What has to hold for this look to say that the migration is over."""
    return (
        Condition("version-reached", found.reached, found.version, wanted.version or None),
        Condition("nobody-at-work", not work, len(work), 0),
        Condition("sessions-seen", not blind),
    )


def _number(version: str | None) -> int | None:
    return int(version) if version is not None and version.isdecimal() else None


def _quiet(memory: Mapping[str, Json]) -> int:
    value = memory.get("quiet")
    return value if isinstance(value, int) else 0


def _way(
    wanted: Wanted,
    server: Server,
    record: Record,
    memory: Mapping[str, Json],
    measured: Measured | None,
    work: Sequence[Backend],
) -> Reading:
    """Where it is: a step of a known script, what the query says, or one statement's count."""
    version, target = _number(record.version), _number(wanted.version)
    if wanted.tool.scripts and version is not None and target is not None:
        begin = _begin(wanted, version, record, memory)
        steps = steps_between(wanted.tool.scripts, begin, target)
        if steps:
            at = running_step(wanted, server, record.version)
            return _on_the_way(steps, at, {"from": begin}, memory, record, measured)
    if record.done is not None and not wanted.tool.table:
        return Reading(position=record.done, start=0.0, target=record.total, basis="exact")
    return _one_statement(server, work)


def _begin(wanted: Wanted, version: int, record: Record, memory: Mapping[str, Json]) -> int:
    known = memory.get("from")
    here = begin_of(wanted.tool.scripts, version, bool(record.leftover))
    return known if isinstance(known, int) and known <= here else here


def _on_the_way(
    steps: Sequence[Step],
    at: At | None,
    kept: dict[str, Json],
    memory: Mapping[str, Json],
    record: Record,
    measured: Measured | None,
) -> Reading:
    plan = phases(steps)
    keys = [each.key for each in plan]
    before = memory.get("step") if memory.get("from") == kept["from"] else None
    was = keys.index(before) if before in keys else -1
    now = keys.index(at.key) if at is not None and at.key in keys else -1
    if max(was, now) < 0:
        return Reading(plan=plan, eta_reason=EtaReason.NO_TOTAL, memory=kept)
    phase = keys[max(was, now)]
    reading = Reading(
        phase=phase,
        plan=plan,
        eta_reason=None if phase == keys[-1] else EtaReason.NO_TOTAL,
        memory={**kept, "step": phase},
    )
    return _numbers(reading, at, record, measured) if at is not None and now >= was else reading


def _numbers(reading: Reading, at: At, record: Record, measured: Measured | None) -> Reading:
    if at.step.measure is not None:
        if measured is None or measured.start is None or measured.total is None:
            return reading
        done = record.done or measured.start if measured.done is None else measured.done
        return replace(
            reading,
            position=min(max(done, measured.start), measured.total),
            start=measured.start,
            target=measured.total,
            unit=at.step.unit,
            basis="exact" if measured.done is None else "estimated",
        )
    if at.count is None or at.count.total is None:
        return reading
    return replace(reading, start=0.0, basis="exact", **_counts(at.count))


def _counts(count: Counted) -> dict[str, Any]:
    return {"position": count.done, "target": count.total, "unit": count.unit}


def _one_statement(server: Server, work: Sequence[Backend]) -> Reading:
    """One statement of an unknown number: its own count is exact, the share of the whole is 0."""
    if not work:
        return Reading(eta_reason=EtaReason.NO_TOTAL)
    count = server.counted.get(work[0].pid)
    if count is None:
        return Reading(phase="statement", eta_reason=EtaReason.NO_TOTAL)
    return Reading(
        phase=_PHASES.get(count.kind, "statement"),
        start=0.0,
        floor=0.0,
        eta_reason=EtaReason.NO_TOTAL,
        **_counts(count),
    )


def _reason(
    server: Server, record: Record, work: Sequence[Backend], blind: bool
) -> tuple[Reason | None, Mapping[str, Scalar]]:
    locked = next((each for each in work if each.locked), None)
    if locked is not None:
        return Reason.LOCK_WAIT, {"pid": locked.blockers[0]} if locked.blockers else {}
    if blind and (record.reached or record.unfinished):
        return Reason.CREDENTIALS, {"user": server.user, "object": "what other sessions do"}
    return None, {}


def _hints(
    wanted: Wanted,
    server: Server,
    record: Record | None,
    reason: Reason | None,
    quiet: int,
    params: Mapping[str, Scalar],
) -> tuple[Hint, ...]:
    if reason is Reason.LOCK_WAIT:
        return (Hint("lock-wait", params),)
    if reason is not None:
        return (Hint("activity-hidden", {"user": server.user}),)
    if record is None:
        return (Hint("version-table-missing", {"table": wanted.table}),)
    if quiet < QUIET or record.reached:
        return ()
    if record.leftover:
        return (Hint("migration-interrupted", {"table": record.leftover[0]}),)
    versions = {"version": record.version, "wanted": wanted.version or None}
    return (Hint("migration-idle", {key: v for key, v in versions.items() if v is not None}),)


def _done(work: Sequence[Backend], server: Server, reading: Reading) -> Done | None:
    """The statement's own count, by session, kind and phase: each begins anew with the next."""
    count = server.counted.get(work[0].pid) if work else None
    if count is None or reading.position != count.done:
        return None
    return Done(f"{work[0].pid} {count.kind} {count.phase}"[:100], float(count.done))


def _name(backend: Backend, count: Counted | None) -> str:
    """Which statement runs; of several that were sent at once what is counted tells it."""
    several = ";" in backend.statement.rstrip("; ")
    return _COUNTED[count.kind] if several and count is not None else backend.name


def _metadata(
    wanted: Wanted, record: Record, work: Sequence[Backend], server: Server
) -> Mapping[str, Scalar]:
    facts: dict[str, Scalar] = {"tool": wanted.tool.name}
    if wanted.version:
        facts["wantedVersion"] = wanted.version
    if record.version is not None:
        facts["version"] = record.version
    facts.update(record.metadata)
    if work:
        count = server.counted.get(work[0].pid)
        facts["statement"] = _name(work[0], count)
        facts["statementSeconds"] = int(work[0].seconds)
        facts.update(_whose(work))
        if count is not None and count.total:
            facts["statementPercent"] = _percent(count.done, count.total)
        if work[0].idle:
            facts["idleInTransaction"] = True
    return facts


def _whose(work: Sequence[Backend]) -> Mapping[str, Scalar]:
    """Which session is taken for the migration, so that it can be told whether it is one."""
    first = work[0]
    named = {"sessionUser": first.user, "sessionApplication": first.application}
    facts: dict[str, Scalar] = {"sessionPid": first.pid}
    facts.update({key: printable(name, LONGEST_NAME) for key, name in named.items() if name})
    return facts if len(work) == 1 else {**facts, "sessions": len(work)}


def _percent(done: float, total: float) -> float:
    """One decimal, rounded down; 100 is said of what is done alone."""
    return 100.0 if done >= total else min(99.9, down(done / total * 100))
