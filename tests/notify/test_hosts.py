"""What follows a host's cursor, what is missing, and whether it is heard: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.fleet.batch import Event
from kaspad_taskd.fleet.line import UNREAD
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.notify import hosts
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.hosts import PENDING
from kaspad_taskd.notify.kept import Cursor
from tests.fakes.fleet_writer import FleetHost, a_task

NUMBERS = st.lists(st.integers(1, 60), unique=True).map(sorted)


def mirrored(*written: FleetHost) -> Mirror:
    mirror = Mirror()
    for host in written:
        mirror.find(host.name, "one")
        mirror.begin(host.name, host.read())
    mirror.line("one").read(0.0)
    mirror.drain(0.0)
    return mirror


@given(NUMBERS, st.integers(0, 40), st.integers(0, 10))
def test_what_is_there_is_told_once_and_what_is_missing_is_said(
    numbers: list[int], after: int, more: int
) -> None:
    """Each number behind the cursor is an event or in a gap, and none is both."""
    host = mirrored(FleetHost("a")).hosts["a"]
    events = [Event(seq, "sync:paused", {"taskId": "t"}) for seq in numbers if seq > after]
    to = max([after, *(each.seq for each in events)]) + more
    told = hosts.told(host, Cursor("ev:x", after), events, to)
    missing = [seq for first, last in told.gaps for seq in range(first, last + 1)]
    heard = [each["seq"] for each in told.events]
    assert sorted([*missing, *heard]) == list(range(after + 1, to + 1))
    assert told.cursor == Cursor("ev:x", to)
    assert (told.snapshot is not None) == bool(missing)
    first = min(missing, default=to + 1)
    assert all(seq < first for seq in heard[: told.before])
    assert all(seq > first for seq in heard[told.before :])


def test_what_is_kept_of_a_host_is_told_from_there_and_says_where_it_is_not_whole() -> None:
    """The mirror has the newest; what is before is read elsewhere."""
    written = FleetHost("a")
    for _ in range(30):
        written.event()
    written.batch()
    host = mirrored(written).hosts["a"]
    host.trim(10)
    assert [each.seq for each in host.after(25)[0]] == [26, 27, 28, 29, 30]
    assert host.after(20)[1]
    assert not host.after(19)[1]
    assert host.after(30) == ([], True)


def test_a_host_is_begun_from_what_is_so() -> None:
    """Its tasks, its warnings, and services that need somebody, as the daemon would say it."""
    written = FleetHost("a")
    attention: dict[str, object] = {
        "code": "node-lost",
        "note": "x",
        "cure": None,
        "since": 1,
        "params": {},
    }
    written.batch(
        tasks=[a_task(), a_task(1, status="complete")],
        warnings={"warnings": [{"id": 1, "code": "no-backup", "params": {}, "note": "", "cure": "",
                                "at": "x"}]},
    )  # fmt: skip
    written.event()
    written.batch()
    host = mirrored(written).hosts["a"]
    host.services = [{"service": "s", "attention": attention}, {"service": "t", "attention": None}]
    told = hosts.begun(host)
    assert told.cursor == Cursor("ev:0123456789abcdef", 1)
    assert told.snapshot is not None
    assert [each["id"] for each in told.snapshot.tasks] == ["task-0", "task-1"]
    assert [each["id"] for each in told.snapshot.warnings] == [1]
    assert [(each["service"], each["code"]) for each in told.snapshot.attentions] == [
        ("s", "node-lost")
    ]
    assert [each["id"] for each in hosts.looked(host).tasks] == ["task-0"]


def test_a_host_is_heard_silent_or_beyond_our_ears() -> None:
    """Nobody says anything of one that was not read for long enough."""
    written = FleetHost("a")
    written.batch()
    mirror = mirrored(written)
    host = mirror.hosts["a"]
    mirror.line("one").lost(UNREAD)
    mirror.drain(0.0)
    assert hosts.standing(host, 0.0) is PENDING  # it is being read
    mirror.line("one").read(0.0)

    def at(now: float) -> object:
        mirror.drain(now)
        return hosts.standing(host, now)

    assert at(1.0) is PENDING
    mirror.take("a", 2, written.batch(), 2.0)
    assert at(3.0) is None
    written.answers = False
    mirror.take("a", 3, written.batch(), 4.0)
    assert at(5.0) is Gone.AWAY
    for second in range(5, 40):
        mirror.line("one").read(float(second))
    assert at(40.0) is Gone.HOST
    assert hosts.since(host, 40.0) == 36.0
    mirror.line("one").lost("it is gone")
    assert at(41.0) is Gone.BEYOND


@pytest.mark.parametrize("stream", ["ev:other", "ev:0123456789abcdef.1"])
def test_another_journal_does_not_go_on(stream: str) -> None:
    """Of a daemon whose state was put back, or of a machine that was."""
    host = mirrored(FleetHost("a")).hosts["a"]
    assert not hosts.follows(Cursor(stream, 5), host)
    assert not hosts.follows(None, host)
    assert hosts.follows(Cursor("ev:0123456789abcdef", 5), host)
