"""Which task a run is: a new one, one that has ended and begins anew, one that waits for its work.

An id that a run has which lives still is taken: the next one is tried.
"""

from __future__ import annotations

from kaspad_taskd.cli.run.place import lives
from kaspad_taskd.client.faults import Refused

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Call = Callable[[str, dict[str, Any]], Any]

_TRIES = 1000
_LIVE = ("pending", "in-progress", "paused")


class Claim:
    """As what a run is told.

    Attributes:
        id: what was asked for, or None: `run-NAME-N`.
        name: of the tool, or of the program.
        service: of the task.
        stall_after: seconds, or None.
    """

    def __init__(
        self, wanted: str | None, name: str, service: str, stall_after: float | None
    ) -> None:
        self.id = wanted
        self.name = name
        self.service = service
        self.stall_after = stall_after

    def ids(self) -> Iterator[str]:
        """Yield the ids to try, the one that is wanted first."""
        for number in range(1, _TRIES):
            if self.id is None:
                yield f"run-{self.name}-{number}"
            else:
                yield self.id if number == 1 else f"{self.id[:95]}-{number}"


def claim(call: Call, wanted: Claim, first: dict[str, Any]) -> dict[str, Any]:
    """Return the task that is this run's, in progress, after its first report.

    Args:
        call: the daemon.
        wanted: as what it is to be told.
        first: the first report, which says whose it is: with it nobody else gets the task.

    Raises:
        Refused: the daemon takes no task of ours.
        Unreachable: it went away.
    """
    for task_id in wanted.ids():
        task = _registered(call, wanted, task_id)
        if task is None or not _begun(call, task):
            continue
        try:
            answer = call("reportTask", {"taskId": task_id, **first})
        except Refused as fault:
            if fault.reason not in ("conflict", "not-allowed", "not-found"):
                raise
        else:
            found: dict[str, Any] = answer["task"]
            return found
    raise Refused(-32002, "all ids are taken", {"reason": "conflict"})


def _registered(call: Call, wanted: Claim, task_id: str) -> dict[str, Any] | None:
    """The task of this id, made if there is none; None: it is another's."""
    params: dict[str, Any] = {"type": "report", "id": task_id, "service": wanted.service}
    pace = {} if wanted.stall_after is None else {"stallAfter": round(wanted.stall_after * 1000)}
    for _ in range(2):
        task: dict[str, Any] | None
        try:
            task = call("registerTask", {**params, **pace, "checkInterval": 2000})["task"]
        except Refused as fault:
            if fault.reason != "conflict":
                raise
            task = call("getTask", {"taskId": task_id})
            if wanted.id is None and task is not None:
                if task["status"] in _LIVE or task.get("origin") != "api":
                    return None
                call("removeTask", {"taskId": task_id})
                continue
        if task is None:
            continue
        if task["type"] != "report" or _is_taken(task):
            return None
        _repace(call, task, pace)
        return task
    return None


def _repace(call: Call, task: dict[str, Any], pace: dict[str, Any]) -> None:
    """Let a task that was there be stalled when this run says so; a file's is as its file says."""
    if task.get("origin") == "api" and any(task.get(key) != pace[key] for key in pace):
        call("updateTask", {"taskId": task["id"], **pace})


def _is_taken(task: dict[str, Any]) -> bool:
    return task["status"] in _LIVE and lives(task.get("metadata") or {})


def _begun(call: Call, task: dict[str, Any]) -> bool:
    """Let it be in progress, in an attempt of its own; returns whether it is."""
    status, known = task["status"], task.get("metadata") or {}
    way = {"pending": "startMonitoring", "paused": "resumeTask"}.get(status, "retryTask")
    try:
        if status == "in-progress" and "pid" in known:  # its wrapper was killed: nobody told
            call("errorTask", {"taskId": task["id"], "error": _lost(known)})
        elif status == "in-progress":
            return True
        call(way, {"taskId": task["id"]})
    except Refused as fault:
        if fault.reason not in ("not-allowed", "not-found"):
            raise
        return False  # somebody else was sooner
    return True


def _lost(known: dict[str, Any]) -> str:
    from kaspad_taskd.words.sentences import say

    return say("run.lost", pid=known.get("pid"))
