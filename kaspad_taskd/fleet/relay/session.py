"""One connection to Redis from its first question on: what the daemon tells is written there.

Whatever fails ends it; the next one reads back what is there, and goes on behind that.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty
from typing import Any, Final

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Kind, Trouble, trouble_of
from kaspad_taskd.fleet.relay import ageing, plan
from kaspad_taskd.fleet.relay.batch import Batch, Command, Sender, beginning, commands
from kaspad_taskd.fleet.relay.listen import Listener
from kaspad_taskd.fleet.relay.plan import Found
from kaspad_taskd.fleet.relay.words import (
    Away,
    Begun,
    Heard,
    Known,
    Past,
    Served,
    Wants,
    Word,
)
from kaspad_taskd.fleet.settings import Settings
from kaspad_taskd.version import __version__

WINDOW_S: Final = 0.4
"""Seconds in which what comes is gathered."""
BEAT_S: Final = keys.BEAT_S - 0.5
"""Seconds without a change after which a sign of life is given."""
WATCH_S: Final = keys.BEAT_S * 1.5
"""Seconds in which another relay would have been heard."""
LOOK_S: Final = 0.5
"""Seconds between two looks for one."""

log = logging.getLogger(__name__)


class Rival(Exception):
    """Another relay writes under the name of this host."""


def wall() -> int:
    """Return ms since 1970, by this host's clock."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Standing:
    """What outlives a session: how it is, for whoever asks.

    Attributes:
        run: of this relay.
        own: runs that were this host's.
        address: where this relay runs, for people.
        count: of the newest entry of `now` that is known to be there.
        answers: whether the daemon does.
        since: ms since 1970 since when.
        said: what the daemon, or we, said of it last.
        written: events, of this run.
        begun: whether the daemon was ever heard.
    """

    run: str
    own: frozenset[str]
    address: str
    count: int = 0
    answers: bool = False
    since: int = field(default_factory=wall)
    said: str = ""
    written: int = 0
    begun: bool = False

    def note(self, answers: bool, why: str = "") -> bool:
        """Note whether the daemon answers; return whether that is new, to this run at least."""
        new = answers != self.answers
        if new:
            self.answers, self.since = answers, wall()
        first, self.said = not self.said, why or "it does"
        return new or first

    def take_over(self, daemon: object) -> None:
        """Go on with what the run before said of the daemon, until something else is known."""
        match daemon:
            case {"answers": bool(answers), "since": int(since)}:
                self.answers, self.since = answers, since


class Session:
    """Writes until something fails.

    Args:
        settings: of the fleet.
        carrier: to Redis; nothing was asked yet.
        listener: to the daemon; not started yet.
        standing: what is kept from one session to the next.

    Attributes:
        settled: whether all was written that there was to begin with.
    """

    def __init__(
        self, settings: Settings, carrier: Carrier, listener: Listener, standing: Standing
    ) -> None:
        self._settings = settings
        self._carrier = carrier
        self._listener = listener
        self._standing = standing
        self._meta: dict[str, str] = {}
        self._found = Found()
        self._sender = self._sender_of("")
        self._batch = Batch(0)
        self._first: list[Command] = []
        self._forget: set[str] = set()
        self._gathered: float | None = None
        self.settled = False
        self._wrote = time.monotonic()
        self._aged = time.monotonic()

    def begin(self) -> Iterator[None]:
        """Read back what is there and see whose it is; yields while it waits.

        Raises:
            Trouble: Redis did not do it.
            Rival: another relay writes there.
        """
        host = self._settings.host
        self._meta = self._carrier.table(keys.key(host, keys.META))
        newest = self._newest(keys.NOW)
        yield from self._watch(newest)
        newest = self._newest(keys.NOW)
        if not self._standing.said:
            self._standing.take_over(plan.words_of(newest).get("daemon"))
        count = plan.count_of(newest)
        if count < self._standing.count or not self._standing.begun:
            self._forget.add(keys.PAST)  # Redis has lost something, or we know of nothing
        spent = [keys.NOW] if plan.is_spent(count) else []
        if spent:
            count = self._standing.count = 0
        self._standing.count = max(self._standing.count, count)
        self._found = Found(self._meta.get("journal", ""), self._meta.get("stream", ""))
        last = self._newest(self._found.stream) if self._found.stream else None
        at = 0 if last is None else max(plan.told_of(last).number, 0)
        self._sender = self._sender_of(self._found.stream)
        self._batch = Batch(at)
        self._first = beginning(self._sender, None, self._said_of(self._meta), spent)
        self._write(make=True)
        self._listener.start()

    def turn(self, longest: float) -> None:
        """Take what comes, or wait for it, and write what is due.

        Args:
            longest: seconds that it may take without anything to do.

        Raises:
            Trouble: Redis did not do it.
            Hole: the daemon told events out of order.
        """
        word = self._next(min(longest, self._patience()))
        if word is not None:
            self._take(word)
        now = time.monotonic()
        if self._batch.is_full or self._patience(now) <= 0:
            self._write()
        if now - self._aged > ageing.EVERY_S:
            self._aged = now
            self._age()

    # what is there

    def _newest(self, part: str) -> plan.Entry | None:
        found = self._carrier.newest(keys.key(self._settings.host, part))
        return found[0] if found else None

    def _watch(self, newest: plan.Entry | None) -> Iterator[None]:
        """See that nobody else writes, where the newest entry is of nobody's of ours."""
        if newest is None or plan.words_of(newest).get("run") in self._standing.own:
            return
        until = time.monotonic() + WATCH_S
        while time.monotonic() < until:
            yield
            time.sleep(LOOK_S)
            now = self._newest(keys.NOW)
            if now is not None and now[0] != newest[0] and self._is_foreign(now):
                other = self._carrier.table(keys.key(self._settings.host, keys.META))
                raise Rival(self._rivalry(other.get("address", "?")))

    def _is_foreign(self, entry: plan.Entry) -> bool:
        return plan.words_of(entry).get("run") not in self._standing.own

    def _rivalry(self, other: str) -> str:
        return (
            f'another relay writes as "{self._settings.host}" at {self._carrier.place}: it runs at'
            f" {other}, this one at {self._standing.address}; give one of them another host in"
            " fleet.toml, or stop it"
        )

    # what comes

    def _patience(self, now: float | None = None) -> float:
        at = time.monotonic() if now is None else now
        due = self._wrote + BEAT_S
        if self._gathered is not None:
            due = min(due, self._gathered + WINDOW_S)
        return due - at

    def _next(self, patience: float) -> Word | None:
        try:
            word = self._listener.words.get(timeout=max(patience, 0.0))
        except Empty:
            return None
        self._listener.taken()
        return word

    def _take(self, word: Word) -> None:
        match word:
            case Heard(event):
                self._batch.hear(event)
            case Known(task_id, task):
                self._batch.know(task_id, task)
            case Past(task_id, text):
                self._batch.remember(task_id, text)
            case Served(services, warnings):
                self._batch.serve(services, warnings)
            case Wants(journal):
                self._answer(journal)
            case Begun():
                self._begin_daemon(word)
            case Away(why):
                self._lose(why)
        if self._gathered is None and not self._batch.is_empty:
            self._gathered = time.monotonic()

    def _answer(self, journal: str) -> None:
        """Say what is there, with all that was told before."""
        if not self._batch.is_empty:
            self._write()
        self._found = plan.read(self._found, journal, self._newest)
        self._listener.answer(self._found)

    def _lose(self, why: str) -> None:
        if self._standing.note(False, why):
            log.warning("the daemon does not answer: %s", why)
            self._write()

    def _begin_daemon(self, word: Begun) -> None:
        """Write all anew."""
        start = word.start
        if start.gap is not None:
            log.warning(
                "events %d to %d are in no journal any more", start.gap[0] + 1, start.gap[1] - 1
            )
        if self._standing.note(True) or start.old:
            log.info(
                "the daemon is heard: %s of %s goes on behind %d",
                start.stream, self._settings.host, start.after,
            )  # fmt: skip
        meta = self._said_of(self._meta)
        gap = json.dumps({"after": start.gap[0], "next": start.gap[1]}) if start.gap else None
        is_same = start.stream == self._found.stream and word.journal == self._found.journal
        meta |= {
            "journal": word.journal,
            "stream": start.stream,
            "daemon": word.version,
            "since": meta["since"] if is_same else str(wall()),
            "gap": gap or (meta["gap"] if is_same else "null"),
        }
        self._meta = meta
        make = self._found.last is None or not is_same
        self._found = Found(word.journal, start.stream)
        self._sender = self._sender_of(start.stream, make)
        self._batch = Batch(start.after, anew=True)
        self._first = beginning(self._sender, start, meta, sorted(self._forget))
        self._forget.clear()
        self._standing.begun = True
        self._batch.serve(word.services, word.warnings)
        for task in word.tasks:
            self._batch.know(task["id"], task)
            if self._batch.is_full:
                self._write()
        self._write()
        self.settled = True

    def _said_of(self, before: Mapping[str, str]) -> dict[str, str]:
        """What `meta` says, as far as no daemon is needed for it."""
        labels = json.dumps(dict(self._settings.labels), ensure_ascii=False)
        return {
            "journal": "", "stream": "", "daemon": "", "gap": "null", "since": str(wall()),
            **before,
            "host": self._settings.host,
            "labels": labels,
            "relay": __version__,
            "run": self._standing.run,
            "address": self._standing.address,
        }  # fmt: skip

    def _sender_of(self, stream: str, make: bool = False) -> Sender:
        settings = self._settings
        return Sender(settings.host, self._standing.run, stream, settings.relay.keep, make)

    # what is written

    def _write(self, make: bool = False) -> None:
        """Write what was gathered, or a sign of life, and see that all of it was done."""
        standing, batch = self._standing, self._batch
        daemon = {"answers": standing.answers, "since": standing.since}
        count, first = standing.count + 1, self._first
        given = commands(batch, self._sender, count, wall(), daemon, first, make)
        self._check(self._carrier.write(given))
        if batch.events:
            self._sender = replace(self._sender, make=False)
        standing.count += 1
        standing.written += len(batch.events)
        self._wrote = time.monotonic()
        self._first = []
        self._batch = Batch(batch.last)
        self._gathered = None

    def _check(self, answers: Sequence[Any]) -> None:
        for answer in answers:
            if isinstance(answer, Exception):
                raise trouble_of(answer, self._carrier.place)
            if answer is None:  # there is no such stream any more
                raise Trouble(Kind.OUTPACED, self._carrier.place, "it was emptied")

    def _age(self) -> None:
        """Let go of what is too old, by the newest event and a few at a time."""
        if not self._sender.stream:
            return
        key = self._sender.key(self._sender.stream)
        newest, oldest, length = self._newest(self._sender.stream), *self._carrier.ends(key)
        days = self._settings.relay.keep_days
        if newest is None or oldest is None or not ageing.is_old(oldest, newest, days):
            return
        begin = plan.told_of(oldest).number
        entries = self._carrier.between(key, begin, begin + ageing.portion(length))
        first = ageing.first_kept(entries[::-1], newest, length, days)
        if first is not None:
            self._check(self._carrier.write([("XTRIM", key, "MINID", keys.entry_id(first))]))
