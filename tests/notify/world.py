"""A host by chance: tasks whose health changes, a daemon and a notifier that stop and are killed.

`World.live` lets it happen, event by event, and the rules hear of it as `kaspad-taskd-notify` would:
state, cursor and messages are committed together, a kill loses what was not. All times are true
ones, in ms; what the host's clock showed is `wall`.
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
    """What is so with a task."""

    health: str = "ok"
    relapse: bool = False
    paused: bool = False


def rule_by(chance: Random, name: str) -> Rule:
    """A rule by chance."""
    return Rule(
        name,
        after=chance.choice((0.0, 60.0, 300.0)),
        repeat=chance.choice((None, 3600.0, 43_200.0)),
        gather=chance.choice((0.0, 30.0)),
        quiet=chance.choice((None, None, Quiet(23 * 60, 7 * 60))),
    )


@dataclass
class World:
    """A host by chance."""

    chance: Random
    now: int = 0
    set_by: int = 0  # what its clock is ahead of the true time
    rules: tuple[Rule, ...] = ()
    happened: list[Happened] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    daemon: list[tuple[int, int]] = field(default_factory=list)  # when it did not answer
    notifier: list[tuple[int, int]] = field(default_factory=list)  # when it was not there
    kills: list[int] = field(default_factory=list)
    life: int = 0  # what `now` of this life is ahead of the true time
    cursor: int = 0
    quick: bool = True
    down: int | None = None
    away: int | None = None

    def __post_init__(self) -> None:
        self.now = self.chance.choice(STARTS) + self.chance.randrange(DAY)
        self.began = self.now
        self.rules = tuple(rule_by(self.chance, name) for name in ("a", "b"))
        self.tasks = {f"node-sync-{name}": Task() for name in ("x", "y")}
        self.state = rules.first("5eed")
        snapshot = rules.Snapshot([self._shape(task) for task in self.tasks])
        self.state = rules.see(self.state, self.rules, snapshot, self.now)
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
        self._pass(30 * HOUR)

    def _change(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is not None or one.paused:
            return
        one.health = "ok" if one.health in BAD and self.chance.random() < 0.6 else self._bad()
        self._tell(task, "sync:health", one.health, health=one.health)

    def _bad(self) -> str:
        return self.chance.choice((*BAD, "unknown"))

    def _pause(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused:
            one.paused, one.relapse, one.health = True, False, "unknown"
            self._tell(task, "sync:cancelled")
        elif self.down is None:
            one.paused, one.health = False, "ok"
            self._tell(task, "sync:start", attempt=2)

    def _fail(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused:
            one.paused, one.relapse, one.health = True, False, "unknown"
            self._tell(task, "sync:error", error="It broke.", reason="gave-up")

    def _relapse(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and not one.paused and not one.relapse:
            one.relapse, one.health = True, "ok"
            self._tell(task, "sync:start", "relapse", attempt=2, because="far-behind")

    def _complete(self) -> None:
        task = self._some()
        one = self.tasks[task]
        if self.down is None and one.relapse:
            if one.health != "ok":
                self._tell(task, "sync:health", "ok", health="ok")
            one.relapse, one.health = False, "ok"
            self._tell(task, "sync:complete", because="far-behind")

    def _set_clock(self) -> None:
        """Somebody sets the clock while all is up; a progress says so at once."""
        if self.down is None and self.away is None and not any(one.quiet for one in self.rules):
            self.set_by += self.chance.choice((-1, 1)) * self.chance.choice((HOUR, 3 * DAY))
            self._progress()
            self._commit()

    def _progress(self) -> None:
        if self.down is None and self.away is None:
            data = {"timestamp": iso(self.wall()), "taskId": "node-sync-x", "service": "x"}
            self._rules_hear([{"seq": 0, "event": "sync:progress", "data": data}])

    # -- those who come and go

    def _stop(self, back: bool = False) -> None:
        """The daemon stops, or is there again."""
        if self.down is not None:
            self.daemon.append((self.down, self.now))
            self.down = None
            if self.away is None:
                self._catch_up()
                self.state = rules.answers(self.state, self.rules, self._given())
        elif not back:
            self.down = self.now
            if self.away is None:
                self._silence(self.now)

    def _leave(self, back: bool = False) -> None:
        """The notifier stops, or is there again."""
        if self.away is None and not back:
            self._commit()
            self.away = self.now
        elif self.away is not None:
            self.notifier.append((self.away, self.now))
            self.away = None
            self._begin()

    def _kill(self) -> None:
        if self.away is None:
            self._commit()
            self._lose()

    def _lose(self) -> None:
        """It is killed, and all since the last commit is lost."""
        if self.away is None:
            self.kills.append(self.now)
            self._begin()

    def _begin(self) -> None:
        self.life = self.set_by
        self.state = rules.decode(json.loads(json.dumps(rules.encode(self.kept.state))))
        self.cursor = self.kept.cursor
        del self.heard[self.kept.told :]
        if self.down is not None:
            self._silence(self.now)
            return
        self._catch_up()
        self.state = rules.answers(self.state, self.rules, self._given())

    def _silence(self, since: int) -> None:
        self.state = rules.silent(self.state, self.rules, since + self.life, self._given())

    # -- how the rules hear of it

    def wall(self) -> int:
        """What the clock of the host shows."""
        return self.now + self.set_by

    def _given(self) -> int:
        return self.now + self.life

    def _pass(self, span: int) -> None:
        until = self.now + span
        while self.away is None:
            due = rules.due(self.state, self.rules)
            if due is None or due - self.life > until:
                break
            self.now = max(self.now, due - self.life)
            self._tick()
        self.now = until

    def _tick(self) -> None:
        self.state, told = rules.tick(self.state, self.rules, self._given(), ZONE)
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
        self._rules_hear(self.journal[self.cursor :])
        self.cursor = len(self.journal)

    def _rules_hear(self, events: list[dict[str, Any]]) -> None:
        self.state = rules.hear_all(self.state, self.rules, events, self._given())

    def _some(self) -> str:
        return self.chance.choice(tuple(self.tasks))

    def _shape(self, task: str) -> dict[str, Any]:
        return {
            "id": task, "service": task[-1], "status": "complete", "watch": "on", "health": "ok",
            "healthSince": iso(self.wall() - DAY), "completedAt": iso(self.wall() - DAY),
        }  # fmt: skip
