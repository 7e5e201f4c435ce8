"""What may be asked of the past: events, history, decisions; and the strategy for the wizard."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.history import reach, told
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import (
    DECISION,
    EVENT,
    FLAG,
    POINT,
    STRATEGY,
    TASKS,
    TEXT,
    WHOLE,
    YES,
    listed,
    record,
    some,
)
from kaspad_taskd.api.strategy import strategy
from kaspad_taskd.api.wire import event_shape
from kaspad_taskd.base import jsontext
from kaspad_taskd.base.clock import iso
from kaspad_taskd.core.record import Decision

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

PAGE = 1000
CONTEXT_BYTES = 16_384
MAX_SEQ = 2**53
_WHOSE = checks.text(
    "journal", required=False, maximum=100, summary="whose numbers these are; another one is a gap"
)


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    return [*_past(api), *_following(api), *_choices(api)]


def _past(api: Api) -> list[Method]:
    async def events(_caller: Caller, given: Given) -> Json:
        after, before, task_id = given["after"], given["before"], given["taskId"]
        oldest = api.engine.store.oldest
        if after or given["journal"] is not None:
            api.board.check(after or oldest - 1, given["journal"])
        found = await api.engine.store.events(after, given["limit"], before, task_id)
        seq = api.engine.seq  # the disk may be a moment ahead of what is shown
        shapes = [event_shape(event) for event in found if event.seq <= seq]
        return {"events": shapes, "seq": seq, "oldest": oldest}

    async def history(_caller: Caller, given: Given) -> Json:
        task = api.task(given["taskId"])
        now = api.engine.now()
        begin, end = reach(task, now)
        start = max(0, checks.moment("from", given["from"], begin))
        span = start, checks.moment("to", given["to"], now + 1)
        if start >= span[1]:
            raise ApiError.params("to", "must be later than from")
        span = start, min(span[1], now + 1 if given["to"] else end)
        if start >= span[1]:
            return {"points": []}  # it had ended before
        found = await api.engine.store.history(task.id, *span)
        return {"points": told(task, found, span, now, given["points"])}

    seq = {"seq": WHOLE, "oldest": WHOLE}
    page = (
        checks.integer("after", 0, MAX_SEQ, default=0, summary="0: from the first one kept"),
        checks.integer("before", 0, MAX_SEQ, summary="then the newest below it"),
        checks.text("taskId", required=False, maximum=1000),
        checks.integer("limit", 1, PAGE, default=PAGE),
        _WHOSE,
    )
    span = (
        checks.task_id(),
        checks.text("from", required=False, maximum=40, summary="ISO 8601; else its start"),
        checks.text("to", required=False, maximum=40, summary="ISO 8601; else now, or its end"),
        checks.integer("points", 2, PAGE, default=300),
    )
    return [
        Method("getEvents", "Events on record, in order.", answering(events), page,
               record("EventPage", events=listed("Events", EVENT), **seq),
               errors=("gap", "store-unavailable")),
        Method("getHistory", "How a task was, in time; null where nobody looked.",
               answering(history), span, record("History", points=listed("HistoryPoints", POINT)),
               errors=("not-found", "store-unavailable")),
    ]  # fmt: skip


def _following(api: Api) -> list[Method]:
    async def subscribe(caller: Caller, given: Given) -> Json:
        if caller.subscriber is None:
            raise ApiError.of("forbidden", words.say("answer.no-subscription"))
        if given["journal"] is not None:
            after = api.engine.seq if given["after"] is None else given["after"]
            api.board.check(after, given["journal"])
        return await caller.subscriber.subscribe(given["after"], given["tasks"])

    def unsubscribe(caller: Caller, _given: Given) -> Json:
        told = caller.subscriber is not None and caller.subscriber.unsubscribe()
        return {"success": True, "subscribed": told}

    wants = (
        checks.integer("after", 0, MAX_SEQ, summary="go on after this one; else from now"),
        checks.texts("tasks", PAGE, summary="only these tasks"),
        _WHOSE,
    )
    return [
        Method("subscribe", "Be told events on this connection; without `after`, the tasks now.",
               answering(subscribe), wants,
               some("Subscribed", ["seq", "journal"], seq=WHOLE, journal=TEXT, tasks=TASKS),
               local=True, errors=("gap", "conflict")),
        Method("unsubscribe", "Be told no more.", unsubscribe, (),
               record("Unsubscribed", success=YES, subscribed=FLAG), local=True),
    ]  # fmt: skip


def _choices(api: Api) -> list[Method]:
    async def decide(_caller: Caller, given: Given) -> Json:
        context = {} if given["context"] is None else given["context"]
        try:
            size = len(jsontext.dumps(context))
        except (TypeError, ValueError):
            raise ApiError.params("context", "is nested too deeply") from None
        if size > CONTEXT_BYTES:
            raise ApiError.params("context", f"must be at most {CONTEXT_BYTES} bytes of JSON")
        decision = Decision(0, api.engine.now(), given["decision"], context)
        outcome = await api.engine.durable(api.engine.commit(decisions=[decision]))
        return {"success": True, "decision": _decision(outcome.decisions[0])}

    async def decisions(_caller: Caller, _given: Given) -> Json:
        return [_decision(each) for each in await api.engine.store.decisions()]

    def advise(_caller: Caller, given: Given) -> Json:
        task = api.task(given["taskId"])
        return strategy(task, api.shapes.task(task))

    return [
        Method("recordDecision", "Put somebody's choice on record.", answering(decide),
               (checks.text("decision", maximum=200), checks.anything("context")),
               record("Decided", success=YES, decision=DECISION), changes=True,
               errors=("store-unavailable",)),
        Method("getDecisions", "All choices on record, oldest first.", answering(decisions), (),
               listed("Decisions", DECISION), errors=("store-unavailable",)),
        Method("getSyncStrategy", "What to recommend to somebody who waits for this task.",
               advise, (checks.task_id(),), STRATEGY, errors=("not-found",)),
    ]  # fmt: skip


def _decision(decision: Decision) -> Json:
    return {
        "id": decision.id,
        "timestamp": iso(decision.at),
        "decision": decision.decision,
        "context": decision.context,
    }
