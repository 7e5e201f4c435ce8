"""The list of tasks as lines. Pure: tasks, a width and a time in, lines out."""

from __future__ import annotations

from kaspad_taskd.cli.bars import bar, icon, rate, share, time_left
from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.words import spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import column, shared, told_apart
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import fit, safe, width
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.screen import Line, Piece
    from kaspad_taskd.words.task import WireTask

WIDE = 120
FILES = "/etc/kaspad-taskd/tasks.d"
_TROUBLES = 3  # sentences below the list


def own_files(info: Mapping[str, Any]) -> str:
    """Return where the administrator's definitions are, as `getInfo` or our own habit has it."""
    return str([FILES, *(info.get("definitionDirs") or ())][-1])


def rows(
    tasks: Sequence[WireTask],
    cells: int,
    now: float,
    told: WireTask | None = None,
    directory: str = FILES,
) -> list[Line]:
    """Return the heading, a line for each task, and sentences on those in trouble but `told`."""
    if not tasks:
        return empty(cells, directory)
    table = _wide if cells >= WIDE else _narrow
    return [*table(tasks, cells, now), *troubles(tasks, cells, now, told)]


def empty(cells: int, directory: str) -> list[Line]:
    """Return what to do where nothing is watched; `directory`: where definitions are."""
    lines: list[Line] = [[(say("headline.none") + ".", "")]]
    for text in (say("list.empty-node"), say("list.empty-file", dir=f"{directory}/")):
        lines += [[(f"  {part}", "")] for part in wrap(text, cells - 2)]
    return lines


def nothing() -> list[Line]:
    """Return that no task is as wanted."""
    return [[(say("list.nothing"), "")]]


def unsaved(problem: object, cells: int) -> list[Line]:
    """Return that nothing can be saved, why, and what tells more."""
    text = say("list.not-saved", problem=safe(problem))
    lines = hang([("! ", "attention")], text, cells)
    return [*lines, [("  kaspad-taskctl doctor", "dim")]]


def unseen(problem: object, cells: int) -> list[Line]:
    """Return why there is no page, and what tells more."""
    text = say("list.no-bridge", problem=safe(problem, 400))
    return [*hang([("! ", "attention")], text, cells), [("  kaspad-taskctl doctor", "dim")]]


def _narrow(tasks: Sequence[WireTask], cells: int, now: float) -> list[Line]:
    """Icon, service 20, type 8, state 17, bar 8, share 6, time left; 80 cells."""
    lefts = [time_left(task) for task in tasks]
    room = max(13, *map(len, lefts))
    bar_cells = 8 if cells >= 72 else 0
    name = max(8, min(20, cells - 38 - room - (bar_cells + 1 if bar_cells else 0)))
    head = [
        ("  " + fit(say("list.service"), name), "dim"),
        (f" {say('list.type'):<8} {say('list.state'):<17} ", "dim"),
        (f"{say('list.progress'):<{bar_cells + 7}}  {say('list.left')}", "dim"),
    ]
    names = column(handles(tasks), name)
    return [
        head,
        *(
            _row(task, called, left, bar_cells, now)
            for task, called, left in zip(tasks, names, lefts, strict=True)
        ),
    ]


def _row(task: WireTask, name: str, left: str, bar_cells: int, now: float) -> Line:
    return [
        icon(task),
        (f" {name} ", ""),
        (fit(words.kind(task), 8) + " ", "dim"),
        (fit(words.state(task, now), 17) + " ", ""),
        *_progress(task, bar_cells),
        ("  " + left, ""),
    ]


def _progress(task: WireTask, bar_cells: int) -> list[Piece]:
    shown = (" " if bar_cells else "") + fit(share(task), 6, right=True)
    return [bar(task, bar_cells), (shown, "")]


def _wide(tasks: Sequence[WireTask], cells: int, now: float) -> list[Line]:
    """Icon, id 30, type 8, state 17, bar 14, share 6, time left 15, rate 12, age 7; 120 cells."""
    longest = max(width(safe(task.get("id"), 100)) for task in tasks)
    room = cells - WIDE
    id_cells = max(30, min(longest, 36 + room))
    bar_cells = min(30, 14 + room - (id_cells - 30))
    head = [
        ("  " + fit(say("list.id"), id_cells), "dim"),
        (f" {say('list.type'):<8} {say('list.state'):<17} ", "dim"),
        (f"{say('list.progress'):<{bar_cells + 7}}  {say('list.left'):<15}", "dim"),
        (f" {say('list.rate'):>12}  {say('list.checked'):>7}", "dim"),
    ]
    ids = column([safe(task.get("id"), 100) for task in tasks], id_cells)
    named = zip(tasks, ids, strict=True)
    return [head, *(_wide_row(task, task_id, bar_cells, now) for task, task_id in named)]


def _wide_row(task: WireTask, task_id: str, bar_cells: int, now: float) -> Line:
    return [
        icon(task),
        (f" {task_id} ", ""),
        (fit(words.kind(task), 8) + " ", "dim"),
        (fit(words.state(task, now), 17) + " ", ""),
        *_progress(task, bar_cells),
        *_time_and_rate(task),
        ("  " + fit(_age(task, now), 7, right=True), "dim"),
    ]


def _time_and_rate(task: WireTask) -> list[Piece]:
    """Both share 28 cells: the time to the left, the rate to the right."""
    left, pace = time_left(task), rate(task)
    return [("  " + left, ""), (fit(pace, 28 - width(left), right=True), "dim")]


def _age(task: WireTask, now: float) -> str:
    checked = seconds_of(task.get("lastChecked"))
    return spans.span(max(0, int(now - checked))) if checked else "-"


def troubles(
    tasks: Sequence[WireTask], cells: int, now: float, told: WireTask | None
) -> list[Line]:
    """Return a sentence and a command for each task in trouble but `told`, the first few."""
    named = zip(told_apart(tasks), handles(tasks), strict=True)
    known = told and told.get("id")
    wanting = [
        (task, name) for task, name in named if words.troubled(task) and task.get("id") != known
    ]
    lines: list[Line] = []
    for task, name in wanting[:_TROUBLES]:
        sign, tone = icon(task)
        lines += hang([(sign + " ", tone)], f"{words.attention(task, now)}.", cells)
        lines.append([(f"  kaspad-taskctl status {name}", "dim")])
    if len(wanting) > _TROUBLES:
        text = say("attention.count", n=len(wanting), total=len(tasks))
        lines.append([(f"  {text}", "")])
    return lines


def handles(tasks: Sequence[WireTask]) -> list[str]:
    """Return what names each task, on the command line too: its service where that is enough."""
    alike = shared(tasks)
    return [
        safe(task.get("id"), 100)
        if task.get("alike") or task.get("service") in alike
        else words.name(task)
        for task in tasks
    ]


def verdict(task: WireTask, cells: int, now: float) -> list[Line]:
    """Return the first sentence: how it stands with what matters most."""
    sign, tone = icon(task)
    return hang([(sign + " ", tone)], words.headline(task, now), cells)
