"""Who leaves a local node that is lost or behind, and who comes back, in any history."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core.ageing import DAY
from kaspad_taskd.core.fallback import (
    BY,
    FRESH,
    QUIET,
    Act,
    PublicLook,
    PublicState,
    Rules,
    Situation,
    Why,
    decide,
    fallen,
)
from kaspad_taskd.core.model import Health
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.standing import (
    UNSEEN,
    Count,
    NodeView,
    Standing,
    count,
)
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.switching import plan
from tests.core.play import NOW

MINUTE = 60_000
LOCAL, PUBLIC = Side.LOCAL, Side.PUBLIC
APART = 105_000
RULES = Rules(public=True)
GOOD = PublicLook(PublicState.GOOD)
OPEN = PublicLook(PublicState.OPEN)
LOST = NodeView(Standing.BAD, Health.UNREACHABLE)
BEHIND = NodeView(Standing.BAD, Health.BEHIND, still=True)
WELL = NodeView(Standing.OK, Health.OK)


def switch(to: Side, by: str = BY, number: int = 1, at: int = NOW) -> Switch:
    made = plan.begin(number, "kasia", to, to.other, at, by=by)
    for _ in range(4):
        made = plan.passed(made, at)
    assert made.state is SwitchState.DONE
    return made


def undone(to: Side, by: str = BY, reason: SwitchReason = SwitchReason.NO_ANSWER) -> Switch:
    made = plan.begin(2, "kasia", to, to.other, NOW, by=by)
    return plan.failed(made, NOW, reason, touched=False)


def at(node: NodeView, minutes: float, quiet: int | None = None) -> Count:
    return Count(node, round(minutes * MINUTE), NOW, 0, quiet)


def local(node: Count, public: PublicLook | None = GOOD, **more: object) -> Situation:
    return Situation(LOCAL, node, public=public, **more)  # type: ignore[arg-type]


def away(node: Count, *switches: Switch, **more: object) -> Situation:
    return Situation(PUBLIC, node, switches or (switch(PUBLIC),), **more)  # type: ignore[arg-type]


def told(rules: Rules, now: Situation) -> tuple[Act, Why | None]:
    found = decide(rules, now)
    return found.act, found.why


STAYS, FALLS, RETURNS = (Act.STAY, None), (Act.FALL, None), (Act.RETURN, None)


def stays(why: Why) -> tuple[Act, Why]:
    return Act.STAY, why


@pytest.mark.parametrize("health", [Health.UNREACHABLE, Health.STALLED, Health.BEHIND])
def test_it_falls_back_when_its_time_is_up(health: Health) -> None:
    """In whichever way the node is bad; not a moment before, and not where it shall stay."""
    node = NodeView(Standing.BAD, health)
    assert told(RULES, local(at(node, 9.99))) == stays(Why.WAITING)
    assert decide(RULES, local(at(node, 9))).left == MINUTE
    assert told(RULES, local(at(node, 10))) == FALLS
    assert told(Rules(), local(at(node, 99))) == STAYS


def test_the_public_node_is_looked_at_just_before() -> None:
    """No look, or an old one, is none; a bad one keeps the service, and is taken again."""
    node = at(LOST, 10)
    assert told(RULES, local(node, None)) == (Act.LOOK, Why.LOOKING)
    assert decide(RULES, local(node, replace(GOOD, age=FRESH + 1))).act is Act.LOOK
    for state, why in ((PublicState.SILENT, Why.PUBLIC_SILENT),
                       (PublicState.NOT_SYNCED, Why.PUBLIC_NOT_SYNCED),
                       (PublicState.WRONG_NETWORK, Why.PUBLIC_WRONG_NETWORK),
                       (PublicState.OWN_LIMIT, Why.OWN_LIMIT)):  # fmt: skip
        assert told(RULES, local(node, PublicLook(state))) == stays(why)
        assert told(RULES, local(node, PublicLook(state, age=MINUTE + 1))) == (Act.LOOK, why)
    for state in (PublicState.GOOD, PublicState.OPEN, PublicState.UNKNOWN):
        assert told(RULES, local(node, PublicLook(state))) == FALLS


@pytest.mark.parametrize("reason", [Reason.NETWORK_STANDS_STILL, None])
def test_a_network_without_blocks_moves_nobody(reason: Reason | None) -> None:
    """Not before something shows that it goes on: the public node, a reference, or new blocks."""
    for health in (Health.STALLED, Health.BEHIND):
        node = NodeView(Standing.BAD, health, reason=reason, still=True)
        assert told(RULES, local(at(node, 60), OPEN)) == stays(Why.STANDS_STILL)
        assert told(RULES, local(at(node, 60, QUIET + 1), OPEN)) == stays(Why.STANDS_STILL)
        unknown = PublicLook(PublicState.UNKNOWN)
        assert told(RULES, local(at(node, 60), unknown)) == stays(Why.STANDS_STILL)
        assert told(RULES, local(at(node, 60), GOOD)) == FALLS
        assert told(RULES, local(at(node, 60, QUIET), OPEN)) == FALLS


def test_held_or_switched_by_people_alone_it_stays() -> None:
    """Whatever the node does, either way; and what a person has put to public."""
    for now in (local(at(LOST, 99)), away(at(WELL, 99))):
        assert told(RULES, replace(now, held=True)) == stays(Why.HELD)
        assert told(replace(RULES, auto=False), now) == stays(Why.MANUAL)
    for by in ("user", "node-sync"):
        assert told(RULES, away(at(WELL, 999), switch(PUBLIC, by))) == stays(Why.BY_PERSON)
    assert told(RULES, Situation(PUBLIC, at(WELL, 999))) == stays(Why.BY_PERSON)


def test_nothing_follows_from_what_nobody_knows() -> None:
    """Neither way: a node at which nobody looks, a file that cannot be read, a running switch."""
    for now in (local(Count(NodeView(Standing.UNKNOWN), DAY)), local(UNSEEN), away(UNSEEN)):
        assert told(RULES, now) == stays(Why.NODE_UNKNOWN)
    assert told(RULES, Situation(None, at(LOST, 99))) == stays(Why.UNREADABLE)
    running = plan.begin(3, "kasia", LOCAL, PUBLIC, NOW)
    assert told(RULES, local(at(LOST, 99), switches=(running,))) == stays(Why.SWITCHING)
    failed = replace(switch(PUBLIC), state=SwitchState.FAILED)
    assert told(RULES, local(at(LOST, 99), switches=(failed,))) == stays(Why.UNDO_FAILED)


def test_it_comes_back_after_a_time_without_a_break() -> None:
    """And stays away while the node is bad."""
    assert told(RULES, away(at(WELL, 29.9))) == stays(Why.WAITING)
    assert told(RULES, away(at(WELL, 30))) == RETURNS
    assert told(RULES, away(at(LOST, 999))) == STAYS
    assert told(RULES, local(at(WELL, 999))) == STAYS


def test_the_last_of_a_day_leads_to_public() -> None:
    """So there is none back where only one is left; and none at all where none is."""
    for used, falls, comes in ((0, True, True), (2, True, True), (3, True, False),
                               (4, False, False)):  # fmt: skip
        assert (decide(RULES, local(at(LOST, 10), used=used)).act is Act.FALL) is falls
        assert (decide(RULES, away(at(WELL, 30), used=used)).act is Act.RETURN) is comes
    assert told(RULES, local(at(LOST, 10), used=4)) == stays(Why.FLIPS)


def test_after_one_that_was_undone_it_waits_again() -> None:
    """As long as for the first, from its end."""
    after = (undone(PUBLIC),)
    now = local(at(LOST, 60), switches=after, rested=9 * MINUTE)
    assert told(RULES, now) == stays(Why.WAITING)
    assert told(RULES, replace(now, rested=10 * MINUTE)) == FALLS
    back = away(at(WELL, 60), undone(LOCAL), switch(PUBLIC), rested=29 * MINUTE)
    assert told(RULES, back) == stays(Why.WAITING)
    assert told(RULES, replace(back, rested=30 * MINUTE)) == RETURNS


def test_what_a_person_decided_since_counts() -> None:
    """Their switch, and their turning round of one of ours; not what merely failed."""
    cancelled = undone(LOCAL, reason=SwitchReason.CANCELLED)
    fell, by_hand = switch(PUBLIC), switch(PUBLIC, "user")
    assert fallen((fell,)) == fell
    assert fallen((undone(LOCAL), undone(LOCAL, "user"), fell)) == fell
    assert fallen((cancelled, fell)) is None
    assert fallen((by_hand, fell)) is None
    assert fallen((switch(LOCAL), fell)) is None
    assert fallen(()) is None


# -- whole histories


@dataclass
class Life:
    """A service of virtual days: a look every 30 s, a decision after each, a switch at once."""

    rules: Rules
    now: int = NOW
    node: Count = UNSEEN
    points: Side = LOCAL
    switches: list[Switch] = field(default_factory=list)
    held: bool = False
    public: PublicState = PublicState.GOOD
    fails: bool = False
    since: int = 0
    by_hand: bool = False

    def look(self, seen: NodeView) -> None:
        self.now += 30_000
        before = self.node
        self.node = count(before, seen, self.now, self.now, APART)
        if seen.standing is not before.standing or not before.look:
            self.since = self.now
        ended = self.switches[0].ended_at if self.switches else None
        now = Situation(
            self.points, self.node, self.switches, DAY if ended is None else self.now - ended,
            self.used(), self.held, PublicLook(self.public),
        )  # fmt: skip
        found = decide(self.rules, now)
        if found.act in (Act.FALL, Act.RETURN):
            self.flip(PUBLIC if found.act is Act.FALL else LOCAL, seen)

    def used(self) -> int:
        young = [each for each in self.switches if self.now - each.started_at < DAY]
        return sum(each.by == BY for each in young)

    def flip(self, to: Side, seen: NodeView) -> None:
        bad = to is PUBLIC
        assert seen.standing is (Standing.BAD if bad else Standing.OK)
        span = self.rules.fallback_after if bad else self.rules.return_after
        assert self.now - self.since >= span
        assert not self.held
        assert bad is False or not self.public.bad
        assert bad or not self.by_hand
        made = replace(switch(to, number=len(self.switches), at=self.now))
        if self.fails:
            made = replace(undone(to), id=len(self.switches), started_at=self.now,
                           ended_at=self.now)  # fmt: skip
        else:
            self.points = to
        self.switches.insert(0, made)
        assert self.used() <= self.rules.flips
        assert bad or self.used() < self.rules.flips  # the last leads to public

    def put(self, to: Side) -> None:
        """Somebody switches it."""
        if to is not self.points:
            self.by_hand = to is PUBLIC
            self.points = to
            self.switches.insert(0, switch(to, "user", len(self.switches), self.now))


NODES = {
    "ok": WELL, "lost": LOST, "behind": BEHIND,
    "stalled": NodeView(Standing.BAD, Health.STALLED, Reason.NETWORK_STANDS_STILL, still=True),  # type: ignore[arg-type]
    "unknown": NodeView(Standing.UNKNOWN),
}  # fmt: skip
WORDS = st.tuples(
    st.sampled_from([*NODES, "sleep", "hold", "free", "public", "local", "silent", "answers",
                     "fails", "works"]),
    st.integers(1, 300),
)  # fmt: skip


@given(
    st.lists(WORDS, max_size=40), st.integers(1, 6), st.sampled_from([1, 10]),
    st.sampled_from([1, 30]),
)  # fmt: skip
@settings(deadline=None)
def test_no_history_breaks_a_rule(
    words: list[tuple[str, int]], flips: int, after: int, back: int
) -> None:
    """Never too often or early, for nothing, against a hold or a person; the last is to public."""
    life = Life(Rules(True, True, after * MINUTE, back * MINUTE, flips))
    for word, times in words:
        match word:
            case "sleep":
                life.now += times * 1_000_000
                life.since = life.now + 30_000 if times * 1_000_000 + 30_000 > APART else life.since
            case "hold" | "free":
                life.held = word == "hold"
            case "public" | "local":
                life.put(PUBLIC if word == "public" else LOCAL)
            case "silent" | "answers":
                life.public = PublicState.SILENT if word == "silent" else PublicState.GOOD
            case "fails" | "works":
                life.fails = word == "fails"
            case _:
                for _ in range(times):
                    life.look(NODES[word])
