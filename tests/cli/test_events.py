"""`events` narrowed: by time, type, number, task, and all of them together."""

from __future__ import annotations

import argparse
import json
import threading
import time
from calendar import timegm
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli import since
from kaspad_taskd.cli.since import moment
from tests.cli.conftest import Ran
from tests.fakes.taskd import Error, ScriptedTaskd

Ctl = Callable[..., Ran]
NOW = timegm((2026, 11, 29, 3, 7, 30))
DAY = 86_400
CLOCK = SimpleNamespace(time=lambda: NOW, localtime=time.localtime, mktime=time.mktime)
"""Stands at NOW."""


def utc(*parts: int) -> int:
    return timegm((*parts, 0, 0, 0)[:6])


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h", NOW - 3600),
        ("90", NOW - 90),
        ("1h 30min", NOW - 5400),
        ("2d ago", NOW - 2 * DAY),
        ("-10min", NOW - 600),
        ("now", NOW),
        ("today", utc(2026, 11, 29)),
        ("Yesterday", utc(2026, 11, 28)),
        ("2026-11-29", utc(2026, 11, 29)),
        ("2026-11-28 14:30", utc(2026, 11, 28, 14, 30)),
        ("2026-11-28T14:30:05Z", utc(2026, 11, 28, 14, 30, 5)),
        ("2026-11-28T14:30:00+02:00", utc(2026, 11, 28, 12, 30)),
        ("03:07", utc(2026, 11, 29, 3, 7)),
        ("3:07:31", utc(2026, 11, 28, 3, 7, 31)),
        ("23:00", utc(2026, 11, 28, 23)),
    ],
)
def test_a_moment_as_people_write_it(text: str, seconds: int) -> None:
    """A duration is so long ago; what the clock has not shown today it showed yesterday."""
    assert moment(text, NOW) == seconds


def test_midnight_is_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of 23 and 25 hours included."""
    try:
        monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        summer = timegm((2026, 3, 29, 12, 0, 0))
        assert moment("today", summer) == timegm((2026, 3, 28, 23, 0, 0))
        assert moment("2026-03-30", summer) == timegm((2026, 3, 29, 22, 0, 0))
        assert moment("yesterday", timegm((2026, 11, 1, 0, 0, 0))) == timegm(
            (2026, 10, 30, 23, 0, 0)
        )
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "24:00", "12:60", "1:2:3:4", "2026-13-01", "0001-01-01", "soon", "-"]
)
def test_no_moment(text: str) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no moment"):
        moment(text, NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    """No text does anything else."""
    try:
        assert isinstance(moment(text, NOW), float | int)
    except argparse.ArgumentTypeError:
        pass


TYPES = ("sync:health", "sync:error", "switch:error", "sync:paused", "task:added")


def journal(
    taskd: ScriptedTaskd, count: int = 3000, wrong: range = range(0)
) -> list[dict[str, Any]]:
    """So many events, one a minute up to now; those of `wrong` by a clock of 1970."""

    def stamp(n: int) -> str:
        at = 0 if n in wrong else NOW - 60 * (count - n)
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))

    every: list[dict[str, Any]] = [
        {"seq": n, "event": TYPES[n % 5],
         "data": {"seq": n, "timestamp": stamp(n), "taskId": f"t{n % 2}", "service": "s",
                  "health": "ok"}}
        for n in range(1, count + 1)
    ]  # fmt: skip

    def page(params: dict[str, Any]) -> dict[str, Any]:
        of = [one for one in every if params.get("taskId") in (None, one["data"]["taskId"])]
        if "before" in params:
            told = [one for one in of if one["seq"] < params["before"]][-params["limit"] :]
        else:
            told = [one for one in of if one["seq"] > params["after"]][: params["limit"]]
        return {"events": told, "seq": count, "oldest": 1}

    taskd.answers["getEvents"] = page
    taskd.answers["getTask"] = lambda params: {"id": params["taskId"], "service": "s"}
    return every


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--since 1h", lambda n: n >= 2940),
        ("--since 2026-11-28", lambda n: n >= 3000 - (27 * 60 + 7)),
        ("--since 1h --last 3", lambda n: n >= 2998),
        ("--since 1h --after 2990", lambda n: n > 2990),
        ("--since 1h --after 5", lambda n: n >= 2940),
        ("--type sync:error", lambda n: n % 5 == 1 and n > 2900),
        ("--type sync:error --last 700", lambda n: n % 5 == 1),
        ("--type sync:error,switch:error --since 10min", lambda n: n % 5 in (1, 2) and n >= 2990),
        ("--type sync:error --type task:* --after 2980", lambda n: n % 5 in (1, 4) and n > 2980),
        ("--type sync:error --after 2980 --last 2", lambda n: n in (2991, 2996)),
        ("t1 --type sync:error --since 30min", lambda n: n % 10 == 1 and n >= 2970),
        ("--since 60d --type switch:error", lambda n: n % 5 == 2),
        ("--since 1h --last 0", lambda _n: False),
        ("--type warning", lambda _n: False),
    ],
)
def test_events_are_narrowed(
    ctl: Ctl,
    taskd: ScriptedTaskd,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    wanted: Callable[[int], bool],
) -> None:
    """Every filter holds, however many pages there are; oldest first, the newest of them."""
    monkeypatch.setattr(since, "time", CLOCK)
    every = journal(taskd)
    code, out, err = ctl("events", "--json", *words.split())
    assert (code, err) == (0, "")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [
        one["seq"] for one in every if wanted(one["seq"])
    ]


def test_a_clock_that_was_wrong_for_a_while_hides_nothing_before(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events told by a clock of 1970 among those of the last days."""
    monkeypatch.setattr(since, "time", CLOCK)
    journal(taskd, wrong=range(1500, 2300))
    out = ctl("events", "--json", "--since", "2d", "--last", "1800")[1]
    assert json.loads(out.splitlines()[0])["seq"] < 1500


def test_only_the_pages_that_are_needed_are_asked_for(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last hour of a journal of thirty days is found at its end."""
    monkeypatch.setattr(since, "time", CLOCK)
    journal(taskd, 40_000)
    ctl("events", "--since", "1h")
    assert taskd.times("getEvents") <= 2


@pytest.mark.parametrize("words", ["--type sync:eror", "--since soon", "--type ="])
def test_a_word_that_is_none_is_a_wrong_command_line(ctl: Ctl, words: str) -> None:
    """A typing error is no journal without such events."""
    code, out, err = ctl("events", *words.split())
    assert (code, out) == (2, "")
    assert "eror" not in words or "sync:error" in err


def test_following_goes_by_the_same_types(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """From what was on record on; progress is told to who asks for it by name."""
    journal(taskd, 10)
    taskd.answers["subscribe"] = {"seq": 10, "tasks": []}

    def happen() -> None:
        assert taskd.subscribed.wait(60)
        head = {"taskId": "t1", "service": "s", "timestamp": "2026-11-29T03:07:30.000Z"}
        taskd.tell(11, "sync:paused", **head)
        taskd.tell(11, "sync:progress", **head, progress=42)
        taskd.tell(12, "sync:error", **head, error="disk full")
        taskd.answers["subscribe"] = Error(-32005, "not any more", reason="forbidden")
        taskd.drop()

    other = threading.Thread(target=happen)
    other.start()
    out = ctl("events", "-f", "--last", "1", "--type", "sync:error,sync:progress")[1]
    other.join()
    assert [int(line[14:18]) for line in out.splitlines()] == [6, 11, 12]
    assert "failed: disk full" in out
