"""The checks of `doctor` for what is watched: how each task is, and what its numbers lack."""

from __future__ import annotations

from kaspad_taskd.cli.checkup import FAULT, GOOD, WARNING, Finding, finding
from kaspad_taskd.words import room
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import told_apart
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from kaspad_taskd.words.task import WireTask

_UNSEEN = ("data-dir-hidden", "activity-hidden", "permission-missing")
"""What somebody else has to open."""


def tasks(
    listed: Sequence[WireTask],
    now: float,
    timed: Callable[[WireTask, str], str] = lambda _task, text: text,
) -> Iterator[Finding]:
    """How the watched nodes are, and whatever else is in trouble, with the likely causes.

    `timed` adds to what is told of a task how it was found out.
    """
    for task in told_apart(listed):
        if task.get("type") == "node-sync" or words.troubled(task):
            yield from _task(task, now, timed)
        else:
            yield from (_hinted(task, one) for one in task.get("hints") or () if _of_us(one))
        yield from _aside(task)


def _task(task: WireTask, now: float, timed: Callable[[WireTask, str], str]) -> Iterator[Finding]:
    level = {**dict.fromkeys(words.ILL, WARNING), "error": FAULT}
    disk = None if words.condition(task) in level else room.filling(task)
    found = level.get(words.condition(task), WARNING if disk else GOOD)
    said = timed(task, words.headline(task, now))
    yield Finding(found, words.kind(task), said, _cure(task))
    told = task.get("reason") if words.condition(task) in level else None  # by the headline
    for one in task.get("hints") or ():
        if one["code"] != told and one is not disk and (found != FAULT or _of_log(one)):
            yield _hinted(task, one)


def _of_log(one: Mapping[str, Any]) -> bool:
    return str(one["code"]).startswith("log-")


def _of_us(one: Mapping[str, Any]) -> bool:
    """Whether a hint tells that something cannot be seen: then nothing of it is good news."""
    return _of_log(one) or one["code"] in _UNSEEN


def _hinted(task: WireTask, one: Mapping[str, Any]) -> Finding:
    says, do = words.hint(str(one["code"]), {**words.params(task), **one["params"]})
    if one["code"] == task.get("reason"):
        says = safe(task.get("note") or says)
    if _of_log(one):
        return Finding(WARNING, say("doctor.log.check"), f"{words.name(task)}: {says}", do)
    name = say("doctor.clock") if one["code"] == "clock-skew" else words.kind(task)
    return Finding(WARNING, name, says, do)


def _aside(task: WireTask) -> Iterator[Finding]:
    """Whether what makes a node's numbers finer is there: its reference, its log."""
    known: Mapping[str, Any] = task.get("metadata") or {}
    who = {"name": words.name(task), "id": safe(task.get("id"), 100)}
    if known.get("referenceAnswers") is False:
        yield finding(WARNING, "reference.check", "reference", **who)
    elif known.get("referenceAnswers"):
        yield finding(GOOD, "reference.check", "reference.good", **who)
    if known.get("logProblem") and not any(map(_of_log, task.get("hints") or ())):
        yield finding(WARNING, "log.check", "log", problem=safe(known["logProblem"]), **who)


def _cure(task: WireTask) -> str | None:
    if words.condition(task) == "error":
        told = (words.hint(str(one["code"]), one["params"])[1] for one in task.get("hints") or ())
        return next(filter(None, told), None) or say("status.kept", id=task.get("id"))
    disk = room.filling(task)
    if disk and words.condition(task) not in words.ILL:
        return words.hint(disk["code"], {**words.params(task), **disk["params"]})[1]
    if not words.troubled(task):
        return None
    cure = words.hint(str(task.get("reason")), words.params(task))[1]
    return cure or say("doctor.look", id=safe(task.get("id"), 100))
