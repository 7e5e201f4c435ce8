"""Which services belong to which node-sync task: by the node's address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.model import Definition, Health, Task

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""What this host is called in the URL of a node."""
PLACES: Final = 4096
"""URLs whose places are remembered: each look at a node asks for some."""


def same_node(url: str, node: str) -> bool:
    """Whether two URLs are the same node's: loopback is one host, whatever it is called."""
    return _place(url) == _place(node)


def of_node(definition: Definition, node: str) -> bool:
    """Whether a task watches the node at a URL."""
    url = str(definition.checker.get("url", ""))
    return definition.type == "node-sync" and same_node(url, node)


@lru_cache(maxsize=PLACES)
def _place(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme, "localhost" if host in LOOPBACK else host, parts.port


def node_tasks(url: str, tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks that watch the node at a URL."""
    return [task for task in tasks if of_node(task.definition, url)]


def watching_task(url: str, tasks: Iterable[Task]) -> Task | None:
    """Return the task that tells how the node at a URL is: the first that knows, else the first."""
    found = node_tasks(url, tasks)
    known = (task for task in found if task.watched and task.health is not Health.UNKNOWN)
    return next(known, found[0] if found else None)


def switched_by(definition: Definition, services: Mapping[str, SwitchedService]) -> list[str]:
    """Return the services that a task switches when it completes, in the order of the settings.

    None that people alone switch (`auto = false`).
    """
    if not definition.auto_switch:
        return []
    return [name for name, each in services.items() if each.auto and of_node(definition, each.node)]


def switching_task(declared: SwitchedService, name: str, tasks: Iterable[Task]) -> str | None:
    """Return the id of the first task that switches a service, or None."""
    for task in tasks:
        if name in switched_by(task.definition, {name: declared}):
            return task.id
    return None
