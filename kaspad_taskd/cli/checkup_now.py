"""`doctor` asks now: a look at each task, and the services, in parallel, before a deadline."""

from __future__ import annotations

from kaspad_taskd.cli.checkup import GOOD, WARNING, Finding
from kaspad_taskd.cli.questions import ask
from kaspad_taskd.words import task as words
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from kaspad_taskd.words.task import WireTask

WITHIN = 20.0
"""Seconds for all of it, unless --timeout says otherwise."""
_NAMED = 5  # tasks in a sentence


class Looked:
    """What was found just now, and what could not be.

    Attributes:
        tasks: all, those that were looked at as they are since then.
        took: seconds that the look at a task took, by its id, where its service answered.
        silent: seconds that a look took for nothing, by the id: no answer of its service.
        late: tasks of which no look ended in time.
        services: as `getServices` tells them; None: no answer in time.
        refused: looks are not for who asks: he may only read.
    """

    def __init__(self, tasks: Sequence[WireTask]) -> None:
        self.tasks = list(tasks)
        self.took: dict[str, float] = {}
        self.silent: dict[str, float] = {}
        self.late: list[WireTask] = []
        self.services: list[Mapping[str, Any]] | None = None
        self.refused = False


def look(path: str, tasks: Sequence[WireTask], within: float) -> Looked:
    """Ask the daemon to look at everything that it watches, and for its services.

    Args:
        path: the daemon's socket.
        tasks: all that it has.
        within: seconds for all of it.
    """
    found = Looked(tasks)
    watched = sorted(filter(_is_looked_at, tasks), key=_urgency)
    questions = [("checkTaskStatus", {"taskId": task["id"]}) for task in watched]
    services, *looks = ask(path, [("getServices", None), *questions], within)
    if services.took is not None:  # a daemon that does not know how to switch has none
        found.services = list(services.result or ())
    fresh = {}
    for task, answer in zip(watched, looks, strict=True):
        if answer.took is None:
            found.late.append(task)
        elif answer.result and answer.result["task"]["id"] == task["id"]:
            new = fresh[task["id"]] = answer.result["task"]
            kept = found.took if _has_answered(new) else found.silent
            kept[task["id"]] = answer.took
        found.refused |= answer.reason == "forbidden"
    found.tasks = [fresh.get(task["id"], task) for task in tasks]
    return found


def _is_looked_at(task: WireTask) -> bool:
    runs = task.get("status") == "in-progress" and task.get("type") != "report"
    return runs or task.get("watch") == "on"


def _urgency(task: WireTask) -> tuple[bool, bool]:
    """Nodes first, then what is in trouble."""
    return task.get("type") != "node-sync", not words.troubled(task)


def _has_answered(task: WireTask) -> bool:
    return task.get("lastUpdate") is not None and task["lastUpdate"] == task.get("lastChecked")


def findings(found: Looked, within: float) -> Iterator[Finding]:
    """Yield what was asked just now, what answered and in how long, and what did not.

    What a silent service means is said with its task.
    """
    check = say("doctor.looks.check")
    if found.refused:
        yield Finding(GOOD, check, say("doctor.looks.reader"))
    if found.took:
        task_id, took = max(found.took.items(), key=lambda one: one[1])
        slowest = [task for task in found.tasks if task["id"] == task_id]
        said = {"name": words.name(slowest[0]), "took": took}
        yield Finding(GOOD, check, say("doctor.looks.answered", n=len(found.took), **said))
    if found.late:
        names = [words.name(task) for task in found.late]
        more = len(names) - _NAMED
        told = ", ".join(names[:_NAMED]) + (say("doctor.looks.more", n=more) if more > 0 else "")
        text = say("doctor.looks.late", names=told, within=within)
        yield Finding(WARNING, check, text, say("doctor.looks.check-it", id=found.late[0]["id"]))
    if found.services is None:
        text = say("doctor.looks.services", within=within)
        yield Finding(WARNING, check, text, say("doctor.looks.again", seconds=round(3 * within)))


def timed(found: Looked, task: WireTask, text: str) -> str:
    """Return what is told of a task with how long its look took just now."""
    took, silent = found.took.get(task["id"]), found.silent.get(task["id"])
    if took is not None:
        return say("doctor.looks.took", text=text, took=took)
    return text if silent is None else say("doctor.looks.silent", text=text, took=silent)
