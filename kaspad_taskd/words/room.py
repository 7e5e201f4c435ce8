"""What is told of the disk that a task fills: that it will be full, and how much is left."""

from __future__ import annotations

from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FULL = ("disk-runway", "disk-full")
"""Hints that are trouble though all else goes well."""


def filling(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the hint that the disk of a running task will be full, or all but is."""
    if task.get("status") != "in-progress":
        return None
    for one in task.get("hints") or ():
        if one.get("code") in FULL and "free" in (one.get("params") or {}):
            found: Mapping[str, Any] = one
            return found
    return None


def params(task: Mapping[str, Any]) -> dict[str, object]:
    """Return what the sentences on a task's disk need beyond their own: `path` and `work`."""
    path = (task.get("config") or {}).get("dataDir")
    work = maybe(f"work.{task.get('type')}") or say("work.other")
    return {"work": work, **({"path": path} if isinstance(path, str) else {})}


def brief(task: Mapping[str, Any]) -> str | None:
    """Return, as part of a sentence, that its disk will be full; None where it will not."""
    one = filling(task)
    if one is None:
        return None
    return say(f"hint.{one['code']}.brief", **{**params(task), **one["params"]})


def also(task: Mapping[str, Any], text: str) -> str:
    """Return a sentence on a task, and that its disk will be full, where that is so."""
    told = brief(task)
    return text if told is None else f"{text}; {told}"


def left(task: Mapping[str, Any]) -> str:
    """Return what is free on the disk of a task that runs, "" where that is not known."""
    known = task.get("metadata") or {}
    ours = "dataDir" in (task.get("config") or {})  # others may tell a fact of that name
    if task.get("status") != "in-progress" or not ours or "diskFree" not in known:
        return ""
    rate = known.get("diskGrowth") or None
    return say("position.room", free=known["diskFree"], total=known.get("diskTotal"), rate=rate)
