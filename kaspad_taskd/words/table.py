"""The table of sentences, `en.json`, and how a sentence is made from it.

A key names a sentence: "reason.refused.note". It is a text with named places (`{address}`), a list
of such texts of which the first is taken whose places can all be filled, or plural forms ("one",
"other"), chosen by `n`. `{free:bytes}` formats a number; a text given there is taken as it is.
"""

from __future__ import annotations

import json
import os

from kaspad_taskd.words.plain import safe

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_table: dict[str, Any] = {}


def table() -> Mapping[str, Any]:
    """Return the whole table; it is read once, when first needed."""
    if not _table:
        with open(os.path.join(os.path.dirname(__file__), "en.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123 - pathlib costs the client a tenth of its start
            _table.update(json.load(file))
    return _table


def entry(key: str) -> Any:
    """Return what stands under a key ("reason.refused"), or None."""
    found: Any = table()
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


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
    if isinstance(found, dict):
        found = found.get("one" if params.get("n") == 1 else "other")
    for template in [found] if isinstance(found, str) else found or ():
        text = _fill(template, params, None)
        if text is not None:
            return text
    return None


def _poor(found: Any, params: Mapping[str, object]) -> str | None:
    if isinstance(found, dict):
        found = found.get("other")
    template = found[-1] if isinstance(found, list) and found else found
    return _fill(template, params, "?") if isinstance(template, str) else None


def _fill(template: str, params: Mapping[str, object], missing: str | None) -> str | None:
    first, *rest = template.split("{")
    pieces = [first]
    for piece in rest:
        place, _, text = piece.partition("}")
        name, _, form = place.partition(":")
        value = params.get(name)
        shown = missing if value is None else _show(value, form)
        if shown is None:
            return None
        pieces += [shown, text]
    return "".join(pieces)


def _show(value: object, form: str) -> str:
    if form and isinstance(value, int | float):
        return _formatter(form)(value)
    return safe(value)


def _formatter(form: str) -> Callable[[float], str]:
    from kaspad_taskd.words import spans

    return {
        "number": spans.number,
        "span": spans.span,
        "left": spans.format_time_left,
        "bytes": spans.size,
    }[form]
