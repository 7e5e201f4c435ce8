"""What a program prints about its work: one line of JSON, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.jsontext import loads
from kaspad_taskd.base.values import kind_of
from kaspad_taskd.core.observation import Json, Reading, Refused, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import clean
from kaspad_taskd.probes.said import MOST, Said, judge, number_at

MAX_FACTS: Final = 32
MAX_TEXT: Final = 200
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@frozen
class Line:
    """The line: its numbers, its named facts, and the failure that it tells, if any."""

    said: Said
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    error: str | None = None

    def observation(self) -> Reading | Refused:
        """What the look brought back."""
        if self.error is not None:
            return Refused(Reason.CHECKER_ERROR, {"text": self.error})
        return judge(self.said, True, None, self.facts)


def read(output: bytes) -> Line:
    """Return what a program's whole output says.

    Raises:
        ValueError: it is not one line of JSON of this kind; in our own words.
    """
    lines = [line for line in output.split(b"\n") if line.strip()]
    if len(lines) != 1:
        raise ValueError("it printed nothing" if not lines else "it printed more than one line")
    try:
        data = loads(lines[0])
    except ValueError:
        raise ValueError("the line that it printed is no JSON") from None
    if not isinstance(data, dict):
        raise ValueError("the line that it printed is no JSON object")
    said = Said(
        number_at(data, "progress", 100.0),
        number_at(data, "done", MOST),
        number_at(data, "total", MOST),
        _flag(data.get("completed")),
    )
    error = _error(data.get("error"))
    if error is None and said == Said():
        raise ValueError("it says neither completed nor progress nor done")
    return Line(said, _facts(data.get("metadata")), error)


def _flag(value: Json) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"completed is {kind_of(value)}, not true or false")


def _error(value: Json) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"error is {kind_of(value)}, not a string")
    return clean(value, MAX_TEXT)


def _facts(value: Json) -> Mapping[str, Scalar]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_FACTS:
        raise ValueError(f"metadata is no object of {MAX_FACTS} entries at most")
    return {_name(name): _scalar(each) for name, each in value.items()}


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("a name in metadata must be letters, digits, . _ or -, 64 at most")
    return name


def _scalar(value: Json) -> Scalar:
    if isinstance(value, str):
        return clean(value, MAX_TEXT)
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) <= MOST):
        return value
    raise ValueError("a value in metadata must be a string, a number, true or false")
