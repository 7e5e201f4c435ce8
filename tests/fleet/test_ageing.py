"""Guarantees of what goes by age, and of what is kept of a task's past."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.relay import ageing, past
from kaspad_taskd.fleet.relay.listen import Listener
from kaspad_taskd.fleet.relay.plan import Entry
from kaspad_taskd.fleet.relay.session import Session, Standing
from kaspad_taskd.fleet.settings import Engine, Relay, Server, Settings
from tests.fakes.redis_server import Kept, RedisServer, needs_redis

BEGAN = datetime(2026, 11, 30, tzinfo=UTC)
DAYS = 30


def entry(number: int, days: float) -> Entry:
    """An event that was told so many days before the newest."""
    at = (BEGAN - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return keys.entry_id(number), {"e": "sync:health", "d": json.dumps({"timestamp": at})}


def kept(*days: float) -> int | None:
    entries = [entry(number, each) for number, each in enumerate(days, 1)]
    return ageing.first_kept(entries, entry(999, 0), 40, DAYS)


def test_what_is_older_than_the_days_before_the_newest_goes() -> None:
    assert kept(31, 30.5, 29, 28) == 3
    assert kept(29, 28) is None
    assert kept(30) is None


def test_no_more_than_a_tenth_goes_at_once() -> None:
    """A clock that is a year ahead does not empty it."""
    assert kept(*[400.0] * 20) == 5
    assert kept(400) == 2


def test_what_has_no_time_stays() -> None:
    odd: Entry = ("1-0", {"e": "x", "d": "[]"})
    assert ageing.first_kept([odd], entry(9, 0), 40, DAYS) is None


@needs_redis
def test_of_a_real_stream_a_tenth_of_what_is_too_old_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hour by this process's own time; the newest ones are never looked at."""
    monkeypatch.setattr(ageing, "EVERY_S", 0.0)
    with RedisServer(tmp_path) as redis, redis.client() as client:
        there = Kept(client, "h")
        for number in range(1, 41):
            name, fields = entry(number, 60 if number <= 30 else 1)
            client.xadd(there.key("ev:aa"), fields, id=name)
        client.hset(there.key(keys.META), mapping={"journal": "aa", "stream": "ev:aa"})
        engine = Engine((Server(path=str(redis.socket)),))
        settings = Settings("h", {}, engine, Relay(keep=400, keep_days=DAYS))
        listener = Listener(str(tmp_path / "nobody"), 400)
        carrier = Carrier(engine, settings.relay.login)
        session = Session(settings, carrier, listener, Standing("r", frozenset("r"), "here"))
        list(session.begin())
        left = []
        for _ in range(20):
            session.turn(0.01)
            left.append([each["seq"] for each in there.events("ev:aa")])
        listener.stop()
        carrier.close()
    sizes = [len(each) for each in left]
    assert sizes[0] == 36
    assert all(before - after <= before // 10 for before, after in pairwise(sizes))
    assert left[-1] == list(range(31, 41))


def point(at: int) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"at": moment, "progress": 12.5, "done": 1, "rate": 100.5, "health": "ok"}


TEXT = st.text(max_size=200)
INCIDENTS = st.lists(st.builds(lambda note: {"id": 1, "note": note}, TEXT), max_size=30)


@given(INCIDENTS, st.integers(0, 300))
def test_a_past_has_a_bound_and_keeps_what_is_newest(
    incidents: list[dict[str, Any]], count: int
) -> None:
    text = past.packed(None, incidents, [point(at) for at in range(count)])
    assert len(text) <= past.BYTES
    said = json.loads(text)
    assert said["incidents"] == incidents[: len(said["incidents"])]
    drawn = [each[0] for each in said["history"]]
    assert drawn == sorted(drawn)
    if count and drawn:
        assert drawn[-1] == (count - 1) * 1000
    assert len(drawn) <= past.POINTS


def test_all_of_an_ordinary_past_is_there() -> None:
    """Twenty incidents with their sentences, and a hundred and twenty points as they are drawn."""
    record = {"taskId": "t", "seconds": {"ok": 1}, "series": [1] * 500}
    said = json.loads(past.packed(record, [{"id": n} for n in range(20)], [point(9)] * 120))
    assert said["record"] == {"taskId": "t", "seconds": {"ok": 1}}
    assert (len(said["incidents"]), len(said["history"])) == (20, 120)
    assert said["history"][0] == [9000, 12.5, 100.5, "ok"]
