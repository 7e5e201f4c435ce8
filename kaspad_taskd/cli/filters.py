"""Which of the tasks on record are meant by names, patterns, statuses, types. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from kaspad_taskd.cli.faults import Fault, first_of

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_WILD = "*?["


def narrowed(tasks: Sequence[dict[str, Any]], options: Any) -> list[dict[str, Any]]:
    """Return the tasks that one of the names, of the statuses and of the types means.

    Args:
        tasks: as the daemon tells them.
        options: `names` (ids, services or patterns), `status`, `type` (both lists or None) and
            `failed`; what is not given narrows nothing.

    Raises:
        Fault: `no-task`: a name without a wildcard is of no task. A pattern may mean none.
    """
    for name in options.names:
        if not is_pattern(name) and not any(is_called(task, name) for task in tasks):
            raise no_task(name, tasks)
    statuses = [*(options.status or ()), *(["error"] if options.failed else ())]
    return [
        task
        for task in tasks
        if (not options.names or any(is_called(task, name) for name in options.names))
        and (not statuses or task.get("status") in statuses)
        and (not options.type or any(fnmatchcase(str(task.get("type")), t) for t in options.type))
    ]


def no_task(name: str, tasks: Sequence[dict[str, Any]]) -> Fault:
    """Return that none of the tasks is called so, naming the first of them."""
    return Fault("no-task", task=name, names=first_of([task["id"] for task in tasks]))


def called(tasks: Sequence[dict[str, Any]], pattern: str, *, all_: bool) -> list[dict[str, Any]]:
    """Return the tasks of such a name; where it is all of them that are meant, there need be none.

    Raises:
        Fault: `no-task`.
    """
    found = [task for task in tasks if is_called(task, pattern)]
    if not found and not all_:
        raise no_task(pattern, tasks)
    return found


def is_pattern(name: str) -> bool:
    """Whether a name has a wildcard in it: `kas*`."""
    return any(char in name for char in _WILD)


def is_called(task: dict[str, Any], name: str) -> bool:
    """Whether a task's id or service is this name, or as this pattern."""
    return any(fnmatchcase(str(task.get(key)), name) for key in ("id", "service"))
