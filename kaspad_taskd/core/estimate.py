"""Rate and time left, from a window of readings and what lies ahead.

The numbers (6 samples, 45 s of moving time, unusual standstills left out) are those that told the
time left of recorded real syncs best; `docs/truth.md` has the measurements.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.core.model import Moment, Sample, Walk, Walked, Window
from kaspad_taskd.core.observation import Leg, Reading, Route
from kaspad_taskd.core.reason import EtaReason

MAX_SAMPLES = 20
MIN_SAMPLES = 6
MIN_MOVING_MS = 45_000
PAUSE_MS = 6_000
USUAL = 2  # a standstill, as a multiple of the usual time between movements, that is none yet
LONGER = 3  # as a multiple of the usual, what one longer time may teach
LEARN = 4  # movements over which the usual time is learnt
HORIZON_MS = 30 * 60_000
CATCHING_UP = 1.05  # the speed, as a multiple of the target's, from which there is a time left


def follow(window: Window, phase: str | None, position: float, now: Moment) -> Window:
    """Return the window with one more reading: movement becomes a sample, standing still does not.

    A new phase begins a new window and keeps the rate of the old one. After a break the samples
    are moved along, so that the jump of the position tells nothing. A standstill far
    beyond what is usual does not count as time.
    """
    if window.phase != phase:
        return Window(phase, (Sample(0, position),), rates_of(window), now, now)
    if not window.samples:
        return Window(phase, (Sample(0, position),), window.rates, now, now)
    if window.seen_at is None or window.moved_at is None:
        shift = position - window.samples[-1].position
        moved = tuple(Sample(each.at, each.position + shift) for each in window.samples)
        return Window(phase, moved, window.rates, now, now, window.apart)
    last = window.samples[-1]
    if position == last.position:
        return Window(phase, window.samples, window.rates, now, window.moved_at, window.apart)
    apart = max(1, now - window.moved_at)
    stood = window.seen_at - window.moved_at
    froze = stood > max(PAUSE_MS, USUAL * window.apart)
    sample = Sample(last.at + max(1, now - window.seen_at if froze else apart), position)
    samples = _thinned((*window.samples, sample))
    return Window(phase, samples, window.rates, now, now, _usual(window.apart, apart))


def _usual(usual: int, apart: int) -> int:
    """How far apart, in ms, movements usually are: a coarse counter moves rarely."""
    if not usual:
        return apart
    return usual + (min(apart, LONGER * usual) - usual) // LEARN


def broken(window: Window) -> Window:
    """The window after a time without answers: its rate stands, the gap will tell none."""
    return Window(window.phase, window.samples, window.rates, apart=window.apart)


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
    """Units a second of the window's phase by least squares; None while too little moved."""
    samples = window.samples
    if len(samples) < MIN_SAMPLES or samples[-1].at - samples[0].at < MIN_MOVING_MS:
        return None
    count = len(samples)
    middle = sum(each.at for each in samples) / count
    level = sum(each.position for each in samples) / count
    above = below = 0.0
    for each in samples:
        offset = each.at - middle
        above += offset * (each.position - level)
        below += offset * offset
    return max(0.0, above / below * 1000)


def rates_of(window: Window) -> Mapping[str, float]:
    """The rates by phase, the current one's from its samples as soon as there are enough."""
    current = slope(window)
    if current is None:
        return window.rates
    return {**window.rates, window.phase or "": current}


def time_left(
    reading: Reading, rates: Mapping[str, float]
) -> tuple[float | None, EtaReason | None]:
    """Return the seconds to the end, or why there are none to tell; see `walk`."""
    ahead = walk(reading, rates)
    return (None, ahead) if isinstance(ahead, EtaReason) else (ahead.seconds, None)


def walk(reading: Reading, rates: Mapping[str, float]) -> Walk | EtaReason:
    """Return how what lies ahead is walked, or why that cannot be told.

    The pass under way is walked leg by leg, each at its phase's rate. What has grown meanwhile
    (`backlog`, and `drift` a second) goes through every phase of `round`, while it grows on.
    """
    if reading.eta_reason is not None:
        return reading.eta_reason
    route = reading.route or _direct(reading)
    if route is None:
        return EtaReason.NO_TOTAL
    rates = {**route.rates, **rates}
    ahead = [leg for leg in route.legs if leg.amount > 0]
    if not all(rates.get(leg.phase) for leg in ahead):
        return EtaReason.WARMING_UP
    legs = tuple([Walked(leg.phase, leg.amount, rates[leg.phase]) for leg in ahead])
    grown = route.backlog + reading.drift * sum(each.amount / each.rate for each in legs)
    if grown <= 0:
        return Walk(legs, pause=route.pause)
    costs = [1 / rates[phase] for phase in route.round if rates.get(phase)]
    if not costs:
        return EtaReason.WARMING_UP
    pace = 1 / sum(costs)
    if pace <= reading.drift * CATCHING_UP:
        return EtaReason.NOT_CATCHING_UP
    return Walk(legs, grown, pace, reading.drift, route.pause)


def _direct(reading: Reading) -> Route | None:
    if reading.position is None or reading.target is None:
        return None
    phase = reading.phase or ""
    return Route((Leg(phase, reading.target - reading.position),), 0.0, (phase,))
