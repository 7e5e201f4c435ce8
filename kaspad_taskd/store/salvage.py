"""A new state from what can be read of a damaged one and from the second record of statuses.

Rows are taken from every page that can be read, whether SQLite would find its way there or not, and
judged by what they are. Where the second record is whole it decides what a task is, and how far
reactions have come; where it is not, no reaction to an earlier event is run: it may have happened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kaspad_taskd.base import files, jsontext
from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.fact import Fact
from kaspad_taskd.core.model import Definition, Moment, Task
from kaspad_taskd.core.record import SWITCHES_KEPT, Repair
from kaspad_taskd.core.switch import Switch, SwitchReason, SwitchState
from kaspad_taskd.core.warning import WARNINGS_KEPT, StandingWarning
from kaspad_taskd.store import codec, schema, statuses
from kaspad_taskd.store import salvaged_records as records
from kaspad_taskd.store.pages import LOG, Pages, Record, Value
from kaspad_taskd.store.statuses import Known

_EVENT = {"name", "service", "type", "data"}
_NOBODY = Definition("", "", "")
_SENSELESS = (KeyError, TypeError, ValueError, AttributeError)
_LAST_ROW = 2**31
"""No row of ours but an event has a larger number: such a one is damage."""
_LAST_EVENT = 2**53
"""Nor an event: JSON could not tell it."""
_MARK = "mark/"
_Point = tuple[str, int, int, int, float, float | None, float | None, str]


@dataclass(slots=True)
class _Found:
    """What the pages hold: documents by key, the newest of each; `last` is the last event told."""

    last: int = _LAST_EVENT
    tasks: dict[str, Task] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    events: dict[int, tuple[Moment, str, str]] = field(default_factory=dict)
    history: dict[tuple[str, int, int], _Point] = field(default_factory=dict)
    decisions: dict[int, tuple[Moment, str, str]] = field(default_factory=dict)
    switches: dict[int, Switch] = field(default_factory=dict)
    warnings: dict[int, StandingWarning] = field(default_factory=dict)
    marks: dict[str, Moment] = field(default_factory=dict)
    records: records.Found = field(default_factory=records.Found)
    dropped: int = 0


def salvage(
    path: Path,
    known: Known,
    why: str,
    now: Moment,
    beat: Callable[[], None],
    *,
    rows: bool = True,
) -> Repair:
    """Put a new state in the place of the one at `path`, which is kept aside; all of it or nothing.

    A kill at any point leaves the one before or the new one. The new one is marked, so that its
    `seq` will leap and its journal get another identity.

    Args:
        path: of the state; there may be none any more.
        known: the second record.
        why: what is wrong, in technical words.
        now: ms since 1970 UTC.
        beat: called now and then while it works.
        rows: whether anything is taken from the file itself.

    Raises:
        SqliteError, OSError: it could not be read or written; all is as it was.
    """
    fresh = files.begin(path, schema.MODE)
    try:
        with closing(sqlite3.connect(fresh)) as db:
            repair = rebuild(db, path, known, why, now, beat, rows=rows)
        aside = _keep(path, now)
        files.publish(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    for ending in (LOG, "-shm"):  # of the one before; a new one that finds it drops it, too
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return replace(repair, aside=None if aside is None else str(aside))


def rebuild(
    db: schema.Connection,
    path: Path,
    known: Known,
    why: str,
    now: Moment,
    beat: Callable[[], None],
    *,
    rows: bool = True,
) -> Repair:
    """Make all tables in an empty file, and put in what can be saved; arguments as above.

    Raises:
        SqliteError, OSError: it could not be read or written.
    """
    pages = _pages(path) if rows else Pages(b"", b"")
    found = _Found(known.told if known.whole else _LAST_EVENT)
    for page in pages.records():
        beat()
        _sort(found, page)
    repair = _build(db, found, known, Repair(str(path), why, None, 0, 0, 0, None, 0, 0), now)
    return replace(repair, dropped=found.dropped + pages.senseless)


def _pages(path: Path) -> Pages:
    log = path.with_name(path.name + LOG)
    if path.exists():
        return Pages.of(path)
    return Pages(b"", log.read_bytes() if log.exists() else b"")


def _keep(path: Path, now: Moment) -> Path | None:
    """Give what is there a second name, its log first: with it, it is whole."""
    found = [each for each in ("-wal", "") if path.with_name(path.name + each).exists()]
    aside = files.unused(path.with_name(f"{path.name}.corrupt-{files.stamp(now)}"))
    for ending in found:
        aside.with_name(aside.name + ending).hardlink_to(path.with_name(path.name + ending))
    return aside if found else None


# -- reading


def _sort(found: _Found, rows: list[Record]) -> None:
    """Take in the rows of one page: they are of one table."""
    facts = any(_is_fact(row) for row in rows)
    for row in rows:
        try:
            _take(found, row, facts=facts)
        except _SENSELESS:
            found.dropped += 1


def _is_fact(row: Record) -> bool:
    match row.values:
        case (None, int(), str(), str(text)):
            try:
                document = jsontext.loads(text)
            except ValueError:
                return False
            return isinstance(document, dict) and document.keys() >= _EVENT
    return False


def _take(found: _Found, row: Record, *, facts: bool) -> None:
    match row:
        case Record(int(seq), (None, int(at), str(task_id), str(text))) if facts:
            _within(seq, found.last)
            _judge(codec.fact_of(text, task_id, at))
            found.events[seq] = at, task_id, text
        case Record(int(number), (None, int(at), str(word), str(text))):
            _within(number, _LAST_ROW)
            jsontext.loads(text)
            found.decisions[number] = at, word, text
        case Record(int(number), (None, str(text))):
            _take_numbered(found, number, text)
        case Record(int(), (str(key), str(text))):
            _take_named(found, key, text)
        case Record(None, (str(key), int(since))) if key.startswith(_MARK):
            found.marks[key.removeprefix(_MARK)] = since
        case Record(int(number), (None, str(task_id), str(text))):
            _within(number, _LAST_ROW)
            records.take_incident(found.records, number, task_id, text)
        case Record(None, (str(key), int(span), int(slot), *rest)) if len(rest) == 4:
            records.take_slot(found.records, key, span, slot, rest)
        case Record(None, (str(key), int(span), int(slot), int(at), *rest)) if len(rest) == 4:
            found.history[key, span, slot] = (key, span, slot, at, *_measured(*rest))


def _judge(found: Fact) -> None:
    for part, kind in ((found.service, str), (found.type, str), (found.data, dict)):
        if not isinstance(part, kind):
            raise TypeError(f"{part!r} has no place there")


def _within(number: int, last: int) -> None:
    if not 0 < number <= last:
        raise ValueError("no such number was ever given")


def _measured(
    progress: Value, done: Value, rate: Value, health: Value
) -> tuple[float, float | None, float | None, str]:
    if not isinstance(health, str):
        raise TypeError("no health")
    first, second, third = (
        None if each is None else float(each) for each in (progress, done, rate)
    )
    if first is None:
        raise TypeError("no progress")
    return first, second, third, health


def _take_numbered(found: _Found, number: int, text: str) -> None:
    _within(number, _LAST_ROW)
    if "steps" in jsontext.loads(text):
        found.switches[number] = replace(codec.switch_from(text), id=number)
    else:
        found.warnings[number] = replace(codec.warning_from(text), id=number)


def _take_named(found: _Found, key: str, text: str) -> None:
    document = jsontext.loads(text)
    if "checker" in document:
        found.definitions[key] = replace(codec.definition_of(text), id=key)
        return
    if "total" in document:
        records.take_record(found.records, key, text)
        return
    task = codec.task_of(text, replace(_NOBODY, id=key))
    before = found.tasks.get(key)
    if before is None or before.revision < task.revision:
        found.tasks[key] = task


# -- what the second record knows


def _tasks(found: _Found, known: Known) -> tuple[dict[str, Task], int]:
    """All tasks, and how many of them are the second record's."""
    taken: dict[str, Task] = {}
    copied = 0
    written = dict(_written(known))
    gone = {key for key, thing in known.of("task") if thing is None}
    for key in {**found.tasks, **written}:
        own, other = _own(found, key, written.get(key)), written.get(key)
        if key in gone or (known.whole and other is None):
            continue  # it was removed, and is on a page that was free
        if other is not None and (own is None or _is_newer(other, own, certain=known.whole)):
            own = other
            copied += 1
        if own is not None:
            taken[key] = own
        else:
            found.dropped += 1
    return taken, copied


def _own(found: _Found, key: str, other: Task | None) -> Task | None:
    task = found.tasks.get(key)
    definition = found.definitions.get(key) or (other and other.definition)
    return replace(task, definition=definition) if task and definition else None


def _is_newer(other: Task, own: Task, *, certain: bool) -> bool:
    """The record has every change of status: where the two differ, a page was older, or bent."""
    if certain and not statuses.same(own, other):
        return True
    return other.revision > own.revision


def _written(known: Known) -> Iterator[tuple[str, Task]]:
    for key, thing in known.of("task"):
        if thing is None:
            continue
        try:
            yield key, statuses.task_in(thing)
        except _SENSELESS:
            continue


def _merge(found: _Found, known: Known, now: Moment) -> None:
    """Switches, warnings, marks and decisions: the record's own are newer."""
    if known.whole:
        found.marks.clear()  # what was removed may still be on a page that was free
    for key, since in known.of("mark"):
        found.marks.pop(key, None)
        if since is not None:
            found.marks[key] = int(since)
    if not known.whole:
        for number, switch in found.switches.items():
            if not switch.state.ended:  # perhaps it did, and what follows must not happen twice
                found.switches[number] = replace(
                    switch, state=SwitchState.FAILED, reason=SwitchReason.NOT_SAVED, ended_at=now
                )
    for key, thing in known.of("switch"):
        found.switches[int(key)] = codec.switch_from(_text(thing))
    for key, thing in known.of("warning"):
        found.warnings[int(key)] = codec.warning_from(_text(thing))
    for key, (at, word, context) in known.of("decision"):
        found.decisions[int(key)] = at, word, _text(context)


def _text(thing: Any) -> str:
    return jsontext.dumps(thing).decode()


# -- writing


def _build(
    db: schema.Connection, found: _Found, known: Known, repair: Repair, now: Moment
) -> Repair:
    schema.begin_anew(db)
    tasks, copied = _tasks(found, known)
    _merge(found, known, now)
    last = max(known.told, *found.events, 0)
    numbers = _renumbered(found.events, last)
    with db:
        _put_tasks(db, tasks, found.history)
        _put_events(db, found, numbers, last)
        if known.whole:
            _put_cursors(db, known, numbers, last)
        _put_rest(db, found, numbers)
    first = min(found.events, default=None)
    return replace(
        repair,
        tasks=len(tasks),
        copied=copied,
        events=len(numbers),
        missing=None if first is None else last - first + 1 - len(numbers),
        decisions=len(found.decisions),
    )


def _renumbered(events: Mapping[int, Any], last: int) -> dict[int, int]:
    """The new numbers, without a hole, by the old ones."""
    first = last - len(events) + 1
    return {seq: first + place for place, seq in enumerate(sorted(events))}


def _put_tasks(
    db: schema.Connection,
    tasks: Mapping[str, Task],
    history: Mapping[tuple[str, int, int], _Point],
) -> None:
    for key, task in tasks.items():
        db.execute("INSERT INTO tasks VALUES (?, ?)", (key, codec.task_text(task)))
        text = codec.definition_text(task.definition)
        db.execute("INSERT INTO definitions VALUES (?, ?)", (key, text))
    points = (point for (key, *_), point in history.items() if key in tasks)
    db.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", points)


def _put_events(
    db: schema.Connection, found: _Found, numbers: Mapping[int, int], last: int
) -> None:
    rows = ((numbers[seq], *event) for seq, event in found.events.items())
    db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?)", rows)
    floor = last - len(numbers)
    db.execute("UPDATE meta SET value = ? WHERE key = 'floor'", (floor,))
    schema.mark(db)


def _put_cursors(
    db: schema.Connection, known: Known, numbers: Mapping[int, int], last: int
) -> None:
    """What had been reacted to is so under its new number."""
    for name, at in known.of("cursor"):
        done = sum(seq <= at for seq in numbers)
        seq = last - len(numbers) + done
        db.execute("INSERT INTO cursors VALUES (?, ?)", (name, seq))


def _put_rest(db: schema.Connection, found: _Found, numbers: Mapping[int, int]) -> None:
    for number in sorted(found.switches)[-SWITCHES_KEPT:]:
        switch = found.switches[number]
        cause = None if switch.cause is None else numbers.get(switch.cause)
        text = codec.switch_text(replace(switch, cause=cause))
        db.execute("INSERT INTO switches VALUES (?, ?)", (number, text))
    for number in sorted(found.warnings)[-WARNINGS_KEPT:]:
        text = codec.warning_text(found.warnings[number])
        db.execute("INSERT INTO warnings VALUES (?, ?)", (number, text))
    marks = ((_MARK + name, since) for name, since in found.marks.items())
    db.executemany("INSERT INTO meta VALUES (?, ?)", marks)
    records.put(db, found.records)
    rows = ((number, *decision) for number, decision in found.decisions.items())
    db.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?)", rows)
