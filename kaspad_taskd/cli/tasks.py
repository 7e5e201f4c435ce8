"""`list`, `status`, and the client without a verb."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from kaspad_taskd.cli.main import Run


def run(run: Run) -> int:
    """Show one task or all of them."""
    name = getattr(run.options, "task", None)
    if name:
        return _one(run, name)
    tasks = run.call("getAllTasks")
    if run.options.json:
        run.print_json(tasks)
        return 0
    if getattr(run.options, "ids", False):
        run.screen.show([[(task["id"], "")] for task in tasks])
        return 0
    from kaspad_taskd.cli import listing
    from kaspad_taskd.words.task import most_urgent

    now, cells = time.time(), run.screen.width
    first = None if run.options.verb == "list" else most_urgent(tasks)
    head = listing.verdict(first, cells, now) if first else []
    run.screen.show([*head, *listing.rows(tasks, cells, now, told=first)])
    return 0


def _one(run: Run, name: str) -> int:
    from kaspad_taskd.cli.find import find

    task = find(run, name)
    if run.options.json:
        run.print_json(task)
        return 0
    from kaspad_taskd.cli import detail

    run.screen.show(detail.page(task, run.screen.width, time.time()))
    return 0
