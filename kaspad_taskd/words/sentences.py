"""Sentences made from the table: places filled, numbers in the form that a place asks for."""

from __future__ import annotations

from kaspad_taskd.words import spans
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.table import entry, fill_places, fill_with

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def step_name(key: object, form: str = "label") -> str:
    """Return a phase's name; `form` is "short", "label" or "sentence". Unknown: the key itself."""
    return maybe(f"phase.{key}.{form}") or safe(str(key).replace("_", " "), 60)


_FORMS: dict[str, Callable[[Any], str | None]] = {
    "number": spans.number,
    "above": spans.above,
    "late": spans.late,
    "lag": spans.lag,
    "span": spans.span,
    "left": spans.format_time_left,
    "bytes": spans.size,
    "step": step_name,
    "yes": lambda value: "" if value else None,
}
"""`{before:yes}` shows nothing: it picks a sentence that is said only where that is so."""


def say(key: str, /, **params: object) -> str:
    """Return the sentence `key` with its places filled.

    Never fails: an unknown key is said as it is, a place that nobody fills is "?". Whatever is
    filled in is made safe for a terminal first.
    """
    return fill(entry(key), params) or _poor(entry(key), params) or safe(key)


def maybe(key: str, /, **params: object) -> str | None:
    """Return the sentence, or None: there is none, or its places cannot all be filled."""
    return fill(entry(key), params)


def plural(key: str, n: int) -> str:
    """Return the form of `key` for `n` things."""
    return say(key, n=n)


def fill(found: Any, params: Mapping[str, object]) -> str | None:
    """Return an entry with its places filled, or None where that cannot be."""
    return fill_with(found, params, _show)


def _poor(found: Any, params: Mapping[str, object]) -> str | None:
    if isinstance(found, dict):
        found = found.get("other")
    template = found[-1] if isinstance(found, list) and found else found
    return fill_places(template, params, _show, "?") if isinstance(template, str) else None


def _show(value: object, form: str) -> str | None:
    if form in ("step", "yes") or (form and isinstance(value, int | float)):
        return _FORMS[form](value)
    return safe(value)
