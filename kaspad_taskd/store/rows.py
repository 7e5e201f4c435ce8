"""Changes into rows, and rows back: every SQL statement of the store's daily work."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence

from kaspad_taskd.base import jsontext
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.fact import Event, Fact
from kaspad_taskd.core.model import Definition, Moment, Task
from kaspad_taskd.core.record import (
    SWITCHES_KEPT,
    Change,
    Decision,
    HistoryPoint,
    Loaded,
    Outcome,
)
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.core.warning import WARNINGS_KEPT, StandingWarning
from kaspad_taskd.store import codec, record_rows, ring
from kaspad_taskd.store.age import Age
from kaspad_taskd.store.fault import DamagedError, is_own
from kaspad_taskd.store.schema import MARKS, Connection, undo

JOURNAL_EVENTS = 100_000
"""Events kept at most (contract, section 4)."""
DECISIONS = 10_000
"""Decisions kept at most: the newest. Nobody makes as many; a bound all the same."""
BITE = 512
"""Events deleted in one transaction: 1-3 ms, which a commit may have to wait for."""
LEAP = 1_000_000
"""How far `seq` leaps at least: beyond the journal, so that moved events meet no others."""
_LARGEST = 2**63 - 1
"""The largest number that SQLite can compare with; JSON may bring larger ones."""

_PUT = "INSERT INTO {} VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document"
_PUT_TASK = _PUT.format("tasks")
_PUT_DEFINITION = _PUT.format("definitions")
_REMOVE = (
    "DELETE FROM tasks WHERE id = ?",
    "DELETE FROM definitions WHERE id = ?",
    "DELETE FROM history WHERE task_id = ?",
)
_PUT_POINT = "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_FACT = "INSERT INTO journal VALUES (?, ?, ?, ?)"
_PUT_DECISION = "INSERT INTO decisions (at, decision, context) VALUES (?, ?, ?)"
_PUT_CURSOR = "INSERT OR REPLACE INTO cursors VALUES (?, ?)"
_PUT_SWITCH = _PUT.format("switches")
_OLD_SWITCHES = "DELETE FROM switches WHERE id <= ?"
_PUT_WARNING = _PUT.format("warnings")
_OLD_WARNINGS = "DELETE FROM warnings WHERE id <= ?"
_NAME_JOURNAL = "INSERT OR REPLACE INTO meta VALUES ('journal', ?)"
_MOVE_CAUSES = (
    "UPDATE switches SET document = json_set(document, '$.cause', document ->> '$.cause' + ?)"
    " WHERE document ->> '$.cause' IS NOT NULL"
)
_PUT_BACKUP = "INSERT OR REPLACE INTO meta VALUES ('backup', ?)"
_PUT_MARK = "INSERT OR REPLACE INTO meta VALUES ('mark/' || ?, ?)"
_DROP_MARK = "DELETE FROM meta WHERE key = 'mark/' || ?"
_IDENTITY_BITS = 63  # what SQLite can keep as a whole number


class Rows:
    """The tables, for the one that writes them.

    Attributes:
        seq: of the last committed event ever.
        oldest: `seq` of the oldest event kept, or seq + 1.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._definitions: dict[str, Definition] = {}  # as they are on disk
        self._age = Age(db)
        self.seq = 0
        self.oldest = 1

    @property
    def sure(self) -> SureTime | None:
        """The account of time as it was put on record last."""
        return self._age.sure

    def load(self) -> Loaded:
        """Read what a start needs.

        Raises:
            DamagedError: a row makes no sense.
            SqliteError: the file cannot be read.
        """
        try:
            return self._load()
        except Exception as error:
            if is_own(error):  # no complaint of SQLite or the disk: what was read makes no sense
                raise DamagedError(f"a row makes no sense: {error}") from error
            raise

    def _load(self) -> Loaded:
        (floor,) = self._db.execute("SELECT value FROM meta WHERE key = 'floor'").fetchone()
        newest = "SELECT seq, at FROM journal ORDER BY seq DESC LIMIT 1"
        last, at = self._db.execute(newest).fetchone() or (None, 0)
        self._age.load(empty=last is None)
        self.seq = floor if last is None else last
        self.oldest = floor + 1
        rows = self._db.execute(
            "SELECT tasks.document, definitions.document"
            " FROM tasks LEFT JOIN definitions USING (id)"
        )
        tasks = [codec.task_of(task, codec.definition_of(definition)) for task, definition in rows]
        tasks.sort(key=lambda task: (task.number, task.id))
        self._definitions = {task.id: task.definition for task in tasks}
        cursors = dict(self._db.execute("SELECT name, seq FROM cursors"))
        found = self._db.execute("SELECT document FROM switches ORDER BY id")
        switches = tuple([codec.switch_from(text) for (text,) in found])
        found = self._db.execute("SELECT document FROM warnings ORDER BY id")
        warnings = tuple([codec.warning_from(text) for (text,) in found])
        backup = self._db.execute("SELECT value FROM meta WHERE key = 'backup'").fetchone()
        records, lasting, incident = record_rows.load(self._db)
        return Loaded(
            tuple(tasks), self.seq, self.oldest, cursors,
            switches=switches, warnings=warnings, journal=self._journal(),
            sure=self._age.sure, newest=at, backup=None if backup is None else backup[0],
            marks=dict(self._db.execute(MARKS)),
            records=records, incidents=lasting, incident=incident,
        )  # fmt: skip

    def _journal(self) -> str:
        """The journal's identity, made the first time; and the state's, which copies keep."""
        for name in ("lineage", "journal"):
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
            if row is None:
                row = (secrets.randbits(_IDENTITY_BITS),)
                self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, *row))
        return f"{row[0]:016x}"

    def leap(self, now: Moment) -> None:
        """Go on at a `seq` higher than anything told before, as far as that can be known.

        What a file rebuilt, or put back from a copy, has forgotten, clients may have been told.
        Ms since 1970 are ahead of any count of events: it would take 1,000 a second, all the time,
        to reach them. Kept events (and cursors) move along, so the numbers stay without holes, and
        a client's own number from before lies below the oldest: a gap. So do the causes of
        switches: an event that is read again must find what it has caused. The journal gets another
        identity, for those who ask for it.
        """
        by = max(now, self.seq + LEAP) - self.seq
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("UPDATE journal SET seq = seq + ?", (by,))
            self._db.execute("UPDATE cursors SET seq = seq + ?", (by,))
            self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'floor'", (by,))
            self._db.execute(_MOVE_CAUSES, (by,))
            self._db.execute("DELETE FROM meta WHERE key = 'leap'")
            rename_journal(self._db)
            self._db.execute("COMMIT")
        except BaseException:
            undo(self._db)
            raise

    def must_leap(self) -> bool:
        """Whether this file is marked: a copy, or begun anew, and never opened since."""
        return self._db.execute("SELECT 1 FROM meta WHERE key = 'leap'").fetchone() is not None

    def commit(self, changes: Sequence[Change]) -> tuple[list[Outcome], Exception | None]:
        """Make all changes durable in one transaction.

        Where one of them is itself at fault (it cannot be stored), those before it are made
        durable and it ends the list, with what came after: that was computed from it.

        Returns:
            The outcomes of those that are durable, and the fault that ended the list, if any.
        """
        before = self.seq
        done: list[Outcome] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            done.extend(map(self._apply, changes))
            self._db.execute("COMMIT")
        except Exception as error:
            self._forget(changes, before)
            if done and is_own(error):
                return self.commit(changes[: len(done)])[0], error
            return [], error
        return done, None

    def _forget(self, changes: Iterable[Change], seq: int) -> None:
        """Undo a failed transaction: on disk and in what is remembered of the disk."""
        self.seq = seq
        for change in changes:
            for task in change.put:
                self._definitions.pop(task.id, None)
        undo(self._db)

    def _apply(self, change: Change) -> Outcome:
        execute = self._db.execute
        for task_id in change.remove:
            for statement in _REMOVE:
                execute(statement, (task_id,))
            self._definitions.pop(task_id, None)
        for task in change.put:
            self._put(task)
        for point in change.points:
            self._put_point(point)
        for name, seq in change.cursors.items():
            execute(_PUT_CURSOR, (name, seq))
        for switch in change.switches:
            self._put_switch(switch)
        for warning in change.warnings:
            self._put_warning(warning)
        if change.sure is not None:
            self._age.put(change.sure)
        if change.backup is not None:
            execute(_PUT_BACKUP, (change.backup,))
        self._mark(change.marks)
        record_rows.apply(self._db, change)
        return Outcome(
            change,
            tuple(map(self._put_fact, change.facts)),
            tuple(map(self._put_decision, change.decisions)),
        )

    def _mark(self, marks: Mapping[str, Moment | None]) -> None:
        for name, since in marks.items():
            if since is None:
                self._db.execute(_DROP_MARK, (name,))
            else:
                self._db.execute(_PUT_MARK, (name, since))

    def _put(self, task: Task) -> None:
        definition = task.definition
        known = self._definitions.get(task.id)
        if known is not definition and known != definition:
            self._db.execute(_PUT_DEFINITION, (task.id, codec.definition_text(definition)))
        self._definitions[task.id] = definition
        self._db.execute(_PUT_TASK, (task.id, codec.task_text(task)))

    def _put_switch(self, switch: Switch) -> None:
        self._db.execute(_PUT_SWITCH, (switch.id, codec.switch_text(switch)))
        self._db.execute(_OLD_SWITCHES, (switch.id - SWITCHES_KEPT,))

    def _put_warning(self, warning: StandingWarning) -> None:
        self._db.execute(_PUT_WARNING, (warning.id, codec.warning_text(warning)))
        self._db.execute(_OLD_WARNINGS, (warning.id - WARNINGS_KEPT,))

    def _put_point(self, point: HistoryPoint) -> None:
        values = (point.at, point.progress, point.done, point.rate, point.health)
        for place in ring.places(point.at, doubtful=self._age.doubts(point.at)):
            self._db.execute(_PUT_POINT, (point.task_id, *place, *values))

    def _put_fact(self, fact: Fact) -> Event:
        row = (self.seq + 1, fact.at, fact.task_id, codec.fact_text(fact))
        self._db.execute(_PUT_FACT, row)
        self.seq += 1
        return Event(self.seq, fact)

    def _put_decision(self, decision: Decision) -> Decision:
        context = jsontext.dumps(decision.context).decode()
        cursor = self._db.execute(_PUT_DECISION, (decision.at, decision.decision, context))
        assert cursor.lastrowid is not None
        return Decision(cursor.lastrowid, decision.at, decision.decision, decision.context)

    def prune(self) -> None:
        """Delete what need not be kept, at most BITE events of it: by count, and slowly by age.

        Raises:
            SqliteError: nothing was deleted.
        """
        floor = self.oldest - 1
        many = min(BITE, self.seq - JOURNAL_EVENTS - floor)
        old = min(BITE, self._age.expired(floor, self.seq))
        last = floor + max(0, many, old)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute(
                "DELETE FROM decisions WHERE id <= (SELECT max(id) FROM decisions) - ?",
                (DECISIONS,),
            )
            if last > floor:
                self._age.went(floor, last - floor, by_age=old > max(0, many))
                self._db.execute("DELETE FROM journal WHERE seq <= ?", (last,))
                self._db.execute("UPDATE meta SET value = ? WHERE key = 'floor'", (last,))
            self._db.execute("COMMIT")
        except BaseException:
            undo(self._db)
            raise
        self.oldest = last + 1


def rename_journal(db: Connection) -> None:
    """Give the journal another identity.

    Raises:
        SqliteError: it has the one that it had.
    """
    db.execute(_NAME_JOURNAL, (secrets.randbits(_IDENTITY_BITS),))


def events(
    db: Connection, after: int, limit: int, before: int | None, task_id: str | None
) -> list[Event]:
    """Events with after < seq < before, ascending: the first `limit`, or with `before` the last.

    Raises:
        SqliteError, KeyError, TypeError, ValueError: the file is damaged.
    """
    where, order = "seq > :after", "ASC"
    if before is not None:
        where, order = f"{where} AND seq < :before", "DESC"
    if task_id is not None:
        where = f"{where} AND task_id = :task_id"
    rows = db.execute(
        f"SELECT seq, at, task_id, document FROM journal WHERE {where}"  # noqa: S608 (our words)
        f" ORDER BY seq {order} LIMIT :limit",
        {
            "after": min(after, _LARGEST),
            "before": before and min(before, _LARGEST),
            "task_id": task_id,
            "limit": limit,
        },
    ).fetchall()
    found = [Event(seq, codec.fact_of(text, of, at)) for seq, at, of, text in rows]
    return found if before is None else found[::-1]


def history(
    db: Connection, task_id: str, start: Moment, end: Moment, now: Moment
) -> list[HistoryPoint]:
    """Points with start <= at < end, ascending; minutes where they are kept, else half hours.

    Raises:
        SqliteError: the file is damaged.
    """
    minutes_from, half_hours_from = ring.horizons(now)
    found: dict[tuple[int, int], HistoryPoint] = {}
    for doubtful in (1, 0):  # a point of a clock that was right comes in the place of the other
        rows = db.execute(
            "SELECT task_id, at, progress, done, rate, health FROM history"
            " WHERE task_id = ? AND at >= ? AND at < ?"
            " AND (span = ? AND at >= ? OR span = ? AND at >= ? AND at < ?)",
            (
                *(task_id, start, end),
                *(ring.MINUTE + doubtful, minutes_from),
                *(ring.HALF_HOUR + doubtful, half_hours_from, minutes_from),
            ),
        )
        for row in rows:
            point = HistoryPoint(*row)
            span = ring.MINUTE if point.at >= minutes_from else ring.HALF_HOUR
            found[span, point.at // span] = point
    return sorted(found.values(), key=lambda point: point.at)


def decisions(db: Connection) -> list[Decision]:
    """All decisions, oldest first.

    Raises:
        SqliteError, ValueError: the file is damaged.
    """
    rows = db.execute("SELECT id, at, decision, context FROM decisions ORDER BY id")
    return [
        Decision(number, at, decision, jsontext.loads(text)) for number, at, decision, text in rows
    ]
