"""Which tasks a page shows: filtered, in order, the first as cards, the many as rows that open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kaspad_taskd.web.view import WireTask
from kaspad_taskd.words import kept, room
from kaspad_taskd.words import task as words

CARDS = 6
"""Up to this many tasks are all cards."""
CARDS_OF_MANY = 6
"""Of more, so many at most: the first and those in trouble."""
ROWS = 200
"""Rows of one page."""
FILTER_FROM = 8
"""From this many tasks on there is a filter."""

STATES: Mapping[str, Callable[[WireTask], bool]] = {
    "attention": words.troubled,
    "running": lambda task: task["status"] == "in-progress",
    "waiting": lambda task: task["status"] in ("pending", "paused"),
    "watched": kept.kept,
    "ended": lambda task: task["status"] not in words.LIVE and not kept.kept(task),
}

SLIM = (
    "id", "type", "service", "endpoint", "status", "watch", "health", "healthSince", "reason",
    "waitingFor", "progress", "progressBasis", "phase", "progressDetail", "estimatedTimeRemaining",
    "etaReason", "startedAt", "lastUpdate", "lastMoved", "completedAt", "erroredAt", "cancelledAt",
    "error", "switching", "alike", "behind", "lastChecked",
)  # fmt: skip
PHASE = ("key", "state", "weight", "progress", "basis")


@dataclass(frozen=True)
class Listing:
    """What of all tasks is shown.

    Attributes:
        cards: in full.
        rows: one line each that opens into a card, those of this page.
        others: all that are no cards, of every page.
        found: how many match the filter, of `total`.
        filtered: whether there is a filter to show.
        before: number of the page before this one, or None.
        after: number of the page after this one, or None.
    """

    cards: Sequence[WireTask]
    rows: Sequence[WireTask]
    others: Sequence[WireTask]
    found: int
    total: int
    filtered: bool
    before: int | None
    after: int | None


def listing(tasks: Sequence[WireTask], query: Mapping[str, str]) -> Listing:
    """Return what to show: first the task of the headline, then trouble, then the rest."""
    found = [task for task in tasks if _matches(task, query)]
    first = words.most_urgent(tasks)
    ordered = sorted(found, key=lambda task: (task is not first, not words.troubled(task)))
    if len(ordered) <= CARDS:
        cards, many = ordered, []
    else:
        cards = [task for task in ordered if task is first or words.troubled(task)]
        cards = cards[:CARDS_OF_MANY]
        many = ordered[len(cards) :]
    page = min(_number(query.get("page")), max(1, -(-len(many) // ROWS)))
    rows = many[(page - 1) * ROWS : page * ROWS]
    chosen = {task["id"] for task in cards}
    return Listing(
        cards=cards,
        rows=rows,
        others=[task for task in tasks if task["id"] not in chosen],
        found=len(found),
        total=len(tasks),
        filtered=len(tasks) >= FILTER_FROM,
        before=page - 1 if page > 1 else None,
        after=page + 1 if page * ROWS < len(many) else None,
    )


def slim(task: WireTask) -> dict[str, Any]:
    """Return what a row needs of a task."""
    known = {key: task[key] for key in SLIM if task.get(key) is not None}
    if disk := room.filling(task):
        known["hints"] = [disk]
    phases = [{key: one.get(key) for key in PHASE} for one in task.get("phases") or ()]
    return {**known, "phases": phases} if phases else known


def _matches(task: WireTask, query: Mapping[str, str]) -> bool:
    text = query.get("q", "").strip().casefold()
    names = (task["id"], task.get("service") or "", task["type"], words.kind(task, "long"))
    if text and not any(text in str(name).casefold() for name in names):
        return False
    state = STATES.get(query.get("state", ""))
    return state is None or state(task)


def _number(text: str | None) -> int:
    known = text is not None and text.isascii() and text.isdigit() and len(text) < 6
    return max(1, int(text)) if known and text else 1
