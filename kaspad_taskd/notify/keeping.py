"""State and outbox brought to the disk, and what is done where it takes nothing."""

from __future__ import annotations

import logging
import time
from typing import Final

from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.notify.model import Moment
from kaspad_taskd.notify.outbox import Outbox
from kaspad_taskd.notify.store import Lost, Store, Unwritable
from kaspad_taskd.notify.thinking import Thinking

LIVE: Final = 60.0
"""Seconds after which what the daemon would tell again is saved as well."""
AGAIN: Final = 5.0
"""Seconds after which a disk that took nothing is tried again."""

log = logging.getLogger(__name__)


class Keeper:
    """Saves what has to be saved, when it has to be.

    Args:
        store: where to.

    Attributes:
        unsaved: why what is known is not on disk; "" where it is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sparing = Sparing()
        self._saved = self._tried = time.monotonic()
        self.unsaved = ""

    def keep(self, mind: Thinking, outbox: Outbox, now: Moment) -> None:
        """Bring to the disk what has to be there before anything is sent."""
        moment = time.monotonic()
        needed = mind.is_changed or outbox.is_changed
        if not needed and not (mind.is_alive and moment - self._saved > LIVE):
            return
        if self.unsaved and moment - self._tried < AGAIN:
            return
        self._tried = moment
        self._save(mind, outbox, now)

    def _save(self, mind: Thinking, outbox: Outbox, now: Moment) -> None:
        try:
            self._write(mind, outbox, now)
        except Unwritable as fault:
            self.unsaved = str(fault)
            if (more := self._sparing.may(self.unsaved)) is not None:
                log.error("not saved (%d times before), it goes on from memory: %s", more, fault)
            return
        if self.unsaved:
            log.info("saved again")
        self.unsaved = ""
        self._saved = self._tried
        mind.saved()
        outbox.saved()

    def _write(self, mind: Thinking, outbox: Outbox, now: Moment) -> None:
        try:
            rows = mind.rows(now)
            self._store.save(mind.encoded(), mind.cursor, outbox.changes(), rows)
        except Lost:
            rows = mind.rows(now, whole=True)
            aside = self._store.renew(mind.encoded(), mind.cursor, outbox.content(), now, rows)
            where = f"; the old one lies at {aside}" if aside else ""
            log.warning("the state was gone or damaged, and is written anew%s", where)

    def close(self, mind: Thinking, outbox: Outbox, now: Moment) -> None:
        """Save a last time, and let the state go."""
        if mind.is_changed or mind.is_alive or outbox.is_changed:
            self._save(mind, outbox, now)
        self._store.close()
