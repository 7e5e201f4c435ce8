"""The store: a SQLite file, a thread that writes it and a thread that reads it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.record import Change, Loaded, Outcome
from kaspad_taskd.store import looking, rows, schema
from kaspad_taskd.store.copying import copy
from kaspad_taskd.store.fault import DamagedError, StoreError, UnwritableError, is_own, sentence
from kaspad_taskd.store.group import IDLE, Settled, Writer
from kaspad_taskd.store.keeping import Keeper, Notice
from kaspad_taskd.store.lock import Lock
from kaspad_taskd.store.opening import Opened, open_state
from kaspad_taskd.store.place import Identity, Place, identity
from kaspad_taskd.store.reading import Reading
from kaspad_taskd.store.schema import Connection, SqliteError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

READ_PATIENCE = 30.0
"""Seconds that a read may take; the disk is at fault then."""
COPY_PATIENCE = 600.0
"""Seconds that a backup may take: a slow card, a large file."""
TRY_EVERY = 3.0
"""Seconds between two tries to take a state into use that could only be read."""
HOME_PATIENCE = 10.0
"""Seconds that a commit waits for its file to be where it belongs, if it was removed meanwhile."""
HOME_EVERY = 0.1
"""Seconds between two tries of that."""
CLOSE_PATIENCE = 10.0
"""Seconds that the last commit may take."""
EXTENSION = 30.0
"""Seconds asked for, each second, while a start takes long (a migration, a check)."""
PRUNE_AFTER = rows.BITE // 2
"""Events written, after which some are pruned: less than a bite, so pruning keeps up."""
PRUNE_EVERY = 60_000
"""Ms after which a bite is pruned though nothing was written: events age."""


class SqliteStore(Reading):
    """What survives, in one SQLite file, opened by one daemon at a time.

    Args:
        path: of the file; its directory must exist and be writable.
        now: ms since 1970 UTC.
        extend: called with seconds that a long start (a migration) will at least still take.

    Attributes:
        journal: the journal's identity, as `Loaded.journal`; another one when it was written anew.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], Moment],
        extend: Callable[[float], None] | None = None,
    ) -> None:
        self._path = path
        self._now = now
        self._extend = extend
        self._asked = 0.0
        self._lock = Lock(path)
        self._db: Connection | None = None
        self._writer: Writer | None = None
        self._reading: Connection | None = None
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._looked = 0.0  # monotonic
        self._pruned = (0, 0)  # seq and moment of the last bite
        self._closed = False
        self._looked_at: Loaded | None = None  # it can only be read: what was loaded then
        self._problem: str | None = None
        self._healed = 0
        self.journal = ""

    # -- opening

    def open(self) -> Loaded:
        """Lock, check, migrate, load; blocking.

        What is damaged, gone, or older than what was told is mended from all that can be read
        (`repaired` says so); that one, and one put back from a copy, goes on at a higher `seq`: see
        `Rows.leap`. What can only be read is loaded into memory (`problem` says why), and taken
        into use as soon as it can be written.

        Raises:
            StoreError: another daemon has it, it is newer, or the disk does not let us.
        """
        self._asked = time.monotonic()
        try:
            opened = self._open()
        except (SqliteError, OSError) as error:
            self._abandon()
            raise StoreError(sentence(error, self._path)) from error
        except BaseException:
            self._abandon()
            raise
        self._take_over(opened)
        self._pruned = (opened.loaded.seq, 0)
        return opened.loaded

    def _open(self) -> Opened:
        try:
            self._lock.take()
            return open_state(self._path, self._now(), self._beat, known=self._lock.known)
        except (StoreError, SqliteError, OSError) as error:
            why = looking.reason(error, self._path)
            if why is None:
                raise
            if isinstance(error, UnwritableError):
                self._lock.look()
        return looking.open_to_look(self._path, self._now(), self._beat, why)

    def _take_over(self, opened: Opened) -> None:
        self._db, self._rows, self._statuses = opened.db, opened.rows, opened.statuses
        self._looked_at = opened.loaded if opened.loaded.problem is not None else None
        self._problem = opened.loaded.problem
        self.journal = opened.loaded.journal

    def _beat(self) -> None:
        if self._extend is not None and time.monotonic() - self._asked > 1.0:
            self._asked = time.monotonic()
            self._extend(EXTENSION)

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
            self._statuses.close()

    def _abandon(self) -> None:
        self._disconnect()
        self._reader.shutdown(wait=False)
        self._lock.release()

    # -- writing

    def start(self, settled: Settled) -> None:
        """Begin to commit. `settled` is called on the running loop, once a group, in order."""
        self._begin_reading()
        self._writer = Writer(self._commit, self._tidy, self._finish)
        self._writer.start(settled)

    def _begin_reading(self) -> None:
        self._keeper = Keeper(self._path, Place(self._path, self._lock), self._now)
        if self._looked_at is None:
            self._reading = schema.connect_reader(self._path)
            self._keeper.begin()
        else:
            self._reading = self._db  # in memory; nobody writes to it

    def submit(self, change: Change) -> None:
        """Queue a change: all of it or nothing, in the order of the calls.

        Raises:
            StoreError: the store is not open, or too many changes wait; this one is not queued.
        """
        if self._writer is None or self._closed:
            raise StoreError(f"{self._path} is not open")
        self._writer.submit(change)

    def _commit(self, changes: Sequence[Change]) -> tuple[list[Outcome], str | None]:
        assert self._db is not None
        if self._problem is not None:
            return [], self._problem
        if not self._keeper.is_there():
            return [], self._keeper.trouble
        outcomes, error = self._rows.commit(changes)
        self._statuses.note(outcomes, self._rows.seq, self._db)
        if outcomes and not self._is_kept():
            return [], self._keeper.trouble
        if error is None:
            return outcomes, None
        if is_own(error):  # a fault of ours: somebody has to see where
            _log.error("a change cannot be stored", exc_info=error)
        return outcomes, sentence(error, self._path)

    def _is_kept(self) -> bool:
        """See that what was committed is where it belongs, or bring it there.

        The file may have gone within these ms. Nobody is told of a change before it has a place;
        one that finds none in time is refused, though the file that is open has it still.
        """
        until = time.monotonic() + HOME_PATIENCE
        while not self._keeper.is_there():
            assert self._db is not None
            self._keeper.mend(self._db, self._reopen)
            if self._keeper.is_kept:
                break
            if self._closed or time.monotonic() > until:
                return False
            time.sleep(HOME_EVERY)
        return True

    def _tidy(self, idle: bool) -> None:
        """See that all is in its place; prune when it is due and nobody waits, or long overdue."""
        assert self._db is not None
        if self._looked_at is not None:
            self._try_again(self._looked_at)
            return
        if self._keeper.trouble is not None or time.monotonic() - self._looked >= IDLE:
            self._looked = time.monotonic()
            self._keeper.mend(self._db, self._reopen)
            if self._keeper.trouble is not None:
                return
            self._statuses.mend(self._db)
        seq, moment = self._pruned
        written, now = self._rows.seq - seq, self._now()
        due = written >= PRUNE_AFTER or not 0 <= now - moment < PRUNE_EVERY
        if not ((due and idle) or written >= 8 * PRUNE_AFTER):
            return
        self._pruned = (self._rows.seq, now)
        try:
            self._rows.prune()
        except SqliteError as error:
            _log.warning("nothing pruned: %s", sentence(error, self._path))

    def _try_again(self, loaded: Loaded) -> None:
        """Take the state into use that could only be read, as soon as it can be written."""
        if time.monotonic() - self._looked < TRY_EVERY:
            return
        self._looked = time.monotonic()
        try:
            self._lock.take()
            opened = open_state(self._path, self._now(), lambda: None, known=self._lock.known)
        except (StoreError, SqliteError, OSError) as error:
            self._hold_on(error)
            return
        if (opened.loaded.tasks, opened.loaded.seq) != (loaded.tasks, loaded.seq):
            opened.db.close()
            opened.statuses.close()
            self._problem = f"{self._path} is another one than was read: restart the daemon"
            self._looked = math.inf
            return
        self._reader.submit(self._take_into_use, opened).result()

    def _hold_on(self, error: Exception) -> None:
        self._problem = looking.reason(error, self._path) or str(error)
        with suppress(StoreError):  # another daemon is there now, which the next try will say
            self._lock.look()

    def _take_into_use(self, opened: Opened) -> None:
        before = self._db
        self._take_over(opened)
        self._begin_reading()
        if before is not None:
            before.close()
        self._healed += 1
        _log.warning("%s can be written again", self._path)

    def _reopen(self, fresh: Identity) -> None:
        """Open the file in the place of the open one, while nobody reads (in the writer).

        Raises:
            SqliteError, OSError, DamagedError: it cannot be opened; this may be tried again.
        """
        swap = self._reader.submit(self._swap, fresh)
        try:
            swap.result(READ_PATIENCE)
        except TimeoutError:
            if swap.cancel():
                raise
            swap.result()

    def _swap(self, fresh: Identity) -> None:
        """The open file is let go last: until the other is open, it alone may have all.

        Its log ends before: else SQLite would remove the other's with it, by its name.
        """
        assert self._db is not None
        assert self._reading is not None
        self._reading.close()
        schema.end_log(self._db)
        db = schema.connect(self._path, new=False)
        try:
            if identity(str(self._path)) != fresh:
                raise DamagedError("it is not the one that was written")
            table = rows.Rows(db)
            self.journal = table.load().journal
        except BaseException:
            db.close()
            raise
        self._db.close()
        self._db, self._rows = db, table
        self._reading = schema.connect_reader(self._path)

    def _finish(self) -> None:
        """The writer's connection is the last: it can tidy up the log."""
        if self._reading is not None:
            self._reader.submit(self._reading.close).result()
        self._disconnect()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written as things are now, or None."""
        return self._problem or (None if self._writer is None else self._keeper.trouble)

    @property
    def healed(self) -> int:
        """How often there was a `trouble` that is over: what failed meanwhile would not now."""
        return self._healed + (0 if self._writer is None else self._keeper.healed)

    def notices(self) -> Iterator[Notice]:
        """What was done to the state since this was asked last, to be told as warnings."""
        while self._writer is not None and self._keeper.notices:
            yield self._keeper.notices.popleft()

    def answered(self) -> float:
        """Monotonic time of the writer's last sign of life (a failed commit is one)."""
        return time.monotonic() if self._writer is None else self._writer.answered

    @property
    def oldest(self) -> int:
        """`seq` of the oldest event kept, or of the next one; it rises as events are pruned."""
        return self._rows.oldest

    # -- reading

    async def backup(self, path: str) -> None:
        """Write a consistent copy to `path`, atomically; one that is opened goes on at higher seq.

        Raises:
            StoreError: `path` is the state itself, or cannot be written.
        """
        target = Path(path)
        await self._read(lambda db: copy(db, self._path, target), target, COPY_PATIENCE)

    async def _read(
        self,
        ask: Callable[[Connection], _T],
        place: Path | None = None,
        patience: float = READ_PATIENCE,
    ) -> _T:
        path = place or self._path
        if self._reading is None or self._closed:
            raise StoreError(f"{self._path} is not open")
        try:
            async with asyncio.timeout(patience):
                return await asyncio.get_running_loop().run_in_executor(
                    self._reader, self._ask, ask
                )
        except TimeoutError:
            raise StoreError(f"the disk of {path.parent} does not answer") from None
        except (SqliteError, OSError, KeyError, TypeError, ValueError) as error:
            cause = DamagedError(str(error)) if is_own(error) else error
            raise StoreError(sentence(cause, path)) from error

    def _ask(self, ask: Callable[[Connection], _T]) -> _T:
        assert self._reading is not None  # only the reader's thread replaces it
        return ask(self._reading)

    # -- closing

    async def close(self) -> None:
        """Commit what is queued, let everything go. A second time does nothing.

        Raises:
            StoreError: the last commit took too long; what it held may be lost.
        """
        if self._closed:
            return
        self._closed = True
        done = True
        if self._writer is not None:
            self._writer.end()
            waiter = ThreadPoolExecutor(1, "store-end")
            loop = asyncio.get_running_loop()
            done = await loop.run_in_executor(waiter, self._writer.ended, CLOSE_PATIENCE)
            waiter.shutdown(wait=False)
        else:
            self._disconnect()
        self._reader.shutdown(wait=False)
        self._lock.release()
        if not done:
            raise StoreError(
                f"the disk of {self._path.parent} does not answer: changes may be lost"
            )
