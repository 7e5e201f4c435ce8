"""Who may come in, decided without a door, at a time that a test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaspad_taskd.bridge.access import Access
from kaspad_taskd.bridge.keys import Keys
from kaspad_taskd.config.settings import Bridge

TOKEN = "correct-horse-battery"


class Hours:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def keys_of(token: str) -> Keys:
    """Keys that are written nowhere."""
    return Keys(token, Path("/nowhere/token"), Path("/nowhere/sessions"), own=False)


def access(clock: Hours | None = None, **settings: Any) -> Access:
    clock = clock or Hours()
    return Access(Bridge(**settings), keys_of(TOKEN), clock)
