"""What an expression's result rests on: fields that were there, or nothing. Pure.

`status != 'syncing'` is true of an error's body, which has no status: it says nothing then. A field
counts as there when it is found and not null. One may be absent where the expression provides for
that: another one follows it (`x || y`, `not_null(x, y)`), it is compared with null, or only negated
(`!error`). Such an expression proves something only beside a field that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import jmespath
from jmespath.visitor import TreeInterpreter

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json

if TYPE_CHECKING:
    from jmespath.visitor import _TreeNode as Node

_PATHS: Final = frozenset(
    {"subexpression", "index_expression", "projection", "filter_projection", "value_projection",
     "flatten"}
)  # fmt: skip
"""Steps on from their first child."""
_CONTENT: Final = frozenset({"function_expression", "multi_select_list", "multi_select_dict"})
"""What may follow a dot and is no field."""


@frozen
class Found:
    """What an expression finds.

    Attributes:
        value: the result, None for nothing.
        there: one of its fields at least is there.
        lacks: the result rests on a field that is not there, and not provided for.
    """

    value: Json
    there: bool
    lacks: bool


def weigh(text: str, answer: Json) -> Found:
    """Return what an expression finds in an answer, and what that rests on.

    Raises:
        JMESPathError, TypeError, ValueError: as `jmespath.search` does.
    """
    weigher = _Weigher(answer)
    value = weigher.visit(jmespath.compile(text).parsed, answer)
    return Found(value, weigher.there, weigher.lacks)


def _names_a_field(node: Any) -> bool:
    if not isinstance(node, Mapping) or node.get("type") == "expref":
        return False
    return node["type"] == "field" or any(map(_names_a_field, node.get("children", ())))


def _is_null(node: Node) -> bool:
    """The literal, or the field of this name that people mean by it and no answer has."""
    kind = node["type"]
    return (kind == "literal" and node["value"] is None) or (
        kind == "field" and node["value"] == "null"
    )


class _Weigher(TreeInterpreter):
    """Evaluates as the interpreter does, and notes which fields are there and which are not."""

    def __init__(self, answer: Json) -> None:
        super().__init__()
        self.there = self.lacks = False
        self._answer = answer
        self._plain = TreeInterpreter()
        self._may_lack = False

    @contextmanager
    def _allowing(self, absence: bool) -> Iterator[None]:
        before, self._may_lack = self._may_lack, absence
        try:
            yield
        finally:
            self._may_lack = before

    def _seen(self, value: Json) -> Json:
        if value is None:
            self.lacks |= not self._may_lack
        else:
            self.there = True
        return value

    def _path(self, node: Node, value: Json) -> Json:
        """A field, or the way to one; what it begins with may be more than a field."""
        base = node
        while base["type"] in _PATHS:
            base = base["children"][0]
        if base["type"] == "field":
            return self._seen(self._plain.visit(node, value))
        if base["type"] in ("identity", "current"):  # of `*.x` of an object only what was found
            found = self._plain.visit(node, value)
            return found if found == [] and isinstance(value, dict) else self._seen(found)
        before = self.there
        self.visit(base, value)
        found = self._plain.visit(node, value)
        if found is None:
            self.there = before
            self.lacks |= not self._may_lack
        return found

    visit_field = visit_index_expression = visit_projection = _path
    visit_filter_projection = visit_value_projection = visit_flatten = _path

    def visit_subexpression(self, node: Node, value: Json) -> Json:
        """A path, unless what follows the dot is a function or a list of fields."""
        if node["children"][-1]["type"] in _CONTENT:
            return self.visit_pipe(node, value)
        return self._path(node, value)

    def visit_current(self, node: Node, value: Json) -> Json:  # noqa: ARG002
        """`@` of an object names no field of it; a whole answer of another kind is what is said."""
        if value is None:
            self.lacks |= not self._may_lack
        elif value is self._answer and not isinstance(value, dict):
            self.there = True
        return value

    def visit_pipe(self, node: Node, value: Json) -> Json:
        """What is on the right is what counts, if it names a field at all."""
        before = self.there
        for each in node["children"]:
            if _names_a_field(each):
                self.there = before
            value = self.visit(each, value)
        return value

    def visit_not_expression(self, node: Node, value: Json) -> Json:
        """What is negated may be absent."""
        with self._allowing(True):
            return super().visit_not_expression(node, value)

    def visit_or_expression(self, node: Node, value: Json) -> Json:
        """What another one follows may be absent."""
        before = self.lacks
        found = self.visit(node["children"][0], value)
        if found is not None and found is not False and found not in ("", [], {}):
            return found
        self.lacks = before
        return self.visit(node["children"][1], value)

    def visit_comparator(self, node: Node, value: Json) -> Json:
        """What is compared with null may be null."""
        with self._allowing(any(map(_is_null, node["children"]))):
            return super().visit_comparator(node, value)

    def visit_function_expression(self, node: Node, value: Json) -> Json:
        """Of what not_null is given all but one may be absent; any other needs what it is given."""
        if node["value"] == "not_null":
            return self._first(node, value)
        with self._allowing(False):
            return super().visit_function_expression(node, value)

    def _first(self, node: Node, value: Json) -> Json:
        before = self.lacks
        for each in node["children"]:
            self.lacks = before
            found = self.visit(each, value)
            if found is not None:
                self.lacks = before
                return found
        return None

    def visit_expref(self, node: Node, value: Json) -> Any:
        """`&x` is evaluated on the elements of a list; the list is what is there or not."""
        return self._plain.visit_expref(node, value)

    def visit_multi_select_list(self, node: Node, value: Json) -> Json:
        """Of several one at least has to be there."""
        return self._several(node, super().visit_multi_select_list, value)

    def visit_multi_select_dict(self, node: Node, value: Json) -> Json:
        """As of a list."""
        return self._several(node, super().visit_multi_select_dict, value)

    def _several(self, node: Node, select: Any, value: Json) -> Json:
        before = self.lacks, self.there
        self.lacks = self.there = False
        found = select(node, value)
        lacks = value is None or (self.lacks and not self.there)
        self.lacks, self.there = before[0] or lacks, before[1] or self.there
        return found
