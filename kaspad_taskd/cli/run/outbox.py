"""Ends that could not be told: they wait in this user's own state for the next client."""

from __future__ import annotations

import json
import os
import time

from kaspad_taskd.client.wire import own_directory

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FILES = 100
"""How many wait at most; the oldest go."""
AGE = 30 * 86400.0
"""Seconds for which one waits."""
_SIZE = 65536
_SOON = 2.0  # seconds that an answer may take
_SUFFIX = ".json"


def place() -> str:
    """Return the directory in which they wait; it need not be there."""
    return f"{own_directory('XDG_STATE_HOME', '.local/state')}/kaspad-taskd/run"


def keep(message: dict[str, Any], directory: str | None = None) -> str | None:
    """Let a message wait; returns its path, or None: it cannot be kept, which harms nobody.

    It is whole or not there, for its owner alone.
    """
    where = place() if directory is None else directory
    name = f"{time.time_ns():020d}-{os.getpid()}"
    path, new = f"{where}/{name}{_SUFFIX}", f"{where}/.{name}.new"
    try:
        os.makedirs(where, 0o700, exist_ok=True)  # noqa: PTH103 - pathlib costs start time
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(message, file)
        os.rename(new, path)  # noqa: PTH104
    except (OSError, ValueError):
        _remove(new)
        return None
    waiting(where)
    return path


def waiting(directory: str | None = None) -> list[str]:
    """Return the paths of those that wait, the oldest first; what is too old, or too much, goes."""
    where = place() if directory is None else directory
    try:
        names = sorted(os.listdir(where))  # noqa: PTH208
    except OSError:
        return []
    paths = [f"{where}/{name}" for name in names if name.endswith(_SUFFIX)]
    oldest = time.time() - AGE
    kept = [path for path in paths if _written(path) >= oldest][-FILES:]
    for path in set(paths) - set(kept):
        _remove(path)
    for name in names:
        if name.endswith(".new") and _written(f"{where}/{name}") < time.time() - 3600:
            _remove(f"{where}/{name}")  # whoever wrote it was killed
    return kept


def tell(call: Callable[[str, dict[str, Any]], Any], socket: str | None) -> int:
    """Tell what waits for this daemon; returns how many were told.

    Args:
        call: the daemon.
        socket: as the command line names it, or None: the usual ones.

    Raises:
        Unreachable: it went away; what is not told yet waits on.
        Refused: it takes nothing now.
    """
    told = 0
    for path in waiting():
        taken = _take(path)
        if taken is None:
            continue
        message, mine = taken
        try:
            if message.get("socket") == socket:
                from kaspad_taskd.cli.run.telling import tell_left

                tell_left(call, message)
                told += 1
                _remove(mine)
        finally:
            _give_back(mine, path)
    return told


def tell_soon(socket: str | None) -> None:
    """Tell what waits, if that can be done at once; else it waits on. Never fails."""
    if not waiting():
        return
    from kaspad_taskd.client import Client, Refused, Unreachable

    try:
        with Client(socket, _SOON, patience=0.0) as taskd:
            tell(taskd.call, socket)
    except (Refused, Unreachable, LookupError, TypeError, ValueError):
        pass


def _take(path: str) -> tuple[dict[str, Any], str] | None:
    """The message, under a name that no other client takes meanwhile."""
    mine = f"{path}.{os.getpid()}.new"
    try:
        os.rename(path, mine)  # noqa: PTH104
        with open(mine, encoding="utf-8") as file:  # noqa: PTH123
            message = json.loads(file.read(_SIZE))
    except OSError:  # another client was sooner, or it is another user's (sudo -E): theirs to tell
        _give_back(mine, path)
        return None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        _remove(mine)  # nobody wrote this whole
        return None
    return message, mine


def _give_back(mine: str, path: str) -> None:
    try:
        os.rename(mine, path)  # noqa: PTH104
    except OSError:
        pass


def _written(path: str) -> float:
    try:
        return os.stat(path, follow_symlinks=False).st_mtime  # noqa: PTH116
    except OSError:
        return 0.0


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        pass
