"""Typed getters over a table that people wrote: TOML or JSON, settings or definition.

Bad data never raises: each getter notes a Fault that names the key as its writer spelt it, and
returns a stand-in, so that one pass finds everything that is wrong. `done()` notes what was never
asked for. Keys are asked for in snake_case; in JSON they are spelt in camelCase.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

from kaspad_taskd.base.durations import format_duration
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.values import (
    MAX_ITEMS,
    MAX_TEXT,
    SAFE_INTEGER,
    Json,
    Several,
    check_text,
    few,
    few_of,
    json_of,
    kind_of,
    of_kind,
    quote,
    seconds_of,
    strings_of,
    texts_of,
    within,
)
from kaspad_taskd.base.written import Written

Style: TypeAlias = Literal["toml", "json"]

MAX_UNKNOWN: Final = 20
"""Unknown keys told of one table; the rest is counted."""
MAX_FAULTS: Final = 100
"""Faults told of one writer's work; more would not be read."""

MISSING: Final = "missing"
"""The kind of a fault that another file may mend, where there are several."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class _Required(Enum):
    REQUIRED = 0


REQUIRED: Final = _Required.REQUIRED
"""The default of a key that has none."""

S = TypeVar("S", bound=str | None)
N = TypeVar("N", bound=float | None)
I = TypeVar("I", bound=int | None)  # noqa: E741
B = TypeVar("B", bound=bool | None)


@frozen
class Fault:
    """What is wrong with one key, in words that name the cure.

    Attributes:
        key: its path as its writer spelt it (`checker.max_lag`), or "" for the whole.
        problem: the rest of the sentence.
        file: where it stands, or None where it came over an API.
        kind: "invalid", "forbidden" for what only a file may say, or "missing" for what another
            file of several may say.
    """

    key: str
    problem: str
    file: str | None = None
    kind: str = "invalid"

    def __str__(self) -> str:
        return ", ".join(part for part in (self.file, self.key) if part) + f": {self.problem}"


def camel(key: str) -> str:
    """Return a snake_case key as JSON spells it: `max_lag` is `maxLag`."""
    head, *rest = key.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


class Table:
    """A table being read. Faults are added to the list it was given."""

    def __init__(
        self,
        data: object,
        faults: list[Fault],
        path: str = "",
        style: Style = "toml",
        file: str | Written | None = None,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Read `data`; that it is no table is a fault.

        Args:
            data: what was written.
            faults: where to add what is wrong.
            path: the key path at which `data` stands, as written.
            style: how keys are spelt.
            file: where it stands, for the faults; or where each part of it does.
            names: keys that JSON spells otherwise than in camelCase, by their snake_case.
        """
        self.faults = faults
        self.path = path
        self.style: Style = style
        self._file = file
        self._names = names
        self._data: Mapping[Any, Any] = data if isinstance(data, Mapping) else {}
        self._asked: set[str] = set()
        self._read: dict[str, Json] = {}
        self._children: list[Table] = []
        if not isinstance(data, Mapping):
            self.fault("", f"must be a table, not {kind_of(data)}")

    def spelt(self, key: str, style: Style | None = None) -> str:
        """Return a snake_case key as it is spelt in a style (its writer's)."""
        if (style or self.style) == "toml":
            return key
        return self._names.get(key) or camel(key)

    def where(self, key: str) -> str:
        """Return the full path of a key, as its writer spells it."""
        return self._join(self.spelt(key))

    def fault(self, key: str, problem: str, kind: str = "invalid") -> None:
        """Note what is wrong with a key (snake_case; "" is the table), once a key."""
        where, file = self.where(key), self._source(self.spelt(key))
        if all((fault.key, fault.file) != (where, file) for fault in self.faults):
            self._note(where, problem, file, kind)

    def fault_each(self, key: str, problems: Iterable[str], part: str = "") -> None:
        """Note what is wrong with entries of a key's list or table, beside what is told of it.

        `part`: the entry of a table, where it is one.
        """
        for problem in problems:
            self._note(self.where(key), problem, self._source(self.spelt(key), part))

    def peek(self, key: str) -> Json:
        """Return what was written at a key, unchecked, or None; it still has to be asked for."""
        return self._data.get(self.spelt(key))

    def string(
        self,
        key: str,
        default: S | _Required = REQUIRED,
        *,
        choices: Collection[str] = (),
        pattern: str | re.Pattern[str] | None = None,
        must: str = "",
        maximum: int = MAX_TEXT,
    ) -> str | S:
        """Return a string that is not empty.

        Args:
            key: in snake_case.
            default: where it is not given.
            choices: the words it may be, if not all.
            pattern: what all of it must match.
            must: the pattern in words ("must be ...").
            maximum: characters.
        """

        def judge(value: str) -> str:
            check_text(value, maximum)
            if choices and value not in choices:
                raise ValueError(f"{quote(value)} is none of {', '.join(choices)}")
            if pattern is not None and not re.fullmatch(pattern, value):
                raise ValueError(must or f"must match {getattr(pattern, 'pattern', pattern)}")
            return value

        return cast("str | S", self._get(key, default, "", str, "a string", judge))

    def integer(
        self,
        key: str,
        default: I | _Required = REQUIRED,
        minimum: int = -SAFE_INTEGER,
        maximum: int = SAFE_INTEGER,
    ) -> int | I:
        """Return a whole number within bounds."""
        judge = partial(within, minimum=minimum, maximum=maximum)
        return cast("int | I", self._get(key, default, 0, int, "a whole number", judge))

    def number(
        self,
        key: str,
        default: N | _Required = REQUIRED,
        minimum: float = -math.inf,
        maximum: float = math.inf,
    ) -> float | N:
        """Return a finite number within bounds."""
        judge = partial(within, minimum=minimum, maximum=maximum)
        return cast("float | N", self._get(key, default, 0.0, (int, float), "a number", judge))

    def boolean(self, key: str, default: B | _Required = REQUIRED) -> bool | B:
        """Return true or false."""
        return cast("bool | B", self._get(key, default, False, bool, "true or false", bool))

    def duration(
        self,
        key: str,
        default: N | _Required = REQUIRED,
        minimum: float = 0.0,
        maximum: float = math.inf,
    ) -> float | N:
        """Return seconds, from a string like "1min 30s"; in JSON a number is milliseconds."""

        def judge(value: str | float) -> float:
            seconds = seconds_of(value)
            if seconds < minimum:
                least = format_duration(minimum)
                raise ValueError(f"{quote(value)} is too short; {least} is the shortest")
            if seconds > maximum:
                most = format_duration(maximum)
                raise ValueError(f"{quote(value)} is too long; {most} is the longest")
            return seconds

        kinds = (str, int, float) if self.style == "json" else str
        what = 'a duration like "10s" or "5min"'
        taken = self._get(key, default, 0.0, kinds, what, judge, format_duration)
        return cast("float | N", taken)

    def strings(
        self, key: str, default: tuple[str, ...] | _Required = REQUIRED, maximum: int = MAX_ITEMS
    ) -> tuple[str, ...]:
        """Return a list of strings, `maximum` at most; an empty string may stand in it."""
        judge = partial(strings_of, maximum=maximum)
        taken = self._get(key, default, (), (list, tuple), "a list of strings", judge, list)
        return cast("tuple[str, ...]", taken)

    def texts(
        self, key: str, default: Mapping[str, str] | _Required = REQUIRED
    ) -> Mapping[str, str]:
        """Return a table of strings whose keys the writer chooses (they are never respelt)."""
        taken = self._get(key, default, {}, Mapping, "a table of strings", texts_of, dict)
        return cast("Mapping[str, str]", taken)

    def raw(self, key: str, *types: str) -> Json:  # noqa: ARG002 - for base.forms
        """Return any value that JSON can say, as it is, or None.

        Args:
            key: in snake_case.
            types: JSON Schema's names of what the caller takes, where that is not everything.
        """
        return self._get(key, None, None, object, "", json_of)

    def table(self, key: str) -> Table:
        """Return the table at a key; an empty one where there is none."""
        value = self._get(key, None, None, Mapping, "a table", dict)
        self._read[key] = child = self._child(value or {}, self.where(key), self.spelt(key))
        return child

    def tables(self, key: str) -> dict[str, Table]:
        """Return a table of tables by the names that the writer chose."""
        value = self._get(key, None, None, Mapping, "a table of tables", few) or {}
        path, spelt = self.where(key), self.spelt(key)
        found = {
            str(name): self._child(data, key_path(path, name), spelt, name)
            for name, data in value.items()
        }
        self._read[key] = found
        return found

    def rows(self, key: str) -> list[Table]:
        """Return the tables of a list (TOML's `[[key]]`); the first one's path is `key[1]`."""
        found = self._get(key, None, None, (list, tuple), "a list of tables", few_of) or []
        path, spelt = self.where(key), self.spelt(key)
        return [self._child(data, f"{path}[{n}]", spelt) for n, data in enumerate(found, 1)]

    def done(self) -> bool:
        """Note the keys that nobody asked for, here and below; return whether all is sound."""
        unknown = [name for name in self._data if name not in self._asked]
        if unknown:
            from difflib import get_close_matches  # few definitions have any
        for name in unknown[:MAX_UNKNOWN]:
            close = get_close_matches(str(name)[:100], self._asked, 1)
            problem = f'unknown key; did you mean "{close[0]}"?' if close else "unknown key"
            self._note(self._join(name), problem, self._source(name))
        if len(unknown) > MAX_UNKNOWN:
            more = f"{len(unknown) - MAX_UNKNOWN} more unknown keys"
            self._note(self.path, more, self._source())
        for child in self._children:
            child.done()
        return not self.faults

    def canonical(self, style: Style) -> dict[str, Json]:
        """Return what was read so far, sound and with its defaults, spelt for `style`.

        Durations are strings; what is not given and has no default is left out.
        """
        written = {key: _written(value, style) for key, value in self._read.items()}
        return {
            self.spelt(key, style): value
            for key, value in written.items()
            if value or not isinstance(self._read[key], Table)
        }

    def _get(
        self,
        key: str,
        default: Any,
        stand_in: Any,
        kinds: Any,
        what: str,
        judge: Callable[[Any], Any],
        write: Callable[[Any], Json] | None = None,
    ) -> Any:
        """Return the value that `judge` makes of it (or refuses by ValueError), or the default.

        `write` makes what `canonical` shows of it.
        """
        name = self.spelt(key)
        self._asked.add(name)
        value = self._data.get(name)
        if value is None and default is REQUIRED:
            self.fault(key, "is required", MISSING)
            return stand_in
        try:
            taken = default if value is None else judge(of_kind(value, kinds, what))
        except Several as refusal:
            for part, problem in zip(refusal.parts, refusal.problems, strict=True):
                self.fault_each(key, [problem], part)
            return refusal.rest
        except ValueError as refusal:
            self.fault(key, str(refusal))
            return stand_in if default is REQUIRED else default
        if taken is not None:
            self._read[key] = write(taken) if write else taken
        return taken

    def _child(self, data: object, path: str, *names: str) -> Table:
        file = self._file.at(*names) if isinstance(self._file, Written) else self._file
        child = Table(data, self.faults, path, self.style, file)
        self._children.append(child)
        return child

    def _join(self, name: object) -> str:
        return key_path(self.path, name) if name != "" else self.path

    def _source(self, *names: str) -> str | None:
        return self._file.at(*names).file if isinstance(self._file, Written) else self._file

    def _note(self, where: str, problem: str, file: str | None, kind: str = "invalid") -> None:
        fault = Fault(where, problem, file, kind)
        if fault not in self.faults and len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)


def key_path(path: str, name: object) -> str:
    """Return the path of a key in the table at `path`, as TOML spells it."""
    text = str(name)
    shown = text if _BARE.fullmatch(text) and len(text) <= 100 else quote(text)
    return f"{path}.{shown}" if path else shown


def _written(value: Any, style: Style) -> Json:
    if isinstance(value, Table):
        return value.canonical(style)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict) and any(isinstance(item, Table) for item in value.values()):
        return {name: _written(item, style) for name, item in value.items()}
    return value
