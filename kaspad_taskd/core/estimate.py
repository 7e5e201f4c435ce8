"""Rate and time left, from a window of readings and what lies ahead.

A rate is told as soon as its parts agree, and from the newest half of its phase. `docs/truth.md`
has what these numbers told of recorded real syncs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from math import log, sqrt
from operator import sub
from typing import TypeVar

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.model import Moment, Samples, Walk, Walked, Window
from kaspad_taskd.core.observation import Leg, Reading, Route
from kaspad_taskd.core.reason import EtaReason

T = TypeVar("T", int, float)

MAX_SAMPLES = 20
MIN_SAMPLES = 3
MIN_MOVING_MS = 10_000
SURE = 0.1  # the likely error of a rate, as a share of it, with which it may be told so early
ENOUGH_SAMPLES = 6  # from so many on, if they span
ENOUGH_MS = 45_000  # so much moving time, it is told however unsteady it is
RECENT_MS = 20_000  # at least so much of a phase tells its rate, else the newest half
BURST = 3  # one step alone that is so many times what the others tell is no rate
FORGET_MS = 60_000  # what was measured before a gap as long as this tells nothing after it
PAUSE_MS = 6_000
STILL_MS = 20_000  # a standstill so long, and LONGER times the usual, has no time left
USUAL = 2  # a standstill, as a multiple of the usual time between movements, that is none yet
LONGER = 3  # as a multiple of the usual, what one longer time may teach
LEARN = 4  # movements over which the usual time is learnt
HORIZON_MS = 30 * 60_000
CATCHING_UP = 1.05  # the speed, as a multiple of the target's, from which there is a time left


def follow(
    window: Window, phase: str | None, position: float, now: Moment, between: bool = False
) -> Window:
    """Return the window with one more reading: movement becomes a sample, standing still does not.

    A new phase begins a new window and keeps the rate of the old one. A standstill far beyond what
    is usual does not count as time. What came in a gap (see `broken`), or in a look that holds the
    end or the begin of a round (`between`: this one is over), tells no rate.
    """
    if window.phase != phase:
        return Window(phase, _one(position), rates_of(window), now, now)
    if not window.samples:
        return Window(phase, _one(position), window.rates, now, now)
    if window.seen_at is None or window.moved_at is None:
        return _resumed(window, position, now)
    moments, positions = window.samples.moments, window.samples.positions
    if position == positions[-1]:
        return replace(window, seen_at=now, between=between or window.between)
    if between or window.between:
        return replace(_shifted(window, position, now), between=between)
    apart = max(1, now - window.moved_at)
    usual = _usual(window.apart, apart)
    if window.seen_at - window.moved_at > max(PAUSE_MS, USUAL * window.apart):
        return replace(_thawed(window, position, now), apart=usual)
    samples = _thinned(Samples((*moments, moments[-1] + apart), (*positions, position)))
    sure = window.sure or _is_sure(samples)
    return Window(phase, samples, window.rates, now, now, usual, sure=sure)


def _thawed(window: Window, position: float, now: Moment) -> Window:
    """The window after a standstill: the looks in which it began and ended hold part of it."""
    begun = window.samples
    if len(begun) > MIN_SAMPLES:
        begun = Samples(begun.moments[:-1], begun.positions[:-1])
    return _shifted(replace(window, samples=begun), position, now)


def _resumed(window: Window, position: float, now: Moment) -> Window:
    """The window at the first reading after a gap.

    After a short one the samples are moved along, so that the jump of the position tells nothing.
    A long one leaves nothing of this phase's rate: who knows what it is now.
    """
    if window.left_at is None or not 0 <= now - window.left_at <= FORGET_MS:
        others = {key: rate for key, rate in window.rates.items() if key != (window.phase or "")}
        return Window(window.phase, _one(position), others, now, now, window.apart)
    if position == window.samples.positions[-1]:
        return replace(window, seen_at=now, left_at=None)
    return replace(_shifted(window, position, now), left_at=None)


def _shifted(window: Window, position: float, now: Moment) -> Window:
    positions = window.samples.positions
    shift = position - positions[-1]
    moved = Samples(window.samples.moments, tuple([each + shift for each in positions]))
    return replace(window, samples=moved, seen_at=now, moved_at=now)


def _usual(usual: int, apart: int) -> int:
    """How far apart, in ms, movements usually are: a coarse counter moves rarely."""
    if not usual:
        return apart
    return usual + (min(apart, LONGER * usual) - usual) // LEARN


def stands(window: Window, now: Moment) -> bool:
    """Whether nothing has moved for much longer than usual: nobody knows for how long yet."""
    if window.moved_at is None:
        return False
    return now - window.moved_at > max(STILL_MS, LONGER * window.apart)


def waited(window: Window, now: Moment) -> float:
    """Seconds since anything moved, as far as that was watched."""
    return 0.0 if window.moved_at is None else max(0, now - window.moved_at) / 1000


def broken(window: Window) -> Window:
    """The window in a time without answers: a gap that will tell no rate, and may undo its own."""
    left = window.left_at if window.seen_at is None else window.seen_at
    return replace(window, seen_at=None, left_at=left)


def emptied(window: Window) -> Window:
    """The window after a clock jump: times before and after it cannot be compared."""
    return Window(window.phase, rates=rates_of(window))


def _one(position: float) -> Samples:
    return Samples((0,), (position,))


def _thinned(samples: Samples) -> Samples:
    """At most MAX_SAMPLES: every second one of the older half goes, then what is too old."""
    if len(samples) <= MAX_SAMPLES:
        return samples
    moments, positions = samples.moments, samples.positions
    half = len(moments) // 2
    older = moments[:half:2]
    first = bisect_left(older, moments[-1] - HORIZON_MS)
    return Samples(
        older[first:] + moments[half:], positions[:half:2][first:] + positions[half:]
    )  # fmt: skip


def slope(window: Window) -> float | None:
    """Units a second of the window's phase, of its newest half; None while too little moved."""
    if not window.sure:
        return None
    even = _evened(window.samples)
    since = _recent(even.moments)
    moments, positions = even.moments[since:], even.positions[since:]
    middle, level = sum(moments) / len(moments), sum(positions) / len(positions)
    above = below = 0.0
    for at, position in zip(moments, positions, strict=True):
        offset = at - middle
        above += offset * (position - level)
        below += offset * offset
    return max(0.0, above / below * 1000)


def _recent(moments: Sequence[int]) -> int:
    """Where the newest half of the time begins, but for what bursts need: a rate changes."""
    newest = moments[-1]
    since = newest - max(RECENT_MS, (newest - moments[0]) // 2)
    return min(bisect_left(moments, since), max(0, len(moments) - ENOUGH_SAMPLES))


def _steps(row: Sequence[T]) -> Iterator[T]:
    """By how much each is more than the one before it."""
    return map(sub, row[1:], row)


def _evened(samples: Samples) -> Samples:
    """The samples with one burst taken out, if there is just one: what comes once is no rate."""
    moments, positions = samples.moments, samples.positions
    if len(moments) < ENOUGH_SAMPLES:
        return samples  # of so few nobody knows which is the usual one
    span, rise = moments[-1] - moments[0], positions[-1] - positions[0]
    mean = rise / span
    pairs = zip(moments, moments[1:], positions, positions[1:], strict=False)
    beyond = [after - before - mean * (then - at) for at, then, before, after in pairs]
    burst = beyond.index(max(beyond))
    took, jump = moments[burst + 1] - moments[burst], positions[burst + 1] - positions[burst]
    rate = (rise - jump) / (span - took)
    usual = BURST * rate
    if rate <= 0 or jump <= usual * took:  # so it is at nearly every look
        return samples
    steps = zip(_steps(moments), _steps(positions), strict=True)
    if sum(jump > usual * took for took, jump in steps) != 1:
        return samples
    surplus = jump - rate * took
    later = [each - surplus for each in positions[burst + 1 :]]
    return Samples(moments, (*positions[: burst + 1], *later))


def _is_sure(samples: Samples) -> bool:
    """Whether a rate may be told: enough was seen, or what was seen agrees.

    Each step is a measurement of its own. How far they lie apart says how wrong their mean likely
    is: a steady counter is known after a few, one that comes in bursts later.
    """
    count, span = len(samples), samples.moments[-1] - samples.moments[0]
    if count >= ENOUGH_SAMPLES and span >= ENOUGH_MS:
        return True
    if count < MIN_SAMPLES or span < MIN_MOVING_MS:
        return False
    positions = _evened(samples).positions
    mean = (positions[-1] - positions[0]) / span
    both = zip(_steps(samples.moments), _steps(positions), strict=True)
    apart = sum([(jump - mean * took) ** 2 for took, jump in both])
    steps = count - 1
    return sqrt(apart * steps / (steps - 1)) <= SURE * mean * span


def rates_of(window: Window) -> Mapping[str, float]:
    """The rates by phase, the current one's from its samples as soon as there are enough."""
    current = slope(window)
    if current is None:
        return window.rates
    return {**window.rates, window.phase or "": current}


def time_left(
    reading: Reading, rates: Mapping[str, float], waited: float = 0.0
) -> tuple[float | None, EtaReason | None]:
    """Return the seconds to the end, or why there are none to tell; see `walk`."""
    ahead = walk(reading, rates, waited)
    return (None, ahead) if isinstance(ahead, EtaReason) else (ahead.seconds, None)


def walk(reading: Reading, rates: Mapping[str, float], waited: float = 0.0) -> Walk | EtaReason:
    """Return how what lies ahead is walked, or why that cannot be told.

    The pass under way is walked leg by leg, each at its phase's rate. What has grown meanwhile
    (`backlog`, and `drift` a second) goes through every phase of `round`, while it grows on.

    Args:
        reading: the newest.
        rates: units a second by phase.
        waited: seconds since anything moved: between two rounds the next one is on already.
    """
    if reading.eta_reason is not None:
        return reading.eta_reason
    route = reading.route or _direct(reading)
    if route is None:
        return EtaReason.NO_TOTAL
    rates = {**route.rates, **rates}
    over = is_over(route)
    ahead = [] if over else [leg for leg in route.legs if leg.amount > 0]
    if not all(rates.get(leg.phase) for leg in ahead):
        return EtaReason.WARMING_UP
    legs = tuple([Walked(leg.phase, leg.amount, rates[leg.phase]) for leg in ahead])
    grown = route.backlog + reading.drift * sum([each.amount / each.rate for each in legs])
    if over:
        grown += sum([max(0.0, leg.amount) for leg in route.legs])
    if grown <= route.near:
        return Walk(_shortened(legs, route.near - grown, reading.drift))
    costs = [1 / rates[phase] for phase in route.round if rates.get(phase)]
    if not costs:
        return EtaReason.WARMING_UP
    pace = 1 / sum(costs)
    if pace <= reading.drift * CATCHING_UP:
        return EtaReason.NOT_CATCHING_UP
    pause = route.pause * _pauses(grown, pace, reading.drift, route.near)
    left = grown - route.near
    first = rates.get(route.round[0]) if route.round and over else None
    if first:  # the first of its phases shows nothing until it is over
        unseen = max(0.0, min(waited - route.pause, grown / first))
        pause -= min(waited, route.pause)
        left = max(0.0, left - unseen * (pace - reading.drift))
    return Walk(legs, left, pace, reading.drift, max(0.0, pause))


def is_over(route: Route) -> bool:
    """Whether the pass under way is done, but for the few units that come by and by."""
    return sum([max(0.0, leg.amount) for leg in route.legs]) <= route.near


def _shortened(legs: tuple[Walked, ...], spare: float, drift: float) -> tuple[Walked, ...]:
    """The legs without their last `spare` units: near enough is there."""
    if not legs or spare <= 0 or legs[-1].rate <= drift:
        return legs
    last = legs[-1]
    less = spare * last.rate / (last.rate - drift)
    return (*legs[:-1], replace(last, amount=max(0.0, last.amount - less)))


def _pauses(grown: float, pace: float, drift: float, near: float) -> float:
    """How many pauses lie ahead: each round leaves what grew in it, until that is near enough.

    It grows on in a pause too, which costs as much again.
    """
    if near < 1 or drift <= 0:
        return 1.0
    rounds = log(grown / near) / log(pace / drift)
    return rounds * pace / (pace - drift)


def _direct(reading: Reading) -> Route | None:
    if reading.position is None or reading.target is None:
        return None
    phase = reading.phase or ""
    return Route((Leg(phase, reading.target - reading.position),), 0.0, (phase,))
