"""A task as it is now: its public form, with the newest `sync:progress` laid over; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.schemas import COMPONENTS
from kaspad_taskd.base.jsontext import loads
from kaspad_taskd.fleet.shapes import PROGRESS_FIELDS
from kaspad_taskd.words import task as words
from kaspad_taskd.words.status_line import Part

Json: TypeAlias = Any

FIELDS: Final = frozenset(COMPONENTS["Task"]["properties"])
"""What is shown of a task; what a later version says beyond it has no place on our pages."""
_MOVES: Final = (
    "status", "health", "phase", "progress", "estimatedTimeRemaining", "formattedTimeRemaining",
    "syncRate",
)  # fmt: skip
_STATUSES: Final = frozenset({"pending", "in-progress", "paused", "complete", "cancelled", "error"})
_ANSWERS: Final = frozenset({"ok", "stalled", "behind"})
_TROUBLE: Final = frozenset({"behind", "stalled", "unreachable"})
_HEALTHS: Final = frozenset({"ok", "unknown", "stalled", "unreachable", "behind"})


class Shown:
    """A task of a host, as short as it can be kept: thousands are in one process.

    Attributes:
        raw: its public form as JSON, judged before.
        progress: the data of the newest `sync:progress` that is laid over it, or None.
        ill: whether somebody should look.
        odd: whether its status or health is a word that is not known here.
        stood: its status and health.
        service: whose task it is.
    """

    __slots__ = ("_alike", "_part", "_plain", "ill", "odd", "progress", "raw", "service", "stood")

    def __init__(self, raw: bytes, task: Json, progress: Json = None) -> None:
        """Take a task, and the progress that came after it, if one did."""
        self.raw = raw
        self.progress = progress
        self.service = str(task.get("service") or "")
        self._part: Part | None = None
        self._alike = False
        basis = task.get("progressBasis")
        self._plain = None if task.get("hints") else (task["id"], basis)
        self._weigh(task)

    def move(self, progress: Json) -> bool:
        """Take a newer progress; returns whether what somebody should look at may have changed."""
        self.progress, self._part = progress, None
        if self.stood == (progress["status"], progress["health"]):
            return False
        self._weigh(loads(self.raw))
        return True

    def task(self) -> dict[str, Json]:
        """Return it as `getTask` would."""
        return lay(loads(self.raw), self.progress)

    def part(self, alike: bool) -> Part:
        """Return what a line about its host says of it, made once for each state.

        `alike`: whether the service alone does not tell which task it is.
        """
        if self._part is None or alike is not self._alike:
            task = self._running() or self.task()
            self._part, self._alike = Part({**task, "alike": True} if alike else task), alike
            self._part.text()
        return self._part

    def _running(self) -> dict[str, Json] | None:
        """Return what a line needs of a task that runs and is well; None: it does not, or is not.

        Its public form is not read again: that would be a third of what a hub has to do.
        """
        if self.progress is None or self._plain is None or self.stood != ("in-progress", "ok"):
            return None
        task_id, basis = self._plain
        left = self.progress.get("estimatedTimeRemaining")
        return {
            "id": task_id, "service": self.service, "status": "in-progress", "health": "ok",
            "progress": self.progress.get("progress"), "progressBasis": basis,
            "estimatedTimeRemaining": left,
        }  # fmt: skip

    def _weigh(self, task: Json) -> None:
        now = lay(task, self.progress)
        status, health = now["status"], now["health"]
        self.stood = (status, health)
        self.ill = words.troubled(now)
        self.odd = status not in _STATUSES or health not in _HEALTHS


def as_progress(task: Mapping[str, Json], seq: int, at: str) -> dict[str, Json]:
    """Return how a task is as a `sync:progress` tells it.

    Args:
        task: its public form.
        seq: up to which all was told before.
        at: the moment (ISO 8601).
    """
    complete, health = task["status"] == "complete", task["health"]
    facts = {k: v for k, v in (task.get("metadata") or {}).items() if k not in PROGRESS_FIELDS}
    told = {
        **facts, "seq": seq, "timestamp": at, "taskId": task["id"], "service": task["service"],
        "type": task["type"], "status": task["status"], "health": health,
        "phase": task.get("phase"), "progress": task.get("progress") or 0,
        "percentage": task.get("progress") or 0,
        "estimatedTimeRemaining": task.get("estimatedTimeRemaining"),
        "formattedTimeRemaining": task.get("formattedTimeRemaining") or "",
        "syncRate": task.get("syncRate") or 0,
        "connected": health in _ANSWERS or (complete and health == "unknown"),
        "synced": complete and health not in _TROUBLE,
    }  # fmt: skip
    if task.get("watch") in ("on", "paused"):
        told |= {"healthSince": task.get("healthSince"), "lastChecked": task.get("lastChecked")}
        if task.get("behind") is not None:
            told["behind"] = task["behind"]
    return told


def lay(task: Mapping[str, Json], progress: Json) -> dict[str, Json]:
    """Return the task with what a progress says put over it."""
    now = {key: task[key] for key in task if key in FIELDS}
    if progress is None:
        return now
    if progress["health"] != task["health"]:  # what was wrong with another is not with this one
        now["reason"], now["note"], now["hints"] = None, None, []
    for key in _MOVES:
        if key in progress:
            now[key] = progress[key]
    if now.get("estimatedTimeRemaining") is not None:
        now["etaReason"] = None
    if progress["status"] == "complete" and "lastChecked" in progress:
        now["lastChecked"] = progress["lastChecked"]
        now["healthSince"] = progress.get("healthSince")
        now["behind"] = progress.get("behind")
        if now.get("watch") not in ("on", "paused"):
            now["watch"] = "on"
    if now.get("phase") != task.get("phase"):
        _step(now, progress.get("phase"))
    facts = {key: each for key, each in progress.items() if key not in PROGRESS_FIELDS}
    if facts:
        now["metadata"] = {**(task.get("metadata") or {}), **facts}
    return now


def _step(now: dict[str, Json], phase: Json) -> None:
    """Let the phases before the one under way be done, those after it be next."""
    phases = now.get("phases") or []
    at = next((place for place, one in enumerate(phases) if one["key"] == phase), None)
    if at is not None:
        now["phases"] = [
            {**one, "state": "done" if place < at else "current" if place == at else "next"}
            for place, one in enumerate(phases)
        ]
