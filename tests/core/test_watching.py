"""Keeping watch over what is complete: health by its rules, relapse, pauses, a wrong clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core import inputs
from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.model import Health, Origin, Status, Task, Watch
from kaspad_taskd.core.observation import (
    Following,
    Hint,
    Observation,
    Reading,
    Refused,
    Unreachable,
)
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.schedule import next_look
from kaspad_taskd.core.transition import offered, step
from kaspad_taskd.core.watching import in_sync
from tests.core.play import NOW, Story, brief, check, pending, reloaded

GONE = Unreachable(Reason.REFUSED)
NO = Refused(Reason.WRONG_NETWORK, {"network": "testnet-10"})
PACE = 10.0


@dataclass
class Node:
    """A node on watch, looked at every 30 s: each word of a text is a look.

    `ok`, `bad` (not in sync), `gone`, `no` (refused), `same` (in sync, and nothing new), `still`
    (neither), `slow` (bad, a quarter of the pace), `sync` (it downloads, and lacks two hours).
    """

    task: Task
    now: int = NOW
    facts: list[Fact] = field(default_factory=list)
    score: float = 1000.0
    clock_off: bool = False

    def play(self, text: str, seconds: float = 30.0) -> Node:
        for word in text.split():
            self.now += round(seconds * 1000)
            unmoved = ("same", "still", "gone", "no")
            pace = 0 if word in unmoved else PACE / 4 if word == "slow" else PACE
            self.score += pace * seconds
            self.give(inputs.Look(self.task.attempt, self.seen(word)))
        return self

    def seen(self, word: str, **more: Any) -> Observation:
        if word in ("gone", "no"):
            return GONE if word == "gone" else NO
        complete = word in ("ok", "same") and not self.clock_off
        lacks = 7200.0 if word == "sync" else None
        told = Following(
            f"{self.score}", self.score, PACE, lacks is None and word != "alone", lacks,
            self.clock_off,
        )  # fmt: skip
        behind = None if self.clock_off else 0.4 if complete else 90.0
        reason = Reason.CLOCK_SKEW if self.clock_off else None
        return Reading(complete=complete, position=self.score, behind=behind, following=told,
                       reason=reason, memory={"score": self.score}, **more)  # fmt: skip

    def give(self, what: inputs.Input) -> Node:
        before = self.task
        self.task, facts = step(before, before.definition, what, self.now)
        check(before, self.task, facts)
        self.facts += facts
        return self

    @property
    def told(self) -> str:
        return " ".join(brief(each) for each in self.facts)

    def health(self) -> Health:
        return self.task.health

    def last(self) -> Fact:
        return self.facts[-1]

    @property
    def is_(self) -> tuple[Health, Reason | None]:
        return self.task.health, self.task.reason


def node(**more: Any) -> Node:
    """A node that has just completed, by two good looks."""
    known = {"keep_watching": True, "type": "node-sync", **more}
    built = Node(pending(**known)).give(inputs.Start())
    while built.task.status is Status.IN_PROGRESS:
        built.play("ok", 10.0)
    built.facts.clear()
    return built


def test_the_completion_is_its_first_good_look() -> None:
    """Complete, and well from then on, without a further event."""
    built = node()
    task = built.task
    assert (task.status, task.percent, task.live.eta) == (Status.COMPLETE, 100.0, 0.0)
    assert (task.watch, task.health, task.watched) == (Watch.ON, Health.OK, True)
    assert task.health_since == task.watched_since == task.ended_at == built.now
    assert built.play("ok ok ok").told == ""
    assert (built.task.status, built.task.revision) == (Status.COMPLETE, task.revision)
    assert built.task.live.last_checked == built.now


def test_what_was_in_trouble_as_it_completed_is_told_to_be_well_before_the_end() -> None:
    """Whoever counts health by its events is right at every moment; the terminal one is last."""
    built = Node(pending(keep_watching=True, type="node-sync", confirmations=1))
    built.give(inputs.Start()).play("gone ok", 10.0)
    assert built.told == "start health=unreachable(refused) health=ok complete"


def test_without_keep_watching_nobody_looks() -> None:
    """As it ever was: the end is the end."""
    task = node(keep_watching=False).task
    assert (task.watch, task.health, task.watched, task.open) == (
        Watch.NONE, Health.UNKNOWN, False, False,
    )  # fmt: skip


def test_no_answer_is_unreachable_at_once_and_ok_takes_its_confirmations() -> None:
    """One lucky look between two bad ones is no ok."""
    built = node().play("gone")
    assert built.is_ == (Health.UNREACHABLE, Reason.REFUSED)
    built.play("ok gone ok")
    assert built.health() is Health.UNREACHABLE
    assert built.play("ok").is_ == (Health.OK, None)
    assert built.told == "health=unreachable(refused) health=ok"


def test_a_refusal_counts_after_what_a_live_task_needs_and_is_never_an_error() -> None:
    """Three in a row that span 5 min, where it once gave a good answer."""
    built = node().play(" ".join(["no"] * 10))
    assert built.is_ == (Health.OK, Reason.WRONG_NETWORK)
    assert built.play("no").is_ == (Health.UNREACHABLE, Reason.WRONG_NETWORK)
    assert built.task.status is Status.COMPLETE


def test_behind_is_who_is_not_in_sync_for_two_minutes_and_says_by_how_much() -> None:
    """Less is nothing to speak of; its event tells the lag."""
    built = node().play("bad bad bad bad")
    assert built.health() is Health.OK
    built.play("bad")
    assert built.health() is Health.BEHIND
    assert (built.last().data["behind"], built.last().data["since"]) == (90.0, built.now)
    assert built.told == "health=behind"


def test_a_lucky_look_neither_ends_a_trouble_nor_begins_its_patience_anew() -> None:
    """Bad looks with single good ones between them are one spell."""
    built = node().play("bad ok bad ok bad")
    assert built.health() is Health.BEHIND
    assert built.play("ok bad ok").health() is Health.BEHIND
    assert built.play("ok").health() is Health.OK
    assert built.last().data["was"] == "behind"


def test_nothing_new_for_stall_after_is_stalled_whatever_else_is_so() -> None:
    """It, or the network, makes no blocks; it is behind before, and stalled stays so until one."""
    built = node(stall_after=300.0).play("ok " + "still " * 9)
    assert built.health() is Health.BEHIND
    built.play("still")
    assert built.is_ == (Health.STALLED, Reason.NETWORK_STANDS_STILL)
    assert built.play("same same same").health() is Health.STALLED
    assert built.play("ok").health() is Health.STALLED
    assert built.play("ok").health() is Health.OK
    assert built.told == "health=behind health=stalled(network-stands-still) health=ok"


def test_who_answers_again_and_has_long_not_been_in_sync_is_behind() -> None:
    """From the first bad look on, whatever it was; sooner it stays what it was said to be."""
    built = node().play("gone gone bad")
    assert built.health() is Health.UNREACHABLE
    assert built.play("bad bad").health() is Health.BEHIND


def test_work_without_a_present_can_be_behind_but_never_stands_still() -> None:
    """A file that an http-json reads has nothing new for years, and is as it should be."""
    built = node(type="http-json", stall_after=60.0)
    for _ in range(20):
        built.now += 30_000
        built.give(inputs.Look(1, Reading(complete=True, position=5.0, target=5.0)))
    assert (built.task.health, built.told) == (Health.OK, "")


def test_by_hand_it_is_watched_only_if_its_last_look_was_good() -> None:
    """Somebody's word begins no watch over what is not in sync."""
    for looks, watch in (("ok", Watch.ON), ("bad", Watch.NONE), ("ok gone", Watch.NONE)):
        built = Node(pending(keep_watching=True, type="node-sync", confirmations=3))
        built.give(inputs.Start()).play(looks).give(inputs.Complete())
        assert (built.task.watch, built.task.proven) == (watch, False)
        assert built.health() is Health.UNKNOWN  # of one look nobody knows
        if watch is Watch.ON:
            assert built.play("ok").health().value == "unknown"
            assert built.play("ok").health().value == "ok"
    built = Node(pending(keep_watching=True, type="node-sync", confirmations=9))
    built.give(inputs.Start()).play("ok").give(inputs.Pause()).give(inputs.Complete())
    assert built.task.watch is Watch.NONE


def test_a_watch_is_paused_and_resumed_while_the_status_stays() -> None:
    """Its health is not known meanwhile, and what can be done says so."""
    built = node().play("bad bad bad bad bad").give(inputs.Pause())
    task = built.task
    assert (task.status, task.watch, task.health) == (
        Status.COMPLETE, Watch.PAUSED, Health.UNKNOWN,
    )  # fmt: skip
    assert (task.live.behind, task.watched, task.open) == (None, False, True)
    assert offered(task.status, task.watch) == ["start", "retry"]
    with pytest.raises(NotAllowed):
        built.give(inputs.Pause())
    late = inputs.Look(1, GONE)
    assert step(task, task.definition, late, built.now) == (task, [])
    built.give(inputs.Start())
    assert offered(built.task.status, built.task.watch) == ["pause", "retry"]
    with pytest.raises(NotAllowed):
        built.give(inputs.Start())
    assert built.play("ok ok").health() is Health.OK
    assert built.told == "health=behind health=unknown health=ok"


def test_what_was_bad_when_its_watch_was_resumed_is_told() -> None:
    """It had been in sync once; a pause makes nobody forget it."""
    built = node().give(inputs.Pause()).give(inputs.Start()).play("gone")
    assert built.told == "health=unknown health=unreachable(refused)"


def test_nothing_is_troubled_or_told_before_the_first_good_look() -> None:
    """A task that was complete when its definition began to ask for a watch."""
    built = node(keep_watching=False)
    asks = replace(built.task.definition, keep_watching=True)
    built.give(inputs.Redefine(asks)).play("gone bad bad bad bad bad bad sync")
    assert (built.task.watch, built.is_, built.told) == (
        Watch.ON, (Health.UNKNOWN, None), "task:changed",
    )  # fmt: skip
    built.give(inputs.Look(1, built.seen("bad", epoch="db-reset")))
    assert built.task.status is Status.COMPLETE
    assert built.play("ok").task.watched_since == built.now
    assert built.play("gone").told == "task:changed health=unreachable(refused)"


def test_a_changed_definition_applies_at_once() -> None:
    """Its patience, and whether there is a watch at all; over another node all is forgotten."""
    built = node().play("bad bad")
    changed = replace(built.task.definition, behind_after=30.0)
    assert built.give(inputs.Redefine(changed)).play("bad").health() is Health.BEHIND
    other = replace(changed, checker={"url": "grpc://other:16110"})
    built.give(inputs.Redefine(other))
    assert (built.task.health, built.task.watched_since) == (Health.UNKNOWN, None)
    assert built.task.live.memory == {}
    built.play("gone bad ok ok").give(inputs.Redefine(replace(other, keep_watching=False)))
    assert (built.task.watch, built.task.health) == (Watch.NONE, Health.UNKNOWN)


@pytest.mark.parametrize("given_input", [inputs.Attach(), inputs.Attach(jumped=True)])
def test_a_restart_or_jump_begins_patience_anew_and_keeps_the_health(
    given_input: inputs.Attach,
) -> None:
    """A behind node is no ok by it, and nothing is told twice."""
    built = node().play("bad bad bad bad")
    built.give(given_input).play("bad bad bad bad")
    assert built.health() is Health.OK
    built.play("bad ok").give(given_input).play("ok")
    assert built.health() is Health.BEHIND
    assert built.play("ok").health() is Health.OK
    stalled = node(stall_after=60.0).play("ok still still")
    assert stalled.give(given_input).play("still same same").told.count("stalled") == 1
    assert stalled.health() is Health.STALLED


def test_time_in_which_nobody_looked_is_neither_good_nor_bad() -> None:
    """Two looks far apart: a spell begins with the second one."""
    built = node().play("bad").play("bad", 3600.0)
    assert built.health() is Health.OK
    assert built.play("bad bad bad bad").health() is Health.BEHIND


def test_what_a_new_patience_bears_with_is_no_trouble_any_more() -> None:
    """At once, and told; what it does not bear with stays."""
    built = node(stall_after=300.0).play("ok " + "bad " * 6)
    longer = replace(built.task.definition, behind_after=600.0)
    assert built.health() is Health.BEHIND
    assert built.give(inputs.Redefine(longer)).health().value == "ok"
    assert built.play("bad " * 13).health().value == "ok"
    assert built.play("bad bad").health().value == "behind"
    still = node(stall_after=300.0).play("ok " + "still " * 11)
    patient = replace(still.task.definition, stall_after=3600.0)
    assert still.give(inputs.Redefine(patient)).told.endswith(
        "stalled(network-stands-still) task:changed health=behind"
    )
    assert still.give(inputs.Redefine(replace(patient, interval=11.0))).health() is Health.BEHIND


def test_who_has_no_watch_gets_none_by_another_change() -> None:
    """Completed by hand out of sync, or registered before: its pace is not what begins one."""
    built = Node(pending(keep_watching=True, type="node-sync", origin=Origin.API))
    built.give(inputs.Start()).play("bad").give(inputs.Complete())
    slower = replace(built.task.definition, interval=60.0)
    assert built.give(inputs.Redefine(slower)).task.watch is Watch.NONE
    of_file = replace(slower, origin=Origin.ADMIN)
    assert built.give(inputs.Redefine(of_file)).task.watched


def test_who_is_asked_more_rarely_is_not_forgotten_for_that() -> None:
    """A quick watch over one who does not answer: a minute between two looks is no gap."""
    built = node(interval=1.0, watch_interval=1.0, behind_after=90.0)
    built.play("gone gone gone", 60.0).play("bad", 60.0)
    assert built.health() is Health.BEHIND


# -- relapse


@pytest.mark.parametrize("because", ["db-reset", "far-behind"])
def test_a_relapse_begins_the_next_attempt_by_itself(because: str) -> None:
    """Lost data, or a download that leaves it two hours behind: progress begins again."""
    built = node(watch_interval=60.0).play("ok" + " ok" * 20)
    if because == "far-behind":
        built.play("sync")
    else:
        built.give(inputs.Look(1, built.seen("bad", epoch="db-reset")))
    task = built.task
    assert (task.status, task.attempt, task.because) == (Status.IN_PROGRESS, 2, because)
    assert (task.percent, task.watch, task.live.memory) == (0.0, Watch.NONE, {})
    assert built.last().name is EventName.START
    assert built.last().data == {"attempt": 2, "because": because}
    built.play("ok ok", 10.0)
    assert built.last().name is EventName.COMPLETE
    assert built.last().data["because"] == because
    assert built.told == "start#2 complete"
    built.give(inputs.Retry()).play("ok ok", 10.0)
    assert "because" not in built.last().data


def test_a_short_gap_and_a_great_age_are_no_relapse() -> None:
    """By scores of a download alone."""
    built = node().play("ok " * 30)
    for lacks in (None, 3600.0):
        told = Following("x", 1.0, PACE, lacks is None, lacks)
        seen = Reading(behind=90_000.0, following=told)
        built.now += 30_000
        built.give(inputs.Look(1, seen))
    assert (built.task.status, built.task.attempt) == (Status.COMPLETE, 1)
    built.play("sync")
    assert built.task.attempt == 2


def test_at_most_one_relapse_in_ten_minutes_and_lost_data_is_not_forgotten() -> None:
    """The next one waits; who is in sync again meanwhile needs none."""
    built = node().play("sync").play("ok ok", 10.0)
    assert built.task.attempt == 2
    built.now += 30_000
    built.give(inputs.Look(2, built.seen("bad", epoch="db-reset"))).play("bad " * 16)
    assert (built.task.attempt, built.task.health) == (2, Health.BEHIND)
    built.play("bad bad bad")
    assert (built.task.attempt, built.task.because) == (3, "db-reset")
    well = node().play("sync").play("ok ok", 10.0)
    well.now += 30_000
    well.give(inputs.Look(2, well.seen("bad", epoch="db-reset"))).play("ok ok" + " bad" * 30)
    assert (well.task.attempt, well.task.health) == (2, Health.BEHIND)


@pytest.mark.parametrize("jump", [-7_200_000, 7_200_000])
@pytest.mark.parametrize("before", ["", "ok ok"])
def test_ten_minutes_are_no_fewer_where_the_clock_jumps_amid_them(jump: int, before: str) -> None:
    """Nor more: so much as had passed by then is counted."""
    built = node().play("sync").play(before, 10.0)
    built.now += jump
    built.give(inputs.Attach(jumped=True)).play("ok ok", 10.0).play("sync " * 10)
    assert built.task.attempt == 2
    built.play("sync " * 10)
    assert built.task.attempt == 3


def test_a_relapse_that_is_on_record_is_so_after_a_kill() -> None:
    """The moment of the last one is durable, so that a crash makes no second one."""
    built = node().play("sync").play("ok ok", 10.0)
    built.task = reloaded(built.task)
    built.give(inputs.Attach()).play("sync " * 10)
    assert built.task.attempt == 2


# -- a wrong clock


def test_with_a_wrong_clock_who_keeps_up_stays_ok_and_says_so() -> None:
    """Ages decide nothing; the hint stands beside it."""
    built = node().play("ok ok")
    built.clock_off = True
    for _ in range(20):
        built.now, built.score = built.now + 30_000, built.score + 300
        built.give(inputs.Look(1, built.seen("bad", hints=(Hint("clock-skew"),))))
    assert built.is_ == (Health.OK, Reason.CLOCK_SKEW)
    assert built.task.live.hints == (Hint("clock-skew"),)
    built.clock_off = False
    assert built.play("ok").is_ == (Health.OK, None)
    assert built.told == ""


@pytest.mark.parametrize("look", ["slow slow", "still still", "alone", "sync"])
def test_with_a_wrong_clock_anything_else_is_unknown(look: str) -> None:
    """Also a download of hours and lost data are no relapse then; the right clock tells."""
    built = node().play("ok ok")
    built.clock_off = True
    assert built.play("slow " + look).is_ == (Health.UNKNOWN, Reason.CLOCK_SKEW)
    built.give(inputs.Look(1, built.seen("bad", epoch="db-reset")))
    assert (built.task.status, built.told) == (Status.COMPLETE, "health=unknown(clock-skew)")
    built.clock_off = False
    assert built.play("bad").told.endswith("start#2")


def test_a_wrong_clock_makes_no_behind_node_ok_and_no_answer_is_still_none() -> None:
    """Who was behind is not known to be well because he goes on at the same pace."""
    built = node().play("bad bad bad bad bad")
    built.clock_off = True
    assert built.play("bad bad bad bad").health() is Health.UNKNOWN
    assert built.play("gone").health() is Health.UNREACHABLE
    assert built.play("bad").health() is Health.UNKNOWN
    built.clock_off = False
    assert built.play("ok ok").health() is Health.OK


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("share", "health"), [(1.0, Health.OK), (0.15, Health.UNKNOWN)])
def test_where_blocks_are_rare_their_chance_is_no_lag(
    seed: int, share: float, health: Health
) -> None:
    """One in ten seconds: none in half a minute is daily life; far too few of many are not."""
    chance, built = Random(seed), node().play("ok ok")
    for _ in range(240):
        built.now += 30_000
        built.score += sum(chance.random() < 0.1 * share for _ in range(30))
        told = Following(str(built.score), built.score, 0.1, True, None, True)
        built.give(inputs.Look(1, Reading(reason=Reason.CLOCK_SKEW, following=told)))
    assert built.is_ == (health, Reason.CLOCK_SKEW)


def test_a_clock_that_was_wrong_is_so_until_something_tells_otherwise() -> None:
    """A node that stops tells nothing of it any more; a jump may have put it right."""
    built = node().play("ok ok")

    def stands(clock_off: bool | None) -> None:
        built.now += 30_000
        told = Following("x", 1.0, PACE, True, None, clock_off)
        built.give(inputs.Look(1, Reading(behind=300.0, following=told)))

    stands(None)
    assert built.health() is Health.OK
    stands(True)
    stands(None)
    stands(None)
    assert built.is_ == (Health.UNKNOWN, Reason.CLOCK_SKEW)
    built.give(inputs.Attach(jumped=True))
    for _ in range(5):
        stands(None)
    assert built.health().value == "behind"


def test_on_a_slow_network_the_pace_is_measured_until_something_was_to_come() -> None:
    """A block a minute: a look without one says nothing of its pace."""
    built = node().play("ok ok")
    score, followed = 5000.0, []
    for minute in range(8):
        score += 1.0
        told = Following(f"{score}", score, 1 / 60, True, None, True)
        for _ in range(2):
            built.now += 30_000
            built.give(inputs.Look(1, Reading(following=told)))
            followed.append((minute, built.task.health))
    assert {health for _, health in followed} == {Health.OK}
    for _ in range(8):
        built.now += 30_000
        built.give(inputs.Look(1, Reading(following=told)))
    assert built.health() is Health.UNKNOWN


# -- the pace of looks


def test_a_watch_has_a_pace_of_its_own_never_quicker_than_the_interval() -> None:
    """30 s by default; without an answer it goes up to a minute as ever."""
    built = node()
    assert next_look(built.task, built.task.definition, 0.0) == 30.0
    slow = replace(built.task.definition, interval=300.0)
    assert next_look(built.task, slow, 0.0) == 300.0
    built.play("gone gone gone")
    assert 50.0 < next_look(built.task, built.task.definition, 0.0) <= 60.0


# -- all together


STALL, BEHIND_AFTER = 200.0, 120.0
moves = st.lists(
    st.tuples(
        st.sampled_from(["ok", "ok", "bad", "gone", "no", "same", "still", "restart", "kill"]),
        st.sampled_from([30.0, 30.0, 45.0, 60.0, 600.0]),
    ),
    max_size=60,
)


@dataclass
class Onlooker:
    """The rules, counted anew at each look from all that was seen, in seconds."""

    need: int
    health: str = "ok"
    since: float = 0.0
    seen: list[tuple[float, str, bool]] = field(default_factory=list)  # when, what, in trouble then
    counts_from: int = 0
    still: float = 0.0
    fresh: bool = True

    mark: float = 0.0

    def forget(self, at: float) -> None:
        """Patience begins anew."""
        self.counts_from, self.still, self.mark = len(self.seen), 0.0, at

    def look(self, at: float, what: str) -> str:
        before = self.seen[-1][0] if self.seen else 0.0
        pace = 60 if self.seen and self.seen[-1][1] == "gone" else 30
        if at - before > 3 * pace + 5 + 10:
            self.forget(at)
        new = self._judge(at, what)
        if new != self.health:
            self.health, self.since = new, at
        return new

    def _judge(self, at: float, what: str) -> str:
        if what in ("gone", "no"):
            self.seen.append((at, what, False))
            return "unreachable" if what == "gone" or self._refuses(at) else self.health
        self._stand(at, what)
        old = what in ("same", "still")
        stands = old and not self.fresh and (self.still >= STALL or self.health == "stalled")
        self.fresh = False
        good = what in ("ok", "same") and not stands
        self.seen.append((at, what, good))
        if stands:
            return "stalled"
        counted = self.seen[self.counts_from :]
        run = next((n for n, each in enumerate(reversed(counted)) if not each[2]), len(counted))
        if good:
            return "ok" if run >= self.need else self.health
        began = self._spell(counted)
        if self.health in ("behind", "stalled", "unreachable"):
            began = min(began, self.since)
        return "behind" if at - began >= BEHIND_AFTER else self.health

    def _refuses(self, at: float) -> bool:
        run = []
        for when, what, _ in reversed(self.seen):
            if what != "no":
                break
            run.append(when)
        return len(run) >= 3 and at - run[-1] >= 300

    def _spell(self, counted: list[tuple[float, str, bool]]) -> float:
        """Since when there were never `need` good looks in a row."""
        began, run = None, 0
        for when, _, good in counted:
            run = run + 1 if good else 0
            if run >= self.need:
                began = None
            elif not good and began is None:
                began = when
        assert began is not None
        return began

    def _stand(self, at: float, what: str) -> None:
        """Add to the time in which nothing new came; without an answer it does not pass."""
        last = max((when for when, each, _ in self.seen if each != "gone"), default=0.0)
        if what not in ("same", "still") or self.fresh:
            self.still = 0.0
        elif self.health != "unreachable":
            self.still += at - self.mark
        elif at - last >= STALL:
            self.still = 0.0
        else:
            self.still += max(0.0, last - self.mark)
        self.mark = at


@given(moves, st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_health_is_what_the_rules_say_of_all_that_was_seen(
    story: list[tuple[str, float]], need: int
) -> None:
    """An onlooker who keeps every look and counts anew each time comes to the same."""
    built = node(confirmations=need, stall_after=STALL, behind_after=BEHIND_AFTER)
    begun = built.now
    onlooker = Onlooker(need)
    for word, seconds in story:
        if word in ("restart", "kill"):
            if word == "kill":  # what was live is as old as the last durable change, or newer
                built.task = reloaded(built.task)
            built.give(inputs.Attach())
            onlooker.forget((built.now - begun) / 1000)
            continue
        built.play(word, seconds)
        expected = onlooker.look((built.now - begun) / 1000, word)
        assert built.task.health == expected, (word, built.now - begun)
    told = [each.data["health"] for each in built.facts]
    assert all(one != other for one, other in zip(["ok", *told], told, strict=False))
    assert built.task.status is Status.COMPLETE


def test_a_story_of_a_live_task_knows_no_watch() -> None:
    """Without keep_watching everything is as it was, the tick of time included."""
    story = Story().play("start; see 1/2; done; done; tick; gone; retry")
    assert story.told == ["start", "complete", "start#2"]


@pytest.mark.parametrize(
    ("looks", "known"),
    [
        ("ok", True),
        ("bad", False),  # its health is patient for two minutes; who asks now is told of now
        ("bad ok", True),
        ("bad bad bad bad bad bad", False),
        ("bad bad bad bad bad bad ok", False),  # not yet confirmed
        ("gone", False),
        ("gone ok ok", True),
    ],
)
def test_in_sync_now_is_by_the_newest_look_too(looks: str, known: bool) -> None:
    """True only of who is well and whose newest look was good."""
    assert in_sync(node().play(looks).task) is known


def test_of_what_nobody_looks_at_it_is_not_known_whether_it_is_in_sync() -> None:
    """Before the end, while a watch is paused, and where there is none."""
    assert in_sync(Node(pending()).give(inputs.Start()).task) is None
    assert in_sync(node().give(inputs.Pause()).task) is None
    assert in_sync(node(keep_watching=False).task) is None


def test_who_keeps_pace_while_the_clock_is_wrong_counts_as_in_sync() -> None:
    """Ages decide nothing then, and its score tells."""
    built = node().play("ok ok")
    built.clock_off = True
    assert in_sync(built.play("ok ok ok").task) is True
    assert in_sync(built.play("slow slow").task) is None
