"""How `wait`, `watch` and `switch` end: exit codes, and patience with a daemon that restarts."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kaspad_taskd.client import Unreachable
    from kaspad_taskd.words.task import WireTask

FAILED, TIMED_OUT = 1, 6
NOT_IN_SYNC = 7
"""Of `wait --now`: it is complete, and is not in sync now, or nobody knows."""
RETRY = 0.2
"""Seconds until a daemon that does not answer is tried again."""
GRACE = 60.0
"""Seconds without a daemon after which it is given up (exit 3): it restarts in seconds."""
_CODES = {"complete": 0, "error": 4, "cancelled": 5}
_WORST_FIRST = (4, 5, FAILED, NOT_IN_SYNC, TIMED_OUT, 0)


def code_of(task: WireTask) -> int | None:
    """Return the exit code that a task's end means, or None: it goes on."""
    return _CODES.get(str(task.get("status")))


def code_of_all(tasks: Iterable[WireTask | None]) -> int | None:
    """Return the worst of all ends, or None while one goes on. A removed task is None: failed."""
    codes = [FAILED if task is None else code_of(task) for task in tasks]
    return None if None in codes else worst([code for code in codes if code is not None])


def worst(codes: Sequence[int]) -> int:
    """Return the exit code of several ends: 4 before 5, 1 (removed), 7, 6 and 0."""
    return next(code for code in _WORST_FIRST if code in codes)


def is_gone(fault: Unreachable, heard: float) -> bool:
    """Whether nothing is to be waited for; `heard`: when it last answered, by time.monotonic()."""
    return fault.reason in ("forbidden", "bad-path") or time.monotonic() - heard > GRACE
