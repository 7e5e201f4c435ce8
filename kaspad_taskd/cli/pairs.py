"""KEY=VALUE words of a command line as an object."""

from __future__ import annotations

import json

from kaspad_taskd.cli.faults import USAGE, Fault

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def pairs(given: Sequence[str]) -> dict[str, Any]:
    """Return KEY=VALUE words as an object; a value is JSON where it reads so, else text.

    Raises:
        Fault: `bad-pair`.
    """
    found = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise Fault("bad-pair", USAGE, pair=pair)
        found[key] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)  # NaN and 1e999, however deep, are no JSON
    except (ValueError, RecursionError):
        return text
    return value
