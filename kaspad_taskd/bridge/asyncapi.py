"""The description of door 2 (AsyncAPI 3), from the schemas that describe its payloads elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.components import Components
from kaspad_taskd.api.event_schemas import event_schemas, title_of
from kaspad_taskd.api.method import Made, Schema
from kaspad_taskd.api.schemas import (
    ANYTHING,
    FLAG,
    FREE,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    WHOLE,
    listed,
    record,
    some,
)
from kaspad_taskd.bridge import wizard
from kaspad_taskd.bridge.fanout import MANY
from kaspad_taskd.version import __version__

Json: TypeAlias = Any

HELLO: Final = record(
    "Hello", seq=WHOLE, journal=TEXT, serverTime=MOMENT, host=TEXT, version=TEXT, canChange=FLAG
)
PROGRESS: Final = event_schemas()["sync:progress"]
STOPPING: Final = record("ServerStopping", reason=TEXT)
ERROR: Final = some(
    "TaskRefusal",
    ["error", "code", "reason", "request"],
    error=TEXT,
    code=WHOLE,
    reason=MAYBE_TEXT,
    request=TEXT,
    taskId=TEXT,
)
SEQ: Final = record("Position", seq=WHOLE)
SINCE: Final = some("EventsSince", ["seq"], seq=WHOLE, journal=TEXT)
PARAMS: Final = {"type": ["object", "array", "null"]}
RPC_ERROR: Final = record("RpcError", code=WHOLE, message=TEXT, data=FREE)
RPC_ANSWER: Final = {
    "title": "RpcAnswer",
    "anyOf": [record("RpcResult", result=ANYTHING), record("RpcFailure", error=RPC_ERROR)],
}


def _or_refusal(schema: Schema) -> Schema:
    return {"title": f"{schema['title']}OrRefusal", "anyOf": [schema, ERROR]}


_TOLD: Final[Mapping[str, tuple[Schema, str]]] = {
    "hello": (HELLO, "The first that a client is told."),
    MANY: (
        record("SyncProgressMany", seq=WHOLE, tasks=listed("ProgressOfTasks", PROGRESS)),
        "In the place of many sync:progress, for who connects with `gather: true` in `auth`.",
    ),
    "server:stopping": (STOPPING, "The daemon stops; it takes up every task at its next start."),
    wizard.TASK_ERROR: (ERROR, "A request was refused: why, in words and by its code."),
}
_ASKED: Final[Mapping[str, tuple[Schema, Schema, str]]] = {
    wizard.EVENTS_SINCE: (SINCE, _or_refusal(SEQ), "Tell again what followed an event."),
    wizard.RPC: (
        some("RpcRequest", ["method"], method=TEXT, params=PARAMS),
        RPC_ANSWER,
        "Call a method of openrpc.json; always acknowledged.",
    ),
}


def describe(host: str) -> dict[str, Json]:
    """Return the AsyncAPI document: every message, who sends it, what answers it.

    Args:
        host: where the reader found it, with the port.
    """
    shapes = Components()
    messages = _messages(shapes)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kaspad-taskd",
            "version": __version__,
            "description": "Socket.IO 5 (Engine.IO 4), websocket and polling. "
            "A message's name is the event's, its payload the event's only argument; "
            "a reply is the acknowledgement.",
        },
        "servers": {"bridge": {"host": host, "protocol": "ws", "pathname": "/socket.io/"}},
        "channels": {"socket": {"address": "/", "messages": messages}},
        "operations": _operations(),
        "components": {"schemas": shapes.schemas},
    }


def _messages(shapes: Components) -> dict[str, Json]:
    every: list[tuple[str, Made, str]] = [*_events(), *_answers(), *_requests()]
    return {
        name: _message(name, shapes.of(schema, title_of(name)), words)
        for name, schema, words in every
    }


def _events() -> list[tuple[str, Made, str]]:
    told = [(name, schema, words) for name, (schema, words) in _TOLD.items()]
    return [*told, *((name, schema, "") for name, schema in event_schemas().items())]


def _answers() -> list[tuple[str, Made, str]]:
    found: list[tuple[str, Made, str]] = []
    for name, (_, answer, _) in _ASKED.items():
        found.append((_ack(name), answer, ""))
    for name, request in wizard.REQUESTS.items():
        found.append((_ack(name), _or_refusal(request.result), ""))
        if request.answer is not None:
            found.append((request.answer, request.result, ""))
    return found


def _requests() -> list[tuple[str, Made, str]]:
    asked = [(name, given, words) for name, (given, _, words) in _ASKED.items()]
    wanted = wizard.REQUESTS.items()
    return [*asked, *((name, each.given, each.summary) for name, each in wanted)]


def _message(name: str, payload: Schema, summary: str) -> dict[str, Json]:
    said = {"summary": summary} if summary else {}
    return {"name": name, "title": title_of(name), **said, "payload": payload}


def _ack(name: str) -> str:
    return f"{name}:ack"


def _operations() -> dict[str, Json]:
    told = [*_TOLD, *event_schemas()]
    answers = [each.answer for each in wizard.REQUESTS.values() if each.answer is not None]
    tell = {
        "action": "send",
        "channel": {"$ref": "#/channels/socket"},
        "messages": [_ref(name) for name in (*told, *answers)],
    }
    asked = {name: _receive(name) for name in (*_ASKED, *wizard.REQUESTS)}
    return {"tell": tell, **asked}


def _receive(name: str) -> dict[str, Json]:
    channel = {"$ref": "#/channels/socket"}
    return {
        "action": "receive",
        "channel": channel,
        "messages": [_ref(name)],
        "reply": {"channel": channel, "messages": [_ref(_ack(name))]},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/socket/messages/{name}"}
