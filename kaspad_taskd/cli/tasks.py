"""`list`, `status`, and the client without a verb."""

from __future__ import annotations

import time

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

BRIDGE = ("bridge-taken", "bridge-not-listening")
"""Warnings that tell why there is no page."""


def run(run: Run) -> int:
    """Show one task or all of them."""
    name = getattr(run.options, "task", None)
    if name:
        return _one(run, name)
    tasks = _wanted(run)
    if run.options.json:
        run.print_json(tasks)
        return 0
    if getattr(run.options, "ids", False):
        run.screen.show([[(task["id"], "")] for task in tasks])
        return 0
    return _page(run, tasks)


def _wanted(run: Run) -> list[dict[str, Any]]:
    """All tasks, or those that the command line wants."""
    tasks: list[dict[str, Any]] = run.call("getAllTasks")
    if not _narrows(run):
        return tasks
    from kaspad_taskd.cli.filters import narrowed

    if not run.options.json:  # among all: what is not shown may share a service with what is
        from kaspad_taskd.words.apart import told_apart

        tasks = [dict(task) for task in told_apart(tasks)]
    return narrowed(tasks, run.options)


def _narrows(run: Run) -> bool:
    keys = ("names", "status", "type", "failed")
    return any(getattr(run.options, key, None) for key in keys)


def _page(run: Run, tasks: list[dict[str, Any]]) -> int:
    from kaspad_taskd.cli import listing
    from kaspad_taskd.words.apart import told_apart
    from kaspad_taskd.words.task import most_urgent

    now, cells = time.time(), run.screen.width
    first = None if run.options.verb == "list" else most_urgent(told_apart(tasks))
    head = listing.verdict(first, cells, now) if first else []
    info = run.call("getInfo")
    directory = listing.own_files(info)
    if tasks or not _narrows(run):
        rows = listing.rows(tasks, cells, now, told=first, directory=directory)
    else:
        rows = listing.nothing()
    run.screen.show([*_first(run, info, now), *head, *rows])
    return 0


def _first(run: Run, info: Mapping[str, Any], now: float) -> list[Line]:
    """What comes before all tasks: nothing is saved, not seen yet, services in need, no page."""
    store, bridge, cells = info.get("store") or {}, info.get("bridge") or {}, run.screen.width
    shown: list[Line] = []
    if not store.get("durable", True):
        from kaspad_taskd.cli import listing

        shown += listing.unsaved(store.get("problem"), cells)
    standing = run.call("getWarnings")["warnings"] if info.get("warnings") else []
    if standing:
        from kaspad_taskd.cli import warnings

        shown += warnings.above(standing, cells, now)
    if info.get("attentions"):
        from kaspad_taskd.cli import services

        shown += services.above(info["attentions"], cells)
    if bridge.get("problem") and not any(one["code"] in BRIDGE for one in standing):
        from kaspad_taskd.cli import listing

        shown += listing.unseen(bridge["problem"], cells)
    return shown


def _one(run: Run, name: str) -> int:
    from kaspad_taskd.cli.find import find

    task = find(run, name)
    if run.options.json:
        run.print_json(task)
        return 0
    from kaspad_taskd.cli import detail

    now = time.time()
    page = detail.page(task, run.screen.width, now, _record(run, task))
    run.screen.show([*_first(run, run.call("getInfo"), now), *page])
    return 0


def _record(run: Run, task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is on record of a task that is, or was, kept watch on; an older daemon has none."""
    if task.get("watch", "none") == "none" and (task.get("attempt") or 1) < 2:
        return None
    from kaspad_taskd.client import Refused

    try:
        answer: Mapping[str, Any] = run.call("getRecord", {"taskId": task["id"]})
    except Refused:
        return None
    return answer
