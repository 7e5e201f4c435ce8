"""What a look at a database means for its migration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
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
from kaspad_taskd.probes.migrations.counters import Counted
from kaspad_taskd.probes.migrations.quiet import QUIET, Quiet, quiet_of
from kaspad_taskd.probes.migrations.seen import Backend, Record, Server
from kaspad_taskd.probes.migrations.tool import Step
from kaspad_taskd.probes.migrations.way import At, begin_of, locate, phases, steps_between
from kaspad_taskd.probes.migrations.whose import Wanted, is_evident, sessions
from kaspad_taskd.words import maybe, say
from kaspad_taskd.words.spans import down

SESSIONS: Final = 8
"""Sessions whose counters are remembered from look to look."""

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


@frozen
class Measured:
    """What a step's own query told: how far it is; `done` None where the record has it."""

    start: float | None
    done: float | None
    total: float | None


def running_step(
    wanted: Wanted, server: Server, version: str | None, memory: Mapping[str, Json]
) -> At | None:
    """Return the step of a known script that runs now."""
    number = _number(version)
    if number is None or not wanted.tool.scripts:
        return None
    return _step(wanted, server, number, sessions(wanted, server, False, memory).work)


def _step(wanted: Wanted, server: Server, version: int, work: Sequence[Backend]) -> At | None:
    for backend in work:
        count = server.counted.get(backend.pid)
        found = locate(wanted.tool.scripts, version, backend, count)
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
    who = sessions(wanted, server, found.reached, memory)
    work = who.work
    blind = any(each.hidden and wanted.admits(each) for each in server.backends)
    failure = found.failure or (None if blind else found.unfinished)
    if failure is not None and not work:
        return Refused(Reason.CHECKER_ERROR, {"text": failure})
    reading = _way(wanted, server, found, memory, measured, work)
    quiet = quiet_of(server, memory, who)
    reason, params = _reason(wanted, server, work, blind)
    conditions = _conditions(wanted, server, found, work, blind)
    counts = _counters(server, work)
    return replace(
        reading,
        complete=all(each.holds for each in conditions),
        conditions=conditions,
        reason=reason,
        params=params,
        hints=_hints(wanted, server, record, reason, blind, quiet, params),
        done=_done(work, server, reading),
        at_work=_moves(work, counts, memory),
        metadata=_metadata(wanted, found, work, server),
        memory={
            **reading.memory,
            **who.memory,
            "quiet": quiet.looks,
            "quietSince": quiet.since,
            "counts": counts,
            "version": found.version,
        },
    )


def _counters(server: Server, work: Sequence[Backend]) -> dict[str, Json]:
    """Where the counters of its own sessions are, by pid."""
    found = {str(each.pid): server.counted.get(each.pid) for each in work[:SESSIONS]}
    return {
        pid: f"{count.mark} {count.done}"
        for pid, count in found.items()
        if count is not None and count.fine
    }


def _moves(
    work: Sequence[Backend], counts: Mapping[str, Json], memory: Mapping[str, Json]
) -> bool | None:
    """Whether the migration works: by its own counters, else by a server that waits for nobody.

    None: what it does is hidden.
    """
    before = memory.get("counts")
    before = before if isinstance(before, dict) else {}
    for each in work:
        now = counts.get(str(each.pid))
        if each.works if now is None else now != before.get(str(each.pid)):
            return True
    return None if any(each.hidden and not each.locked for each in work) else False


def _conditions(
    wanted: Wanted, server: Server, found: Record, work: Sequence[Backend], blind: bool
) -> tuple[Condition, ...]:
    """What has to hold for this look to say that the migration is over."""
    there = len(work) + server.prepared
    return (
        Condition("version-reached", found.reached, found.version, wanted.version or None),
        Condition("nobody-at-work", not there, there, 0),
        Condition("sessions-seen", not blind),
    )


def _number(version: str | None) -> int | None:
    return int(version) if version is not None and version.isdecimal() else None


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
            at = _step(wanted, server, version, work)
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
    if at.count is None or at.count.done is None or at.count.total is None:
        return reading
    return replace(reading, start=0.0, basis="exact", **_counts(at.count))


def _counts(count: Counted) -> dict[str, Any]:
    return {"position": count.done, "target": count.total, "unit": count.unit}


def _one_statement(server: Server, work: Sequence[Backend]) -> Reading:
    """One statement of an unknown number: its own count is exact, the share of the whole is 0."""
    if not work:
        return Reading(eta_reason=EtaReason.NO_TOTAL)
    count = server.counted.get(work[0].pid)
    phase = "statement" if count is None else _PHASES.get(count.kind, "statement")
    if count is None or count.done is None:
        return Reading(phase=phase, eta_reason=EtaReason.NO_TOTAL)
    return Reading(
        phase=phase, start=0.0, floor=0.0, eta_reason=EtaReason.NO_TOTAL, **_counts(count)
    )


def _reason(
    wanted: Wanted, server: Server, work: Sequence[Backend], blind: bool
) -> tuple[Reason | None, Mapping[str, Scalar]]:
    own = {each.pid for each in work if is_evident(wanted, server, each)}
    for each in work:
        others = [pid for pid in each.blockers if pid and pid not in own]  # 0: prepared, of nobody
        if each.locked and (others or not own.issuperset(each.blockers) or not each.blockers):
            return Reason.LOCK_WAIT, {"pid": others[0]} if others else {}
    if blind:
        return Reason.CREDENTIALS, {"user": server.user, "object": "what other sessions do"}
    return None, {}


def _hints(
    wanted: Wanted,
    server: Server,
    record: Record | None,
    reason: Reason | None,
    blind: bool,
    quiet: Quiet,
    params: Mapping[str, Scalar],
) -> tuple[Hint, ...]:
    found = [Hint("lock-wait", params)] if reason is Reason.LOCK_WAIT else []
    if blind:
        found.append(Hint("activity-hidden", {"user": server.user}))
    elif server.prepared:
        found.append(Hint("prepared-transaction"))
    elif not found:
        found += _left_to_do(wanted, server, record, quiet)
    if server.pooled:
        found.append(Hint("pooler"))
    return tuple(found)


def _left_to_do(wanted: Wanted, server: Server, record: Record | None, quiet: Quiet) -> list[Hint]:
    """What is said where everything can be seen, and nobody is at work.

    Who may be about to run the next step is a session of that role: no backup is restored then.
    """
    if record is None and quiet.looks:
        return [Hint("version-table-missing", {"table": wanted.table})]
    if record is None or quiet.looks < QUIET or record.reached or record.underway:
        return []
    if record.leftover:
        if server.connected or not quiet.lasts:
            return []
        return [Hint("migration-interrupted", {"table": record.leftover[0]})]
    versions = {"version": record.version, "wanted": wanted.version or None}
    return [Hint("migration-idle", {key: v for key, v in versions.items() if v is not None})]


def _done(work: Sequence[Backend], server: Server, reading: Reading) -> Done | None:
    """The statement's own count; another phase, index or partition begins anew."""
    count = server.counted.get(work[0].pid) if work else None
    if count is None or count.done is None or reading.position != count.done:
        return None
    return Done(f"{work[0].pid} {count.mark}"[:100], count.done)


def _name(backend: Backend, count: Counted | None) -> str:
    """Which statement runs; of several that were sent at once what is counted tells it."""
    if count is not None and (backend.several or backend.name not in _OWN_NAMES):
        return count.command or _COUNTED[count.kind]
    return say("statement.several") if backend.several else backend.name


_OWN_NAMES: Final = frozenset(
    {"ALTER TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "REINDEX", "CLUSTER", "COPY", "ANALYZE"}
)
"""Statements whose own word says more than the server's, or the same."""


def _stage(count: Counted) -> str:
    """What the server does now: `partition 5 of 8, sorting (no number)`."""
    said = []
    if count.part is not None:
        kind, here, all_ = count.part
        said.append(say(f"statement.part.{kind}", here=here, all=all_))
    stage = maybe(f"statement.stage.{count.stage}")
    if stage is not None and (count.unit != "indexes" or count.done is None):
        said.append(stage if count.done is not None else say("statement.uncounted", stage=stage))
    return ", ".join(said)


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
        stage = _stage(count) if count is not None else ""
        if stage:
            facts["statementStage"] = stage
        if count is not None and count.done is not None and count.total and count.part is None:
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
