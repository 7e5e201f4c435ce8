"""The API as TypeScript declarations, from the schemas that describe it everywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from kaspad_taskd.api.catalog import catalog
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.event_schemas import event_schemas
from kaspad_taskd.api.method import Method, made
from kaspad_taskd.api.schemas import COMPONENTS

HEAD = """\
// Payloads of kaspad-taskd. Generated from the definitions that make them; do not edit.
"""
OPEN = ("DefinitionType",)
"""Lists of words that a package on a daemon's host may make longer."""
PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def declarations() -> str:
    """Return `Task`, `Events` (data by event name) and `Methods` (params and result by name)."""
    methods = catalog(cast(Api, _NOBODY)).values()
    parts = [
        HEAD,
        f"export interface Task {_type(COMPONENTS['Task'])}\n",
        f"export interface Events {_members(event_schemas())}\n",
        f"export interface Methods {_methods(each for each in methods if not each.local)}\n",
    ]
    return "\n".join(parts)


_NOBODY = SimpleNamespace(engine=None, shapes=SimpleNamespace(task=None))
"""An API that is described and never asked: the methods only take hold of these."""


def _methods(methods: Iterable[Method]) -> str:
    lines = []
    for method in methods:
        given = _type(_params(method), 2)
        result = _type(method.result, 2)
        lines += [f"  /** {method.summary} */", f'  "{method.name}": {{']
        lines += [f"    params: {given};", f"    result: {result};", "  };"]
    return "\n".join(["{", *lines, "}"])


def _params(method: Method) -> Mapping[str, Any]:
    if method.body is not None:  # types from other packages have keys of their own
        return {**made(method.body), "additionalProperties": True}
    return {
        "type": "object",
        "properties": {each.name: each.schema for each in method.params},
        "required": [each.name for each in method.params if each.required],
    }


def _type(schema: Mapping[str, Any], depth: int = 0) -> str:
    """The type of a schema; `depth` is how far its own lines are indented, in steps of two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].replace("Event", "TaskdEvent")
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        words = [json.dumps(each) for each in schema["enum"]]
        return " | ".join([*words, *(["(string & {})"] if schema.get("title") in OPEN else [])])
    if "anyOf" in schema:
        return " | ".join(_type(each, depth) for each in schema["anyOf"])
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " | ".join(_kind(each, schema, depth) for each in kinds) or "unknown"


def _kind(kind: str, schema: Mapping[str, Any], depth: int) -> str:
    if kind == "array":
        inner = _type(schema.get("items", {}), depth)
        return f"({inner})[]" if " | " in inner and "\n" not in inner else f"{inner}[]"
    if kind == "object":
        return _object(schema, depth)
    return PLAIN[kind]


def _object(schema: Mapping[str, Any], depth: int) -> str:
    if "properties" not in schema:
        return "Record<string, unknown>"
    required = schema.get("required", ())
    more = bool(schema.get("additionalProperties"))
    return _members(schema["properties"], required, more, depth)


def _members(
    schemas: Mapping[str, Mapping[str, Any]],
    required: Iterable[str] | None = None,
    more: bool = False,
    depth: int = 0,
) -> str:
    if not schemas and not more:
        return "Record<string, never>"
    pad = "  " * (depth + 1)
    needed = set(schemas if required is None else required)
    lines = [
        f"{pad}{_key(name)}{'' if name in needed else '?'}: {_type(schema, depth + 1)};"
        for name, schema in schemas.items()
    ]
    if more:
        lines.append(f"{pad}[key: string]: unknown;")
    return "\n".join(["{", *lines, "  " * depth + "}"])


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)
