"""systemd's one line about the daemon: `STATUS=`."""

from __future__ import annotations

from kaspad_taskd.words import kept, room, spans
from kaspad_taskd.words.apart import told_apart
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import fill, plural, say
from kaspad_taskd.words.service import brief
from kaspad_taskd.words.table import entry
from kaspad_taskd.words.task import ILL, condition, left, name, percent, troubled

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from kaspad_taskd.words.task import WireTask

SERVICES = 3
"""Services that it names; of more it tells how many."""


def status_line(
    tasks: Iterable[WireTask],
    trouble: str | None = None,
    warnings: int = 0,
    bridge: str | None = None,
    services: Sequence[tuple[str, str]] = (),
    others: Sequence[tuple[WireTask, int]] = (),
) -> str:
    """Return systemd's one line: counts, then trouble first, at most five names.

    `trouble` is why nothing can be saved, where that is so, `bridge` why there is no page;
    `warnings`, how many stand; `services`, name and code of those that need somebody; `others`, how
    further tasks are and how many are so, which are counted and not named.
    """
    known = told_apart(list(tasks))
    alike = [*((task, 1) for task in known), *others]
    counts = [_count(alike, status, key) for status, key in _COUNTED]
    head = ", ".join(count for count in counts if count) or say("status-line.none")
    shown = sorted((task for task in known if _named(task)), key=_order)
    names = [_short_status(task) for task in shown[:5]]
    more = len(shown) - len(names) + sum(n for task, n in others if _named(task))
    if more > 0:
        names.append(say("status-line.more", n=more))
    line = f"{head}: {', '.join(names)}" if names else head
    before = [say("status-line.trouble", why=trouble)] if trouble else []
    before += [bridge] if bridge else []
    before += _services(services)
    before += [plural("status-line.warnings", warnings)] if warnings else []
    return "; ".join([*before, line])


def _services(services: Sequence[tuple[str, str]]) -> list[str]:
    """Those that need somebody, by name as far as there are few."""
    if len(services) > SERVICES:
        return [plural("status-line.services", len(services))]
    known = ((safe(service), brief(code)) for service, code in services)
    return [say("status-line.service", name=service, brief=said) for service, said in known]


_COUNTED = (
    ("error", "failed"),
    ("in-progress", "running"),
    ("pending", "waiting"),
    ("paused", "paused"),
    ("complete", "complete"),
    ("cancelled", "stopped"),
)


def _count(tasks: list[tuple[WireTask, int]], status: str, key: str) -> str | None:
    n = sum(n for task, n in tasks if task.get("status") == status)
    return plural(f"status-line.{key}", n) if n else None


def _named(task: WireTask) -> bool:
    return task.get("status") in ("in-progress", "error") or kept.kept(task)


def _order(task: WireTask) -> tuple[bool, bool]:
    """Trouble first, what is well at the end."""
    return not troubled(task), kept.kept(task)


def _short_status(task: WireTask) -> str:
    if kept.kept(task):
        return say(kept.key(task, "line"), name=name(task), **kept.params(task, 0.0))
    if troubled(task):
        ill = condition(task) in ILL
        disk: Mapping[str, Any] = {} if ill else room.filling(task) or {}
        key = condition(task) if ill else str(disk.get("code"))
        return say(f"status-line.{key}", name=name(task), **(disk.get("params") or {}))
    share, eta = percent(task), left(task)
    found = entry("status-line.task")
    known = {
        "name": name(task),
        "percent": share.removeprefix("about ") if share else None,
        "left": None if eta is None else spans.format_time_left(eta),
    }
    return fill(found, known) or name(task)
