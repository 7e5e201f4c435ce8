"""Guarantees of `kaspad_taskd.notify.listening` and `fleet_mind`, over a real server."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.settings import Engine, Hub, Login, Settings, server_of
from kaspad_taskd.notify import draft, listening, rules, texts
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.fleet_mind import FleetMind
from kaspad_taskd.notify.hosts import FleetWord, Stands, Told
from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.listening import Listener
from kaspad_taskd.notify.model import Item, Rule
from kaspad_taskd.notify.settings import Settings as NotifySettings
from tests.fakes.fleet_reader import HUB_RIGHTS, Written, write
from tests.fakes.fleet_writer import FleetHost, a_task
from tests.fakes.patience import PATIENCE
from tests.fakes.redis_server import RedisServer, needs_redis
from tests.notify.told import iso

pytestmark = needs_redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """With the hub's kind of user, which is all that a notifier needs."""
    with RedisServer(tmp_path / "one", "--user", "hub", *HUB_RIGHTS.split()) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Redis]:
    with server.client() as client:
        yield client


class Ear:
    """A notifier's ear and mind, in lives; who writes is the test."""

    def __init__(self, server: RedisServer, expected: tuple[str, ...] = ()) -> None:
        place = server_of(server.server)
        assert place is not None
        self.engine = Settings("x", engine=Engine((place,)), hub=Hub(expected=expected))
        self.settings = NotifySettings((Rule("phone", after=0, gather=0, repeat=None),), ())
        self.kept: dict[str, str] = {}
        self.told: list[Item] = []
        self.words: list[FleetWord] = []
        self._queue: queue.SimpleQueue[FleetWord] = queue.SimpleQueue()
        self.begin()

    def begin(self) -> None:
        """Begin a life with what the disk has."""
        self.mind = FleetMind(self.kept, self.settings, self.now())
        self._listener = Listener(
            self.engine, Login("hub", "pw"), self.mind.cursors, self._queue.put, lambda: None
        )
        self._listener.start()

    def now(self) -> int:
        return round(time.time() * 1000)

    def end(self) -> None:
        """End it, as a kill would: what was told is on the disk."""
        self._listener.stop(PATIENCE)
        self._queue = queue.SimpleQueue()

    def until(self, so: Callable[[], object], beat: Callable[[], None] = lambda: None) -> None:
        """Hear and tell until something is so."""
        until = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < until, (self.told, self.words[-5:])
            beat()
            self._turn()

    def _turn(self) -> None:
        words = []
        try:
            words.append(self._queue.get(timeout=0.1))
            while True:
                words.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        self.words += words
        now = self.now()
        self.mind.take(words, now, now)
        told = self.mind.pass_time(now, now, ZoneInfo("UTC"))
        self.told += [item for message in told for item in message.items]
        if self.mind.is_changed:
            for row, text in self.mind.rows(now).items():
                self.kept.pop(row, None)
                if text is not None:
                    self.kept[row] = text
            self.mind.saved()

    def of(self, host: str) -> list[tuple[str, str]]:
        """What was told of a host: of whom, and what."""
        return [(item.of, item.code) for item in self.told if item.host == host]

    def stands(self, host: str) -> object:
        """How it was said to stand last."""
        said = [each.gone for each in self.words if isinstance(each, Stands) and each.host == host]
        return said[-1] if said else "?"


@pytest.fixture
def ear(server: RedisServer) -> Iterator[Ear]:
    ear = Ear(server)
    yield ear
    ear.end()


def fails(host: FleetHost, task: str) -> dict[str, Any]:
    """A task of a host fails now."""
    at = iso(round(time.time() * 1000))
    told: dict[str, Any] = host.event("sync:error", task, error="x", reason="gave-up", timestamp=at)
    return told


def tells(client: Redis, host: FleetHost, *events: dict[str, Any]) -> None:
    """Let a host's relay write events."""
    host.at = round(time.time() * 1000)
    write(client, host.commands(host.batch(events=events), events))


def test_events_are_told_once_over_lives_and_none_is_missing(
    ear: Ear, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a reader keeps, while nobody was there; and before that, live."""
    monkeypatch.setattr("kaspad_taskd.fleet.mirror.EVENTS", 20)
    monkeypatch.setattr(listening, "PAGE", 50)
    host = FleetHost("a")
    Written(client, host)
    beat = lambda: tells(client, host)  # noqa: E731
    ear.until(lambda: ear.stands("a") is None, beat)
    tells(client, host, fails(host, "live"))
    ear.until(lambda: ear.of("a"), beat)
    ear.end()
    for part in range(3):
        tells(client, host, *(fails(host, f"t{part}-{n}") for n in range(60)))
    ear.begin()
    ear.until(lambda: ear.mind.cursors["a"].seq == host.seq, beat)
    tells(client, host, fails(host, "last"))
    ear.until(lambda: ("task:last", "gave-up") in ear.of("a"), beat)
    assert [of for of, _ in ear.of("a")] == [
        f"task:{each['data']['taskId']}" for each in host.events
    ]


def test_what_the_engine_has_no_more_is_said_and_what_is_so_stands_in_its_place(
    ear: Ear, client: Redis
) -> None:
    """Events were let go while nobody heard them: the gap is told, and what failed meanwhile."""
    host = FleetHost("a")
    Written(client, host)
    beat = lambda: tells(client, host)  # noqa: E731
    ear.until(lambda: ear.stands("a") is None, beat)
    ear.end()
    tells(client, host, *(fails(host, f"t{n}") for n in range(5)))
    now = iso(round(time.time() * 1000))
    gone = a_task(9, status="error", erroredAt=now, error="It broke.", completedAt=None)
    host.batch(tasks=[gone])
    tells(client, host)
    tells(client, host, fails(host, "late"))
    client.xtrim(host.key(host.stream), maxlen=1, approximate=False)
    ear.begin()
    ear.until(lambda: ("host", "gap") in ear.of("a"), beat)
    codes = dict(ear.of("a"))
    assert codes["task:late"] == "gave-up"
    assert "task:task-9" in codes
    [gap] = [item for item in ear.told if item.code == "gap"]
    assert (gap.params["after"], gap.params["next"]) == (1, 5)


def test_a_host_of_which_nothing_is_known_begins_with_what_is_so(ear: Ear, client: Redis) -> None:
    """What happened before is not told; what is bad is. So after another journal."""
    host = FleetHost("a")
    Written(client, host)
    tells(client, host, fails(host, "old"))
    beat = lambda: tells(client, host)  # noqa: E731
    since = iso(round(time.time() * 1000) - 60_000)
    bad = a_task(health="unreachable", healthSince=since, reason="refused", note="x")
    host.batch(tasks=[bad])
    ear.until(lambda: ear.of("a"), beat)
    assert ear.of("a") == [("task:task-0", "unreachable")]
    host.journal, host.seq, host.events = "fedcba9876543210", 0, []
    write(client, [*host.begin(), *host.commands(host.batch(anew=True))])
    tells(client, host, fails(host, "new"))
    ear.until(lambda: ear.mind.cursors["a"].journal == host.stream, beat)
    tells(client, host, fails(host, "newer"))
    ear.until(lambda: ("task:newer", "gave-up") in ear.of("a"), beat)
    assert ("task:old", "gave-up") not in ear.of("a")


def test_an_engine_that_dies_is_told_once_and_no_host(
    server: RedisServer, ear: Ear, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when it is back, what happened meanwhile is heard."""
    hosts = [FleetHost(f"h{n}") for n in range(20)]
    written = Written(client, *hosts)

    def beat() -> None:
        for host in hosts:
            tells(client, host)

    ear.until(lambda: all(ear.stands(each.name) is None for each in hosts), beat)
    for module in (draft, rules):
        monkeypatch.setattr(module, "SILENT", 1_000)
    server.kill()
    ear.until(lambda: ear.told)
    assert [(item.host, item.of, item.code) for item in ear.told] == [("", "engine", "silent")]
    ear.until(lambda: all(ear.stands(each.name) is Gone.BEYOND for each in hosts))
    server.start()
    for host in hosts:
        written.again(host)
    tells(client, hosts[0], fails(hosts[0], "t"))
    ear.until(lambda: len(ear.told) >= 3, beat)
    assert [item.of for item in ear.told[1:]] in (["task:t", "engine"], ["engine", "task:t"])


def test_hostile_hosts_harm_nobody_else(ear: Ear, client: Redis) -> None:
    """Keys of another kind, events of another shape, clocks of another year."""
    good, odd, clock = FleetHost("good"), FleetHost("odd"), FleetHost("clock")
    Written(client, good, odd, clock)

    def beat() -> None:
        tells(client, good)
        clock.at = 253_402_300_799_000  # the last moment of the year 9999
        write(client, clock.commands(clock.batch()))

    ear.until(lambda: ear.stands("good") is None and ear.stands("clock") is None, beat)
    client.delete(odd.key(keys.TASKS))
    client.set(odd.key(keys.TASKS), "no hash")
    stream = odd.key(odd.stream)
    write(client, [
        ("XADD", stream, "7-0", "e", "sync:error", "d", "<b>" * 100),
        ("XADD", stream, "8-0", "x", "y"),
        ("XADD", odd.key(keys.NOW), f"{odd.count + 1}-0", "w", "[]"),
    ])  # fmt: skip
    late = clock.event(
        "sync:error", "<script>", error="\x1b[2J" * 900, timestamp="9999-12-31T23:59:59.999Z"
    )
    write(client, clock.commands(clock.batch(events=[late]), [late]))
    huge = {**late["data"], "seq": 9, "behind": 2**52, "timestamp": "0000-01-01T00:00:00.000Z"}
    write(client, [("XADD", stream, "9-0", "e", "sync:health", "d", dumps(huge))])
    tells(client, good, fails(good, "t"))
    ear.until(lambda: ear.of("good"), beat)
    assert ear.of("good") == [("task:t", "gave-up")]
    ear.until(lambda: ear.of("clock"), beat)
    assert all("\x1b" not in str(item) for item in ear.told)


def test_a_host_that_is_expected_is_silent_though_nothing_was_ever_there(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the settings of the hub; from when it could be known."""
    for module in (draft, rules):
        monkeypatch.setattr(module, "SILENT", 1_000)
    monkeypatch.setattr(keys, "SILENT_S", 1.0)
    ear = Ear(server, expected=("never",))
    try:
        ear.until(lambda: ear.of("never"))
        assert ear.of("never") == [("host", "silent")]
    finally:
        ear.end()


def test_a_host_whose_keys_are_gone_is_forgotten_in_the_end(
    ear: Ear, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took it out: neither its state nor its row stays."""
    monkeypatch.setattr(keys, "SILENT_S", 0.5)
    host = FleetHost("a")
    Written(client, host)
    ear.until(lambda: ear.stands("a") is None, lambda: tells(client, host))
    assert "fleet:a" in ear.kept
    ear.end()
    client.flushall()
    monkeypatch.setattr(listening, "FORGET", 1.0)
    ear.begin()
    ear.until(lambda: "fleet:a" not in ear.kept)
    assert ear.mind.cursors == {}
    assert ear.mind.hosts[0] == 0


def test_a_word_of_one_host_that_cannot_be_taken_costs_nobody_else(
    ear: Ear, client: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours would be one."""
    bad = Told("bad", Cursor("ev:x", 1), ["no event"])  # type: ignore[list-item]
    ear.mind.take([bad, Stands("good", None)], ear.now(), 0)
    assert "what is heard of bad cannot be taken" in caplog.text
    assert ear.mind.hosts[0] == 1


def test_a_host_of_which_nothing_can_be_told_costs_nobody_else(
    ear: Ear, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in what is said of it: it is begun anew, and the rest is told."""
    line = texts.line

    def broken(item: Item, *more: Any) -> str:
        if item.host == "bad":
            raise RuntimeError("a fault")
        return line(item, *more)

    monkeypatch.setattr(texts, "line", broken)
    good, bad = FleetHost("good"), FleetHost("bad")
    Written(client, good, bad)

    def beat() -> None:
        tells(client, good)
        tells(client, bad)

    ear.until(lambda: ear.stands("good") is None and ear.stands("bad") is None, beat)
    tells(client, bad, fails(bad, "t"))
    tells(client, good, fails(good, "t"))
    ear.until(lambda: ear.of("good"), beat)
    assert ear.of("good") == [("task:t", "gave-up")]
