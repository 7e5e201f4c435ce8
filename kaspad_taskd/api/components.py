"""Schemas as a description has them: each with a title, the name of its type in clients made of it.

A shape (an object, a list, a few words, one of several) stands once, among the components, under
its own name, and is referred to. What is plain (a text, a number, anything) stands where it is used
and is called after the place: `TaskService`. So no two are called alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from kaspad_taskd.api.method import Made, Schema, made
from kaspad_taskd.api.schemas import COMPONENTS, NULL

PLACE: Final = "#/components/schemas/"
_OF_SHAPES: Final = frozenset({"properties", "enum", "items"})


class Components:
    """The shapes that a description refers to."""

    def __init__(self) -> None:
        self._shapes: dict[str, dict[str, Any]] = {}
        self._known: dict[str, Schema] = {}

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """All shapes so far by their names, each with references to those that it is made of."""
        return dict(sorted(self._shapes.items()))

    def of(self, schema: Made, place: str) -> dict[str, Any]:
        """Return a schema as it stands at a place: a reference, or what is plain with its title.

        Whose name is taken gets a number after it. Ours never are, which a test sees to; types of
        task from other packages may be.
        """
        schema = made(schema)
        if "$ref" in schema:
            schema = COMPONENTS[str(schema["$ref"]).removeprefix(PLACE)]
        if not _is_shape(schema):
            return self._described(self._name(place, schema, shared=False), schema)
        name = self._name(str(schema.get("title", place)), schema, shared=True)
        if name not in self._shapes:
            self._shapes[name] = {}  # its place, should it be made of itself
            self._shapes[name] = self._described(name, schema)
        return {"$ref": PLACE + name}

    def _name(self, wanted: str, schema: Schema, *, shared: bool) -> str:
        """The name that a schema has, or takes now; what is plain has it alone."""
        name = wanted
        for number in count(2):
            if name not in self._known:
                self._known[name] = schema
                break
            if shared and name in self._shapes and self._known[name] == schema:
                break
            name = f"{wanted}{number}"
        return name

    def _described(self, name: str, schema: Schema) -> dict[str, Any]:
        inner = {
            key: self._inner(name, key, value)
            for key, value in schema.items()
            if key not in ("title", "const")  # generators take a const for a text
        }
        return {"title": name, **inner}

    def _inner(self, name: str, key: str, value: Any) -> Any:
        if key == "properties":
            return {each: self.of(schema, name + _begun(each)) for each, schema in value.items()}
        if key == "anyOf":
            return [
                self.of(each, name + ("Null" if each == NULL else f"Choice{number}"))
                for number, each in enumerate(value, 1)
            ]
        if key == "items" or (key == "additionalProperties" and isinstance(value, Mapping)):
            return self.of(value, f"{name}{'Item' if key == 'items' else 'Value'}")
        return value


def _is_shape(schema: Schema) -> bool:
    if "anyOf" in schema:
        return NULL not in schema["anyOf"]
    return bool(_OF_SHAPES & schema.keys()) or isinstance(
        schema.get("additionalProperties"), Mapping
    )


def _begun(name: str) -> str:
    """A field's name, as it goes on in a type's."""
    return name[:1].upper() + name[1:]
