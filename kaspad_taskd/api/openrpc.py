"""The description of the API, generated from its methods (OpenRPC 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.components import Components
from kaspad_taskd.api.errors import CODES
from kaspad_taskd.api.event_schemas import event_schemas, title_of
from kaspad_taskd.api.method import Method, Param
from kaspad_taskd.version import __version__

Json: TypeAlias = Any

OPENRPC: Final = "1.2.6"
"""What clients of @open-rpc/generator know; nothing newer is used here (findings)."""


def describe(methods: Iterable[Method]) -> dict[str, Json]:
    """The OpenRPC document. Among its schemas are those of `Event.data`, by the event's name."""
    shapes = Components()
    described = [_method(each, shapes) for each in methods]
    for name, schema in event_schemas().items():
        shapes.of(schema, title_of(name))
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": "kaspad-taskd",
            "version": __version__,
            "description": "JSON-RPC 2.0, one JSON text a line, on a Unix socket.",
        },
        "methods": described,
        "components": {"schemas": shapes.schemas},
    }


def _method(method: Method, shapes: Components) -> dict[str, Json]:
    described: dict[str, Json] = {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": [_param(_type(method), each, shapes) for each in method.params],
        "result": {"name": "result", "schema": shapes.of(method.result, f"{_type(method)}Result")},
    }
    if method.body is not None:
        described["paramStructure"] = "by-position"
        described["description"] = "The parameters are one object, by name or as the only one."
        schema = shapes.of(method.body, f"{_type(method)}Body")
        described["params"] = [{"name": "body", "required": True, "schema": schema}]
    if method.errors:
        described["errors"] = [{"code": CODES[each], "message": each} for each in method.errors]
    return described


def _type(method: Method) -> str:
    return method.name[0].upper() + method.name[1:]


def _param(owner: str, param: Param, shapes: Components) -> dict[str, Json]:
    schema = dict(param.schema)
    if param.default is not None:
        schema["default"] = param.default
    place = owner + param.name[0].upper() + param.name[1:]
    described = {"name": param.name, "required": param.required, "schema": shapes.of(schema, place)}
    if param.summary:
        described["summary"] = param.summary
    return described
