"""When a disk will be full, from what was free on it in the last hour, and whether that is trouble.

A rate is only believed where it agrees with itself: space that a compaction or a pruning gives back
counts against it, what another program writes once does not count for it, and a growth that ends is
noticed within minutes. How far ahead it tells depends on how long it was watched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Final

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.base.middle import median
from kaspad_taskd.core.observation import Disk, Hint, Scalar
from kaspad_taskd.core.reason import Reason

HINT: Final = "disk-runway"
MADE_HERE: Final = frozenset({HINT, str(Reason.DISK_FULL)})
"""Codes of what is told here; the second one others tell as well."""

FREE, TOTAL, GROWTH, RUNWAY = FACTS = ("diskFree", "diskTotal", "diskGrowth", "diskRunway")
"""Bytes, bytes, bytes a second, and the seconds until it is full."""

EVERY_S: Final = 10.0
"""Samples are no nearer to each other."""
HORIZON_S: Final = 3600.0
MAX_SAMPLES: Final = 30
GAP_S: Final = 900.0
"""What happened in a longer gap tells no rate."""
PARTS: Final = 8
"""A window is compared in so many equal parts."""
MIN_SPAN_S, MAX_SPAN_S, AHEAD = 60.0, 1800.0, 5.0
"""A fifth of the time ahead must have been watched, a minute at least; half an hour is enough."""
RECENT_S: Final = 600.0
HELD_S: Final = 900.0
"""So long a rate that agreed stands for one that does not: a sawtooth has its moments."""
EASED_S: Final = 300.0
"""A rate goes over into another one within so long."""
SLOWED: Final = 0.2
"""A held rate ends at once where less than this share of it is still written."""
RESIZED: Final = 0.01
"""A total that changes by this share is another disk, or a larger one."""

GIB: Final = 1 << 30
LOW, LOW_SHARE, LOW_MOST = GIB, 0.02, 20 * GIB
LOW_INODES: Final = 1000
FULL: Final = 32 << 20
"""Who has no more than this is full, and so grows no more."""
LEAVE: Final = 1.25
"""What was told as low goes when there is so many times as much."""
LOW_LOOKS, LOW_SPAN_S, LOW_GROWN = 3, 20.0, 64 << 10
MARGIN, LEAVE_MARGIN = 1.2, 1.35
"""An end that comes first by this much is no trouble; what was told goes a little later."""
UNKNOWN_S, LEAVE_UNKNOWN_S = 12 * 3600.0, 16 * 3600.0
"""How far ahead it matters where nobody knows when the work ends."""


@frozen
class Space:
    """What a file system said.

    Attributes:
        free: bytes that an ordinary user may still write.
        total: its bytes.
        inodes: files that may still be made, None where there is no such limit.
        all_inodes: how many there may be, None likewise.
    """

    free: int
    total: int
    inodes: int | None = None
    all_inodes: int | None = None


@frozen
class Sample:
    """What was free at a steady moment, in seconds; `came`: all that was written until then."""

    at: float
    free: int
    inodes: int | None = None
    came: int = 0


@frozen
class Past:
    """What is remembered of a disk: samples, oldest first, and the last rates that agreed.

    Attributes:
        samples: at most 31, of an hour at most.
        last: the newest look, whether it is among them or not.
        total: bytes of the file system.
        rate: bytes a second.
        rate_at: when that was so.
        files: inodes a second.
        files_at: when that was so.
    """

    samples: tuple[Sample, ...] = ()
    last: Sample | None = None
    total: int = 0
    rate: float = 0.0
    rate_at: float = 0.0
    files: float = 0.0
    files_at: float = 0.0


def seen(past: Past, space: Space, now: float) -> tuple[Past, Disk]:
    """Return the past with one more look at the disk, and what is known of it now."""
    past = replace(_begun(past, space, now), total=space.total)
    here = _next(past.last, space, now)
    window = (*past.samples, here)
    lately = _lately([(each.at, -each.came) for each in window])
    points = [(each.at, each.free) for each in window]
    rate, rate_at = _rate(points, lately, past.rate, past.rate_at)
    counted = [(each.at, each.inodes) for each in window if each.inodes is not None]
    files, files_at = _rate(counted, _lately(counted), past.files, past.files_at)
    past = replace(
        past, samples=_thinned(window), last=here, rate=rate or 0.0, rate_at=rate_at,
        files=files or 0.0, files_at=files_at,
    )  # fmt: skip
    span = now - window[0].at
    ends = _ahead(space.free, rate, span)
    none_left = _ahead(space.inodes, files, span)
    first = none_left is not None and (ends is None or none_left < ends)
    return past, Disk(
        free=space.free,
        total=space.total,
        growth=rate,
        seconds=none_left if first else ends,
        inodes=space.inodes if first or _few(space, 1.0) else None,
        low=_low(space, window, 1.0),
        nearly=_low(space, window, LEAVE),
    )


def _begun(past: Past, space: Space, now: float) -> Past:
    """The past, unless it is of another disk, of another clock, or too long ago."""
    if past.last is None:
        return Past()
    apart = now - past.last.at
    resized = abs(space.total - past.total) > RESIZED * max(1, past.total)
    return Past() if resized or not 0 <= apart <= GAP_S else past


def _next(last: Sample | None, space: Space, now: float) -> Sample:
    """One more sample: what came since the last one is written, what went is not."""
    came = 0 if last is None else last.came + max(0, last.free - space.free)
    return Sample(now, space.free, space.inodes, came)


def _thinned(window: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """At most an hour, evenly: the longer it is, the further apart its samples are."""
    newest = window[-1].at
    recent = [each for each in window if newest - each.at <= HORIZON_S]
    apart = max(EVERY_S, (newest - recent[0].at) / MAX_SAMPLES)
    kept: list[Sample] = []
    for each in recent:
        if not kept or each.at - kept[-1].at >= 0.95 * apart:
            kept.append(each)
    return tuple(kept)


def _rate(
    points: Sequence[tuple[float, int]], lately: float, held: float, held_at: float
) -> tuple[float | None, float]:
    """By how much a second what is left falls, None where that is not known; and as of when."""
    if not points:
        return None, 0.0
    now = points[-1][0]
    found = growth(points, lately)
    if found:
        apart = now - held_at if held > 0 else EASED_S
        return held + (found - held) * min(1.0, max(0.0, apart) / EASED_S), now
    if held > 0 and 0 <= now - held_at <= HELD_S and lately >= SLOWED * held:
        return held, held_at
    return found, 0.0


def growth(points: Sequence[tuple[float, int]], lately: float) -> float | None:
    """Return by how much a second what is left falls; 0 where it does not.

    None where it cannot be told: too little was seen, or it does not agree with itself.

    Args:
        points: moments in seconds and what was left then, oldest first.
        lately: what came a second lately, whatever was given back: growth is no faster.
    """
    span = points[-1][0] - points[0][0] if points else 0.0
    if span < MIN_SPAN_S or len(points) < 5:
        return None
    part = span / PARTS
    used = _levels(points, part)
    steps = [after - before for before, after in pairwise(used)]
    usual = median(steps) / part
    numbered = list(enumerate(used))
    slope = median((b - a) / ((j - i) * part) for (i, a), (j, b) in combinations(numbered, 2))
    rate = min(usual, slope, lately)
    if rate <= 0:
        return 0.0
    alike = sum(step >= rate * part / 4 for step in steps)
    return rate if alike > PARTS / 2 or usual <= 2 * slope else None


def _levels(points: Sequence[tuple[float, int]], part: float) -> list[float]:
    """What was used at the edges of equal parts, between two points as if it grew evenly."""
    first, place, found = points[0], 0, []
    for number in range(PARTS + 1):
        at = first[0] + number * part
        while place < len(points) - 2 and points[place + 1][0] <= at:
            place += 1
        (t0, left0), (t1, left1) = points[place], points[place + 1]
        share = min(1.0, (at - t0) / (t1 - t0)) if t1 > t0 else 1.0
        found.append(first[1] - (left0 + share * (left1 - left0)))
    return found


def _lately(points: Sequence[tuple[float, int]]) -> float:
    """What came a second lately, from what was left."""
    if not points:
        return 0.0
    newest, oldest = points[-1][0], points[0][0]
    since = newest - max(MIN_SPAN_S, min(RECENT_S, (newest - oldest) / 3))
    recent = [pair for pair in pairwise(points) if pair[1][0] > since]
    spent = sum(after[0] - before[0] for before, after in recent)
    came = sum(max(0, before[1] - after[1]) for before, after in recent)
    return came / spent if spent > 0 else 0.0


def _ahead(left: int | None, rate: float | None, span: float) -> float | None:
    """Seconds until nothing is left, where it was watched long enough to say so."""
    if left is None or not rate:
        return None
    seconds = left / rate
    enough = min(MAX_SPAN_S, max(MIN_SPAN_S, seconds / AHEAD))
    return seconds if span >= enough else None


def _low(space: Space, window: Sequence[Sample], times: float) -> bool:
    """Whether nothing is left, or little, and that becomes less."""
    if space.free < times * FULL or (space.all_inodes and not space.inodes):
        return True
    few = _few(space, times)
    some = space.free < times * max(LOW, min(LOW_SHARE * space.total, LOW_MOST))
    if not (few or some) or len(window) < LOW_LOOKS:
        return False
    newest = window[-1]
    recent = [each for each in window if newest.at - each.at <= RECENT_S]
    if newest.at - recent[0].at < LOW_SPAN_S:
        return False
    if some and recent[0].free - newest.free >= LOW_GROWN:
        return True
    return few and (recent[0].inodes or 0) > (newest.inodes or 0)


def _few(space: Space, times: float) -> bool:
    return bool(space.all_inodes) and (space.inodes or 0) < times * LOW_INODES


def told(
    disk: Disk | None, left: float | None, before: Sequence[Hint], *, passing: bool = False
) -> tuple[Hint, ...]:
    """Return what is to be told of a disk.

    Args:
        disk: what is known; None where nobody looked now: what was told stays.
        left: seconds until the work ends, where that is known.
        before: what was told last.
        passing: that the end is not known will pass; nothing new is told for that reason.
    """
    known = {each.code: each for each in before if _is_ours(each)}
    if disk is None:
        return tuple(known.values())
    if disk.free is None:
        return ()
    hints = _runway(disk, left, HINT in known, passing)
    first = disk.seconds is not None and left is not None and disk.seconds > MARGIN * left
    low = disk.low or (disk.nearly and str(Reason.DISK_FULL) in known)
    if hints or not low or (first and disk.free >= LOW):
        return hints  # when it is full says more than that it is so nearly
    few = {} if disk.inodes is None else {"inodes": disk.inodes}
    return (Hint(str(Reason.DISK_FULL), {"free": disk.free, **few}),)


def _is_ours(hint: Hint) -> bool:
    return hint.code in MADE_HERE and "free" in hint.params


def _runway(disk: Disk, left: float | None, was: bool, passing: bool) -> tuple[Hint, ...]:
    seconds = disk.seconds
    if seconds is None or disk.free is None:
        return ()
    if left is not None:
        near = seconds < (LEAVE_MARGIN if was else MARGIN) * left
    else:
        near = seconds < (LEAVE_UNKNOWN_S if was else UNKNOWN_S) and (was or not passing)
    if not near:
        return ()
    params: dict[str, Scalar] = {
        "seconds": int(seconds),
        "free": disk.free,
        "rate": round(disk.growth or 0.0),
        "before": left is not None and seconds < left,
    }
    if disk.inodes is not None:
        params["inodes"] = disk.inodes
    return (Hint(HINT, params),)


def joined(hints: tuple[Hint, ...], disk: tuple[Hint, ...]) -> tuple[Hint, ...]:
    """Return a look's hints and those of its disk, which was measured: nobody else's guess of it.

    What ended it stands, with what is free again.
    """
    return (*(each for each in hints if not _is_ours(each)), *disk) if disk else hints


def facts(metadata: Mapping[str, Scalar], disk: Disk | None) -> Mapping[str, Scalar]:
    """Return the facts of a task with those of its disk; as they were where nobody looked."""
    if disk is None:
        return metadata
    known = {key: value for key, value in metadata.items() if key not in FACTS}
    found = zip(FACTS, (disk.free, disk.total, disk.growth, disk.seconds), strict=True)
    return {**known, **{key: round(value) for key, value in found if value is not None}}
