"""An explanation as it is told: `explainTask` (contract section 3)."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.schemas import (
    FLAG,
    FREE,
    HEALTH,
    MAYBE_FLAG,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MOMENT,
    NUMBER,
    TASK,
    TEXT,
    TIME,
    WHOLE,
    listed,
    maybe,
    record,
    word,
)
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.explain import (
    COMPLETE_RULES,
    HEALTH_RULES,
    PERCENT_RULES,
    Completion,
    Explanation,
    Motion,
    Percent,
    Step,
    TimeLeft,
    Wellness,
)
from kaspad_taskd.core.model import Moment, Walk
from kaspad_taskd.core.observation import Condition

Json: TypeAlias = Any

_RATES = {"title": "NumbersByName", "type": "object", "additionalProperties": NUMBER}
_SCALAR = {"type": ["boolean", "number", "string", "null"]}
_AGE = record("ReadingAge", at=TIME, age=MAYBE_NUMBER)
_CONDITION = record("ProofCondition", key=TEXT, holds=FLAG, value=_SCALAR, limit=_SCALAR, note=TEXT)
_LEG = record("WalkLeg", phase=TEXT, amount=NUMBER, rate=NUMBER, seconds=NUMBER)


EXPLANATION = record(
    "Explanation",
    taskId=TEXT,
    at=MOMENT,
    complete=record(
        "ExplainedCompletion",
        holds=FLAG,
        rule=word("CompletionRule", list(COMPLETE_RULES)),
        failing=WHOLE,
        conditions=listed("ProofConditions", _CONDITION),
    ),
    percent=record(
        "ExplainedPercent",
        shown=NUMBER,
        basis=TEXT,
        rule=word("PercentRule", list(PERCENT_RULES)),
        counted=MAYBE_NUMBER,
        held=FLAG,
        share=MAYBE_NUMBER,
    ),
    step=maybe(
        record("ExplainedStep", phase=TEXT, number=WHOLE, of=WHOLE, since=TIME, **{"pass": WHOLE})
    ),
    health=record(
        "ExplainedHealth",
        value=HEALTH,
        rule=word("HealthRule", list(HEALTH_RULES)),
        since=TIME,
        reason=MAYBE_TEXT,
        missed=WHOLE,
    ),
    movement=record(
        "ExplainedMovement",
        moves=MAYBE_FLAG,
        reached=_RATES,
        waited=MAYBE_NUMBER,
        stallAfter=NUMBER,
        giveUpAfter=MAYBE_NUMBER,
    ),
    timeLeft=record(
        "ExplainedTimeLeft",
        seconds=MAYBE_NUMBER,
        reason=MAYBE_TEXT,
        walk=maybe(
            record(
                "Walk",
                legs=listed("WalkLegs", _LEG),
                grown=NUMBER,
                pace=MAYBE_NUMBER,
                drift=NUMBER,
                pause=NUMBER,
            )
        ),
        rates=_RATES,
        measured=record(
            "Measured", movements=WHOLE, seconds=NUMBER, movementsNeeded=WHOLE, secondsNeeded=NUMBER
        ),
    ),
    readings=record(
        "ExplainedReadings",
        look=_AGE,
        answer=_AGE,
        reading=_AGE,
        movement=_AGE,
        position=MAYBE_NUMBER,
        target=MAYBE_NUMBER,
        facts=FREE,
    ),
    task=TASK,
)
"""What `explainTask` answers."""


def explanation_shape(said: Explanation, task: dict[str, Json]) -> dict[str, Json]:
    """An explanation as it is told, with the shape of the task that it is of."""
    return {
        "taskId": task["id"],
        "at": iso(said.at),
        "complete": _complete(said.completion),
        "percent": _percent(said.percent),
        "step": said.step and _step(said.step),
        "health": _health(said.wellness),
        "movement": _movement(said.motion),
        "timeLeft": _time_left(said.time_left),
        "readings": _readings(said, task),
        "task": task,
    }


def _complete(said: Completion) -> dict[str, Json]:
    return {
        "holds": said.complete,
        "rule": said.rule,
        "failing": sum(not each.holds for each in said.conditions),
        "conditions": [_condition(each) for each in said.conditions],
    }


def _condition(each: Condition) -> dict[str, Json]:
    return {
        "key": each.key,
        "holds": each.holds,
        "value": each.value,
        "limit": each.limit,
        "note": words.needed(each.key, each.holds, each.value, each.limit),
    }


def _percent(said: Percent) -> dict[str, Json]:
    return {
        "shown": said.shown,
        "basis": said.basis,
        "rule": said.rule,
        "counted": said.counted,
        "held": said.held,
        "share": _short(said.share, 4),
    }


def _step(said: Step) -> dict[str, Json]:
    return {
        "phase": said.key,
        "number": said.number,
        "of": said.of,
        "pass": said.pass_number,
        "since": _at(said.since),
    }


def _health(said: Wellness) -> dict[str, Json]:
    return {
        "value": said.health.value,
        "rule": said.rule,
        "since": _at(said.since),
        "reason": said.reason and said.reason.value,
        "missed": said.missed,
    }


def _movement(said: Motion) -> dict[str, Json]:
    return {
        "moves": said.moves,
        "reached": dict(said.reached),
        "waited": _short(said.waited, 1),
        "stallAfter": said.stall_after,
        "giveUpAfter": said.give_up_after,
    }


def _time_left(said: TimeLeft) -> dict[str, Json]:
    return {
        "seconds": _short(said.seconds, 1),
        "reason": said.reason and said.reason.value,
        "walk": said.walk and _walk(said.walk),
        "rates": {phase: round(rate, 1) for phase, rate in said.rates.items()},
        "measured": {
            "movements": said.samples,
            "seconds": said.moving,
            "movementsNeeded": said.samples_needed,
            "secondsNeeded": said.moving_needed,
        },
    }


def _walk(walk: Walk) -> dict[str, Json]:
    legs = [
        {
            "phase": each.phase,
            "amount": round(each.amount, 1),
            "rate": round(each.rate, 1),
            "seconds": round(each.amount / each.rate, 1),
        }
        for each in walk.legs
    ]
    return {
        "legs": legs,
        "grown": round(walk.grown, 1),
        "pace": _short(walk.pace, 1),
        "drift": walk.drift,
        "pause": walk.pause,
    }


def _readings(said: Explanation, task: dict[str, Json]) -> dict[str, Json]:
    return {
        "look": _age(said.looked, said.at),
        "answer": _age(said.answered, said.at),
        "reading": _age(said.read, said.at),
        "movement": _age(said.motion.at, said.at),
        "position": said.position,
        "target": said.target,
        "facts": task["metadata"],
    }


def _age(moment: Moment | None, now: Moment) -> dict[str, Json]:
    age = None if moment is None else max(0, now - moment) / 1000
    return {"at": _at(moment), "age": age}


def _at(moment: Moment | None) -> str | None:
    return None if moment is None else iso(moment)


def _short(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
