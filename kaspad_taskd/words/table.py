"""The table of sentences, `en.json`, and how the places of a sentence are filled.

A key names a sentence: "reason.refused". It is a text with named places (`{address}`), a list of
such texts of which the first is taken whose places can all be filled, or plural forms ("one",
"other"), chosen by `n`. What a place is filled with is up to who asks (sentences.py: a form such as
`{free:bytes}` formats a number).
"""

from __future__ import annotations

import json
import os

from kaspad_taskd.words.plain import safe

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    Show: TypeAlias = Callable[[object, str], str | None]
    """What is shown of a value, given the form that its place asks for ("" for none).

    None: not this sentence."""

_file: list[str] = []
_sections: dict[str, Any] = {}
"""Those that somebody has asked for: of some sixty, who asks for one status needs a few."""


def table() -> Mapping[str, Any]:
    """Return the whole table."""
    whole: dict[str, Any] = json.loads(_text())
    return whole


def entry(key: str) -> Any:
    """Return what stands under a key ("reason.refused"), or None."""
    name, *rest = key.split(".")
    found = _sections[name] if name in _sections else _section(name)
    for part in rest:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _section(name: str) -> Any:
    """Decode a section, which begins a line of its own, indented by two; None: there is none."""
    before = f'\n  "{name}": '
    start = _text().find(before)
    if start < 0:
        return None
    _sections[name], _ = json.JSONDecoder().raw_decode(_text(), start + len(before))
    return _sections[name]


def _text() -> str:
    """The file; it is read once, when first needed: a newer one is not of this version."""
    if not _file:
        with open(os.path.join(os.path.dirname(__file__), "en.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123 - pathlib costs the client a tenth of its start
            _file.append(file.read())
    return _file[0]


def text(key: str, /, **params: object) -> str:
    """Return the sentence `key`, whose places ask for no form; an unknown one as its key."""
    return fill_with(entry(key), params, lambda value, _form: safe(value)) or safe(key)


def fill_with(found: Any, params: Mapping[str, object], show: Show) -> str | None:
    """Return an entry with its places filled, or None where that cannot be."""
    if isinstance(found, dict):
        found = found.get("one" if params.get("n") == 1 else "other")
    for template in [found] if isinstance(found, str) else found or ():
        filled = fill_places(template, params, show)
        if filled is not None:
            return filled
    return None


def fill_places(
    template: str, params: Mapping[str, object], show: Show, missing: str | None = None
) -> str | None:
    """Return a text with its places filled; one that nobody fills is `missing`, None fails."""
    first, *rest = template.split("{")
    pieces = [first]
    for piece in rest:
        place, _, after = piece.partition("}")
        name, _, form = place.partition(":")
        value = params.get(name)
        shown = missing if value is None else show(value, form)
        if shown is None:
            return None
        pieces += [shown, after]
    return "".join(pieces)
