"""What the rules know of a fleet, as it grows with what is heard, and what is not on disk yet.

It stands where kaspad_taskd/notify/mind.py does for one daemon.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from kaspad_taskd.notify import many, rules
from kaspad_taskd.notify.change import Gone, News, Subject
from kaspad_taskd.notify.hosts import FleetWord, Forgotten, Gap, Looked, Stands, Told
from kaspad_taskd.notify.kept import Cursor, cursor_json, cursor_of
from kaspad_taskd.notify.model import Item, Kind, Message, Moment
from kaspad_taskd.notify.settings import Settings
from kaspad_taskd.notify.state import State

ROW: Final = "fleet"
"""The row of the state that has what is of all hosts; each host has one of its own behind it."""

log = logging.getLogger(__name__)


class FleetMind:
    """States and cursors of all hosts: they change together.

    Args:
        kept: the rows of the last life, none for none.
        settings: who wants to be told what.
        now: this moment.

    Attributes:
        cursors: how far each host's events are heard.
        answers: whether the engine can be read.
        since: since when.
        settings: those that hold.
        is_changed: whether it has to be on disk before anything is sent.
        is_alive: whether something is known better that the engine tells again.
        cursor: None: there is none of a single daemon.
    """

    cursor: Cursor | None = None

    def __init__(self, kept: Mapping[str, str], settings: Settings, now: Moment) -> None:
        self.settings = settings
        self.cursors: dict[str, Cursor] = {}
        self.answers = False
        self.since = now
        self._fleet = self._decoded(kept)
        self._unsaved: set[str] = set()
        self._gone: set[str] = set()
        states = {}
        for name, state in self._fleet.members.items():
            mine = many.rules_of(settings.rules, name)
            fitted = rules.fit(state, mine, now)
            gone = Gone.BEYOND if name else Gone.ENGINE
            states[name] = rules.silent(fitted, mine, now, now, gone)
        self._fleet = many.put(self._fleet, states)
        self.is_changed = ROW not in kept
        self.is_alive = False

    def _decoded(self, kept: Mapping[str, str]) -> many.Fleet:
        """The fleet as it was; a host of which it cannot be read is begun anew."""
        try:
            whole = json.loads(kept[ROW])
            series, number, now = str(whole["series"]), int(whole["number"]), int(whole["now"])
        except (KeyError, ValueError, TypeError):
            return many.fleet_of(os.urandom(4).hex(), 0, {})
        members = {}
        for row, text in kept.items():
            name = row.partition(":")[2]
            if not row.startswith(f"{ROW}:"):
                continue
            try:
                one = json.loads(text)
                state = many.revived(one["state"], now)
                cursor = cursor_of(json.dumps(one["cursor"]))
            except (KeyError, ValueError, TypeError) as fault:
                log.warning("what was known of %s is of no use and is begun anew: %s", name, fault)
                continue
            members[name] = state
            if cursor is not None:
                self.cursors[name] = cursor
        return many.fleet_of(series, number, members)

    @property
    def series(self) -> str:
        """What ids of messages begin with."""
        return self._fleet.series

    @property
    def hosts(self) -> tuple[int, int]:
        """How many hosts are known, and how many of them have been silent for a while."""
        members = self._fleet.members
        stirring = (members[name] for name in self._fleet.stirring)
        return len(members) - 1, sum("host" in each.present for each in stirring)

    def rows(self, now: Moment, *, whole: bool = False) -> dict[str, str | None]:
        """Return what is new for the disk by the names of its rows; None: it goes. `whole`: all."""
        names = self._fleet.members if whole else self._unsaved
        found: dict[str, str | None] = {f"{ROW}:{name}": None for name in self._gone}
        for name in names:
            cursor = json.loads(cursor_json(self.cursors.get(name)))
            one = {"state": rules.encode(self._fleet.members[name]), "cursor": cursor}
            found[f"{ROW}:{name}"] = json.dumps(one, separators=(",", ":"))
        head = {"series": self._fleet.series, "number": self._fleet.number, "now": now}
        found[ROW] = json.dumps(head)
        return found

    def encoded(self) -> None:
        """There is no state of a single daemon."""

    def asks(self) -> rules.Asks:
        """Nothing has to be asked for: what is read has it."""
        return rules.Asks()

    def adapt(self, settings: Settings, now: Moment) -> None:
        """Let other settings hold."""
        self.settings = settings
        states = {
            name: rules.fit(state, many.rules_of(settings.rules, name), now)
            for name, state in self._fleet.members.items()
        }
        self._put(states)
        self.is_changed = True

    def _put(self, states: Mapping[str, State | None]) -> None:
        self._fleet = many.put(self._fleet, states)
        self._unsaved |= {name for name, each in states.items() if each is not None}

    # -- what is heard

    def take(self, words: Sequence[FleetWord], now: Moment, _answered: Moment) -> None:
        """Learn what is heard of hosts; whatever is wrong with one is its own affair."""
        states: dict[str, State | None] = {}
        for word in words:
            if isinstance(word, Forgotten):
                self._forget(word.host, states)
                continue
            state = states.get(word.host) or self._fleet.of(word.host)
            try:
                states[word.host] = self._learn(state, word, now)
            except Exception:
                log.exception("what is heard of %s cannot be taken", word.host)
        if states:
            self._put(states)

    def _forget(self, host: str, states: dict[str, State | None]) -> None:
        log.info("%s is forgotten: nothing of it is there any more", host)
        self.cursors.pop(host, None)
        self._unsaved.discard(host)
        self._gone.add(host)
        states[host] = None
        self.is_changed = True

    def _learn(self, state: State, word: FleetWord, now: Moment) -> State:
        mine = many.rules_of(self.settings.rules, word.host)
        if isinstance(word, Told):
            self.is_changed = True
            self._gone.discard(word.host)
            after = self._hear(state, word, now)
            self.cursors[word.host] = word.cursor
            return after
        if isinstance(word, Looked):
            after = rules.learn(state, mine, now, word.tasks, word.warnings)
            if word.clock is not None:
                after = rules.clock(after, mine, word.clock, now)
            same = after.desks is state.desks and after.present is state.present
            self.is_changed |= not same
            self.is_alive = True
            return after
        assert isinstance(word, Stands)
        self.is_changed = True
        if not word.host:
            self.answers, self.since = word.gone is None, now
        if word.gone is None:
            return rules.answers(state, mine, now)
        return rules.silent(state, mine, now - round(word.ago * 1000), now, word.gone)

    def _hear(self, state: State, told: Told, now: Moment) -> State:
        mine, shot = many.rules_of(self.settings.rules, told.host), told.snapshot
        if shot is not None and not told.gaps:
            return rules.see(state, mine, shot, now)
        before, behind = told.events[: told.before], told.events[told.before :]
        state = rules.hear_all(state, mine, before, now)
        last = state.last
        state = rules.hear_all(state, mine, behind, now)
        if shot is None:
            return state
        late = {str(each["data"].get("taskId")) for each in behind}
        state = rules.see(state, mine, shot, now, gap=(last, late))
        for gap in told.gaps:
            log.warning("%s: events %d to %d are not there any more", told.host, *gap)
        return rules.tell(state, mine, [_missing(told.gaps)], now)

    # -- what is told

    def pass_time(self, now: Moment, wall: Moment, zone: tzinfo) -> tuple[Message, ...]:
        """Return what is to be told now; `wall`: what clocks show."""
        before = self._fleet.members
        try:
            self._fleet, messages = self._ticked(self._fleet, now, wall, zone)
        except Exception:
            log.exception("what is known of the fleet cannot be told")
            self._begin_anew(now, wall, zone)
            return ()
        after = self._fleet.members
        if messages:
            self.is_changed = True
            self._unsaved |= {n for n, each in after.items() if each is not before.get(n)}
        return messages

    def _ticked(
        self, fleet: many.Fleet, now: Moment, wall: Moment, zone: tzinfo
    ) -> tuple[many.Fleet, tuple[Message, ...]]:
        given = self.settings
        page = given.page_url or ""
        return many.tick(fleet, given.rules, now, zone, given.host, page, wall)

    def _begin_anew(self, now: Moment, wall: Moment, zone: tzinfo) -> None:
        """Begin those anew of whom nothing can be told: a fault of ours, and theirs alone."""
        for name in self._fleet.stirring:
            alone = many.fleet_of(self.series, 0, {name: self._fleet.of(name)})
            try:
                self._ticked(alone, now, wall, zone)
            except Exception:
                log.error("what was known of %s is begun anew", name or "the engine")
                self._put({name: State(self.series, now=now)})
                self.is_changed = True

    def due(self, ahead: int) -> Moment | None:
        """Return when time has to pass next, if nothing is heard before; None: then not at all.

        `ahead`: what clocks on the wall are ahead of our moments.
        """
        return many.due(self._fleet, self.settings.rules, ahead)

    def saved(self) -> None:
        """All of it is on disk."""
        self.is_changed = self.is_alive = False
        self._unsaved.clear()
        self._gone.clear()


def _missing(gaps: Sequence[Gap]) -> News:
    """What is told of events that nobody will hear."""
    params: dict[str, Any] = {"after": gaps[0][0], "next": gaps[-1][1]}
    about = Subject("host")
    return News(about, Item(Kind.TROUBLE, about.of, "", "gap", params))
