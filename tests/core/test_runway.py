"""When a disk is called full, hours before: by the shapes in which disks fill, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.inputs import Look, Start
from kaspad_taskd.core.model import Status
from kaspad_taskd.core.observation import Disk, Hint, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.runway import (
    EVERY_S,
    HINT,
    MAX_SAMPLES,
    Past,
    Space,
    growth,
    joined,
    seen,
    told,
)
from tests.core.play import Story, pending

GB, MB, HOUR = 10**9, 10**6, 3600.0
TOTAL = 2000 * GB
Used = Callable[[float], float]


@dataclass
class Watch:
    """A disk that fills by `used`, looked at every 10 s; `left`: the work's own time left."""

    free: int
    used: Used
    left: Callable[[float], float | None] = lambda _: None
    now: float = 0.0
    past: Past = field(default_factory=Past)
    hints: tuple[Hint, ...] = ()
    disk: Disk = field(default_factory=Disk)
    flips: int = 0
    told_first: float | None = None

    def room(self) -> int:
        return int(self.free - self.used(self.now))

    def look(self) -> tuple[Hint, ...]:
        self.past, self.disk = seen(self.past, Space(max(0, self.room()), TOTAL), self.now)
        before, self.hints = self.hints, told(self.disk, self.left(self.now), self.hints)
        self.flips += (self.hint is None) == any(each.code == HINT for each in before)
        if self.hint is not None and self.told_first is None:
            self.told_first = self.now
        return self.hints

    @property
    def hint(self) -> Hint | None:
        return next((each for each in self.hints if each.code == HINT), None)

    def until(self, end: float) -> Watch:
        while self.now < end and self.room() > 0:
            self.look()
            self.now += EVERY_S
        return self


def ends_at(moment: float) -> Callable[[float], float | None]:
    return lambda now: max(0.0, moment - now)


def sawtooth(net: float, period: float, tooth: float) -> Used:
    """What is written is given back again and again, but for `net` bytes a second."""
    return lambda now: net * now + tooth * (now % period) / period


def test_full_before_the_end_is_told_hours_before_and_goes_with_its_cause() -> None:
    """Full in about 5 hours, before the sync ends: so until there is room."""
    more = [0]
    watch = Watch(468 * GB, lambda now: 20 * MB * now - more[0], ends_at(9 * HOUR)).until(
        1.5 * HOUR
    )
    assert watch.hint is not None
    params = dict(watch.hint.params)
    assert set(params) == {"seconds", "free", "rate", "before"}
    assert params["seconds"] == pytest.approx(5 * HOUR, rel=0.02)
    assert params["rate"] == pytest.approx(20 * MB, rel=0.02)
    assert params["before"] is True
    more[0] = 900 * GB
    watch.look()
    assert watch.hints == ()


@pytest.mark.parametrize("margin", [1.25, 2.0, 10.0])
def test_nothing_is_told_where_the_end_comes_first_with_a_margin(margin: float) -> None:
    """By more than a fifth."""
    full = 5 * HOUR
    watch = Watch(int(full * 20 * MB), lambda now: 20 * MB * now, ends_at(full / margin))
    watch.until(full / margin)
    assert watch.told_first is None


def test_an_end_that_comes_just_first_is_told_as_such() -> None:
    """It is near, and not before."""
    watch = Watch(360 * GB, lambda now: 20 * MB * now, ends_at(4.8 * HOUR)).until(HOUR)
    assert watch.hint is not None
    assert watch.hint.params["before"] is False


def test_no_growth_is_no_trouble_however_little_there_is() -> None:
    """A full disk that does not become fuller harms nobody; tiny noise neither."""
    for free in (900 * GB, 3 * GB, 90 * MB):
        watch = Watch(free, lambda now: (now // 10) % 3 * 8_192)
        assert watch.until(5 * HOUR).hints == ()
        assert watch.told_first is None


@pytest.mark.parametrize("period", [60.0, 130.0, 300.0, 450.0, 600.0, 900.0, 1200.0, 2400.0])
@pytest.mark.parametrize("tooth", [2 * GB, 10 * GB])
def test_a_compaction_gives_back_what_it_takes(period: float, tooth: int) -> None:
    """Teeth alone are no growth; growth below them is told once, and stays told, about right."""
    level = Watch(300 * GB, sawtooth(0, period, tooth)).until(9 * HOUR)
    assert level.told_first is None
    watch = Watch(300 * GB, sawtooth(10 * MB, period, tooth), ends_at(30 * HOUR)).until(2 * HOUR)
    ahead: list[float] = []
    while watch.now < 5 * HOUR:
        watch.until(watch.now + 600)
        assert watch.hint is not None
        ahead.append(float(watch.hint.params["seconds"]) / (watch.room() / (10 * MB)))
    assert watch.flips == 1
    assert min(ahead) > 0.5
    assert max(ahead) < 3  # teeth that lie as the samples do hide some of it


@pytest.mark.parametrize("begin", [0.0, 30.0, 600.0, 4000.0])
@pytest.mark.parametrize("pace", [30 * MB, 100 * MB, 400 * MB])
def test_what_another_program_writes_once_is_no_growth(begin: float, pace: int) -> None:
    """10 GB at any pace: neither told alone, nor counted where there is growth beside it."""

    def once(now: float) -> float:
        return min(10 * GB, max(0.0, now - begin) * pace)

    assert Watch(120 * GB, once).until(3 * HOUR).told_first is None
    watch = Watch(200 * GB, lambda now: 5 * MB * now + once(now), ends_at(40 * HOUR)).until(
        3 * HOUR
    )
    assert watch.hint is not None
    assert float(watch.hint.params["rate"]) == pytest.approx(5 * MB, rel=0.1)


def test_a_growth_that_slows_down_is_told_less_and_less() -> None:
    """What was told goes where the disk will hold."""
    watch = Watch(300 * GB, lambda now: 100 * GB * (1 - 0.5 ** (now / 1200)))
    watch.until(6 * HOUR)
    assert watch.told_first is not None
    assert watch.hints == ()
    assert watch.flips == 2


def test_a_growth_that_ends_is_noticed_within_minutes() -> None:
    """The node was stopped: nothing is told after a quarter of an hour."""
    watch = Watch(300 * GB, lambda now: 20 * MB * min(now, HOUR), ends_at(50 * HOUR)).until(HOUR)
    assert watch.hint is not None
    assert watch.until(HOUR + 900).hint is None


def test_a_pruning_that_gives_back_does_not_hide_the_growth_for_ever() -> None:
    """It is told on, or again, with the room that there is now."""
    watch = Watch(
        300 * GB, lambda now: 20 * MB * now - (50 * GB if now > 6000 else 0), ends_at(20 * HOUR)
    ).until(3 * HOUR)
    assert watch.hint is not None
    assert float(watch.hint.params["seconds"]) == pytest.approx(watch.room() / (20 * MB), rel=0.1)
    assert watch.flips == 1


def test_how_far_it_tells_depends_on_how_long_it_watched() -> None:
    """A minute is enough for what ends in minutes, half an hour for any time."""
    assert Watch(1100 * MB + 6 * GB, lambda now: 20 * MB * now).until(110).hint is not None
    assert Watch(360 * GB, lambda now: 20 * MB * now).until(1700).hint is None
    assert Watch(360 * GB, lambda now: 20 * MB * now).until(1830).hint is not None


def test_an_end_that_nobody_knows_matters_within_half_a_day() -> None:
    """Beyond it nothing is told; and nothing new where that it is not known passes."""
    assert Watch(900 * GB, lambda now: 20 * MB * now).until(0.8 * HOUR).hint is not None
    assert Watch(1900 * GB, lambda now: 20 * MB * now).until(2 * HOUR).told_first is None
    known = Watch(300 * GB, lambda now: 20 * MB * now, ends_at(2 * HOUR)).until(HOUR)
    assert told(known.disk, None, (), passing=True) == ()
    assert [each.code for each in told(known.disk, None, ())] == [HINT]


def test_little_that_becomes_less_is_told_at_once() -> None:
    """Below 1 GiB or 2 %, after three looks; it goes when there is room, or no more growth."""
    for free, total in ((900 * MB, TOTAL), (9 * GB, 500 * GB)):
        past = Past()
        hints: tuple[Hint, ...] = ()
        for n in range(4):
            past, disk = seen(past, Space(free - n * MB, total), n * EVERY_S)
            hints = told(disk, None, hints)
        assert [(each.code, each.params["free"]) for each in hints] == [
            ("disk-full", free - 3 * MB)
        ]
        _, disk = seen(past, Space(free + total // 10, total), 4 * EVERY_S)
        assert told(disk, None, hints) == ()
    past, disk = seen(Past(), Space(900 * MB, TOTAL), 0.0)
    assert not disk.low


def test_a_disk_that_is_full_stays_told() -> None:
    """Nothing can grow there any more: that is no reason to say nothing."""
    watch = Watch(300 * MB, lambda now: MB * min(now, 290.0)).until(5 * HOUR)
    assert [each.code for each in watch.hints] == ["disk-full"]
    assert watch.hints[0].params["free"] == 10 * MB
    _, disk = seen(Past(), Space(9 * GB, TOTAL, 0, 100), 0.0)
    assert [dict(each.params) for each in told(disk, None, ())] == [{"free": 9 * GB, "inodes": 0}]


def test_inodes_that_run_out_are_the_same_death() -> None:
    """Bytes enough, and no more files: told with their number."""
    past, disk = Past(), Disk()
    for n in range(200):
        space = Space(900 * GB, TOTAL, 40_000 - 100 * n, 100_000)
        past, disk = seen(past, space, n * EVERY_S)
    hint = told(disk, 12 * HOUR, ())[0]
    assert hint.params["inodes"] == 40_000 - 19_900
    assert hint.params["seconds"] == 2010
    low = Space(900 * GB, TOTAL, 900, 100_000)
    for n in range(3):
        past, disk = seen(past, Space(low.free, TOTAL, 900 - n, 100_000), 2000 + n * EVERY_S)
    assert [each.params.get("inodes") for each in told(disk, 12 * HOUR, ())][-1] == 898


def test_another_disk_and_a_long_gap_begin_anew() -> None:
    """Nothing of what was before them tells a rate."""
    for total, at in ((TOTAL + 200 * GB, 1810.0), (TOTAL, 1800.0 + 3600.0), (TOTAL, 900.0)):
        watch = Watch(300 * GB, lambda now: 20 * MB * now).until(1800)
        past, disk = seen(watch.past, Space(200 * GB, total), at)
        assert disk.growth is None, (total, at)
        assert len(past.samples) == 1


def test_a_look_that_learns_nothing_changes_nothing() -> None:
    """And where the directory is hidden now, nothing is told of it."""
    watch = Watch(300 * GB, lambda now: 20 * MB * now).until(2000)
    assert watch.hint is not None
    assert told(None, None, watch.hints) == watch.hints
    assert told(Disk(), None, watch.hints) == ()
    own = Hint("disk-full", {"free": 5})
    ended = Hint("disk-full", {"again": 7})
    assert joined((own, ended), (Hint("disk-full", {"free": 4}),)) == (
        ended,
        Hint("disk-full", {"free": 4}),
    )


@given(
    st.lists(st.tuples(st.floats(0.1, 400), st.integers(-20 * GB, 20 * GB)), max_size=150),
    st.integers(1, 100 * GB),
)
def test_whatever_a_disk_does(steps: list[tuple[float, int]], free: int) -> None:
    """No rate is negative or beyond what was written; an hour and 31 samples are kept at most."""
    past, now, room, most = Past(), 0.0, free, 0.0
    for apart, used in steps:
        now += apart
        before, room = room, max(0, room - used)
        most = max(most, (before - room) / apart)
        past, disk = seen(past, Space(room, TOTAL), now)
        assert disk.growth is None or disk.growth >= 0
        assert disk.seconds is None or disk.seconds >= 0
        assert len(past.samples) <= MAX_SAMPLES + 2
        assert now - past.samples[0].at <= HOUR
        found = growth([(each.at, each.free) for each in past.samples], most)
        assert found is None or 0 <= found <= most * 1.001


@given(st.integers(1, 400), st.integers(20, 300), st.integers(0, 30))
def test_steady_growth_is_told_as_it_is(pace: int, minutes: int, noise: int) -> None:
    """Whatever its pace, with noise of some megabytes: within a tenth."""
    watch = Watch(10**14, lambda now: pace * MB * now + noise * MB * ((now // 10) % 2))
    watch.until(minutes * 60)
    assert watch.disk.growth == pytest.approx(pace * MB, rel=0.1)


def test_a_task_tells_it_beside_its_own_time_left() -> None:
    """Through a look: hint and facts; gone when the task is complete or paused."""
    story = Story(pending(checker={"dataDir": "/x"}))
    story.give(Start())
    watch = Watch(360 * GB, lambda now: 20 * MB * now)

    def looks(count: int) -> Iterator[Reading]:
        for _ in range(count):
            watch.look()
            watch.now += EVERY_S
            yield Reading(position=watch.now, target=10 * HOUR, basis="exact", disk=watch.disk)

    for reading in looks(200):
        story.now += 10_000
        story.give(Look(1, reading))
    live = story.task.live
    hint = next(each for each in live.hints if each.code == HINT)
    assert hint.params["before"] is True
    assert live.metadata["diskFree"] == watch.disk.free
    assert live.metadata["diskTotal"] == TOTAL
    assert live.metadata["diskGrowth"] == pytest.approx(20 * MB, rel=0.01)
    story.give(Look(1, Unreachable(Reason.REFUSED, disk=watch.disk)))
    assert hint.code in [each.code for each in story.task.live.hints]
    assert "diskFree" in story.task.live.metadata
    for _ in range(2):
        done = Reading(complete=True, position=10 * HOUR, target=10 * HOUR, disk=watch.disk)
        story.give(Look(1, done))
    assert story.task.status is Status.COMPLETE
    assert story.task.live.hints == ()
