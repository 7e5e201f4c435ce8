"""An hour with a service that fails at random, in virtual time: real children, a real server."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from threading import Event

import pytest

from kaspad_taskd.notify.delivery import PACE, Entry, Fate, Lane, due, pick, tried
from kaspad_taskd.notify.model import Moment, Outcome
from kaspad_taskd.notify.sending import send
from tests.notify.sending.conftest import MESSAGE, target
from tests.notify.servers import PATIENCE, Answer, Http, Request

HOUR = 3_600_000
EVERY = 450_000
"""Milliseconds between two messages."""
ID = re.compile(rb"\[(5f-\d+)\]")
BAD = (
    Answer(500, "out of order"),
    Answer(503, "", {"Retry-After": "40"}),
    Answer(429, "slowly", {"Retry-After": "90"}),
    Answer(302, headers={"Location": "/elsewhere"}),
    Answer(body="taken", way="half"),
    Answer(way="close"),
    Answer(way="hang"),
)


class Moody:
    """A service that does as it likes for an hour, and what it did with each message."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._bad: list[Answer] = []
        self.hangs = Event()
        self.well = False
        self.took: dict[str, int] = {}
        self.unsure: dict[str, int] = {}
        self.last = Answer()

    def answer(self, request: Request) -> Answer:
        found = ID.search(request.body)
        assert found, request
        id_ = found[1].decode()
        good = self.well or self._chance.random() < 0.4
        self.last = Answer(200, "taken") if good else self._worse()
        if self.last.way == "hang":
            self.hangs.set()
        if good:
            self.took[id_] = self.took.get(id_, 0) + 1
        elif self.last.way != "whole":
            self.unsure[id_] = self.unsure.get(id_, 0) + 1
        return self.last

    def _worse(self) -> Answer:
        """Each kind of failure, in another order each time."""
        if not self._bad:
            self._bad = self._chance.sample(BAD, len(BAD))
        return self._bad.pop()


@pytest.mark.system
@pytest.mark.usefixtures("apprise")
def test_each_message_is_taken_once_and_again_only_where_nobody_could_know(
    held: Callable[[Event], None],
) -> None:
    """Each is delivered; none twice, whatever came between; Retry-After and pace are kept."""
    service, url = Moody(7), ""
    tries: list[tuple[Moment, Outcome]] = []
    with Http(service.answer) as server:
        url = f"json://127.0.0.1:{server.port}/?cto=60&rto=60"
        waiting = [Entry(n, f"5f-{n}", "phone", n * EVERY, n * EVERY) for n in range(HOUR // EVERY)]
        done, lane, now = list[Entry](), Lane(), 0
        while waiting:
            now = max(now, due(waiting, {"phone": lane}, frozenset()) or 0)
            service.well = now > HOUR
            (entry,) = pick(waiting, {"phone": lane}, frozenset(), now)
            service.hangs = Event()
            held(service.hangs)
            outcome = send(target(url), replace(MESSAGE, id=entry.message), PATIENCE)
            assert outcome.delivered is (service.last.status == 200 and service.last.way == "whole")
            tries.append((now, outcome))
            after, lane = tried(entry, lane, outcome, now)
            waiting = [after if each.number == entry.number else each for each in waiting]
            done += [each for each in waiting if each.fate is not Fate.WAITING]
            waiting = [each for each in waiting if each.fate is Fate.WAITING]
    assert {each.fate for each in done} == {Fate.DELIVERED}
    assert service.took == {each.message: 1 for each in done}
    may_be_there = sum(outcome.sent for _, outcome in tries)
    assert may_be_there == sum(service.unsure.values()) > 0
    for (before, outcome), (at, _) in pairwise(tries):
        assert at - before >= max(PACE, 1000 * (outcome.retry_after or 0))
    assert len({outcome.why for _, outcome in tries}) >= 5
