"""The public shapes of switches and of the services that can be switched (contract section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.fallbacks import BECAUSE, FIELDS, because_shape, fallback_shape
from kaspad_taskd.api.schemas import (
    FLAG,
    FREE,
    MAYBE_FLAG,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    TIME,
    WHOLE,
    listed,
    maybe,
    record,
    word,
)
from kaspad_taskd.base.clock import iso
from kaspad_taskd.config.switched import Compose, SwitchedService, Unit
from kaspad_taskd.core.attention import Attention, Known, Proof, ServiceState
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import (
    Facts,
    Side,
    StepKey,
    StepState,
    Switch,
    SwitchReason,
    SwitchState,
    SwitchStep,
)
from kaspad_taskd.switching import plan
from kaspad_taskd.switching.endpoint import Pointing
from kaspad_taskd.switching.falling import State
from kaspad_taskd.switching.hands import Bad, Check

Json: TypeAlias = Any

STALE = "endpoint-stale"
"""A hint: the settings have changed since the endpoint file was written."""
TYPED = {"systemctl": "sudo systemctl", "journalctl": "journalctl"}
"""How units are reached, where a record does not say it otherwise."""
SIDE = word("Side", Side)

STEP = record(
    "SwitchStep",
    key=word("SwitchStepKey", StepKey),
    state=word("SwitchStepState", StepState),
    startedAt=TIME,
    endedAt=TIME,
    note=MAYBE_TEXT,
)
SWITCH = record(
    "ServiceSwitch",
    id=WHOLE,
    service=TEXT,
    to=SIDE,
    state=word("SwitchState", SwitchState),
    step=WHOLE,
    of=WHOLE,
    steps=listed("SwitchSteps", STEP),
    startedAt=TIME,
    endedAt=TIME,
    reason=MAYBE_TEXT,
    error=MAYBE_TEXT,
    cure=MAYBE_TEXT,
    taskId=MAYBE_TEXT,
    by=word("SwitchedBy", ["user", "node-sync", "fallback"]),
    away=MAYBE_NUMBER,
    because=maybe(BECAUSE),
)
_ATTENTION = {"code": TEXT, "params": FREE, "note": TEXT, "cure": MAYBE_TEXT, "since": MOMENT}
ATTENTION = record("ServiceAttention", **_ATTENTION)
STANDING = record("StandingAttention", service=TEXT, **_ATTENTION)
PROOF = record("ServiceProof", kind=TEXT, count=WHOLE, address=TEXT, since=MOMENT, at=MOMENT)
COMPOSE = record("ComposeService", project=TEXT, file=TEXT, service=TEXT)
HINT = record("ServiceHint", code=TEXT, params=FREE, note=TEXT, cure=MAYBE_TEXT)
SERVICE = record(
    "SwitchedService",
    service=TEXT,
    unit=MAYBE_TEXT,
    compose=maybe(COMPOSE),
    node=TEXT,
    network=TEXT,
    points=word("SideOrUnknown", [*(each.value for each in Side), "unknown"]),
    since=TIME,
    verified=MAYBE_FLAG,
    state=word("ServiceState", ServiceState),
    stateAt=TIME,
    attention=maybe(ATTENTION),
    proof=maybe(PROOF),
    held=FLAG,
    **FIELDS,
    hints=listed("ServiceHints", HINT),
    task=MAYBE_TEXT,
    switch=maybe(SWITCH),
)


CHECK = record(
    "SwitchCheck",
    key=word(
        "SwitchCheckKey",
        ["unit", "helper", "checker", "order", "node", "endpoints", "checkpoints"],
    ),
    good=FLAG,
    decides=FLAG,
    note=TEXT,
    cure=MAYBE_TEXT,
)
PLAN = record(
    "SwitchPlan",
    service=TEXT,
    to=SIDE,
    possible=FLAG,
    there=FLAG,
    held=FLAG,
    busy=FLAG,
    checks=listed("SwitchChecks", CHECK),
    unit=MAYBE_TEXT,
    compose=maybe(COMPOSE),
    away=MAYBE_NUMBER,
    awayAt=TIME,
    **FIELDS,
)


def plan_shape(
    name: str,
    declared: SwitchedService,
    to: Side,
    checks: Sequence[Check],
    measured: Switch | None,
    *,
    there: bool,
    held: bool,
    busy: bool,
    fallback: State | None = None,
) -> dict[str, Json]:
    """What a switch would ask and find, what it would restart, and how long that took last time."""
    shown = [_check(each) for each in checks]
    good = all(each["good"] or not each["decides"] for each in shown)
    away = None if measured is None else measured.away
    return {
        "service": name,
        "to": to.value,
        "possible": good and not there and not busy,
        "there": there,
        "held": held,
        "busy": busy,
        "checks": shown,
        **_runs_as(declared.runs_as),
        "away": None if away is None else away / 1000,
        "awayAt": None if measured is None else _at(measured.ended_at or measured.started_at),
        **fallback_shape(name, declared, fallback),
    }


def _check(check: Check) -> dict[str, Json]:
    result = check.result
    bad = result if isinstance(result, Bad) else None
    note = _word("check", check.key, result.facts) or words.safe(check.key)
    return {
        "key": check.key,
        "good": bad is None,
        "decides": check.decides,
        "note": note if bad is None else _says(bad.reason, bad.facts),
        "cure": None if bad is None else _do(bad.reason, bad.facts),
    }


def switch_shape(switch: Switch) -> dict[str, Json]:
    """A switch as it is told."""
    k, n = plan.place(switch)
    return {
        "id": switch.id,
        "service": switch.service,
        "to": switch.to.value,
        "state": switch.state.value,
        "step": k,
        "of": n,
        "steps": [_step(each) for each in switch.steps],
        "startedAt": iso(switch.started_at),
        "endedAt": _at(switch.ended_at),
        "reason": switch.reason and switch.reason.value,
        "error": _error(switch),
        "cure": _cure(switch),
        "taskId": switch.task_id,
        "by": switch.by,
        "away": None if switch.away is None else switch.away / 1000,
        "because": because_shape(switch.because),
    }


def service_shape(
    name: str,
    declared: SwitchedService,
    pointing: Pointing,
    hints: Sequence[Hint],
    last: Switch | None,
    task_id: str | None,
    known: Known | None = None,
    attention: Attention | None = None,
    *,
    held: bool = False,
    fallback: State | None = None,
) -> dict[str, Json]:
    """A declared service: where it points, what is seen of it, and what is known of that."""
    seen = None if known is None else known.sight
    stale = [] if pointing.fresh else [Hint(STALE, {"service": name, "side": str(pointing.side)})]
    return {
        "service": name,
        **_runs_as(declared.runs_as),
        "node": declared.node,
        "network": declared.network,
        "points": "unknown" if pointing.side is None else pointing.side.value,
        "since": _at(pointing.since),
        "verified": _verified(pointing, last, known, attention),
        "state": (ServiceState.UNKNOWN if seen is None else seen.state).value,
        "stateAt": None if seen is None else iso(seen.at),
        "attention": None if attention is None else attention_shape(attention),
        "proof": None if known is None or known.proof is None else _proof(known.proof),
        "held": held,
        **fallback_shape(name, declared, fallback),
        "hints": [_hint(each) for each in (*hints, *stale)],
        "task": task_id,
        "switch": None if last is None else switch_shape(last),
    }


def _verified(
    pointing: Pointing, last: Switch | None, known: Known | None, attention: Attention | None
) -> bool | None:
    """Whether it is seen to use the node it points to; None: it was restarted, and not proven.

    Of the public node, which is not ours to look at: whether it was seen working there.
    """
    if known is None:  # nobody has looked yet
        seen = last is not None and pointing.side is not None
        return plan.proven(last, pointing.side) if seen else None  # type: ignore[arg-type]
    if pointing.side is None:
        return None
    if attention is not None and not attention.code.of_node:
        return False
    if pointing.side is Side.PUBLIC:
        return (last is not None and plan.proven(last, Side.PUBLIC)) or None
    return True if known.proof is not None else None


def attention_shape(attention: Attention) -> dict[str, Json]:
    """What of a service needs somebody, as it is told."""
    note, cure = attention_said(attention.code.value, attention.params)
    return {
        "code": attention.code.value,
        "params": dict(attention.params),
        "note": note,
        "cure": cure,
        "since": iso(attention.since),
    }


def standing_shape(attention: Attention) -> dict[str, Json]:
    """The same, where it stands by itself: with its service."""
    return {"service": attention.service, **attention_shape(attention)}


def attention_said(code: str, params: Mapping[str, Json]) -> tuple[str, str | None]:
    """Return the sentence of an attention and what to type."""
    return words.attention(code, {**TYPED, **params})


def _proof(proof: Proof) -> dict[str, Json]:
    return {
        "kind": proof.kind,
        "count": proof.count,
        "address": proof.address,
        "since": iso(proof.since),
        "at": iso(proof.at),
    }


def _at(moment: Moment | None) -> str | None:
    return None if moment is None else iso(moment)


def _runs_as(what: Unit | Compose) -> dict[str, Json]:
    """What runs a service: a unit, or a container."""
    if isinstance(what, Unit):
        return {"unit": what.name, "compose": None}
    known = {"project": what.project, "file": str(what.file), "service": what.service}
    return {"unit": None, "compose": known}


def _step(step: SwitchStep) -> dict[str, Json]:
    note = None
    if step.state is StepState.DONE:
        note = _word("did", step.key, step.facts)
    elif step.reason is not None:
        note = _says(step.reason, step.facts)
    return {
        "key": step.key.value,
        "state": step.state.value,
        "startedAt": _at(step.started_at),
        "endedAt": _at(step.ended_at),
        "note": note,
    }


def _hint(hint: Hint) -> dict[str, Json]:
    return {
        "code": hint.code,
        "params": dict(hint.params),
        "note": _says(hint.code, hint.params),
        "cure": _do(hint.code, hint.params),
    }


def _says(code: str, facts: Facts) -> str:
    return _word("why", f"{code}.says", facts) or words.safe(code)


def _word(form: str, key: str, facts: Mapping[str, Json]) -> str | None:
    return words.maybe(f"switch.{form}.{key}", **facts)


def _error(switch: Switch) -> str | None:
    if switch.reason is None:
        return None
    why = _says(switch.reason, {"service": switch.service, **switch.facts})
    unwritten = any(
        each.key is StepKey.UNDO_ENDPOINT and each.state is StepState.FAILED
        for each in switch.steps
    )
    back = None if switch.back is None or unwritten else switch.back.value
    known = {"service": switch.service, "why": why, "back": back}
    return _word("ended", switch.state, known)


def _cure(switch: Switch) -> str | None:
    """What to type: of the step that failed last; a service that is down is started by hand."""
    failed = [each for each in switch.steps if each.reason is not None]
    last = failed[-1] if failed else None
    reason, facts = (last.reason, last.facts) if last else (switch.reason, switch.facts)
    if reason is None:
        return None
    known = {"service": switch.service, **facts}
    down = last is not None and last.key is StepKey.UNDO_RESTART
    return (_do(SwitchReason.RESTART_FAILED, known) if down else None) or _do(reason, known)


def _do(code: str, facts: Mapping[str, Json]) -> str | None:
    """What to type; an ordinary user's daemon has told how its units are reached."""
    return _word("why", f"{code}.do", {**TYPED, **facts})
