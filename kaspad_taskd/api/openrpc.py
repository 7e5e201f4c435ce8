"""The description of the API, generated from its methods (OpenRPC 1.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from kaspad_taskd.api.errors import CODES
from kaspad_taskd.api.method import Method, Param
from kaspad_taskd.api.schemas import COMPONENTS
from kaspad_taskd.version import __version__

Json: TypeAlias = Any


def describe(methods: Iterable[Method]) -> dict[str, Json]:
    """The OpenRPC document."""
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "kaspad-taskd",
            "version": __version__,
            "description": "JSON-RPC 2.0, one JSON text a line, on a Unix socket.",
        },
        "methods": [_method(each) for each in methods],
        "components": {"schemas": COMPONENTS},
    }


def _method(method: Method) -> dict[str, Json]:
    described: dict[str, Json] = {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": [_param(each) for each in method.params],
        "result": {"name": "result", "schema": method.result},
    }
    if method.body is not None:
        described["paramStructure"] = "by-position"
        described["description"] = "The parameters are one object, by name or as the only one."
        described["params"] = [{"name": "body", "required": True, "schema": method.body}]
    if method.errors:
        described["errors"] = [{"code": CODES[each], "message": each} for each in method.errors]
    return described


def _param(param: Param) -> dict[str, Json]:
    described: dict[str, Json] = {
        "name": param.name,
        "required": param.required,
        "schema": dict(param.schema),
    }
    if param.default is not None:
        described["schema"]["default"] = param.default
    if param.summary:
        described["summary"] = param.summary
    return described
