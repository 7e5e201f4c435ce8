"""The wizard's own words: its events and what they are answered with. Names are fixed here alone.

Each request is one of the API's methods under the name that wizards know. The answer goes to the
sender as an event, and as the acknowledgement where one was asked for; a "no" is `task:error`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from kaspad_taskd.api.context import not_found
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.listed import Listed
from kaspad_taskd.api.method import Made, Schema
from kaspad_taskd.api.registrations import wizard_registration
from kaspad_taskd.api.schemas import (
    DECISION,
    FREE,
    TASK,
    TASKS,
    TEXT,
    TEXTS,
    WHOLE,
    maybe,
    record,
    some,
)
from kaspad_taskd.base.frozen import frozen

Json: TypeAlias = Any
Payload: TypeAlias = dict[str, Json]

TASK_ERROR: Final = "task:error"
RPC: Final = "rpc"
EVENTS_SINCE: Final = "events:since"
STRATEGY: Final = "sync-strategy"
"""The decision on record when somebody has chosen how to go on."""
SPECIAL: Final = {
    "node-sync": "registerNodeSyncTask",
    "indexer-sync": "registerIndexerSyncTask",
}
"""Types whose `config` holds a convenience method's arguments."""


class Call(Protocol):
    """Calls a method of the API for the one who asks."""

    @property
    def told(self) -> int:
        """`seq` up to which that one has been told everything."""

    def __call__(self, name: str, params: Json = None, /) -> Awaitable[Json]:
        """Return its result; raises ApiError."""


Handler: TypeAlias = Callable[[Call, Payload], Awaitable[Json]]


@frozen
class Request:
    """One of the wizard's events.

    Attributes:
        handle: makes the answer.
        answer: the event that carries it, None where the acknowledgement alone does.
        changes: whether it changes something.
        bare: whether it may come without a payload.
        given: schema of the payload, or what makes it.
        result: schema of the answer.
        summary: for the description.
    """

    handle: Handler
    answer: str | None
    changes: bool
    bare: bool
    given: Made
    result: Schema
    summary: str


async def _register(call: Call, given: Payload) -> Json:
    kind = given.get("type")
    method = SPECIAL.get(kind) if isinstance(kind, str) else None
    if method is None:
        result = await call("registerTask", given)
    else:
        config = given.get("config") or {}
        if not isinstance(config, dict):
            raise ApiError.params("config", "must be an object")
        outside = {key: value for key, value in given.items() if key not in ("type", "config")}
        inside = {key: value for key, value in config.items() if key != "useHttps"}
        result = await call(method, {**inside, **outside})
    return {"taskId": result["taskId"], "task": result["task"]}


async def _status(call: Call, given: Payload) -> Json:
    task = await call("getTask", given)
    if task is None:
        raise not_found(given["taskId"])
    return {"task": task}


async def _list(call: Call, given: Payload) -> Json:
    told = call.told
    return {"tasks": await call("getAllTasks", given), "seq": told}


async def _cancel(call: Call, given: Payload) -> Json:
    return {"taskId": (await call("cancelTask", given))["taskId"]}


async def _retry(call: Call, given: Payload) -> Json:
    result = await call("retryTask", given)
    return {"taskId": result["taskId"], "task": result["task"]}


def _each(method: str, status: str, watch: str, what: str) -> Handler:
    """Act on the task named, or, as the wizard's buttons mean it, on every node-sync.

    The watch over a complete one is paused and resumed as a live one is: whoever wants the node
    left alone has it left alone, and the same button ends that.
    """

    async def handle(call: Call, given: Payload) -> Json:
        if given:
            return {"taskIds": [(await call(method, given))["taskId"]]}
        every = await call("getTasksByType", {"type": "node-sync"})
        every = await every.pages() if isinstance(every, Listed) else every
        found = [task for task in every if task["status"] == status or task["watch"] == watch]
        if not found:
            text = f"there is no node-sync to {what}: none is {status}, no watch is {watch}"
            raise ApiError.of("not-allowed", text, status=None)
        done = [await call(method, {"taskId": each["id"]}) for each in found]
        return {"taskIds": [each["taskId"] for each in done]}

    return handle


async def _chosen(call: Call, given: Payload) -> Json:
    choice = given.get("choice")
    if not isinstance(choice, str) or not 0 < len(choice) <= 100:
        raise ApiError.params("choice", "must be a text such as wait, background or skip")
    result = await call("recordDecision", {"decision": STRATEGY, "context": given})
    return {"decision": result["decision"]}


_OF_TASK: Final = record("OfTask", taskId=TEXT)
_WITH_TASK: Final = record("WithTask", taskId=TEXT, task=TASK)
_OF_SOME: Final = maybe(some("OfTaskOrAll", [], taskId=TEXT))
_OF_SOME_TASKS: Final = record("OfTasks", taskIds=TEXTS)

REQUESTS: Final[Mapping[str, Request]] = {
    "task:register": Request(
        _register, "task:registered", True, False, wizard_registration, _WITH_TASK,
        "Register a task.",
    ),
    "task:status": Request(
        _status, "task:status:response", False, False, _OF_TASK,
        record("TaskStatusAnswer", task=TASK), "One task.",
    ),
    "tasks:list": Request(
        _list, "tasks:list:response", False, True, maybe(FREE),
        record("TasksListAnswer", tasks=TASKS, seq=WHOLE), "All tasks.",
    ),
    "task:cancel": Request(
        _cancel, "task:cancelled", True, False, _OF_TASK, _OF_TASK, "Stop watching a task."
    ),
    "task:retry": Request(
        _retry, None, True, False, _OF_TASK, _WITH_TASK, "Begin the next attempt of an ended task."
    ),
    "sync:pause": Request(
        _each("pauseTask", "in-progress", "on", "pause"), None, True, True, _OF_SOME,
        _OF_SOME_TASKS,
        "Pause the watching of a task, without a payload of every node-sync.",
    ),
    "sync:resume": Request(
        _each("resumeTask", "paused", "paused", "resume"), None, True, True, _OF_SOME,
        _OF_SOME_TASKS,
        "Resume the watching of a task, without a payload of every node-sync.",
    ),
    "sync:strategy-chosen": Request(
        _chosen, None, True, False, record("StrategyChosen", choice=TEXT),
        record("DecisionMade", decision=DECISION),
        "Put on record how somebody goes on while a node syncs.",
    ),
}  # fmt: skip
"""What wizards ask, besides `rpc` and `events:since`."""


def payload(request: str, args: list[Json], *, bare: bool) -> Payload:
    """Return what came with an event; raises ApiError that says what it must be."""
    given = args[0] if args else None
    if given is None and bare:
        return {}
    if not isinstance(given, dict):
        text = f"of {request} must be an object, for example {_EXAMPLES[request]}"
        raise ApiError.params("payload", text)
    return given


_BY_ID: Final = '{"taskId": "node-sync-kaspa-node"}'
_EXAMPLES: Final[Mapping[str, str]] = {
    "task:register": '{"type": "node-sync", "service": "kaspa-node", "config": {}}',
    "tasks:list": "{}, or nothing",
    "sync:strategy-chosen": '{"choice": "background", "nodeKey": "kaspa-node"}',
    EVENTS_SINCE: '{"seq": 0}',
    RPC: '{"method": "getAllTasks", "params": {}}',
    "task:status": _BY_ID,
    "task:cancel": _BY_ID,
    "task:retry": _BY_ID,
    "sync:pause": _BY_ID,
    "sync:resume": _BY_ID,
}
