"""Which task a TASK on the command line means."""

from __future__ import annotations

from kaspad_taskd.cli.faults import Fault, first_of
from kaspad_taskd.client import Refused

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

    from kaspad_taskd.cli.main import Run


def find(run: Run, name: str) -> dict[str, Any]:
    """Return the task with this id, or the only one of this service.

    Raises:
        Fault: `no-task`, or `ambiguous`, naming the candidates.
    """
    try:
        task = run.call("getTask", {"taskId": name})
        found = [task] if task else run.call("getTasksByService", {"service": name})
    except Refused as fault:
        if fault.reason != "invalid-params":  # neither an id nor a service
            raise
        found = []
    if len(found) == 1:
        only: dict[str, Any] = found[0]
        return only
    if found:
        raise Fault("ambiguous", task=name, names=", ".join(task["id"] for task in found))
    names = first_of([task["id"] for task in run.call("getAllTasks")])
    raise Fault("no-task", task=name, names=names)
