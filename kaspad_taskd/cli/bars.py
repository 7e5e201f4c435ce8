"""A task's bar, in eighths of a cell, and its figures; what it cannot know it shows as such."""

from __future__ import annotations

from kaspad_taskd.words import spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.plain import safe

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from kaspad_taskd.cli.screen import Piece
    from kaspad_taskd.words.task import WireTask

_EIGHTHS = " ▏▎▍▌▋▊▉"

ICONS = {
    "ok": ("▸", "moving"),
    "first-check": ("▸", "moving"),
    "unreachable": ("!", "attention"),
    "stalled": ("!", "attention"),
    "not-started": ("·", "dim"),
    "waiting": ("·", "dim"),
    "paused": ("‖", "dim"),
    "complete": ("✓", "done"),
    "in-sync": ("✓", "done"),
    "behind": ("!", "attention"),
    "watch-paused": ("‖", "dim"),
    "error": ("✗", "failure"),
    "cancelled": ("–", "dim"),  # noqa: RUF001 - an en dash, meant
}


def icon(task: WireTask) -> Piece:
    """Return the sign of a task's condition and its tone."""
    return ICONS.get(words.condition(task), ("·", "dim"))


def bar(task: WireTask, cells: int) -> Piece:
    """Return the bar, `cells` wide; blank where nothing is known of the way, or not any more.

    Done is full, rounded down; the rest of a step without a total is hatched; the rest is track.
    Grey where the number is old: paused, unreachable, ended without success.
    """
    condition = words.condition(task)
    counted = counting(task)
    if words.is_stale(task) or (words.percent(task) is None and not counted):
        return " " * cells, ""
    tone = {"ok": "moving", "complete": "done", "in-sync": "done"}.get(condition, "dim")
    eighths = int(float(task.get("progress") or 0) / 100 * cells * 8)
    full, part = divmod(min(max(eighths, 0), cells * 8), 8)
    text = "█" * full + (_EIGHTHS[part] if part else "")
    if counted:
        text += "▒" * (int(_step_end(task) * cells) - len(text))
    return text + "░" * (cells - len(text)), tone


def counting(task: WireTask) -> bool:
    """Whether the current step has a count but no percent; 0 is none: nobody counts yet."""
    at = words.step(task)
    if words.condition(task) != "ok" or (at and at[2].get("progress") is not None):
        return False
    detail = task.get("progressDetail")
    return detail is not None and detail["total"] is None and bool(detail["done"])


def _step_end(task: WireTask) -> float:
    """Where the current step ends, as a share of the whole way."""
    at = words.step(task)
    if not at:
        return 1.0
    weights = [float(one.get("weight") or 0) for one in task["phases"]]
    return sum(weights[: at[0]]) / (sum(weights) or 1.0)


def share(task: WireTask) -> str:
    """Return the percent, a count where there is none, or "-"; of the past tells no percent."""
    if words.is_stale(task):
        return "-"
    detail = task.get("progressDetail")
    if detail and counting(task):
        return spans.short_number(detail["done"])
    return words.percent(task, "tilde") or "-"


def time_left(task: WireTask) -> str:
    """Return the time left, `Calculating...` where it will come, else "-"."""
    left = words.left(task)
    if left is None and task.get("etaReason") != "warming-up":
        return "-"
    return spans.format_time_left(left)


def rate(task: WireTask) -> str:
    """Return `145 blocks/s`, or "-"."""
    value = task.get("syncRate")
    if words.condition(task) != "ok" or not isinstance(value, int | float):
        return "-"
    return f"{spans.number(value)} {safe(task.get('rateUnit') or '', 20)}".rstrip()
