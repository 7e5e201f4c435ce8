"""What became of the state, told where people look: the log, and warnings that stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from kaspad_taskd import words
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.record import Loaded, Repair
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.store.sqlite import SqliteStore

_log = logging.getLogger(__name__)


def tell(engine: Engine, repair: Repair) -> None:
    """Put on record what was saved, and what was not."""
    for code, params in _warnings(repair):
        _log.critical("%s", words.warning(code, params)[0])
        engine.warn(code, params)


def _warnings(repair: Repair) -> Iterator[tuple[str, Mapping[str, Scalar]]]:
    if repair.aside is not None:
        yield (
            "state-repaired",
            {
                "path": repair.path,
                "why": repair.why,
                "aside": repair.aside,
                "tasks": repair.tasks,
                "copied": repair.copied,
                "events": repair.events,
                "decisions": repair.decisions,
                "dropped": repair.dropped,
            },
        )
    if repair.missing is None and repair.aside is None:
        yield "history-lost", {"path": repair.path, "tasks": repair.tasks}
    elif repair.missing:
        yield "journal-gap", {"missing": repair.missing}


class StoreWatch:
    """Looks after what the store does by itself: it is mended, or can be written again."""

    def __init__(self, engine: Engine, store: SqliteStore) -> None:
        self._engine = engine
        self._store = store
        self._healed = 0
        self._unwritten: Loaded | None = None

    def begin(self, loaded: Loaded) -> None:
        """Tell what was mended, and take note of why it cannot be written, if so."""
        if loaded.repaired is not None:
            tell(self._engine, loaded.repaired)
        self._engine.hear(loaded.problem)
        self._unwritten = loaded if loaded.problem is not None else None

    def look(self) -> Loaded | None:
        """Tell what is new; returns what was loaded, when it can be written now and could not."""
        self._engine.journal = self._store.journal
        healed, self._healed = self._healed, self._store.healed
        self._engine.hear(self._store.trouble, healed=self._healed != healed)
        for code, params in self._store.notices():
            self._engine.warn(code, params)
        if self._store.trouble is not None:
            return None
        loaded, self._unwritten = self._unwritten, None
        return loaded
