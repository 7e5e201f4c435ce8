"""What the log tells of tasks: whoever has journalctl alone knows what ended and what failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from logging import ERROR, INFO, WARNING
from typing import Any, Final

from kaspad_taskd import words
from kaspad_taskd.api.wire import event_data
from kaspad_taskd.base.repeats import TOPICS, Repeats, counted
from kaspad_taskd.core.attention import AttentionCode
from kaspad_taskd.core.fact import Event, EventName
from kaspad_taskd.engine.engine import Engine

TOLD: Final = frozenset(
    {EventName.COMPLETE, EventName.ERROR, EventName.CANCELLED, EventName.HEALTH, EventName.EPOCH,
     EventName.NODE_READY, EventName.SWITCH_COMPLETE, EventName.SWITCH_ERROR,
     EventName.WARNING, EventName.ATTENTION}
)  # fmt: skip
"""What is worth a line; a start with 10,000 tasks is not 10,000 lines."""
BAD: Final = frozenset({EventName.ERROR, EventName.SWITCH_ERROR, EventName.WARNING})
"""What is a warning."""
BROKEN: Final = frozenset(each.value for each in AttentionCode if each.broken)
"""What of a service is an error: it does not do its work."""
KNOWN: Final = TOPICS
"""Tasks whose last line is remembered."""

log = logging.getLogger(__name__)


class Story:
    """Puts what comes on record from now on into the log, a line each.

    What happens to a task again and again, with nothing else that is told in between, is a line a
    minute, and the next one counts what was held back: so the newest line is always true.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seq = engine.seq
        self._repeats = Repeats()
        self._last: dict[str, str] = {}
        engine.on_events.append(self._told)

    def _told(self) -> None:
        events = self._engine.recent(self._seq)
        self._seq = self._engine.seq
        for event in events or ():  # a group of more than memory keeps is not worth its lines
            if event.fact.name in TOLD:
                data = event_data(event)
                held = self._held(event, data)
                if held is not None:
                    _tell(event, data, held)

    def _held(self, event: Event, data: Mapping[str, Any]) -> int | None:
        about = f"{event.fact.task_id} {event.fact.service}"
        of = next((data[key] for key in ("health", "to", "code") if key in data), None)
        what = f"{event.fact.name.value} {of}"
        before = self._last.pop(about, None)
        self._last[about] = what
        if len(self._last) > KNOWN:
            del self._last[next(iter(self._last))]
        if before != what:
            self._repeats.forget(about)
        return self._repeats.told(about, what, asyncio.get_running_loop().time())


def _tell(event: Event, data: Mapping[str, Any], held: int) -> None:
    said = words.safe(words.sentence(event.fact.name.value, data))
    if "switch" in data or event.fact.name is EventName.ATTENTION:  # not its task's service
        said = f"{words.safe(event.fact.service)}: {said}"
    reason = data.get("code" if event.fact.name is EventName.ATTENTION else "reason")
    fields = {"task": event.fact.task_id or None, "reason": reason}
    log.log(level(event.fact.name, data), "%s", counted(said, held), extra=fields)


def level(name: EventName, data: Mapping[str, Any]) -> int:
    """How bad it is: a service that is left down is an error, `err` in the journal."""
    if name is EventName.ATTENTION:
        code = data.get("code")
        return INFO if code is None else ERROR if code in BROKEN else WARNING
    if name is EventName.SWITCH_ERROR and (data.get("switch") or {}).get("state") == "failed":
        return ERROR
    return WARNING if name in BAD else INFO
