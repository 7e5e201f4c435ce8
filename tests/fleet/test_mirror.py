"""The mirror: what is shown of a fleet, whatever comes and in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet.host import Gone, Verdict
from kaspad_taskd.fleet.keys import BEAT_S, SILENT_S
from kaspad_taskd.fleet.mirror import Mirror, since_ms
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task
from tests.fleet.test_shapes import ANY

LINE = "redis"
WALL = 1_796_000_900_000


class Reader:
    """A mirror, and the time of who fills it."""

    def __init__(self, *wished: str) -> None:
        self.mirror = Mirror(wished)
        self.now = 1000.0

    def begin(self, *hosts: FleetHost) -> None:
        """Read hosts as a whole."""
        for host in hosts:
            known = self.mirror.find(host.name, LINE)
            assert known is not None
            same = known.meta.stream == host.stream
            self.mirror.begin(host.name, host.read(known.to if same else 0))
        self.mirror.line(LINE).read(self.now)

    def hear(self, host: FleetHost, raw: bytes) -> None:
        """Take what a host has just written."""
        self.mirror.take(host.name, host.count, raw, self.now)
        self.mirror.line(LINE).read(self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass while all is read."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            self.mirror.line(LINE).read(self.now)

    def verdict(self, host: str) -> tuple[Verdict, Gone | None]:
        """What is shown of it."""
        self.mirror.drain(self.now)
        known = self.mirror.hosts[host]
        return known.verdict, known.gone


@pytest.fixture
def reader() -> Reader:
    return Reader()


def test_what_lies_in_redis_is_no_sign_of_life(reader: Reader) -> None:
    host = FleetHost("a")
    host.batch([a_task()])
    reader.begin(host)
    assert reader.verdict("a") == (Verdict.UNKNOWN, None)
    reader.wait(SILENT_S)
    assert reader.verdict("a") == (Verdict.SILENT, Gone.HOST)
    assert since_ms(reader.mirror.hosts["a"], reader.now, WALL) == host.at
    assert reader.mirror.hosts["a"].task("task-0") is not None


def test_a_host_is_well_while_it_is_heard_and_not_a_moment_longer(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.hear(host, host.batch([a_task()]))
    assert reader.verdict("a") == (Verdict.OK, None)
    reader.wait(SILENT_S - 0.001)
    assert reader.verdict("a") == (Verdict.OK, None)
    heard = WALL - int(SILENT_S * 1000)
    reader.wait(0.001)
    assert reader.verdict("a") == (Verdict.SILENT, Gone.HOST)
    assert since_ms(reader.mirror.hosts["a"], reader.now, WALL) == heard


def test_a_clock_a_year_ahead_changes_nothing(reader: Reader) -> None:
    host = FleetHost("a", at=WALL + 365 * 86_400_000)
    reader.begin(host)
    reader.hear(host, host.batch([a_task()]))
    assert reader.verdict("a") == (Verdict.OK, None)
    reader.wait(SILENT_S)
    assert reader.verdict("a") == (Verdict.SILENT, Gone.HOST)
    other = Reader()
    other.begin(host)
    other.wait(SILENT_S)
    assert other.verdict("a") == (Verdict.SILENT, Gone.HOST)
    assert since_ms(other.mirror.hosts["a"], other.now, WALL) is None


def test_which_of_them_is_gone_is_told_apart(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.hear(host, host.batch([a_task()]))
    host.answers = False
    reader.hear(host, host.batch())
    assert reader.verdict("a") == (Verdict.AWAY, Gone.DAEMON)
    host.answers = True
    reader.hear(host, host.batch())
    reader.mirror.line(LINE).lost("refused")
    assert reader.verdict("a") == (Verdict.OK, Gone.ENGINE)
    reader.now += SILENT_S
    assert reader.verdict("a") == (Verdict.UNKNOWN, Gone.ENGINE)
    reader.mirror.line(LINE).read(reader.now)
    reader.wait(SILENT_S - 0.5)
    assert reader.verdict("a") == (Verdict.UNKNOWN, None)
    reader.wait(0.5)
    assert reader.verdict("a") == (Verdict.SILENT, Gone.HOST)
    assert reader.mirror.hosts["a"].task("task-0") is not None


def test_a_reader_that_stood_still_accuses_nobody(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.hear(host, host.batch([a_task()]))
    reader.wait(SILENT_S + 5)
    assert reader.verdict("a")[0] is Verdict.SILENT
    reader.hear(host, host.batch())
    reader.now += 600
    assert reader.verdict("a") == (Verdict.UNKNOWN, None)
    reader.hear(host, host.batch())
    assert reader.verdict("a") == (Verdict.OK, None)


def test_who_is_wished_for_shows_though_never_heard_of() -> None:
    reader = Reader("a", "not/a/name")
    reader.begin(FleetHost("b"))
    reader.wait(SILENT_S)
    assert reader.verdict("a") == (Verdict.UNKNOWN, None)
    assert set(reader.mirror.hosts) == {"a", "b"}


def test_trouble_is_told_by_tasks_and_services_and_goes_with_it(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.hear(host, host.batch([a_task(health="unreachable")]))
    assert reader.verdict("a")[0] is Verdict.TROUBLE
    reader.hear(host, host.batch(progress=[a_progress("task-0")]))
    assert reader.verdict("a")[0] is Verdict.OK
    reader.hear(host, host.batch(progress=[a_progress("task-0", health="stalled")]))
    assert reader.verdict("a")[0] is Verdict.TROUBLE
    reader.hear(host, host.batch(gone=["task-0"]))
    assert reader.verdict("a")[0] is Verdict.OK
    reader.hear(host, host.batch([a_task(health="drowsy")]))
    assert reader.verdict("a")[0] is Verdict.UNKNOWN


def test_progress_is_laid_over_the_task_until_a_newer_one_comes(reader: Reader) -> None:
    host, known = FleetHost("a"), {"progress": 70, "syncRate": 3.0, "phase": "utxo"}
    reader.begin(host)
    reader.hear(host, host.batch([a_task()], [a_progress("task-0", **known)]))
    task = reader.mirror.hosts["a"].task("task-0")
    assert task is not None
    assert {key: task[key] for key in known} == known
    assert task["metadata"]["peers"] == 8
    assert task["id"] == "task-0"
    reader.hear(host, host.batch([a_task(status="paused", progress=70.5)]))
    task = reader.mirror.hosts["a"].task("task-0")
    assert task is not None
    assert (task["status"], task["progress"]) == ("paused", 70.5)


def test_a_hole_is_found_and_read_again(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.mirror.drain(reader.now)
    host.batch([a_task(1)], events=[host.event()])
    reader.hear(host, host.batch([a_task(2)]))
    assert reader.mirror.again == {"a"}
    reader.begin(host)
    assert reader.mirror.again == set()
    (piece,) = reader.mirror.drain(reader.now)
    assert [each.seq for each in piece.events] == [1]
    assert piece.tasks == {"task-1", "task-2"}
    assert not piece.anew


@pytest.mark.parametrize("other", [{"run": "run2"}, {"journal": "ff00"}])
def test_another_run_or_journal_is_read_again(reader: Reader, other: dict[str, str]) -> None:
    host = FleetHost("a")
    reader.begin(host)
    reader.hear(host, host.batch([a_task(1)], events=[host.event()]))
    reader.mirror.drain(reader.now)
    follower = FleetHost("a", count=host.count, **other)  # type: ignore[arg-type]
    reader.hear(follower, follower.batch([a_task(2)], events=[follower.event("task:added")]))
    assert reader.mirror.again == {"a"}
    reader.begin(follower)
    (piece,) = reader.mirror.drain(reader.now)
    assert list(reader.mirror.hosts["a"].tasks) == ["task-2"]
    assert piece.gone == {"task-1"}
    assert piece.anew is ("journal" in other)
    if piece.anew:
        assert [each.name for each in reader.mirror.hosts["a"].events()] == ["task:added"]


def test_events_are_bounded_and_the_newest_stay(reader: Reader) -> None:
    host = FleetHost("a")
    reader.begin(host)
    for _ in range(5):
        reader.hear(host, host.batch(events=[host.event() for _ in range(100)]))
    kept = [each.seq for each in reader.mirror.hosts["a"].events()]
    assert kept == list(range(101, 501))
    for number in range(200):
        reader.mirror.find(f"host-{number}", LINE)
    reader.mirror.trim()
    assert len(list(reader.mirror.hosts["a"].events())) == reader.mirror.keep < 400


def test_there_is_one_piece_a_host_and_tick(reader: Reader) -> None:
    one, other = FleetHost("a"), FleetHost("b")
    reader.begin(one, other)
    reader.mirror.drain(reader.now)
    for share in (10, 20, 30):
        reader.hear(one, one.batch(progress=[a_progress("task-0", progress=share)]))
        reader.hear(one, one.batch([a_task()], [a_progress("task-0", progress=share)]))
    (piece,) = reader.mirror.drain(reader.now)
    assert piece.host == "a"
    assert [each["progress"] for each in piece.progress.values()] == [30]
    assert reader.mirror.drain(reader.now) == []


HOSTILE = [
    b"", b"{", b"null", b'{"daemon": {"answers": true}}', b"\xff\xfe", b"[" * 100_000,
    b'"' + b"x" * 2**21 + b'"',
    dumps({"daemon": {"answers": 1}, "run": "run1"}),
    dumps({"daemon": {"answers": True}, "run": "x" * 9000, "stream": "now"}),
    dumps({"daemon": {"answers": True}, "run": "x", "stream": "", "at": 1, "from": 0, "to": 1}),
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_a_bad_entry_costs_its_own_host_alone_and_is_said(reader: Reader, raw: bytes) -> None:
    good, bad = FleetHost("good"), FleetHost("bad")
    reader.begin(good, bad)
    reader.hear(good, good.batch([a_task()]))
    reader.hear(bad, bad.batch([a_task()]))
    bad.count += 1
    reader.hear(bad, raw)
    assert reader.verdict("bad")[0] is Verdict.TROUBLE
    assert reader.mirror.hosts["bad"].fault
    assert len(reader.mirror.hosts["bad"].fault) < 1500
    assert reader.verdict("good") == (Verdict.OK, None)
    reader.begin(bad)
    assert reader.verdict("bad")[0] is Verdict.OK


def test_texts_of_a_host_stay_texts(reader: Reader) -> None:
    host, html = FleetHost("a"), "<script>alert(1)</script>"
    reader.begin(host)
    reader.hear(host, host.batch([a_task(note=html, service=html)]))
    task = reader.mirror.hosts["a"].task("task-0")
    assert task is not None
    assert (task["note"], task["service"]) == (html, html)


STATES = st.sampled_from(["in-progress", "paused", "complete", "error"])
HEALTHS = st.sampled_from(["ok", "unknown", "stalled", "unreachable"])
NUMBERS = st.integers(0, 3)


class Fleet(RuleBasedStateMachine):
    """Two honest hosts, a hostile one, and whatever can happen on the way to a reader.

    The honest hosts' own state is the plain model: once all is read, the mirror equals it.
    """

    @initialize()
    def start(self) -> None:
        self.reader = Reader("a", "b", "evil")
        self.hosts = {name: FleetHost(name) for name in ("a", "b", "evil")}
        self.told: dict[str, list[int]] = {"a": [], "b": []}
        self.heard: dict[str, float] = {}
        self.reader.begin(*self.hosts.values())

    def write(self, name: str, raw: bytes, lost: bool) -> None:
        if not lost:
            self.reader.hear(self.hosts[name], raw)
            self.heard[name] = self.reader.now
        if name in self.reader.mirror.again:
            self.reader.begin(self.hosts[name])

    @rule(name=st.sampled_from("ab"), number=NUMBERS, status=STATES, health=HEALTHS,
          events=st.integers(0, 3), lost=st.booleans())  # fmt: skip
    def task(
        self, name: str, number: int, status: str, health: str, events: int, lost: bool
    ) -> None:
        host = self.hosts[name]
        told = [host.event() for _ in range(events)]
        self.write(name, host.batch([a_task(number, status=status, health=health)], (), told), lost)

    @rule(name=st.sampled_from("ab"), number=NUMBERS, health=HEALTHS, lost=st.booleans())
    def progress(self, name: str, number: int, health: str, lost: bool) -> None:
        host, task_id = self.hosts[name], f"task-{number}"
        if task_id in host.tasks:
            self.write(name, host.batch(progress=[a_progress(task_id, health=health)]), lost)

    @rule(name=st.sampled_from("ab"), number=NUMBERS, lost=st.booleans())
    def remove(self, name: str, number: int, lost: bool) -> None:
        host = self.hosts[name]
        self.write(name, host.batch(events=[host.event()], gone=[f"task-{number}"]), lost)

    @rule(name=st.sampled_from("ab"))
    def restart(self, name: str) -> None:
        host = self.hosts[name]
        host.run += "x"
        self.write(name, host.batch(anew=True), False)

    @rule(raw=st.binary(max_size=60) | ANY.map(dumps), known=st.booleans())
    def garbage(self, raw: bytes, known: bool) -> None:
        evil = self.hosts["evil"]
        evil.count += 1
        self.reader.hear(evil, raw if known else b'{"host":"a"}')
        if known:
            read = evil.read()
            read.tasks = {b"task-0": raw, raw[:9]: dumps(a_task())}
            read.newest = read.services = raw
            self.reader.mirror.begin("evil", read)

    @rule(seconds=st.floats(0.1, SILENT_S + BEAT_S))
    def wait(self, seconds: float) -> None:
        self.reader.wait(seconds)

    @rule()
    def redis_goes_and_comes(self) -> None:
        self.reader.mirror.line(LINE).lost("gone")
        self.reader.now += 3
        self.reader.begin(*self.hosts.values())

    @invariant()
    def what_is_shown_is_so(self) -> None:
        mirror, now = self.reader.mirror, self.reader.now
        for piece in mirror.drain(now):
            if piece.host in self.told:
                if piece.anew:
                    kept = mirror.hosts[piece.host].events()
                    self.told[piece.host] = [each.seq for each in kept]
                self.told[piece.host] += [each.seq for each in piece.events]
        for name, host in mirror.hosts.items():
            if now - self.heard.get(name, 0) >= SILENT_S:
                assert host.verdict not in (Verdict.OK, Verdict.TROUBLE, Verdict.AWAY)
        for name in "ab":
            truth, told = self.hosts[name], self.told[name]
            assert told == sorted(set(told))
            if mirror.hosts[name].count < truth.count:
                continue  # the newest batch did not come: the next one says so
            assert told == list(range(1, truth.seq + 1))
            assert mirror.hosts[name].tasks.keys() == truth.tasks.keys()
            assert mirror.hosts[name].fault is None
            for task_id in truth.tasks:
                shown: Any = mirror.hosts[name].task(task_id)
                newest = {**truth.tasks[task_id], **truth.progress.get(task_id, {})}
                assert [shown[key] for key in ("status", "health", "progress")] == [
                    newest[key] for key in ("status", "health", "progress")
                ]


TestFleet = Fleet.TestCase


@given(st.lists(st.binary(max_size=50) | ANY.map(dumps), max_size=8), st.integers(0, 9))
def test_any_entries_of_any_number_crash_nothing(entries: list[bytes], first: int) -> None:
    reader = Reader("a")
    for place, raw in enumerate(entries):
        reader.mirror.take("a", first * place % 7, raw, reader.now)
        reader.mirror.drain(reader.now)
    assert reader.mirror.hosts["a"].verdict is not Verdict.OK
