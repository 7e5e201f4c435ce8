"""The notifier at work: one thread decides and writes, others listen and send.

What is heard, what the rules make of it and what is to be sent are on disk in one transaction
before anything is sent. Where the disk takes nothing, it goes on from memory: somebody wants to
know.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.beside import Places
from kaspad_taskd.notify import saying, trying
from kaspad_taskd.notify.delivery import Entry, Fate
from kaspad_taskd.notify.ear import Stopped
from kaspad_taskd.notify.follow import HELD, Follower
from kaspad_taskd.notify.keeping import Keeper
from kaspad_taskd.notify.mind import Mind
from kaspad_taskd.notify.model import Message, Moment, Outcome, Target, Why
from kaspad_taskd.notify.moments import Moments, zone
from kaspad_taskd.notify.outbox import Outbox
from kaspad_taskd.notify.posting import Errand, Post, Tried
from kaspad_taskd.notify.sending import beat, send
from kaspad_taskd.notify.settings import Settings, load
from kaspad_taskd.notify.status import Condition, StatusFile, line
from kaspad_taskd.notify.store import Kept, Store
from kaspad_taskd.notify.thinking import AnyWord, Listening, Thinking
from kaspad_taskd.systemd.notify import Notifier

LONGEST: Final = 5.0
"""Seconds between two turns at most."""
GRACE: Final = 2.5
"""Seconds that a stop gives to what is being sent."""
LAST: Final = 1.0
"""Seconds in which what was cut short has to answer."""
DEAF: Final = 90.0
"""Seconds for which the thread that listens may give no sign: the watchdog hears nothing then."""
BEAT: Final = "heartbeat"
"""The place of the dead man's switch."""
AGAIN: Final = 60.0
"""Seconds after which a heartbeat that failed is tried again."""
ANSWERED: Final = 60.0
"""Seconds within which the daemon must have answered for one."""
ZONE: Final = 60.0
"""Seconds after which somebody may have moved."""

log = logging.getLogger(__name__)


class Stop:
    """Somebody wants it to end."""


class Reload:
    """Somebody has changed the settings."""


@frozen
class Said:
    """A word of who listens."""

    word: AnyWord


Input: TypeAlias = Said | Tried | trying.Asked | Stop | Reload


class House:
    """The whole of it.

    Args:
        places: where things are.
        settings: as they were read.
        store: open.
        systemd: who is told how it goes.
        pulse: seconds between two beats for the watchdog, None for none.
    """

    def __init__(
        self,
        places: Places,
        settings: Settings,
        store: Store,
        systemd: Notifier,
        pulse: float | None,
    ) -> None:
        self._places = places
        self._moments = Moments()
        now = self._moments.now()
        kept = store.load(now)
        _tell_of(kept)
        self._outbox = Outbox(kept.outbox, now)
        self._keeper = Keeper(store)
        self._systemd = systemd
        self._pulse = pulse
        self._inputs: SimpleQueue[Input] = SimpleQueue()
        self._room = threading.BoundedSemaphore(HELD)
        self._ending = threading.Event()
        self._post = Post(self._inputs.put)
        self._tests = trying.Tests(places.state)
        self._status = StatusFile(places.state)
        self._condition = Condition(started=now, since=now)
        self._said = ""
        self._beat_due = 0.0
        self._zone_known: tzinfo | None = None
        self._zone_read = 0.0
        self._mind, self._follower = self._source(kept, settings, now)

    def _source(self, kept: Kept, settings: Settings, now: Moment) -> tuple[Thinking, Listening]:
        """Who thinks and who listens: of the daemon of this host, or of a fleet."""
        if settings.fleet is None:
            mind = Mind(kept.state, kept.cursor, settings, now)
            socket = str(self._places.socket)
            return mind, Follower(socket, mind.cursor, self._tell, self._look)
        # who follows one daemon needs no Redis
        from kaspad_taskd.notify.fleet_mind import FleetMind
        from kaspad_taskd.notify.listening import Listener

        fleet = settings.fleet
        many = FleetMind(kept.fleet, settings, now)
        told = (many.cursors, self._tell, self._look)
        return many, Listener(fleet.settings, fleet.login, *told)

    def stop(self) -> None:
        """Let it end; may be called in a signal's handler."""
        self._inputs.put(Stop())

    def reload(self) -> None:
        """Let it read its settings again; may be called in a signal's handler."""
        self._inputs.put(Reload())

    def run(self) -> None:
        """Work until it is stopped."""
        self._give_up(self._outbox.keep_to(frozenset(self._settings.places()), self._now()))
        self._follower.start()
        self._systemd.ready(self._line())
        try:
            while self._turn(self._waited()):
                pass
        finally:
            self._end()

    @property
    def _settings(self) -> Settings:
        return self._mind.settings

    def _now(self) -> Moment:
        return self._moments.now()

    def _zone(self) -> tzinfo:
        at = time.monotonic()
        if self._zone_known is None or at - self._zone_read > ZONE:
            self._zone_known, self._zone_read = zone(), at
        return self._zone_known

    # what other threads call

    def _tell(self, word: AnyWord) -> None:
        """Take what is heard; where too much waits already, it has to wait as well."""
        while not self._room.acquire(timeout=1.0):
            if self._ending.is_set():
                raise Stopped
        self._inputs.put(Said(word))

    def _look(self) -> None:
        asked = trying.look(self._places.state)
        if asked is not None:
            self._inputs.put(asked)

    # one turn

    def _waited(self) -> list[Input]:
        """Return what came, as soon as something has, or when there is something to do."""
        found = []
        try:
            found.append(self._inputs.get(timeout=self._patience()))
            while len(found) < HELD:
                found.append(self._inputs.get_nowait())
        except Empty:
            pass
        return found

    def _patience(self) -> float:
        now = self._now()
        moments = [self._mind.due(self._moments.wall() - now)]
        if not self._post.is_full:
            moments.append(self._outbox.due(self._post.busy))
        waits = [(each - now) / 1000 for each in moments if each is not None]
        waits.append(LONGEST if self._pulse is None else min(LONGEST, self._pulse))
        return max(min(waits), 0.0) + 0.001

    def _turn(self, inputs: Sequence[Input]) -> bool:
        """Take what came and do what is due; return whether to go on."""
        words = [each.word for each in inputs if isinstance(each, Said)]
        for _ in words:
            self._room.release()
        now = self._now()
        self._mind.take(words, now, self._answered(now))
        for each in inputs:
            self._take(each, now)
        if any(isinstance(each, Stop) for each in inputs):
            return False
        for message in self._mind.pass_time(now, self._moments.wall(), self._zone()):
            places = self._settings.places(message.rule)
            self._give_up(self._outbox.put(message, places, now))
        self._keeper.keep(self._mind, self._outbox, now)
        self._send(now)
        self._beat()
        self._show(now)
        return True

    def _answered(self, now: Moment) -> Moment:
        return now - round((time.monotonic() - self._follower.answered) * 1000)

    def _take(self, given: Input, now: Moment) -> None:
        if isinstance(given, Tried):
            self._note(given, now)
        elif isinstance(given, trying.Asked):
            log.info("a test was asked for: %s", given.name or "all")
            self._tests.begin(given, self._settings)
        elif isinstance(given, Reload):
            self._reload(now)

    # messages

    def _send(self, now: Moment) -> None:
        for errand, place, number, job in self._jobs(now):
            self._post.begin(errand, place, number, job)

    def _jobs(self, now: Moment) -> Iterator[tuple[Errand, str, int, Callable[..., Outcome]]]:
        """Yield what is to be tried, while there is room for another try."""
        places = self._settings.places()
        while not self._post.is_full and (found := self._tests.next(self._post.busy)):
            place, target = found
            asked = self._tests.asked
            at = self._moments.wall()
            message = trying.message(self._mind.series, asked, self._settings, target.rule, at)
            yield Errand.TEST, place, 0, self._job(target, message)
        for entry in self._outbox.pick(self._post.busy, now):
            if self._post.is_full:
                return
            job = self._job(places[entry.place], self._outbox.message(entry))
            yield Errand.MESSAGE, entry.place, entry.number, job

    def _job(self, target: Target, message: Message) -> Callable[[threading.Event], Outcome]:
        host = self._settings.host
        return lambda stop: send(target, message, stop=stop, host=host)

    def _note(self, tried: Tried, now: Moment) -> None:
        self._post.done(tried)
        if tried.errand is Errand.BEAT:
            self._note_beat(tried.outcome, now)
            return
        if tried.outcome.why is Why.STOPPED:  # by us, at the end: as if it had not been tried
            return
        name = self._name(tried.place)
        if tried.errand is Errand.TEST:
            self._tests.note(tried.place, name, tried.outcome, tried.took)
            return
        for entry in self._outbox.note(tried.number, tried.outcome, now):
            match entry.fate:
                case Fate.DELIVERED:
                    saying.told(self._outbox.message(entry), name, tried.took)
                case Fate.WAITING:
                    saying.not_yet(self._outbox.message(entry), name, entry, now)
                case Fate.FAILED:
                    self._give_up([entry])

    def _give_up(self, lost: Sequence[Entry]) -> None:
        for entry in lost:
            why = "" if entry.outcome else "no room, or no place for it any more"
            saying.lost(self._outbox.message(entry), self._name(entry.place), entry, why)

    def _name(self, place: str) -> str:
        target = self._settings.places().get(place)
        return place if target is None else target.name

    # the dead man's switch

    def _beat(self) -> None:
        heartbeat, now = self._settings.heartbeat, time.monotonic()
        if heartbeat is None or not self._mind.answers or BEAT in self._post.busy:
            return
        if now < self._beat_due or now - self._follower.answered > ANSWERED or self._post.is_full:
            return
        self._beat_due = now + heartbeat.every
        url = heartbeat.target.url
        self._post.begin(Errand.BEAT, BEAT, 0, lambda stop: beat(url, stop=stop))

    def _note_beat(self, outcome: Outcome, now: Moment) -> None:
        before, self._condition.beat = self._condition.beat, outcome
        self._condition.beat_at = now
        if not outcome.delivered:
            self._beat_due = min(self._beat_due, time.monotonic() + AGAIN)
            if before is None or before.delivered:
                saying.beat_failed(outcome)

    # how it goes

    def _reload(self, now: Moment) -> None:
        self._systemd.reloading()
        found = load(self._places.settings)
        if isinstance(found, Settings) and found.fleet != self._settings.fleet:
            fault = Fault("fleet", "is another one: systemctl restart kaspad-taskd-notify")
            found = [fault]
        if isinstance(found, Settings):
            self._mind.adapt(found, now)
            self._condition.refused = ""
            self._give_up(self._outbox.keep_to(frozenset(found.places()), now))
            log.info("settings read again: %d told", len(found.rules))
        else:
            for fault in found:
                log.error("%s", fault)
            self._condition.refused = str(found[0])
            log.error("%d faults: the settings that held go on", len(found))
        self._systemd.ready(self._line())

    def _show(self, now: Moment) -> None:
        self._follower.asks = self._mind.asks()
        condition = self._condition
        condition.answers, condition.since = self._mind.answers, self._mind.since
        condition.hosts = self._mind.hosts
        condition.unsaved = self._keeper.unsaved
        ahead = self._moments.wall() - now
        self._status.show(condition, self._outbox, self._settings, now, ahead)
        said = self._line()
        if said != self._said:
            self._said = said
            self._systemd.status(said)
        if time.monotonic() - self._follower.turned < DEAF:
            self._systemd.watchdog()

    def _line(self) -> str:
        return line(self._condition, self._outbox, self._settings)

    def _end(self) -> None:
        """Hear what was being sent, as far as it comes soon; what is not known is sent again."""
        self._systemd.stopping(self._line())
        self._ending.set()
        self._follower.stop(0.0)
        self._drain(GRACE)
        self._post.give_up()
        self._drain(LAST)
        now = self._now()
        self._keeper.close(self._mind, self._outbox, now)
        ahead = self._moments.wall() - now
        self._status.show(self._condition, self._outbox, self._settings, now, ahead)

    def _drain(self, patience: float) -> None:
        until = time.monotonic() + patience
        while self._post.busy and (left := until - time.monotonic()) > 0:
            try:
                given = self._inputs.get(timeout=left)
            except Empty:
                return
            if isinstance(given, Tried):
                self._note(given, self._now())


def _tell_of(kept: Kept) -> None:
    if kept.aside is not None:
        log.error("the state could not be read and is begun anew; it lies at %s", kept.aside)
    waiting = sum(entry.fate is Fate.WAITING for entry in kept.outbox.entries)
    if waiting:
        log.info("%d messages of the last time wait", waiting)
