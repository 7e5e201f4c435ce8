"""What `watch` shows, as lines. Pure: tasks, a width and a time in, lines out."""

from __future__ import annotations

from math import ceil

from kaspad_taskd.cli.bars import bar, icon, rate, share, time_left
from kaspad_taskd.cli.listing import WIDE, handles, rows
from kaspad_taskd.words import kept, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import column
from kaspad_taskd.words.moment import clock, seconds_of
from kaspad_taskd.words.plain import fit, safe
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.table import entry

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.screen import Line
    from kaspad_taskd.words.task import WireTask

_INDENT = 17
_NAME = 14
_ROW = 54  # cells of a row without its bar


def heading(host: str, link: str, cells: int, now: float) -> Line:
    """Return the first line: host, time, link; and how to leave, where there is room."""
    left = f"{safe(host, 30)}  {clock(now)}  {link}"
    help_text = say("watch.help")
    room = cells - len(left)
    tail = fit(help_text, room, right=True) if room > len(help_text) + 1 else ""
    return [(left, ""), (tail, "dim")]


def body(tasks: Sequence[WireTask], cells: int, height: int, now: float) -> list[Line]:
    """Return two lines for each task, as many as there is room for, trouble first when not all."""
    shown = list(tasks)
    if 2 * len(shown) > height:
        shown.sort(key=lambda task: (not words.troubled(task), task.get("status") != "in-progress"))
        shown = shown[: max(1, (height - 1) // 2)]
    table = rows(shown, cells, now) if cells >= WIDE else []
    names = column(handles(tasks), _NAME)
    called = {task.get("id"): name for task, name in zip(tasks, names, strict=True)}
    lines: list[Line] = table[:1]
    for place, task in enumerate(shown, 1):
        lines.append(table[place] if table else _row(task, called[task.get("id")], cells, now))
        second = remark(task, now)
        if second:
            lines.append([(" " * min(_INDENT, cells // 4) + second, "dim")])
    rest = len(tasks) - len(shown)
    return [*lines, [("  " + say("watch.more", n=rest), "dim")]] if rest else lines


def _row(task: WireTask, name: str, cells: int, now: float) -> Line:
    """Icon, service 14, state 14, bar 20, share 6, time left; 74 cells, the bar gives way."""
    return [
        icon(task),
        (f" {name} ", ""),
        (fit(words.state(task, now), 14) + " ", ""),
        bar(task, max(0, min(20, cells - _ROW))),
        (" " + fit(share(task), 6, right=True) + "  ", ""),
        (time_left(task), ""),
    ]


def remark(task: WireTask, now: float) -> str:
    """Return the second line of a task: the step's percent and pace, or what is wrong."""
    if kept.kept(task):
        text = words.because(task, words.watched(task, "watch", now))
        return _and_next(task, text, now) if words.troubled(task) else text
    if words.condition(task) in ("unreachable", "stalled"):
        since = words.since(task, now)
        key = words.of_type(task.get("type"), f"watch.{words.said(task)}")
        return _and_next(task, say(key, since=since, why=words.why(task)), now)
    if words.condition(task) == "error":
        return safe(task.get("error") or "")
    return ", ".join(_pace(task)) if words.condition(task) == "ok" else ""


def _and_next(task: WireTask, text: str, now: float) -> str:
    after = seconds_of(task.get("nextCheck"))
    return f"{text}; {say('status.next', next=after - now)}" if after and after > now else text


def _pace(task: WireTask) -> list[str]:
    parts = []
    at = words.step(task)
    if at and at[2].get("progress") is not None:
        of_step = spans.percent(at[2]["progress"], str(at[2].get("basis")), "tilde")
        parts.append(say("watch.of-step", percent=of_step))
    if rate(task) != "-":
        parts.append(rate(task))
    behind = task.get("behind")
    if isinstance(behind, int | float) and behind > 0:
        parts.append(say("position.behind", behind=behind))
    reason = task.get("etaReason")
    if reason not in (None, "warming-up", "not-running") and entry(f"eta.{reason}"):
        parts.append(say(words.of_type(task.get("type"), f"eta.{reason}")))
    return parts


def plain(task: WireTask, stamp: str) -> str:
    """Return one line for a log: time, service, status, health, percent, step, seconds left.

    Of what is complete and watched the percent while it is in sync, else how many s it is behind.
    """
    parts = [stamp, words.name(task), str(task.get("status")), str(task.get("health"))]
    watched = kept.kept(task)
    parts.append(share(task) if watched else words.percent(task, "tilde") or "-")
    at = words.step(task)
    if at and words.condition(task) == "ok":
        parts.append(f"step={words.state(task)}")
    behind = task.get("behind")
    if watched and words.condition(task) == "behind" and isinstance(behind, int | float):
        parts.append(f"behind={ceil(behind)}")
    left = words.left(task)
    if left is not None:
        parts.append(f"eta={int(left)}")
    return safe(" ".join(parts))


def mark(task: WireTask) -> tuple[object, ...]:
    """Return what is news for a log: state, step or whole percent have changed when this has."""
    at = words.step(task)
    return (
        task.get("status"),
        task.get("health"),
        task.get("attempt"),
        at and at[2].get("key"),
        int(float(task.get("progress") or 0)),
    )
