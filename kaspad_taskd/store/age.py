"""The account of time in the file, and which events are old by it: rows of `meta`."""

from __future__ import annotations

from dataclasses import astuple, fields

from kaspad_taskd.core import ageing
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.model import Moment
from kaspad_taskd.store.schema import Connection

JOURNAL_AGE = 30 * 86_400_000
"""Ms for which an event is kept (contract, section 4)."""
_NAMES = tuple(f"sure.{field.name}" for field in fields(SureTime))
_STAMP, _SHED = "age.stamp", "age.shed"
_PUT = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_GET = "SELECT value FROM meta WHERE key = ?"
_HEAD = "SELECT at FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"


class Age:
    """What the writer knows of age.

    In `meta`: `sure.*`, the account; `age.stamp`, no event kept is older; `age.shed`, the process
    time at which events went by age the last time.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.sure: SureTime | None = None
        self.stamp: Moment | None = None
        self._shed = -ageing.HOUR

    def load(self, *, empty: bool) -> None:
        """Read it. A journal from before there was an account is believed, an empty one is young.

        Raises:
            SqliteError, TypeError: the file is damaged.
        """
        found = dict(self._db.execute("SELECT key, value FROM meta WHERE key GLOB '[as]*.*'"))
        if all(name in found for name in _NAMES):
            self.sure = SureTime(*(found[name] for name in _NAMES))
        self.stamp = found.get(_STAMP, None if empty or self.sure is not None else 0)
        self._shed = found.get(_SHED, -ageing.HOUR)

    def put(self, sure: SureTime) -> None:
        """Keep an account (within a transaction); the first good one says how old events can be."""
        self._db.executemany(_PUT, zip(_NAMES, astuple(sure), strict=True))
        if self.stamp is None and sure.calm >= ageing.CALM and sure.gap <= ageing.DAY:
            self.stamp = sure.at
        if self.stamp is not None:
            self._db.execute(_PUT, (_STAMP, self.stamp))
        self.sure = sure

    def doubts(self, moment: Moment) -> bool:
        """Whether a clock that says `moment` may be wrong."""
        return self.sure is not None and ageing.is_doubtful(self.sure, moment)

    def expired(self, floor: int, seq: int) -> int:
        """How many of the events after `floor`, up to `seq`, go by age now."""
        if self.sure is None or self.stamp is None or self.sure.ran - self._shed < ageing.HOUR:
            return 0
        before = ageing.old_before(self.sure, JOURNAL_AGE)
        most = ageing.share(seq - floor)
        if before is None or not most:
            return 0
        stamps = [at for (at,) in self._db.execute(_HEAD, (floor, most))]
        return ageing.expired(stamps, self.stamp, before, self.sure.at)[0]

    def went(self, floor: int, count: int, *, by_age: bool) -> None:
        """Note that so many events after `floor` go (within a transaction, before they do)."""
        if self.sure is None:
            return
        if self.stamp is not None:
            stamps = [at for (at,) in self._db.execute(_HEAD, (floor, count))]
            self.stamp = max(self.stamp, *(at for at in stamps if at <= self.sure.at), 0)
            self._db.execute(_PUT, (_STAMP, self.stamp))
        if by_age:
            self._shed = self.sure.ran
            self._db.execute(_PUT, (_SHED, self._shed))


def last_heard(db: Connection, task_id: str, now: Moment) -> Moment:
    """When the last event of a task was at the earliest; stamps after `now` say nothing.

    As long as it is not known how old events can be at all, it is `now`.

    Raises:
        SqliteError: the file is damaged.
    """
    (found,) = db.execute(
        "SELECT max(at) FROM journal WHERE at <= ?"
        " AND seq <= (SELECT max(seq) FROM journal WHERE task_id = ?)",
        (now, task_id),
    ).fetchone()
    stamp = db.execute(_GET, (_STAMP,)).fetchone()
    return now if stamp is None else max(found or 0, stamp[0])
