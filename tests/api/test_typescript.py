"""Schemas as TypeScript: each form of schema that is used here, and all of the API."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.api.event_schemas import event_schemas
from kaspad_taskd.api.schemas import COMPONENTS
from kaspad_taskd.api.typescript import _type, declarations


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "unknown"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer"}, "number"),
        ({"type": ["number", "null"]}, "number | null"),
        ({"const": True}, "true"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "(string | null)[]"),
        ({"type": "array"}, "unknown[]"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "properties": {}}, "Record<string, never>"),
        ({"$ref": "#/components/schemas/Task"}, "Task"),
        ({"anyOf": [{"$ref": "#/components/schemas/Task"}, {"type": "null"}]}, "Task | null"),
        (
            {
                "type": ["object", "null"],
                "properties": {"a": {"type": "string"}, "b:c": {"type": "number"}},
                "required": ["a"],
            },
            '{\n  a: string;\n  "b:c"?: number;\n} | null',
        ),
    ],
)
def test_each_form(schema: dict[str, Any], text: str) -> None:
    """A type says what the schema says, neither more nor less."""
    assert _type(schema) == text


def test_all_of_it_is_declared() -> None:
    """Tasks, events and methods, but those of the Unix socket alone."""
    text = declarations()
    for name in (*COMPONENTS["Task"]["properties"], *event_schemas(), "getTask", "registerTask"):
        assert name in text
    assert "shutdown" not in text
    assert '"rpc.discover"' in text
