"""JMESPath expressions (https://jmespath.org): how a definition names a place in a JSON answer.

What an expression costs is bounded by its answer's size: it is short, and doubles nothing again and
again. So a definition that came over an API cannot hold up the loop.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.observation import Json

if TYPE_CHECKING:
    from kaspad_taskd.probes.general.presence import Found

MAX_EXPRESSION: Final = 300
"""Characters."""
MAX_LISTED: Final = 8
"""Parts of all `[a, b]` and `{x: a}` in one expression: each copies what it is given."""

_LISTS: Final = "multi_select_list", "multi_select_dict"


def read_expression(table: Table, key: str) -> str | None:
    """Return the expression at a key, None where there is none; a fault is noted."""
    text = table.string(key, None, maximum=MAX_EXPRESSION)
    if text is None:
        return None
    try:
        check(text)
    except ValueError as fault:
        table.fault(key, str(fault))
    return text


def check(text: str) -> None:
    """Let an expression pass that can be evaluated.

    Raises:
        ValueError: what is wrong with it, as a sentence.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree = jmespath.compile(text).parsed
    except PendingDeprecationWarning:
        raise ValueError("has a literal of the old form; write 'text', or JSON in ``") from None
    except (JMESPathError, RecursionError) as fault:
        last = str(fault).splitlines()[0][:150].rstrip(":")
        raise ValueError(f"is no JMESPath expression: {last}") from None
    nodes = list(_nodes(tree))
    called = [str(node["value"]) for node in nodes if node["type"] == "function_expression"]
    if strange := [name for name in called if name not in Functions.FUNCTION_TABLE]:
        raise ValueError(f"JMESPath has no function {strange[0]}()")
    if sum(len(node["children"]) for node in nodes if node["type"] in _LISTS) > MAX_LISTED:
        raise ValueError(f"may list {MAX_LISTED} parts at most in [a, b] or {{x: a}}")


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("children", ()):
        if isinstance(child, Mapping):
            yield from _nodes(child)


def find(text: str, answer: Json) -> Found:
    """Return what an expression finds in an answer, and what that rests on.

    Raises:
        ValueError: a function in it got what it cannot take; in our own words.
    """
    from jmespath.exceptions import JMESPathError

    from kaspad_taskd.probes.general.presence import weigh

    try:
        return weigh(text, answer)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        raise ValueError("cannot be evaluated on this answer") from None
