"""The state opened: sound as it is, brought up to date, or mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kaspad_taskd.base import files
from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import Loaded
from kaspad_taskd.store import rows, schema, statuses
from kaspad_taskd.store.fault import DamagedError, is_damage
from kaspad_taskd.store.pages import LOG, Log
from kaspad_taskd.store.schema import Connection, SqliteError


@frozen
class Opened:
    """A state that is open: its connection, its tables, what they hold, its second record."""

    db: Connection
    rows: rows.Rows
    loaded: Loaded
    statuses: statuses.Statuses


def open_state(path: Path, now: Moment, beat: Callable[[], None], *, known: bool) -> Opened:
    """Check, migrate, load; what is damaged, gone, or older than what was told is mended first.

    Args:
        path: of the state; its lock is held.
        now: ms since 1970 UTC.
        beat: called now and then while it takes long.
        known: whether there was a state before.

    Raises:
        NewerError: a newer version has changed it.
        StoreError: a step to a newer schema failed.
        SqliteError, OSError: the disk does not let us.
    """
    record = statuses.Statuses(path)
    before = statuses.read(record.path)
    try:
        if before.written and _is_missing(path):
            raise DamagedError("it was not there")
        return _open(path, now, beat, record, before, lost=known)
    except (SqliteError, DamagedError, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise
        why = str(error).replace("\n", " ")
    from kaspad_taskd.store.salvage import salvage  # few states are ever damaged

    repair = salvage(path, before, why, now, beat)
    try:
        opened = _open(path, now, beat, record, before)
    except DamagedError:  # of what was saved something makes no sense; the second record does
        again = salvage(path, before, why, now, beat, rows=False)
        repair = replace(again, aside=repair.aside)
        opened = _open(path, now, beat, record, before)
    return replace(opened, loaded=replace(opened.loaded, repaired=repair))


def _is_missing(path: Path) -> bool:
    log = path.with_name(path.name + LOG)
    return not path.exists() or files.size_of(path, log) == 0


def _open(
    path: Path,
    now: Moment,
    beat: Callable[[], None],
    record: statuses.Statuses,
    before: statuses.Known,
    *,
    lost: bool = False,
) -> Opened:
    _refuse_broken_log(path)
    db = schema.connect(path)
    try:
        db.set_progress_handler(beat, 100_000)  # instructions: some 10 ms
        schema.refuse_newer(db, path)
        schema.check(db)
        if before.written and schema.version(db) == 0:
            raise DamagedError("it is empty")
        schema.migrate(db, path, lost=lost)
        table = rows.Rows(db)
        loaded = table.load()
        if table.must_leap():  # a copy, or begun anew: what the record knows was before it
            table.leap(now)
            loaded = table.load()
        else:
            _refuse_older(loaded, before)
        db.set_progress_handler(None, 0)
        record.begin(loaded, before, db)
    except BaseException:
        db.close()
        raise
    return Opened(db, table, loaded, record)


def _refuse_broken_log(path: Path) -> None:
    """See that SQLite will take all of the log of a daemon that was killed."""
    log = path.with_name(path.name + LOG)
    if not path.exists() or not log.exists() or schema.is_stray_log(path):
        return
    if Log(log.read_bytes()).broken:
        raise DamagedError(f"{log.name} is damaged amid what was committed")


def _refuse_older(loaded: Loaded, before: statuses.Known) -> None:
    """See that the state has all that was told, and is what the second record says of it."""
    if before.told > loaded.seq:
        raise DamagedError(f"it ends with event {loaded.seq}, but {before.told} was told")
    if not before.whole or before.told != loaded.seq:
        return  # an older daemon was here
    for task in loaded.tasks:
        said = before.things.get(f"task/{task.id}")
        if said and not statuses.agrees(task, said):
            raise DamagedError(f"what it says of {task.id} is not what was told")
