"""A host by chance: tasks whose health changes, a daemon and a notifier that stop and are killed.

`World.live` lets it happen, event by event, and the rules hear of it as `kaspad-taskd-notify`
would: state, cursor and messages are committed together, a kill loses what was not. All times are
true ones, in ms; what the host's clock showed is `wall`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from kaspad_taskd.notify import rules
from kaspad_taskd.notify.model import Message, Quiet, Rule
from tests.notify.told import iso

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
ZONE = ZoneInfo("Europe/Vienna")
STARTS = (
    1_774_700_000_000,  # 28 March 2026, the night in which the clock is set forward
    1_792_900_000_000,  # 25 October 2026, the one in which it is set back
    1_780_000_000_000,
)
SPANS = (SECOND, 20 * SECOND, MINUTE, 4 * MINUTE, 6 * MINUTE, 40 * MINUTE, 5 * HOUR)
BAD = ("behind", "stalled", "unreachable")


@dataclass(frozen=True)
class Happened:
    """An event as it was: when truly, when by the clock of the host, and to whom."""

    at: int
    wall: int
    task: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class Heard:
    """A message, and when it was truly made."""

    at: int
    message: Message


@dataclass
class Kept:
    """What is on the notifier's disk."""

    state: rules.State
    cursor: int = 0
    told: int = 0


@dataclass
class Task:
    """What is so with a task: moments are true ones; `code`: what is bad, as far as was heard."""

    health: str = "ok"
    relapse: bool = False
    paused: bool = False
    status: str = "complete"
    since: int = 0
    began: int = 0
    ended: int = 0
    code: str = ""


def rule_by(chance: Random, name: str) -> Rule:
    """A rule by chance."""
    return Rule(
        name,
        after=chance.choice((0.0, 60.0, 300.0)),
        repeat=chance.choice((None, 10_800.0, 43_200.0)),
        gather=chance.choice((0.0, 30.0)),
        quiet=chance.choice((None, None, Quiet(23 * 60, 7 * 60))),
    )


@dataclass
class World:
    """A host by chance; `play`: the rules by which it is told of (tests/notify/fleet_world.py)."""

    chance: Random
    play: Any = rules
    now: int = 0
    set_by: int = 0  # what its clock is ahead of the true time
    rules: tuple[Rule, ...] = ()
    happened: list[Happened] = field(default_factory=list)
    inferred: list[Happened] = field(default_factory=list)  # in the place of what was missed
    journal: list[dict[str, Any]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    daemon: list[tuple[int, int]] = field(default_factory=list)  # when it did not answer
    notifier: list[tuple[int, int]] = field(default_factory=list)  # when it was not there
    kills: list[int] = field(default_factory=list)
    life: int = 0  # what `now` of this life is ahead of the true time
    cursor: int = 0
    last: int = 0  # when what was heard of last was
    contact: int = 0  # until when it was known how all is
    deaf: int | None = None  # since when nothing is known of the daemon
    down: int | None = None
    away: int | None = None

    def __post_init__(self) -> None:
        self.now = self.chance.choice(STARTS) + self.chance.randrange(DAY)
        self.began = self.now
        self.rules = tuple(rule_by(self.chance, name) for name in ("a", "b"))
        self.last = self.now
        old = self.now - DAY
        self.tasks = {
            f"node-sync-{name}": Task(since=old, began=old, ended=old) for name in ("x", "y")
        }
        self.state = self.play.first("5eed")
        snapshot = rules.Snapshot([self._shape(task) for task in self.tasks])
        self.state = self.play.see(self.state, self.rules, snapshot, self.now)
        self._commit()

    # -- what happens

    def live(self, steps: int) -> None:
        """Let so many things happen, and then nothing for days."""
        acts = [self._change] * 10 + [
            self._pause, self._fail, self._relapse, self._complete, self._kill, self._lose,
            self._leave, self._stop, self._progress, self._set_clock,
        ]  # fmt: skip
        for _ in range(steps):
            self._pass(self.chance.choice(SPANS) + self.chance.randrange(SECOND))
            self.chance.choice(acts)()
        self._leave(back=True)
        self._stop(back=True)
        self._pass(13 * HOUR)  # longer than a night

    def _change(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is not None or one.paused:
            return
        one.health = "ok" if one.health in BAD and self.chance.random() < 0.6 else self._bad()
        self._tell(task, "sync:health", one.health, health=one.health)
        one.since = self.now

    def _bad(self) -> str:
        return self.chance.choice((*BAD, "unknown"))

    def _pause(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused:
            one.paused, one.relapse, one.health = True, False, "unknown"
            self._tell(task, "sync:cancelled")
            one.status, one.since, one.ended = "cancelled", self.now, self.now
        elif self.down is None:
            one.paused, one.health = False, "ok"
            self._tell(task, "sync:start", attempt=2)
            one.status, one.since, one.began = "in-progress", self.now, self.now

    def _fail(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused:
            one.paused, one.relapse, one.health = True, False, "unknown"
            self._tell(task, "sync:error", error="It broke.", reason="gave-up")
            one.status, one.since, one.ended = "error", self.now, self.now

    def _relapse(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused and not one.relapse:
            one.relapse, one.health = True, "ok"
            self._tell(task, "sync:start", "relapse", attempt=2, because="far-behind")
            one.status, one.since, one.began = "in-progress", self.now, self.now

    def _complete(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and one.relapse:
            if one.health != "ok":
                self._tell(task, "sync:health", "ok", health="ok")
            one.relapse, one.health = False, "ok"
            self._tell(task, "sync:complete", because="far-behind")
            one.status, one.since, one.ended = "complete", self.now, self.now

    def _set_clock(self) -> None:
        """Somebody sets the clock while all is up; a progress says so at once."""
        if self.down is None and self.away is None and not any(one.quiet for one in self.rules):
            self.set_by += self.chance.choice((-1, 1)) * self.chance.choice((HOUR, 3 * DAY))
            self._progress()
            self._commit()

    def _progress(self) -> None:
        if self.down is None and self.away is None:
            data = {"timestamp": iso(self.wall()), "taskId": "node-sync-x", "service": "x"}
            self.last = self.now
            self._rules_hear([{"seq": 0, "event": "sync:progress", "data": data}])

    # -- those who come and go

    def _stop(self, back: bool = False) -> None:
        """The daemon stops, or is there again."""
        if self.down is not None:
            self.daemon.append((self.down, self.now))
            self.down = None
            if self.away is None:
                self._catch_up()
                self._answers()
        elif not back:
            self.down = self.now
            if self.away is None:
                self.contact = self.now
                self._silence(self.now)

    def _leave(self, back: bool = False) -> None:
        """The notifier stops, or is there again."""
        if self.away is None and not back:
            self._tick()
            self._commit()
            self.contact = self.now if self.deaf is None else self.contact
            self.away = self.now
        elif self.away is not None:
            self.notifier.append((self.away, self.now))
            self.away = None
            self._begin(gap=self.down is None and self.chance.random() < 0.3)

    def _kill(self) -> None:
        if self.away is None:
            self._commit()
            self._lose()

    def _lose(self) -> None:
        """It is killed, and all since the last commit is lost."""
        if self.away is None:
            self.kills.append(self.now)
            self._begin()

    def _begin(self, gap: bool = False) -> None:
        self.life = self._clock()
        self.state = self.play.decode(json.loads(json.dumps(self.play.encode(self.kept.state))))
        self.cursor = self.kept.cursor
        del self.heard[self.kept.told :]
        self.state = self.play.silent(self.state, self.rules, self._given(), self._given())
        if self.down is not None:
            self._silence(self.now)
            return
        if gap:
            self._see()
        self._catch_up()
        self._answers()
        if gap:
            self._commit()

    def _answers(self) -> None:
        self.state = self.play.answers(self.state, self.rules, self._given())
        self.deaf = None

    def _see(self) -> None:
        """What happened meanwhile is lost: what is so now is asked for."""
        unheard = len(self.journal) - self.cursor
        lost = self.happened[len(self.happened) - unheard :]
        del self.happened[len(self.happened) - unheard :]
        snapshot = rules.Snapshot([self._shape(task) for task in self.tasks])
        self.state = self.play.see(self.state, self.rules, snapshot, self._given())
        self.cursor = len(self.journal)
        for task in sorted({each.task for each in lost}):
            self.inferred += self._infer(task, self.tasks[task])
        self.last = self.now

    def _infer(self, task: str, one: Task) -> list[Happened]:
        """What can be known of a task of which something was missed."""

        def happened(at: int, name: str, value: str = "") -> Happened:
            return Happened(at, at + self.set_by, task, name, value)

        if one.status == "cancelled":
            return [happened(self.now, "sync:cancelled")]
        if one.status == "error":
            return [happened(one.ended, "sync:error")]
        found = []
        if one.status == "in-progress" and one.began > self.last:
            one.code = "relapse" if one.relapse else ""
            found.append(happened(one.began, "sync:start", one.code))
        if one.status == "complete" and one.ended > self.last:
            found.append(happened(one.ended, "sync:complete", "unheard"))
        if one.health == one.code and one.since > self.last:
            found.append(happened(min(self.contact, one.since), "sync:health", "lost"))
        found.append(happened(one.since, "sync:health", one.health))
        one.code = one.health if one.health in BAD else one.code
        return found

    def _silence(self, since: int) -> None:
        self.state = self.play.silent(self.state, self.rules, since + self.life, self._given())
        self.deaf = since if self.deaf is None else self.deaf
        self._commit()

    def _clock(self) -> int:
        """What the notifier's clock is ahead of the true time: it is that of the host."""
        return self.set_by

    # -- how the rules hear of it

    def wall(self) -> int:
        """What the clock of the host shows."""
        return self.now + self.set_by

    def _given(self) -> int:
        return self.now + self.life

    def _pass(self, span: int) -> None:
        until = self.now + span
        while self.away is None:
            due = self.play.due(self.state, self.rules)
            if due is None or due - self.life > until:
                break
            self.now = max(self.now, due - self.life)
            self._tick()
        self.now = until

    def _tick(self) -> None:
        self.state, told = self.play.tick(self.state, self.rules, self._given(), ZONE)
        self.heard += [Heard(self.now, message) for message in told]
        if told:
            self._commit()

    def _commit(self) -> None:
        self.kept = Kept(self.state, self.cursor, len(self.heard))

    def _tell(self, task: str, name: str, value: str = "", **data: Any) -> None:
        self.now += 1  # no two events are of one moment
        seq = len(self.journal) + 1
        head = {"seq": seq, "timestamp": iso(self.wall()), "taskId": task, "service": task[-1]}
        if name == "sync:health" and data["health"] == "unknown":
            data["reason"] = "clock-skew"
        self.journal.append({"seq": seq, "event": name, "data": {**head, **data}})
        self.happened.append(Happened(self.now, self.wall(), task, name, value))
        if self.away is None:
            self._catch_up()
            if self.chance.random() < 0.5:
                self._commit()

    def _catch_up(self) -> None:
        events = self.journal[self.cursor :]
        self._rules_hear(events)
        for each in self.happened[len(self.happened) - len(events) :]:
            one = self.tasks[each.task]
            self.last = each.at
            if each.value in BAD or each.value == "relapse":
                one.code = each.value
            elif each.value != "unknown":
                one.code = "relapse" if one.code == "relapse" and each.value == "ok" else ""
        self.cursor = len(self.journal)

    def _rules_hear(self, events: list[dict[str, Any]]) -> None:
        self.state = self.play.hear_all(self.state, self.rules, events, self._given())

    def _some(self) -> str:
        return self.chance.choice(tuple(self.tasks))

    def _shape(self, task: str) -> dict[str, Any]:
        one = self.tasks[task]
        ended = iso(one.ended + self.set_by)
        return {
            "id": task, "service": task[-1], "status": one.status, "health": one.health,
            "healthSince": iso(one.since + self.set_by), "startedAt": iso(one.began + self.set_by),
            "completedAt": ended, "erroredAt": ended, "error": "It broke.",
            "reason": "clock-skew" if one.health == "unknown" else None,
            "because": "far-behind" if one.relapse else None,
        }  # fmt: skip
