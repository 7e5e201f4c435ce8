"""Which keys a reader of tables asks for: it reads tables that take notes instead of answering.

So what describes a table is made from what reads it, and never differs from it. A reader may ask
for other keys where a word is another one or a key is given: it reads once for each of both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import REQUIRED, Table
from kaspad_taskd.base.values import MAX_ITEMS, MAX_TEXT, Json

Kind: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "duration", "strings", "texts", "any", "table",
    "tables",
]  # fmt: skip

GIVEN: Final = "given"
"""What every key holds where all are given."""


@frozen
class Key:
    """One key, as its reader asks for it.

    Attributes:
        kind: what it holds.
        required: whether it must be given, whatever else is.
        choices: the words that a string may be, if not all.
        pattern: what all of a string must match.
        must: the pattern in words.
        minimum: of a number, or of a duration in seconds.
        maximum: likewise; characters of a string, entries of a list.
        default: of a number or a flag, where it is always the same.
        form: of a table, or of each in a table of tables.
        types: what JSON Schema calls that which `any` may be, if not all.
    """

    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    must: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default: Json = None
    form: Form | None = None
    types: tuple[str, ...] = ()


@dataclass(slots=True)
class Form:
    """A table's keys.

    Attributes:
        keys: by their names, as JSON spells them.
        forbidden: names of keys that only a file may hold; "" forbids the table.
    """

    keys: dict[str, Key] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)


def form_of(
    read: Callable[[Table], object],
    chosen: Mapping[str, str] = MappingProxyType({}),
    names: Mapping[str, str] = MappingProxyType({}),
) -> Form:
    """Return the keys that `read` asks a table in JSON for, without those that it forbids there.

    Args:
        read: reads a table and notes what is wrong in it, as all do.
        chosen: words at the top that are given, by their keys.
        names: as Table takes them.
    """
    forms = [_noted(read, chosen, names, given) for given in (False, True)]
    for form in tuple(forms):
        for key, word in _words(form):
            if key not in chosen:
                forms += [
                    _noted(read, {**chosen, key: word}, names, given) for given in (False, True)
                ]
    return _without_forbidden(_merged(forms))


class Notes(Table):
    """A table that notes what it is asked for. Nothing is wrong with what it says."""

    def __init__(
        self,
        form: Form,
        chosen: Mapping[str, str],
        given: bool,
        path: str = "",
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take notes in `form`; `given`: as if every key were given, else as if none were."""
        super().__init__({}, [], path, "json", None, names)
        self._form = form
        self._chosen = chosen
        self._given = given

    def fault(self, key: str, _problem: str, kind: str = "invalid") -> None:
        """Note what is forbidden."""
        if kind == "forbidden":
            self._form.forbidden.add(self.spelt(key) if key else "")

    def fault_each(self, key: str, problems: Iterable[str], part: str = "") -> None:
        """Let it be."""

    def peek(self, key: str) -> Json:
        """Return something, where all keys are given."""
        return self._chosen.get(self._name(key)) or (GIVEN if self._given else None)

    def string(
        self,
        key: str,
        default: Any = REQUIRED,
        *,
        choices: Collection[str] = (),
        pattern: str | re.Pattern[str] | None = None,
        must: str = "",
        maximum: int = MAX_TEXT,
    ) -> Any:
        """Note a string."""
        text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        longest = None if maximum == MAX_TEXT else float(maximum)
        noted = Key("string", choices=tuple(choices), pattern=text, must=must, maximum=longest)
        self._note_key(key, default, noted)
        first = next(iter(choices), GIVEN)
        return self._chosen.get(self._name(key)) or self._value(default, first)

    def integer(self, key: str, default: Any = REQUIRED, minimum: int = 0, maximum: int = 0) -> Any:
        """Note a whole number."""
        bounds = (float(minimum), float(maximum)) if maximum > minimum else (None, None)
        self._note_key(key, default, Key("integer", minimum=bounds[0], maximum=bounds[1]))
        return self._value(default, max(1, minimum))

    def number(
        self, key: str, default: Any = REQUIRED, minimum: float = 0.0, maximum: float = 0.0
    ) -> Any:
        """Note a number."""
        bounds = (minimum, maximum) if maximum > minimum else (None, None)
        self._note_key(key, default, Key("number", minimum=bounds[0], maximum=bounds[1]))
        return self._value(default, max(1.0, minimum))

    def boolean(self, key: str, default: Any = REQUIRED) -> Any:
        """Note true or false."""
        self._note_key(key, default, Key("boolean"))
        return self._value(default, True)

    def duration(
        self, key: str, default: Any = REQUIRED, minimum: float = 0.0, maximum: float = 0.0
    ) -> Any:
        """Note a duration."""
        self._note_key(key, default, Key("duration", minimum=minimum, maximum=maximum or None))
        return self._value(default, max(1.0, minimum))

    def strings(self, key: str, default: Any = REQUIRED, maximum: int = MAX_ITEMS) -> Any:
        """Note a list of strings."""
        self._note_key(key, default, Key("strings", maximum=maximum))
        return self._value(default, (GIVEN,))

    def texts(self, key: str, default: Any = REQUIRED) -> Any:
        """Note a table of strings."""
        self._note_key(key, default, Key("texts"))
        return self._value(default, {GIVEN: GIVEN})

    def raw(self, key: str, *types: str) -> Json:
        """Note any value."""
        self._note_key(key, None, Key("any", types=types))
        return None

    def table(self, key: str) -> Table:
        """Note a table, and what it is asked for."""
        return self._below(key, "table")

    def tables(self, key: str) -> dict[str, Table]:
        """Note a table of tables, one of them with what it is asked for."""
        return {GIVEN: self._below(key, "tables")}

    def _below(self, key: str, kind: Kind) -> Notes:
        form = Form()
        self._note_key(key, None, Key(kind, form=form))
        return Notes(form, self._chosen, self._given, self._name(key))

    def _name(self, key: str) -> str:
        return self.where(key)

    def _value(self, default: Any, given: Any) -> Any:
        return given if self._given or default is REQUIRED else default

    def _note_key(self, key: str, default: Any, noted: Key) -> None:
        plain = default if isinstance(default, bool | int | float) else None
        if noted.kind == "duration":
            plain = None
        required = default is REQUIRED
        noted = replace(noted, required=required, default=None if required else plain)
        self._form.keys.setdefault(self.spelt(key), noted)


def _noted(
    read: Callable[[Table], object],
    chosen: Mapping[str, str],
    names: Mapping[str, str],
    given: bool,
) -> Form:
    """What was asked for; of a reader from another package that stumbles, until then."""
    form = Form()
    with suppress(Exception):
        read(Notes(form, chosen, given, names=names))
    return form


def _words(form: Form, path: str = "") -> list[tuple[str, str]]:
    """Each word that a key may be, with the key's path."""
    found = []
    for name, key in form.keys.items():
        place = f"{path}.{name}" if path else name
        found += [(place, word) for word in key.choices]
        if key.form is not None:
            found += _words(key.form, place)
    return found


def _merged(forms: Collection[Form]) -> Form:
    """Of the same table, read several times: what is asked for not always is not required."""
    whole = Form()
    for form in forms:
        whole.forbidden |= form.forbidden
        for name, key in form.keys.items():
            whole.keys.setdefault(name, key)
    for name in whole.keys:
        whole.keys[name] = _merged_key([form.keys.get(name) for form in forms])
    return whole


def _merged_key(asked: Collection[Key | None]) -> Key:
    found = [key for key in asked if key is not None]
    inner = [key.form for key in found if key.form is not None]
    same = all(key.default == found[0].default for key in found)
    return replace(
        found[0],
        required=len(found) == len(asked) and all(key.required for key in found),
        default=found[0].default if same else None,
        form=_merged(inner) if inner else None,
    )


def _without_forbidden(form: Form) -> Form:
    keys = {}
    for name, key in form.keys.items():
        inner = key.form and _without_forbidden(key.form)
        if name not in form.forbidden:
            keys[name] = replace(key, form=inner)
    return Form(keys, form.forbidden)
