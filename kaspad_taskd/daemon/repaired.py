"""What a start had to mend, told where people look: the log, and warnings that stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from kaspad_taskd import words
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.record import Repair
from kaspad_taskd.engine.engine import Engine

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
