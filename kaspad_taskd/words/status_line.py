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
    known = [Part(task) for task in told_apart(list(tasks))]
    before = [say("status-line.trouble", why=trouble)] if trouble else []
    before += [bridge] if bridge else []
    before += wanting(services)
    before += [plural("status-line.warnings", warnings)] if warnings else []
    return line(known, [(Part(task), n) for task, n in others], before)


class Part:
    """What such a line says of a task; whoever keeps it says it again without looking at the task.

    Attributes:
        status: of the task.
        named: whether the line says more of it than that.
        order: trouble first, what is well at the end.
    """

    __slots__ = ("_task", "_text", "named", "order", "status")

    def __init__(self, task: WireTask) -> None:
        self.status = task.get("status")
        self.named = self.status in ("in-progress", "error") or kept.kept(task)
        self.order = (not troubled(task), kept.kept(task)) if self.named else ()
        self._task = task if self.named else None
        self._text = ""

    def text(self) -> str:
        """Return it in words, made once; the task is let go of."""
        if self._task is not None:
            self._text, self._task = _short_status(self._task), None
        return self._text


def line(
    parts: Sequence[Part], others: Sequence[tuple[Part, int]] = (), before: Sequence[str] = ()
) -> str:
    """Return counts, and five names at most.

    `others`: those that are counted and not named; `before`: what is said first.
    """
    n_of: dict[object, int] = {}
    for part, n in (*((part, 1) for part in parts), *others):
        n_of[part.status] = n_of.get(part.status, 0) + n
    counts = [plural(f"status-line.{key}", n_of[each]) for each, key in _COUNTED if each in n_of]
    head = ", ".join(counts) or say("status-line.none")
    shown = sorted((part for part in parts if part.named), key=_order)
    names = [part.text() for part in shown[:5]]
    more = len(shown) - len(names) + sum(n for part, n in others if part.named)
    if more > 0:
        names.append(say("status-line.more", n=more))
    told = f"{head}: {', '.join(names)}" if names else head
    return "; ".join([*before, told])


def wanting(services: Sequence[tuple[str, str]]) -> list[str]:
    """Return what is said of services (name, code) that need somebody: each, or how many."""
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


def _order(part: Part) -> tuple[bool, ...]:
    return part.order


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
