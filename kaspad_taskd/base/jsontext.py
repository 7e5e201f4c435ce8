"""JSON text in and out: orjson where it is installed, the standard library's json where not.

Coming in, both refuse NaN, infinities, lone surrogates and what is no UTF-8. Going out, no number
of ours is NaN or infinite: the rooms that compute them see to that; and what the system gives as
text that is none (the name of a file, a header) is said with "?" in the place of such bytes.
"""

from __future__ import annotations

import json
import math
from typing import Any

try:
    import orjson
except ImportError:  # Debian 12 has none
    orjson = None  # type: ignore[assignment]


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def dumps(value: Any) -> bytes:
    """Return compact UTF-8 JSON.

    Raises:
        TypeError, ValueError: the value cannot be said in JSON, or is nested too deeply.
    """
    if orjson is not None:
        try:
            return orjson.dumps(value)
        except TypeError:  # other keys than strings, which make all twice as slow; or no UTF-8
            pass
    try:
        return _dumps(value)
    except (TypeError, UnicodeEncodeError):
        return _dumps(_said(value))


def _dumps(value: Any) -> bytes:
    if orjson is not None:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return text.encode()


def _said(value: Any) -> Any:
    """The value without lone surrogates, which UTF-8 has not."""
    try:
        match value:
            case str():
                return value.encode(errors="replace").decode()
            case dict():
                return {_said(key): _said(each) for key, each in value.items()}
            case list() | tuple():
                return [_said(each) for each in value]
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def loads(text: str | bytes | bytearray) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: the text is no JSON, no UTF-8, or nested too deeply.
    """
    if orjson is not None:
        return orjson.loads(text)
    if not isinstance(text, str):
        text = text.decode()  # json itself would take UTF-16 too
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate fails here
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value
