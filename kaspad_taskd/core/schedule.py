"""When the next look is due."""

from __future__ import annotations

from kaspad_taskd.core.model import Definition, Task, Watch

LONGEST_BACKOFF = 60.0  # seconds
JITTER = 0.1


def next_look(task: Task, definition: Definition, jitter: float) -> float:
    """Return the seconds from the end of a look to the next.

    It is the interval (on watch: that of watching), doubled with each further look without an
    answer, up to a minute; these are spread by a tenth with `jitter` (-1 to 1), so that tasks of
    one host do not ask in step.
    """
    misses = task.live.misses
    interval = look_every(definition) if task.watch is Watch.ON else definition.interval
    if misses < 2 or interval >= LONGEST_BACKOFF:
        return interval
    delay = min(LONGEST_BACKOFF / (1 + JITTER), interval * 2.0 ** min(misses - 1, 16))
    return max(interval, delay * (1 + JITTER * jitter))


def look_every(definition: Definition) -> float:
    """Return the seconds between two looks at a complete task that is on watch."""
    return max(definition.interval, definition.watch_interval)
