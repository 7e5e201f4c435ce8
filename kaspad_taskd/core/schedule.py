"""When the next look is due."""

from __future__ import annotations

from kaspad_taskd.core.model import Definition, Task

LONGEST_BACKOFF = 60.0  # seconds
JITTER = 0.1


def next_look(task: Task, definition: Definition, jitter: float) -> float:
    """Return the seconds from the end of a look to the next.

    It is the interval, doubled with each further look without an answer, up to a minute; these are
    spread by a tenth with `jitter` (-1 to 1), so that tasks of one host do not ask in step.
    """
    misses = task.live.misses
    if misses < 2 or definition.interval >= LONGEST_BACKOFF:
        return definition.interval
    delay = min(LONGEST_BACKOFF / (1 + JITTER), definition.interval * 2.0 ** min(misses - 1, 16))
    return max(definition.interval, delay * (1 + JITTER * jitter))
