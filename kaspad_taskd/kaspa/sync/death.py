"""What a log's last lines say of why a kaspad ended, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.core.observation import Hint, Scalar
from kaspad_taskd.core.reason import Reason

LOCK, NO_SPACE, FILE_LIMIT = "lock", "no-space", "file-limit"
PROMPT, PANIC, STOPPED = "prompt", "panic", "stopped"

DEATHS: Final[Mapping[str, str]] = {
    "lock": LOCK,
    "no_space": NO_SPACE,
    "file_limit": FILE_LIMIT,
    "rejected": PROMPT,
    "panic": PANIC,
    "stopping": STOPPED,
    "stopped": STOPPED,
}
"""Line to cause."""

CAUSES: Final[Mapping[str, Reason]] = {
    LOCK: Reason.NODE_LOCKED,
    NO_SPACE: Reason.DISK_FULL,
    FILE_LIMIT: Reason.FILE_LIMIT,
    PROMPT: Reason.DB_PROMPT,
    PANIC: Reason.NODE_PANICKED,
}
"""Cause to reason. Who was stopped in good order has none: nothing is wrong with it."""

_NOT_THERE = frozenset(
    {Reason.REFUSED, Reason.STREAM_CLOSED, Reason.NETWORK_DOWN, Reason.NAME_UNKNOWN, Reason.TIMEOUT}
)
"""What is met where nobody is, or a container's forwarder alone."""
_VAGUE: Final[Mapping[str, int]] = {STOPPED: 0, PANIC: 1}
LOW_DISK = 2_000_000_000


def tells_more(new: str, old: str | None) -> bool:
    """Whether a cause replaces what is known of the same end: a panic is said in several lines."""
    return old is None or _VAGUE.get(new, 2) >= _VAGUE.get(old, 2)


def reason(death: str | None, met: Reason) -> Reason:
    """Return why there is no answer: what the log tells, where nobody is met, else what was met."""
    return CAUSES.get(death or "", met) if met in _NOT_THERE else met


def hints(
    death: str | None, where: Mapping[str, Scalar], free: int | None = None
) -> tuple[Hint, ...]:
    """Return the cause with its cure.

    Args:
        death: one of the closed words, or None.
        where: what names its log: `unit`, `container` or `log`, where known.
        free: free bytes on the disk of its data, where known.
    """
    if death == STOPPED:
        return (Hint("node-stopped", where),)
    known = CAUSES.get(death or "")
    if known is None:
        return ()
    if known is Reason.DISK_FULL:
        return (Hint(str(known), {**where, **_space(free)}),)
    return (Hint(str(known), where),)


def _space(free: int | None) -> Mapping[str, Scalar]:
    """What is free: too little still, or enough again since it ended."""
    if free is None:
        return {}
    return {"left" if free < LOW_DISK else "again": free}
