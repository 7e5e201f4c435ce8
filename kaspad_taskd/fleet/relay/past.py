"""What was of a task, as far as a fleet keeps it: packed, 6 KiB at most. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.jsontext import dumps

Wire: TypeAlias = Mapping[str, Any]

BYTES: Final = 6 * 1024
POINTS: Final = 120
INCIDENTS: Final = 20
_FEWEST: Final = 30
"""Points from which incidents go before more points do."""


def moment(text: object) -> int:
    """Return ms since 1970 of a moment as the wire has it. Raises ValueError: it is none."""
    return round(datetime.fromisoformat(str(text)).timestamp() * 1000)


def packed(
    record: Wire | None, incidents: Sequence[Wire], points: Sequence[Wire], most: int = BYTES
) -> bytes:
    """Return a task's past as JSON, of at most `most` bytes where that can be.

    What is too much goes: every second point first, then the oldest incidents, then the rest.

    Args:
        record: the result of `getRecord`, None: there is none.
        incidents: of `getIncidents`, the newest first.
        points: of `getHistory`.
        most: bytes.
    """
    totals = record and {name: each for name, each in record.items() if name != "series"}
    told = list(incidents[:INCIDENTS])
    drawn = [_point(each) for each in points[-POINTS:]]
    while True:
        text = dumps({"record": totals, "incidents": told, "history": drawn})
        if len(text) <= most or not (told or drawn):
            return text
        if len(drawn) > _FEWEST or not told:
            drawn = drawn[::-2][::-1]  # the newest one stays
            drawn = [] if len(drawn) < 2 else drawn
        else:
            told.pop()


def _point(point: Wire) -> list[Any]:
    return [moment(point["at"]), point["progress"], point["rate"], point["health"]]
