"""Redis and a daemon's journal as far as a relay sees them: lost and repeated by chance."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.relay import plan
from kaspad_taskd.fleet.relay.batch import Batch, Command, Sender, beginning, commands

HOST = "h"
KEEP = 20


class Smaller(Exception):
    """The id of an entry is not beyond the last one."""


class Lost(Exception):
    """No answer came, or there is nothing any more where something was."""


def text(value: str | bytes | int) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@dataclass
class Engine:
    """Streams, hashes and strings; of a transaction single commands may be refused.

    `begun`: behind which event each stream begins.
    """

    begun: dict[str, int] = field(default_factory=dict)
    streams: dict[str, list[plan.Entry]] = field(default_factory=dict)
    hashes: dict[str, dict[str, str]] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)
    expiring: set[str] = field(default_factory=set)

    def do(self, given: Sequence[Command]) -> list[Any]:
        return [self._one(*map(text, command)) for command in given]

    def entries(self, part: str) -> list[plan.Entry]:
        return self.streams.get(keys.key(HOST, part), [])

    def newest(self, part: str) -> plan.Entry | None:
        found = self.entries(part)
        return found[-1] if found else None

    def hash(self, part: str) -> dict[str, str]:
        return self.hashes.get(keys.key(HOST, part), {})

    def _one(self, name: str, key: str, *rest: str) -> Any:
        match name:
            case "XADD":
                return self._add(key, list(rest))
            case "HSET":
                self.hashes.setdefault(key, {}).update(pairs(rest))
            case "HDEL":
                for each in rest:
                    self.hashes.get(key, {}).pop(each, None)
            case "SET":
                self.strings[key] = rest[0]
            case "EXPIRE":
                self.expiring.add(key)
            case "DEL":
                for each in (key, *rest):
                    self.streams.pop(each, None)
                    self.hashes.pop(each, None)
                    self.strings.pop(each, None)
            case _:
                raise AssertionError(f"{name} is no command of a relay")
        return 1

    def _add(self, key: str, rest: list[str]) -> str | Smaller | None:
        keep = None
        if rest[0] == "NOMKSTREAM":
            if key not in self.streams:
                return None
            rest = rest[1:]
        if rest[:2] == ["MAXLEN", "~"]:
            keep, rest = int(rest[2]), rest[3:]
        stream = self.streams.setdefault(key, [])
        if stream and keys.number_of(rest[0]) <= keys.number_of(stream[-1][0]):
            return Smaller()
        stream.append((rest[0], pairs(rest[1:])))
        if keep is not None and len(stream) > keep + 3:  # a node of it goes as a whole
            del stream[: len(stream) - keep]
        return rest[0]


def pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


@dataclass
class Journal:
    """What a daemon has on record, and what people, disks and machines do to it."""

    chance: Random
    identity: str = "aa"
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    seq: int = 0
    made: int = 0

    @property
    def oldest(self) -> int:
        return min(self.events, default=self.seq + 1)

    def tell(self, count: int) -> None:
        for _ in range(count):
            self.seq, self.made = self.seq + 1, self.made + 1
            data = {"taskId": f"t{self.made % 3}", "timestamp": self.made}
            self.events[self.seq] = {"seq": self.seq, "event": "sync:health", "data": data}

    def forget(self) -> None:
        for number in sorted(self.events)[: self.chance.randint(0, len(self.events))]:
            del self.events[number]

    def restore(self) -> None:
        """Another identity, at a higher number; what was told last is not in it."""
        self.identity = f"{int(self.identity, 16) + 1:x}"
        cut = self.seq - self.chance.randint(0, 10)
        self.events = {number: each for number, each in self.events.items() if number <= cut}
        higher = self.chance.randint(0, 30)
        if higher:
            self.events = {}
            self.seq += higher
        else:
            self.seq = max(cut, 0)

    def roll_back(self) -> None:
        """The machine was put back: the same identity, an earlier number."""
        self.seq = max(self.oldest - 1, self.seq - self.chance.randint(0, 30))
        self.events = {number: each for number, each in self.events.items() if number <= self.seq}

    def facts(self, last: plan.Told | None) -> plan.Facts:
        there = None if last is None else self.events.get(last.number)
        known = None if there is None else plan.told_event(there)
        return plan.Facts(self.identity, self.seq, self.oldest, known)


@dataclass
class World:
    """A relay between both, as its session goes about it."""

    chance: Random
    engine: Engine = field(default_factory=Engine)
    journal: Journal = field(init=False)
    kept: list[Engine] = field(default_factory=list)
    run: int = 0
    count: int = 0
    sender: Sender | None = None
    batch: Batch | None = None
    at: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(self.chance)

    def begin(self, write: Callable[[list[Command]], list[Any]]) -> None:
        """Read back what is there, see what the daemon has, and begin."""
        self.batch = None
        meta = self.engine.hash(keys.META)
        found = plan.Found(meta.get("journal", ""), meta.get("stream", ""))
        found = plan.read(found, self.journal.identity, self.engine.newest)
        start = plan.start(found, self.journal.facts(found.last), KEEP)
        self.sender = Sender(HOST, f"r{self.run}", start.stream, KEEP, found.last is None)
        self.count = max(self.count, plan.count_of(self.engine.newest(keys.NOW)))
        self.at = start.after
        if found.last is None or start.stream != plan.candidate(found, self.journal.identity):
            self.engine.begun[start.stream] = start.after
        batch = Batch(start.after, anew=True)
        gap = json.dumps(start.gap)
        said = {"journal": self.journal.identity, "stream": start.stream, "gap": gap}
        self.write(batch, write, beginning(self.sender, start, said), True)

    def go_on(self, write: Callable[[list[Command]], list[Any]], most: int) -> None:
        """Write some of what the daemon tells."""
        if self.batch is None or self.sender is None:
            self.begin(write)
        batch = Batch(self.at)
        for number in range(self.at + 1, min(self.at + most, self.journal.seq) + 1):
            batch.hear(self.journal.events[number])
        self.write(batch, write)

    def write(
        self,
        batch: Batch,
        write: Callable[[list[Command]], list[Any]],
        first: Sequence[Command] = (),
        make: bool = False,
    ) -> None:
        assert self.sender is not None
        given = commands(batch, self.sender, self.count + 1, 0, {"answers": True}, first, make)
        self.batch = None
        for answer in write(given):
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                raise Lost
        if batch.events:
            self.sender = replace(self.sender, make=False)
        self.count, self.at, self.batch = self.count + 1, batch.last, batch

    # what Redis may do to a transaction

    def sound(self, given: list[Command]) -> list[Any]:
        return self.engine.do(given)

    def unsound(self, given: list[Command]) -> list[Any]:
        """It is lost on the way, or its answer is; or it comes twice, or others fail over."""
        fate = self.chance.randint(0, 9)
        if fate == 0:
            raise Lost
        answers = self.engine.do(given)
        if fate == 1:
            raise Lost
        if fate == 2:
            answers = self.engine.do(given)
        if self.chance.randint(0, 3) == 0:
            self.kept.append(copy.deepcopy(self.engine))
        return answers

    def empty(self) -> None:
        """Somebody empties it, and no line is cut."""
        self.engine = Engine()

    def fail_over(self) -> None:
        """Another one goes on, who had not heard all; or nothing is there any more."""
        self.engine = copy.deepcopy(self.chance.choice([*self.kept, Engine()]))
        self.batch = None
