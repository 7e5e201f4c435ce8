"""Rate and time left, from a window of readings and what lies ahead.

A rate is told as soon as its parts agree, and from the newest half of its phase. `docs/truth.md`
has what these numbers told of recorded real syncs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import log, sqrt

from kaspad_taskd.core.model import Moment, Sample, Walk, Walked, Window
from kaspad_taskd.core.observation import Leg, Reading, Route
from kaspad_taskd.core.reason import EtaReason

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
        return Window(phase, (Sample(0, position),), rates_of(window), now, now)
    if not window.samples:
        return Window(phase, (Sample(0, position),), window.rates, now, now)
    if window.seen_at is None or window.moved_at is None:
        return _resumed(window, position, now)
    last = window.samples[-1]
    if position == last.position:
        return replace(window, seen_at=now, between=between or window.between)
    if between or window.between:
        return replace(_shifted(window, position, now), between=between)
    apart = max(1, now - window.moved_at)
    usual = _usual(window.apart, apart)
    if window.seen_at - window.moved_at > max(PAUSE_MS, USUAL * window.apart):
        return replace(_thawed(window, position, now), apart=usual)
    samples = _thinned((*window.samples, Sample(last.at + apart, position)))
    sure = window.sure or _is_sure(samples)
    return Window(phase, samples, window.rates, now, now, usual, sure=sure)


def _thawed(window: Window, position: float, now: Moment) -> Window:
    """The window after a standstill: the looks in which it began and ended hold part of it."""
    begun = window.samples[:-1] if len(window.samples) > MIN_SAMPLES else window.samples
    return _shifted(replace(window, samples=begun), position, now)


def _resumed(window: Window, position: float, now: Moment) -> Window:
    """The window at the first reading after a gap.

    After a short one the samples are moved along, so that the jump of the position tells nothing.
    A long one leaves nothing of this phase's rate: who knows what it is now.
    """
    if window.left_at is None or not 0 <= now - window.left_at <= FORGET_MS:
        others = {key: rate for key, rate in window.rates.items() if key != (window.phase or "")}
        return Window(window.phase, (Sample(0, position),), others, now, now, window.apart)
    if position == window.samples[-1].position:
        return replace(window, seen_at=now, left_at=None)
    return replace(_shifted(window, position, now), left_at=None)


def _shifted(window: Window, position: float, now: Moment) -> Window:
    shift = position - window.samples[-1].position
    moved = tuple(Sample(each.at, each.position + shift) for each in window.samples)
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
    return Window(window.phase, (), rates_of(window))


def _thinned(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """At most MAX_SAMPLES: every second one of the older half goes, then what is too old."""
    if len(samples) <= MAX_SAMPLES:
        return samples
    half = len(samples) // 2
    older, newer = samples[:half:2], samples[half:]
    oldest = newer[-1].at - HORIZON_MS
    return tuple(each for each in older if each.at >= oldest) + newer


def slope(window: Window) -> float | None:
    """Units a second of the window's phase, of its newest half; None while too little moved."""
    if not window.sure:
        return None
    samples = _recent(_evened(window.samples))
    moments, positions = [each.at for each in samples], [each.position for each in samples]
    middle, level = sum(moments) / len(samples), sum(positions) / len(samples)
    above = below = 0.0
    for at, position in zip(moments, positions, strict=True):
        offset = at - middle
        above += offset * (position - level)
        below += offset * offset
    return max(0.0, above / below * 1000)


def _recent(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The newest half of the time, but what bursts need: a rate changes along a phase."""
    newest = samples[-1].at
    since = newest - max(RECENT_MS, (newest - samples[0].at) // 2)
    first = next(index for index, each in enumerate(samples) if each.at >= since)
    return samples[min(first, max(0, len(samples) - ENOUGH_SAMPLES)) :]


def _evened(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The samples with one burst taken out, if there is just one: what comes once is no rate."""
    if len(samples) < ENOUGH_SAMPLES:
        return samples  # of so few nobody knows which is the usual one
    span, rise = samples[-1].at - samples[0].at, samples[-1].position - samples[0].position
    steps = [(new.at - old.at, new.position - old.position) for old, new in pairwise(samples)]
    mean = rise / span
    beyond = [jump - mean * lasted for lasted, jump in steps]
    burst = beyond.index(max(beyond))
    took, jump = steps[burst]
    rate = (rise - jump) / (span - took)
    if rate <= 0 or jump <= BURST * rate * took:  # so it is at nearly every look
        return samples
    if sum(each > BURST * rate * lasted for lasted, each in steps) != 1:
        return samples
    surplus = jump - rate * took
    later = tuple(Sample(each.at, each.position - surplus) for each in samples[burst + 1 :])
    return samples[: burst + 1] + later


def _is_sure(samples: tuple[Sample, ...]) -> bool:
    """Whether a rate may be told: enough was seen, or what was seen agrees.

    Each step is a measurement of its own. How far they lie apart says how wrong their mean likely
    is: a steady counter is known after a few, one that comes in bursts later.
    """
    count, span = len(samples), samples[-1].at - samples[0].at
    if count >= ENOUGH_SAMPLES and span >= ENOUGH_MS:
        return True
    if count < MIN_SAMPLES or span < MIN_MOVING_MS:
        return False
    even = _evened(samples)
    mean = (even[-1].position - even[0].position) / span
    apart = sum(
        (new.position - old.position - mean * (new.at - old.at)) ** 2 for old, new in pairwise(even)
    )
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
    grown = route.backlog + reading.drift * sum(each.amount / each.rate for each in legs)
    if over:
        grown += sum(max(0.0, leg.amount) for leg in route.legs)
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
    return sum(max(0.0, leg.amount) for leg in route.legs) <= route.near


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
