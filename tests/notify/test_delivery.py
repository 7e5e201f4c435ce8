"""Guarantees of `kaspad_taskd.notify.delivery`, in virtual time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.delivery import (
    DAY,
    FEWEST,
    FINALS,
    LONGEST_PAUSE,
    PACE,
    Entry,
    Fate,
    Lane,
    due,
    pause,
    pick,
    resumed,
    resumed_lane,
    too_old,
    tried,
    well_again,
)
from kaspad_taskd.notify.model import Outcome, Why

GOOD = Outcome(delivered=True, status=200)
DOWN = Outcome(delivered=False, why=Why.UNREACHABLE)
BAD = Outcome(delivered=False, why=Why.REFUSED, final=True, status=400)
HOUR = 3_600_000


@dataclass
class Post:
    """An outbox that does what `delivery` says, in virtual time."""

    answer: Callable[[Entry, int], Outcome]
    took: int = 200  # ms for a try
    now: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    tries: list[tuple[int, str, int]] = field(default_factory=list)

    def put(self, place: str = "a", made: int | None = None) -> int:
        number = len(self.entries) + 1
        at = self.now if made is None else made
        self.entries[number] = Entry(number, f"m-{number}", place, at, at)
        return number

    def waiting(self) -> list[Entry]:
        return [each for each in self.entries.values() if each.fate is Fate.WAITING]

    def run(self, until: int) -> None:
        """Try what is due, one after the other, until a moment or until nothing waits."""
        while (at := due(self.waiting(), self.lanes, frozenset())) is not None and at <= until:
            self.now = max(self.now, at)
            for entry in pick(self.waiting(), self.lanes, frozenset(), self.now):
                self.tries.append((self.now, entry.place, entry.number))
                self.note(entry, self.answer(entry, self.now))
        self.now = max(self.now, until)

    def note(self, entry: Entry, outcome: Outcome) -> None:
        was = self.lanes.get(entry.place, Lane())
        entry, lane = tried(entry, was, outcome, self.now)
        self.entries[entry.number], self.lanes[entry.place] = entry, lane
        rest = [each for each in self.waiting() if each.place == entry.place]
        now = self.now
        changed = well_again(rest, was, now) if outcome.delivered else too_old(rest, lane, now)
        for each in list(changed):
            self.entries[each.number] = each

    def fates(self) -> list[Fate]:
        return [each.fate for each in self.entries.values()]


def test_what_is_taken_goes_out_in_order_and_at_a_pace() -> None:
    """To each place one after the other, a second apart, and places do not wait for each other."""
    post = Post(lambda entry, now: GOOD)
    for place in ("a", "b") * 5:
        post.put(place)
    post.run(HOUR)
    assert post.fates() == [Fate.DELIVERED] * 10
    for place in ("a", "b"):
        mine = [(at, number) for at, where, number in post.tries if where == place]
        assert [number for _, number in mine] == sorted(number for _, number in mine)
        assert [at for at, _ in mine] == [0, PACE, 2 * PACE, 3 * PACE, 4 * PACE]


def test_a_place_that_is_down_is_asked_more_and_more_rarely_for_a_day() -> None:
    """From 5 s up to half an hour apart, once at the end of the day, and then it is given up."""
    post = Post(lambda entry, now: DOWN)
    post.put()
    post.run(3 * DAY)
    at = [moment for moment, _, _ in post.tries]
    gaps = [after - before for before, after in itertools.pairwise(at)]
    assert gaps[:5] == [5_000, 10_000, 20_000, 40_000, 80_000]
    assert max(gaps) == LONGEST_PAUSE
    assert at[-1] == DAY
    assert post.fates() == [Fate.FAILED]
    assert len(at) < 70


def test_all_that_waits_for_a_place_costs_it_no_more_than_one_message() -> None:
    """Five hundred messages for a dead place are not five hundred tries, and end with the day."""
    post = Post(lambda entry, now: DOWN)
    for _ in range(500):
        post.put()
    post.run(3 * DAY)
    assert len(post.tries) < 70
    assert post.fates() == [Fate.FAILED] * 500


def test_what_waited_goes_out_when_the_place_is_back() -> None:
    """In order, without waiting for pauses of its own."""
    post = Post(lambda entry, now: GOOD if now > 5 * HOUR else DOWN)
    for _ in range(20):
        post.put()
    post.run(6 * HOUR)
    assert post.fates() == [Fate.DELIVERED] * 20
    good = [at for at, _, _ in post.tries if at > 5 * HOUR]
    assert max(good) - min(good) < 60_000


def test_retry_after_holds() -> None:
    """A service that names a time is not asked before, whichever message it is."""

    def answer(entry: Entry, now: int) -> Outcome:
        asked = replace(DOWN, why=Why.REFUSED, status=429, retry_after=7200.0)
        return asked if now < 100 else GOOD

    post = Post(answer)
    post.put()
    post.put()
    post.run(DAY)
    assert [at for at, _, _ in post.tries] == [0, 7_200_000, 7_200_000 + PACE]
    assert post.fates() == [Fate.DELIVERED] * 2


@pytest.mark.parametrize("asked", [-5.0, 1e12])
def test_a_strange_retry_after_is_bounded(asked: float) -> None:
    """Neither the past nor the next century."""
    entry = Entry(1, "m", "a", 0, 0)
    entry, lane = tried(entry, Lane(), replace(DOWN, retry_after=asked), 0)
    assert PACE <= lane.free <= DAY
    assert entry.due == lane.free


def test_what_is_refused_for_good_is_believed_after_a_few_tries() -> None:
    """And it holds up nobody: others are delivered meanwhile."""
    post = Post(lambda entry, now: BAD if entry.number == 1 else GOOD)
    for _ in range(5):
        post.put()
    post.run(HOUR)
    assert post.fates() == [Fate.FAILED, *[Fate.DELIVERED] * 4]
    assert [number for _, _, number in post.tries].count(1) == FINALS
    good = [at for at, _, number in post.tries if number != 1]
    assert max(good) <= 5 * PACE


def test_one_message_that_never_goes_through_does_not_hold_up_the_others() -> None:
    """A 500 for one text alone: after three tries the others pass."""
    post = Post(lambda entry, now: DOWN if entry.number == 1 else GOOD)
    for _ in range(5):
        post.put()
    post.run(HOUR)
    assert post.fates() == [Fate.WAITING, *[Fate.DELIVERED] * 4]
    assert max(at for at, _, number in post.tries if number != 1) < 60_000


def test_after_an_outage_what_was_tried_first_is_told_first() -> None:
    """One that may pass finds out that the place is well; then all go in their order."""
    post = Post(lambda entry, now: DOWN if now < HOUR else GOOD)
    for _ in range(20):
        post.put()
    post.run(2 * HOUR)
    taken = [number for at, _, number in post.tries if at >= HOUR]
    assert taken[1:4] == [1, 2, 3]
    assert taken[1:] == sorted(taken[1:])
    assert post.fates() == [Fate.DELIVERED] * 20


def test_what_never_goes_through_is_tried_on_though_others_never_end() -> None:
    """A new message every ten seconds takes no turn from it."""
    post = Post(lambda entry, now: GOOD if entry.number > 1 or len(alone) > 20 else DOWN)
    alone: list[int] = []
    post.put()
    for second in range(0, 4 * 3600, 10):
        post.put(made=second * 1000)
        post.run(second * 1000)
        alone[:] = [at for at, _, number in post.tries if number == 1]
    assert 8 <= len(alone) <= 20  # more and more rarely
    assert post.fates().count(Fate.WAITING) <= 2


def test_a_clock_that_jumps_ahead_gives_nothing_up() -> None:
    """However old a message seems, it has its tries."""
    post = Post(lambda entry, now: GOOD if len(post.tries) > FEWEST - 2 else DOWN)
    post.put(made=-30 * DAY)
    post.run(DAY)
    assert post.fates() == [Fate.DELIVERED]


def test_a_clock_that_was_set_back_between_two_lives_makes_nobody_wait() -> None:
    """What seems to be due in a year is due now."""
    entry = Entry(1, "m", "a", 400 * DAY, 365 * DAY)
    assert resumed(entry, 0).due == 0
    assert resumed(replace(entry, due=DAY), 0).due == DAY
    assert resumed_lane(Lane(3, 365 * DAY), 0) == Lane(3, 0)


@given(st.integers(0, 10**6))
def test_a_service_that_fails_at_random_gets_everything_in_the_end(seed: int) -> None:
    """For an hour of virtual time anything may be answered; then all arrives, once, none lost."""
    chance = random.Random(seed)

    def answer(entry: Entry, now: int) -> Outcome:
        if now > HOUR:
            return GOOD
        limited = replace(DOWN, status=429, retry_after=chance.choice([0.5, 7.0, 90.0]))
        return chance.choice([GOOD, DOWN, DOWN, limited])

    post = Post(answer)
    for _ in range(30):
        post.put(chance.choice("abc"), made=chance.randrange(HOUR))
    post.run(3 * HOUR)
    assert post.fates() == [Fate.DELIVERED] * 30
    for place in "abc":
        at = [moment for moment, where, _ in post.tries if where == place]
        assert all(later - earlier >= PACE for earlier, later in itertools.pairwise(at))


def test_pauses_grow_and_are_bounded() -> None:
    """Whatever the number of failures."""
    assert [pause(n) for n in (1, 2, 3)] == [5_000, 10_000, 20_000]
    assert pause(10_000) == LONGEST_PAUSE
