"""`list`, `status`, and the client without a verb."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line


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
    rows = listing.rows(tasks, cells, now, told=first)
    run.screen.show([*_unsaved(run), *head, *rows])
    return 0


def _unsaved(run: Run) -> list[Line]:
    """Why nothing can be saved, where that is so: what is shown is then all that is known."""
    store = run.call("getInfo").get("store") or {}
    if store.get("durable", True):
        return []
    from kaspad_taskd.cli import listing

    return listing.unsaved(store.get("problem"), run.screen.width)


def _one(run: Run, name: str) -> int:
    from kaspad_taskd.cli.find import find

    task = find(run, name)
    if run.options.json:
        run.print_json(task)
        return 0
    from kaspad_taskd.cli import detail

    page = detail.page(task, run.screen.width, time.time())
    run.screen.show([*_unsaved(run), *page])
    return 0
