"""What a parameter must be: its check, and the same in JSON Schema, side by side."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from kaspad_taskd.api import schemas
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Check, Param
from kaspad_taskd.api.wire import TEXT
from kaspad_taskd.base.clock import parse_iso
from kaspad_taskd.core.model import Moment

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
LONGEST = 10_000
"""Characters of a free text."""
FACTS = 64
"""Named facts of a task."""


def task_id() -> Param:
    """The id of a task; one that cannot be an id is simply not found, so any text passes."""
    return Param("taskId", schemas.TEXT, _text(1000), summary="id of the task")


def text(name: str, *, required: bool = True, maximum: int = LONGEST, summary: str = "") -> Param:
    """A text."""
    schema = {"type": "string", "maxLength": maximum}
    return Param(name, schema, _text(maximum), required, summary=summary)


def moment(name: str, given: str | None, default: Moment) -> Moment:
    """Return the time that a text parameter tells; `default` where it is not given.

    Raises:
        ApiError: it is no time.
    """
    if given is None:
        return default
    try:
        return parse_iso(given)
    except ValueError:
        raise ApiError.params(name, "must be a time such as 2026-11-23T14:12:09Z") from None


def one_of(name: str, words: Mapping[str, Any], *, required: bool, summary: str = "") -> Param:
    """One of a few words: those of a schema (`schemas.word`)."""
    listed = sorted(words["enum"])

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in listed:
            raise ValueError(f"must be one of {', '.join(listed)}")
        return value

    return Param(name, words, check, required, summary=summary)


def integer(
    name: str,
    low: int,
    high: int,
    *,
    default: int | None = None,
    required: bool = False,
    summary: str = "",
) -> Param:
    """A whole number."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise ValueError("must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"must be {low} to {high}")
        return int(value)

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Param(name, schema, check, required, default, summary)


def number(
    name: str, low: float, high: float, *, default: float | None = None, summary: str = ""
) -> Param:
    """A number, optional."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("must be a number")
        if not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"must be {low:.0f} to {high:.0f}")
        return float(value)

    schema = {"type": "number", "minimum": low, "maximum": high}
    return Param(name, schema, check, False, default, summary)


def flag(name: str, *, required: bool = False, summary: str = "") -> Param:
    """True or false; false where it is left out."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    return Param(name, schemas.FLAG, check, required, False, summary)


def maybe_flag(name: str, *, summary: str = "") -> Param:
    """True, false or null, optional."""

    def check(value: Any) -> bool | None:
        if value is not None and not isinstance(value, bool):
            raise ValueError("must be true, false or null")
        return value

    return Param(name, schemas.MAYBE_FLAG, check, False, None, summary)


def facts(name: str, *, summary: str = "") -> Param:
    """An object of named facts: numbers, booleans, texts to 200 characters."""
    return Param(name, schemas.FREE, metadata, False, None, summary)


def metadata(value: Any) -> dict[str, Any]:
    """Check named facts.

    Raises:
        ValueError: what they must be.
    """
    if not isinstance(value, dict) or len(value) > FACTS:
        raise ValueError(f"must be an object of at most {FACTS} facts")
    for key, each in value.items():
        short = isinstance(each, str) and len(each) <= TEXT
        if len(key) > 100 or not (isinstance(each, bool | int | float) or short):
            raise ValueError(f"must hold numbers, true, false and texts to {TEXT} characters")
    return value


def anything(name: str, *, required: bool = False, summary: str = "") -> Param:
    """Any JSON value."""
    return Param(name, schemas.ANYTHING, lambda value: value, required, None, summary)


def texts(name: str, maximum: int, *, summary: str = "") -> Param:
    """A list of texts, optional."""

    def check(value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError("must be a list of texts")
        if len(value) > maximum:
            raise ValueError(f"must be at most {maximum} texts")
        return value

    schema = {"type": "array", "items": schemas.TEXT, "maxItems": maximum}
    return Param(name, schema, check, False, None, summary)


def _text(maximum: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError("must be a text")
        if len(value) > maximum:
            raise ValueError(f"must be a text of at most {maximum} characters")
        return value

    return check


def maybe_object(name: str, inner: Callable[[dict[str, Any]], Any], summary: str = "") -> Param:
    """An object, optional, that `inner` reads."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be an object")
        return inner(value)

    return Param(name, schemas.FREE, check, False, None, summary)
