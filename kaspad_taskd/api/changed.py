"""Who changed what, as the log has it, whichever door it came through."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

_log = logging.getLogger(__name__)


def log_change(method: str, bound: Mapping[str, Any], result: object, who: object) -> None:
    """Log a change once it is done.

    Args:
        method: its name.
        bound: the call's parameters.
        result: its answer, None where the caller did not wait.
        who: called.
    """
    places = [place for place in (result, bound.get("body", bound)) if isinstance(place, Mapping)]
    named = (place.get(key) for place in places for key in ("taskId", "id"))
    task = next((str(name) for name in named if name is not None), None)
    if task is not None:
        task = task[:100] if task.isprintable() else "?"
    _log.info("%s by %s", method, who, extra={"task": task})
