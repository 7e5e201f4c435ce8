"""Fields of a stranger's JSON: of the kind that was asked for, or a ValueError in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.client import clean

MOST: Final = 2**63


def table(value: Json, name: str) -> Mapping[str, Json]:
    """Return an object.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} is missing, or no object")
    return value


def maybe(parent: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    """Return the object at a key, an empty one where there is none.

    Raises:
        ValueError: there is something else.
    """
    value = parent.get(key)
    return {} if value is None else table(value, key)


def whole(parent: Mapping[str, Json], key: str) -> int | None:
    """Return the whole number at a key, 0 to 2^63, None where there is none.

    Raises:
        ValueError: there is something else.
    """
    value = parent.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"{key} is no whole number")
    return value


def flag(parent: Mapping[str, Json], key: str) -> bool | None:
    """Return true or false, None where there is neither.

    Raises:
        ValueError: there is something else.
    """
    value = parent.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"{key} is neither true nor false")


def text(parent: Mapping[str, Json], key: str, limit: int = 64) -> str | None:
    """Return the text at a key, made printable and cut, None where there is none.

    Raises:
        ValueError: there is something else.
    """
    value = parent.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text")
    return clean(value, limit)
