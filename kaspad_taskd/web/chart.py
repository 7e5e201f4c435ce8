"""What was, as shapes: the strip of the last hour and the chart of a task's history.

Pure: points of `getHistory` in, paths in, gaps where nobody looked; nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.words.moment import seconds_of

Point: TypeAlias = Mapping[str, Any]
"""`{at, progress, rate, health}`; health is None where nobody looked."""

MINUTES = 60
STRIP = (240, 24)
CHART = (720, 200)
"""Width and height of the drawings, in their own units."""
COLUMN = 12
"""Width of a rate's column, at most."""
TICKS = frozenset({"sync:start", "sync:health", "sync:epoch", "sync:error", "sync:paused"})
"""Events that the chart marks: those that bend its line."""


def strip(points: Iterable[Point], now: float) -> dict[str, Any] | None:
    """Return `bars`, `dashes` (path data), `most` (the highest rate), `values` of the hour before.

    A bar a minute; a dash on the baseline where there was no answer; nothing where nobody looked.
    `values` is the same as text, the minute of now last: a rate, 0, "-" (no answer) or "" (nobody
    looked), with commas; `until` is that minute (s). None where nothing moved at all.
    """
    recent = [(_minute(point, now), point) for point in points]
    shown = [(minute, point) for minute, point in recent if 0 <= minute < MINUTES]
    most = max((point.get("rate") or 0 for _, point in shown), default=0)
    if not most:
        return None
    width, height = STRIP[0] // MINUTES, STRIP[1]
    bars, dashes, values = [], [], [""] * MINUTES
    for minute, point in shown:
        x, rate = minute * width, point.get("rate")
        values[minute] = _value(point)
        if rate:
            tall = max(1, int(rate / most * height))
            bars.append(f"M{x} {height}v-{tall}h{width - 1}v{tall}z")
        elif point.get("health") is not None:
            dashes.append(f"M{x} {height - 1}h{width - 1}v1h-{width - 1}z")
    return {
        "bars": "".join(bars),
        "dashes": "".join(dashes),
        "most": most,
        "values": ",".join(values),
        "until": int(now) // 60 * 60,
    }


def _value(point: Point) -> str:
    if point.get("rate"):
        return f"{point['rate']:.12g}"
    return {None: "", "unreachable": "-"}.get(point.get("health"), "0")


def _minute(point: Point, now: float) -> int:
    """The place of a point's minute; the last one is the minute of `now`."""
    return MINUTES - 1 - (int(now) // 60 - int(seconds_of(point.get("at")) or 0) // 60)


def chart(points: Sequence[Point], events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return `progress` and `rate` (path data), `most`, `ticks` (x and event), `begin`, `end`.

    None where fewer than two points are known.
    """
    timed = [(seconds_of(point.get("at")), point) for point in points]
    known = [(at, point) for at, point in timed if at is not None]
    if sum(point.get("progress") is not None for _, point in known) < 2:
        return None
    begin, end = known[0][0], known[-1][0]
    scale = CHART[0] / max(1.0, end - begin)
    placed = [((at - begin) * scale, point) for at, point in known]
    most = max((point.get("rate") or 0 for _, point in placed), default=0)
    return {
        "progress": _line(placed),
        "rate": _columns(placed, most),
        "most": most,
        "ticks": _ticks(events, begin, end, scale),
        "begin": begin,
        "end": end,
    }


def _line(placed: Sequence[tuple[float, Point]]) -> str:
    """A line through neighbours that are known; a dot where one stands alone."""
    parts, pen = [], "M"
    for x, point in placed:
        if point.get("progress") is None:
            pen = "M"
            continue
        y = CHART[1] * (1 - float(point["progress"]) / 100)
        parts.append(f"M{x:.1f} {y:.1f}h0" if pen == "M" else f"L{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)


def _columns(placed: Sequence[tuple[float, Point]], most: float) -> str:
    if not most:
        return ""
    width = min(COLUMN, max(0.5, CHART[0] / len(placed) - 0.5))
    columns = []
    for x, point in placed:
        tall = int((point.get("rate") or 0) / most * CHART[1] * 0.5)
        if tall:
            left, right = max(0.0, x - width / 2), min(CHART[0], x + width / 2)
            columns.append(f"M{left:.1f} {CHART[1]}v-{tall}h{right - left:.1f}v{tall}z")
    return "".join(columns)


def _ticks(
    events: Iterable[Mapping[str, Any]], begin: float, end: float, scale: float
) -> list[tuple[float, Mapping[str, Any]]]:
    ticks = []
    for event in events:
        at = seconds_of(event["data"].get("timestamp"))
        if event["event"] in TICKS and at is not None and begin <= at <= end:
            ticks.append((round((at - begin) * scale, 1), event))
    return ticks
