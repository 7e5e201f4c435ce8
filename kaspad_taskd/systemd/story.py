"""What the log tells of tasks: whoever has journalctl alone knows what ended and what failed."""

from __future__ import annotations

import logging
from logging import INFO, WARNING
from typing import Final

from kaspad_taskd import words
from kaspad_taskd.api.wire import event_data
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.engine.engine import Engine

TOLD: Final = frozenset(
    {EventName.COMPLETE, EventName.ERROR, EventName.CANCELLED, EventName.HEALTH, EventName.EPOCH,
     EventName.NODE_READY, EventName.SWITCH_COMPLETE, EventName.SWITCH_ERROR,
     EventName.WARNING}
)  # fmt: skip
"""What is worth a line; a start with 10,000 tasks is not 10,000 lines."""
BAD: Final = frozenset({EventName.ERROR, EventName.SWITCH_ERROR, EventName.WARNING})
"""What is a warning."""

log = logging.getLogger(__name__)


class Story:
    """Puts what comes on record from now on into the log, a line each."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seq = engine.seq
        engine.on_events.append(self._told)

    def _told(self) -> None:
        events = self._engine.recent(self._seq)
        self._seq = self._engine.seq
        for event in events or ():  # a group of more than memory keeps is not worth its lines
            if event.fact.name in TOLD:
                _tell(event)


def _tell(event: Event) -> None:
    data = event_data(event)
    said = words.safe(words.sentence(event.fact.name.value, data))
    if "switch" in data:  # it is about another service than its task's
        said = f"{words.safe(event.fact.service)}: {said}"
    fields = {"task": event.fact.task_id or None, "reason": data.get("reason")}
    log.log(WARNING if event.fact.name in BAD else INFO, "%s", said, extra=fields)
