"""The description of door 2 (AsyncAPI 3), from the schemas that describe its payloads elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.event_schemas import BOOLEAN, MOMENT, event_schemas
from kaspad_taskd.api.schemas import COMPONENTS, FREE, MAYBE_TEXT, TEXT, WHOLE, record
from kaspad_taskd.bridge import wizard
from kaspad_taskd.version import __version__

Json: TypeAlias = Any
Schema: TypeAlias = Mapping[str, Json]

HELLO: Final = record(seq=WHOLE, serverTime=MOMENT, host=TEXT, version=TEXT, canChange=BOOLEAN)
STOPPING: Final = record(reason=TEXT)
ERROR: Final = record(error=TEXT, code=WHOLE, reason=MAYBE_TEXT, request=TEXT)
CATCH_UP: Final = {"anyOf": [record(seq=WHOLE), ERROR]}
RPC_ANSWER: Final = {
    "anyOf": [record(result={}), record(error=record(code=WHOLE, message=TEXT, data=FREE))]
}
_TOLD: Final[Mapping[str, tuple[Schema, str]]] = {
    "hello": (HELLO, "The first that a client is told."),
    "server:stopping": (STOPPING, "The daemon stops; it takes up every task at its next start."),
    wizard.TASK_ERROR: (ERROR, "A request was refused: why, in words and by its code."),
}
_ASKED: Final[Mapping[str, tuple[Schema, Schema, str]]] = {
    wizard.EVENTS_SINCE: (record(seq=WHOLE), CATCH_UP, "Tell again what followed an event."),
    wizard.RPC: (
        {**record(method=TEXT), "properties": {"method": TEXT, "params": {}}},
        RPC_ANSWER,
        "Call a method of openrpc.json; always acknowledged.",
    ),
}


def describe(host: str) -> dict[str, Json]:
    """Return the AsyncAPI document: every message, who sends it, what answers it.

    Args:
        host: where the reader found it, with the port.
    """
    messages = {**_events(), **_answers(), **_requests()}
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
        "components": {"schemas": COMPONENTS},
    }


def _events() -> dict[str, Json]:
    told = {name: _message(name, schema, words) for name, (schema, words) in _TOLD.items()}
    return told | {name: _message(name, schema) for name, schema in event_schemas().items()}


def _answers() -> dict[str, Json]:
    acknowledged = {name: given[1] for name, given in _ASKED.items()}
    for name, request in wizard.REQUESTS.items():
        acknowledged[name] = {"anyOf": [request.result, ERROR]}
    found = {_ack(name): _message(name, schema) for name, schema in acknowledged.items()}
    for request in wizard.REQUESTS.values():
        if request.answer is not None:
            found[request.answer] = _message(request.answer, request.result)
    return found


def _requests() -> dict[str, Json]:
    asked = {name: _message(name, given, words) for name, (given, _, words) in _ASKED.items()}
    for name, request in wizard.REQUESTS.items():
        asked[name] = _message(name, request.given, request.summary)
    return asked


def _message(name: str, payload: Schema, summary: str = "") -> dict[str, Json]:
    return {"name": name, **({"summary": summary} if summary else {}), "payload": dict(payload)}


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
