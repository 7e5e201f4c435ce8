"""The rules of a fleet, played by one of its hosts, and a host by chance that is told of so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from random import Random
from typing import Any

from kaspad_taskd.notify import many, rules
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.many import Fleet
from kaspad_taskd.notify.model import Message, Moment, Rule
from kaspad_taskd.notify.snapshot import Snapshot, Wire
from tests.notify.world import World

HOST = "h"


class Play:
    """As `rules`, of a fleet with one host; what is told of that is told as of a daemon."""

    def first(self, series: str) -> Fleet:
        return many.fleet_of(series, 0, {HOST: rules.first(series)})

    def see(self, fleet: Fleet, given: Sequence[Rule], shot: Snapshot, now: Moment) -> Fleet:
        return many.put(fleet, {HOST: rules.see(fleet.of(HOST), given, shot, now)})

    def hear_all(
        self, fleet: Fleet, given: Sequence[Rule], told: Iterable[Wire], now: Moment
    ) -> Fleet:
        return many.put(fleet, {HOST: rules.hear_all(fleet.of(HOST), given, told, now)})

    def silent(self, fleet: Fleet, given: Sequence[Rule], since: Moment, now: Moment) -> Fleet:
        state = rules.silent(fleet.of(HOST), given, since, now, Gone.HOST)
        return many.put(fleet, {HOST: state})

    def answers(self, fleet: Fleet, given: Sequence[Rule], now: Moment) -> Fleet:
        return many.put(fleet, {HOST: rules.answers(fleet.of(HOST), given, now)})

    def tick(
        self, fleet: Fleet, given: Sequence[Rule], now: Moment, zone: tzinfo
    ) -> tuple[Fleet, tuple[Message, ...]]:
        fleet, told = many.tick(fleet, given, now, zone)
        assert all(item.host == HOST for each in told for item in each.items)
        return fleet, tuple(map(_as_of_a_daemon, told))

    def due(self, fleet: Fleet, given: Sequence[Rule]) -> Moment | None:
        return many.due(fleet, given)

    def encode(self, fleet: Fleet) -> Mapping[str, Any]:
        members = {name: rules.encode(each) for name, each in fleet.members.items()}
        return {"series": fleet.series, "number": fleet.number, "members": members}

    def decode(self, kept: Mapping[str, Any]) -> Fleet:
        last = max(each["now"] - each["offset"] for each in kept["members"].values())
        members = {name: many.revived(each, last) for name, each in kept["members"].items()}
        members[many.ENGINE] = replace(members[many.ENGINE], silent=None)  # that is read at once
        return many.fleet_of(kept["series"], kept["number"], members)


def _as_of_a_daemon(message: Message) -> Message:
    items = tuple(replace(i, of="daemon") if i.of == "host" else i for i in message.items)
    return replace(message, items=items)


class FleetWorld(World):
    """A host by chance, told of by somebody elsewhere, whose clock nobody sets."""

    def __init__(self, chance: Random) -> None:
        super().__init__(chance, play=Play())

    def _clock(self) -> int:
        return 0


def of(messages: Collection[Message], host: str) -> list[tuple[str, str, str]]:
    """What was told of a host: kind, of whom, what."""
    found = [item for message in messages for item in message.items if item.host == host]
    return [(str(item.kind), item.of, item.code) for item in found]
