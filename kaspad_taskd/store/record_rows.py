"""What is kept of the time of what is kept watch on: rows of minutes and hours, records, incidents.

A minute stands in its own row and in that of its hour. Of each task the newest of both are kept, by
their number: a clock that was wrong for a while takes no more places than it counted.
"""

from __future__ import annotations

from kaspad_taskd.core.ageing import HOUR
from kaspad_taskd.core.incidents import INCIDENTS_KEPT, Incident
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import Change
from kaspad_taskd.core.seen import MINUTE, NOTHING, Counts, Slot
from kaspad_taskd.core.watch_record import (
    HOURS_KEPT,
    MINUTES_KEPT,
    Tally,
    WatchRecord,
    added,
    horizon,
)
from kaspad_taskd.store import codec
from kaspad_taskd.store.schema import Connection

_GET = "SELECT ok, behind, stalled, unreachable FROM seen WHERE (task_id, span, slot) = (?, ?, ?)"
_PUT = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)"
_OLD = (
    "DELETE FROM seen WHERE task_id = ?1 AND span = ?2 AND slot <= (SELECT slot FROM seen"
    " WHERE task_id = ?1 AND span = ?2 ORDER BY slot DESC LIMIT 1 OFFSET ?3)"
)
_PUT_RECORD = (
    "INSERT INTO records VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document"
)
_PUT_INCIDENT = (
    "INSERT INTO incidents VALUES (?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET document = excluded.document"
)
_OLD_INCIDENTS = (
    "DELETE FROM incidents WHERE task_id = ?1 AND id <= (SELECT id FROM incidents"
    " WHERE task_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
)
_PUT_NUMBER = (
    "INSERT INTO meta VALUES ('incident', ?)"
    " ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)"
)
_FORGET = (
    "DELETE FROM seen WHERE task_id = ?",
    "DELETE FROM records WHERE id = ?",
    "DELETE FROM incidents WHERE task_id = ?",
)
_THERE = "SELECT 1 FROM sqlite_schema WHERE name = 'records'"
_SPANS = ((MINUTE, MINUTES_KEPT), (HOUR, HOURS_KEPT))


def apply(db: Connection, change: Change) -> None:
    """Make what a change says of records rows, within its transaction.

    Raises:
        SqliteError: it cannot be written.
    """
    for task_id in change.forget:
        for statement in _FORGET:
            db.execute(statement, (task_id,))
    for tally in change.tallies:
        _add(db, tally)
    for task_id in {tally.task_id for tally in change.tallies}:
        for span, most in _SPANS:
            db.execute(_OLD, (task_id, span, most))
    for record in change.records:
        db.execute(_PUT_RECORD, (record.task_id, codec.record_text(record)))
    for incident in change.incidents:
        _put_incident(db, incident)


def _add(db: Connection, tally: Tally) -> None:
    """The minute takes what it has room for, and the hour what the minute took."""
    more = tally.counts
    for span, _ in _SPANS:
        place = tally.task_id, span, tally.minute * MINUTE // span
        row = db.execute(_GET, place).fetchone()
        before = NOTHING if row is None else Counts(*row)
        after = added(before, more, span)
        if after == before:
            return
        db.execute(_PUT, (*place, *after.numbers()))
        more = after.minus(before)


def _put_incident(db: Connection, incident: Incident) -> None:
    db.execute(_PUT_INCIDENT, (incident.id, incident.task_id, codec.incident_text(incident)))
    if incident.lasts:  # perhaps it is new; that one is seldom
        db.execute(_PUT_NUMBER, (incident.id,))
        db.execute(_OLD_INCIDENTS, (incident.task_id, INCIDENTS_KEPT))


def load(db: Connection) -> tuple[tuple[WatchRecord, ...], tuple[Incident, ...], int]:
    """Read what a start needs: all records, the incidents that last, the newest one's number.

    Raises:
        SqliteError, KeyError, TypeError, ValueError: the file is damaged.
    """
    if not db.execute(_THERE).fetchone():  # it has not taken that step yet
        return (), (), 0
    records = [
        codec.record_from(text)
        for (text,) in db.execute("SELECT document FROM records ORDER BY id")
    ]
    lasting = [
        codec.incident_from(text)
        for (text,) in db.execute(
            "SELECT document FROM incidents WHERE document ->> '$.ended' IS NULL ORDER BY id"
        )
    ]
    (number,) = db.execute(
        "SELECT max(ifnull((SELECT max(id) FROM incidents), 0),"
        " ifnull((SELECT value FROM meta WHERE key = 'incident'), 0))"
    ).fetchone()
    return tuple(records), tuple(lasting), number


def seen(db: Connection, task_id: str, start: Moment, end: Moment, now: Moment) -> list[Slot]:
    """Slots that reach into start <= at < end, ascending: hours, and minutes of the last day.

    Raises:
        SqliteError, TypeError: the file is damaged.
    """
    since = horizon(now)
    return [
        Slot(slot * span, span, Counts(*counts))
        for span, first, last in ((HOUR, start, min(end, since)), (MINUTE, max(start, since), end))
        for slot, *counts in db.execute(
            "SELECT slot, ok, behind, stalled, unreachable FROM seen"
            " WHERE task_id = ? AND span = ? AND slot >= ? AND slot * span < ? ORDER BY slot",
            (task_id, span, first // span, last),
        )
    ]


def incidents(
    db: Connection, task_id: str | None, start: Moment, end: Moment, limit: int
) -> list[Incident]:
    """Incidents that reach into start <= at < end, the newest `limit`, newest first.

    Raises:
        SqliteError, KeyError, TypeError, ValueError: the file is damaged.
    """
    which = "" if task_id is None else " AND task_id = :task_id"
    rows = db.execute(
        "SELECT document FROM incidents WHERE document ->> '$.began' < :end"  # noqa: S608 (ours)
        " AND (document ->> '$.ended' IS NULL OR document ->> '$.ended' >= :start)"
        f"{which} ORDER BY id DESC LIMIT :limit",
        {"task_id": task_id, "start": start, "end": end, "limit": limit},
    )
    return [codec.incident_from(text) for (text,) in rows]
