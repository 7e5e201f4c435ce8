"""What is told of many hosts at once: pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify import many, rules, texts
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.many import EACH, ENGINE, Fleet
from kaspad_taskd.notify.model import ITEMS, Item, Kind, Message, Rule
from tests.notify.fleet_world import of
from tests.notify.told import BASE, HOUR, MINUTE, SECOND, event, health

ZONE = ZoneInfo("UTC")
AT_ONCE = Rule("phone", after=0, gather=0)


class Hub:
    """A notifier of a fleet: its rules, what it knows, what it told."""

    def __init__(self, *given: Rule) -> None:
        self.rules = given or (Rule("phone"),)
        self.fleet: Fleet = many.fleet_of("5eed", 0, {})
        self.messages: list[Message] = []
        self.now = 0

    def hear(self, host: str, *events: dict[str, Any], now: int) -> None:
        mine = many.rules_of(self.rules, host)
        state = rules.hear_all(self.fleet.of(host), mine, events, now)
        self.fleet = many.put(self.fleet, {host: state})

    def silent(self, hosts: Sequence[str], since: int, gone: Gone = Gone.HOST) -> None:
        self.fleet = many.put(self.fleet, {
            host: rules.silent(
                self.fleet.of(host), many.rules_of(self.rules, host), since, since, gone
            )
            for host in hosts
        })  # fmt: skip

    def heard(self, hosts: Sequence[str], now: int) -> None:
        self.fleet = many.put(self.fleet, {
            host: rules.answers(self.fleet.of(host), many.rules_of(self.rules, host), now)
            for host in hosts
        })  # fmt: skip

    def until(self, now: int) -> list[Message]:
        """Let time pass, ticking whenever something is due; return what was told."""
        before = len(self.messages)
        for _ in range(10_000):
            due = many.due(self.fleet, self.rules)
            if due is None or due > now:
                break
            self._tick(max(due, self.now))
        self._tick(now)
        return self.messages[before:]

    def _tick(self, now: int) -> None:
        self.now = now
        self.fleet, told = many.tick(
            self.fleet, self.rules, now, ZONE, "hub-1", "https://hub.example.org"
        )
        self.messages += told

    def killed(self, now: int) -> None:
        """Let another life begin with what the disk has, in which nobody is heard yet."""
        text = json.dumps({n: rules.encode(each) for n, each in self.fleet.members.items()})
        members = {n: many.revived(each, now) for n, each in json.loads(text).items()}
        self.fleet = many.fleet_of(self.fleet.series, self.fleet.number, members)


def names(count: int) -> list[str]:
    return [f"host-{number:03}" for number in range(count)]


def test_three_hundred_hosts_that_fall_silent_are_one_message_and_one_when_they_are_heard() -> None:
    """Within a beat of each other, as it is when a network is gone."""
    hub, hosts = Hub(), names(300)
    for place, host in enumerate(hosts):
        hub.silent([host], BASE + place * 5 * SECOND // 300)
    [one] = hub.until(BASE + 4 * HOUR)
    assert one.title == "nothing is heard of 300 hosts"
    assert (len(one.items), one.more, one.link) == (ITEMS, 100, "https://hub.example.org/")
    assert len(one.text) <= texts.TEXT
    told, cure = one.text.splitlines()
    assert told.startswith("host-000 (20:26), host-001 (20:26), ")
    assert told.endswith(" more")
    assert cure == "To do: see that it runs, and there: systemctl status kaspad-taskd-relay"
    hub.heard(hosts, BASE + 4 * HOUR)
    [over] = hub.until(BASE + 8 * HOUR)
    assert over.title == "300 hosts are heard again"
    assert hub.until(BASE + 48 * HOUR) == []


def test_an_engine_that_cannot_be_read_is_told_once_and_no_host_is_silent_for_it() -> None:
    """Nobody knows how they are, so what was bad is not told again either."""
    hub, hosts = Hub(Rule("phone", repeat=3600)), names(300)
    hub.hear(hosts[0], health("behind", BASE), now=BASE)
    assert of(hub.until(BASE + HOUR), hosts[0]) == [
        ("trouble", "task:node-sync-kaspa-node", "behind")
    ]
    hub.silent([ENGINE], BASE + HOUR, Gone.ENGINE)
    hub.silent(hosts, BASE + HOUR, Gone.BEYOND)
    told = hub.until(BASE + 3 * HOUR)
    assert [item.of for each in told for item in each.items] == ["engine", "engine"]
    assert told[0].title == "hub-1: no host can be heard: Redis cannot be read"
    hub.heard([ENGINE, *hosts], BASE + 3 * HOUR)
    kinds = [(str(i.kind), i.of, i.again) for m in hub.until(BASE + 210 * MINUTE) for i in m.items]
    assert kinds == [
        ("trouble", "task:node-sync-kaspa-node", True), ("recovered", "engine", False),
    ]  # fmt: skip


def test_a_host_of_which_nobody_could_know_is_silent_from_when_one_could() -> None:
    """An outage of the engine for hours makes no host silent for hours."""
    hub = Hub(AT_ONCE)
    hub.silent(["a"], BASE, Gone.BEYOND)
    hub.silent(["a"], BASE + HOUR, Gone.HOST)
    assert hub.until(BASE + HOUR + MINUTE) == []
    [one] = hub.until(BASE + HOUR + 3 * MINUTE)
    assert (one.items[0].code, one.items[0].began) == ("silent", BASE + HOUR)
    assert one.link == "https://hub.example.org/host/a"
    assert one.title == "a: nothing is heard of this host"


def test_a_silence_may_get_another_name_and_stays_one_trouble() -> None:
    """First its daemon was away, then all of it; then it is heard."""
    hub = Hub(Rule("phone", after=0, gather=0, repeat=3600))
    hub.silent(["a"], BASE, Gone.AWAY)
    assert of(hub.until(BASE + 3 * MINUTE), "a") == [("trouble", "host", "daemon-away")]
    hub.silent(["a"], BASE + 4 * MINUTE, Gone.HOST)
    assert of(hub.until(BASE + 2 * HOUR), "a") == [("trouble", "host", "silent")]
    hub.heard(["a"], BASE + 2 * HOUR)
    assert of(hub.until(BASE + 3 * HOUR), "a") == [("recovered", "host", "silent")]


def test_what_is_told_is_told_once_over_lives() -> None:
    """A host that was silent before and is after it is no news; one that is heard is."""
    hub = Hub(Rule("phone", after=0, gather=0, repeat=None))
    hub.silent(["a", "b"], BASE)
    assert len(hub.until(BASE + HOUR)) == 2 or len(hub.messages[0].items) == 2
    hub.killed(BASE + HOUR)
    hub.silent(["a", "b"], BASE + HOUR, Gone.BEYOND)
    hub.silent(["a"], BASE + HOUR + MINUTE)
    hub.heard([ENGINE, "b"], BASE + HOUR + MINUTE)
    told = hub.until(BASE + 9 * HOUR)
    assert [(str(i.kind), i.host) for m in told for i in m.items] == [("recovered", "b")]


def test_a_host_is_told_to_those_who_want_it_and_the_engine_to_those_who_want_all() -> None:
    """By its name, with *."""
    hub = Hub(
        Rule("vienna", after=0, gather=0, hosts=("wien-*",)),
        Rule("all", after=0, gather=0),
        Rule("nodes", after=0, gather=0, tasks=("node-*",)),
    )
    for host in ("wien-1", "graz-1"):
        hub.hear(host, event("sync:error", BASE, error="x", reason="gave-up"), now=BASE)
    hub.silent([ENGINE], BASE, Gone.ENGINE)
    told = {(m.rule, i.host) for m in hub.until(BASE + HOUR) for i in m.items}
    assert told == {
        ("vienna", "wien-1"), ("all", "wien-1"), ("all", "graz-1"), ("all", ""),
        ("nodes", "wien-1"), ("nodes", "graz-1"),
    }  # fmt: skip


def test_a_host_with_much_to_tell_keeps_no_other_from_its_turn() -> None:
    """A thousand failures of one host, told in long words, and one of another."""
    hub = Hub(Rule("phone", gather=30))
    loud = [event("sync:error", BASE, f"node-sync-{n}", error="x" * 5000) for n in range(900)]
    hub.hear("loud", *loud, now=BASE)
    hub.hear("zz", event("sync:error", BASE + SECOND, error="It broke."), now=BASE + SECOND)
    [one] = hub.until(BASE + HOUR)
    assert (len(one.items), one.more) == (EACH + 1, 900 - EACH)
    assert one.items[1].host == "zz"
    assert "zz: kaspa-node failed" in one.text
    assert one.title == "901 things on 2 hosts"
    assert len(one.text) <= texts.TEXT


PAIRS = st.dictionaries(
    st.sampled_from(("behind", "note", "cure", "reason", "error", "seconds", "free", "rate",
                     "inodes", "worst", "because", "took", "type", "after", "next", "n")),
    st.one_of(st.none(), st.booleans(), st.text(max_size=400), st.integers(-(2**53), 2**53),
              st.floats(allow_nan=False, allow_infinity=False)),
    max_size=6,
)  # fmt: skip
MOMENTS = st.one_of(st.none(), st.integers(-(2**53), 2**53))
WHOSE = st.sampled_from(("task:a", "disk:a", "service:x", "warning:1", "host", "engine", "notify"))
CODES = st.one_of(
    st.sampled_from(("behind", "silent", "disk-runway", "disk-full", "relapse", "gap", "done")),
    st.text(max_size=60),
)
ITEM = st.builds(
    Item, st.sampled_from(Kind), WHOSE, st.text(max_size=200), CODES, PAIRS, MOMENTS, MOMENTS,
    st.integers(1, 2**53), st.booleans(), st.sampled_from(("a", "b", "")),
)  # fmt: skip


@given(st.lists(st.lists(ITEM, max_size=30), min_size=1, max_size=4))
def test_whatever_hosts_say_it_can_be_said(told: list[list[Item]]) -> None:
    """Within bounds, in lines, each host's first thing before anybody's second that is as grave."""
    items, left = many.ordered(told)
    assert len(items) + left == sum(map(len, told))
    if items:
        said = texts.say_items(items, BASE, ZONE, "hub", "https://hub", left)
        assert said.title.isprintable()
        assert len(said.title) <= texts.TITLE
        assert len(said.text) <= texts.TEXT
        assert said.link is not None
        assert said.link.startswith("https://hub/")


EVENTS = ("behind", "stalled", "unreachable", "ok")


@pytest.mark.parametrize("part", range(4))
def test_what_a_host_is_told_of_does_not_depend_on_others(part: int) -> None:
    """By chance: three hosts together, and each alone, over lives and silences."""
    for seed in range(part, 200, 4):
        chance = Random(seed)
        script = [
            (chance.choice("abc"), chance.choice((*EVENTS, "silent", "heard", "error")),
             chance.randrange(1, 40) * MINUTE)
            for _ in range(40)
        ]  # fmt: skip
        lives = {chance.randrange(40) for _ in range(3)}
        together = _played(script, lives, "abc")
        for host in "abc":
            alone = _played(script, lives, host)
            assert of(together, host) == of(alone, host), (seed, host)


def _played(script: list[tuple[str, str, int]], lives: set[int], hosts: str) -> list[Message]:
    hub = Hub(Rule("phone", after=300, gather=0, repeat=None))
    now = BASE
    for step, (host, what, span) in enumerate(script):
        now += span
        hub.until(now)
        if step in lives:
            silent = {h for h in hosts if hub.fleet.of(h).silent is not None}
            hub.killed(now)
            hub.heard([ENGINE, *sorted(set(hosts) - silent)], now)
            hub.silent(sorted(silent), now)
        if host not in hosts:
            continue
        if what == "silent":
            hub.silent([host], now)
        elif what == "heard" or hub.fleet.of(host).silent is not None:
            hub.heard([host], now)
        elif what == "error":
            hub.hear(host, event("sync:error", now, error="x"), now=now)
        else:
            hub.hear(host, health(what, now), now=now)
    hub.until(now + 4 * HOUR)
    return hub.messages
