"""What answers of the daemon come to: a snapshot of everything, a task's disk, its progress."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kaspad_taskd.notify import events, reading
from kaspad_taskd.notify.change import Change, Subject, What
from kaspad_taskd.notify.draft import Draft
from kaspad_taskd.notify.model import Moment
from kaspad_taskd.notify.snapshot import Snapshot, Wire

_BY_PEOPLE = ("pending", "paused", "cancelled")
"""Statuses of what nobody wants to hear of."""


def everything(
    draft: Draft, snapshot: Snapshot, before: Moment | None, heard: Collection[str] = ()
) -> None:
    """Begin from what is so now.

    Args:
        draft: what is known.
        snapshot: what is so.
        before: until when all was heard, told; None: nothing ever was.
        heard: ids of tasks of which all that followed the first of it was heard since.
    """
    last = draft.last
    now = draft.given - draft.skew
    seen = set()
    for task in snapshot.tasks:
        about = reading.task(task)
        if about is not None:
            seen |= {about.of, reading.disk(about).of}
            _task(draft, task, about, now, last if about.labels[0] in heard else before)
    _rest(draft, "task:", seen, What.GONE, now)
    _rest(draft, "disk:", seen, What.GONE, now)
    for task_id in [each for each in draft.relapses if f"task:{each}" not in seen]:
        draft.relapse(task_id, None)
    for task_id in [each for each in draft.disks if f"task:{each}" not in seen]:
        draft.disk(task_id, None)
    warnings(draft, snapshot.warnings)
    _attentions(draft, snapshot.attentions, now)
    draft.last = now if last is None else max(last, now)


def warnings(draft: Draft, standing: Sequence[Wire]) -> None:
    """Let those warnings stand, and no others: who is not among them was seen by somebody."""
    now = draft.given - draft.skew
    seen = set()
    for each in standing:
        about = reading.warning(each)
        if about is None:
            continue
        seen.add(about.of)
        if about.of not in draft.present:
            draft.apply(events.warning(about, each, _at(each.get("at"), now)))
    _rest(draft, "warning:", seen, What.GONE, now)


def disk(draft: Draft, task: Wire) -> None:
    """Take from a task's public form whether its disk runs full."""
    whose = reading.task(task)
    if whose is None:
        return
    about = reading.disk(whose)
    now = draft.given - draft.skew
    hint = _disk_hint(task) if task.get("status") == "in-progress" else None
    if hint is not None:
        params = {**reading.plain(hint.get("params")), **reading.params(type=task.get("type"))}
        draft.apply(Change(What.BAD, about, now, reading.text(hint.get("code")), params))
    elif about.of in draft.present:
        live = task.get("status") == "in-progress"
        draft.apply(Change(What.WELL if live else What.GONE, about, now))
    measured = task.get("status") == "in-progress" and _measured(task.get("metadata"))
    draft.disk(about.labels[0], about.labels[1] if measured or hint is not None else None)


def progress(draft: Draft, data: Wire) -> None:
    """Take from a progress what no event tells: that a disk is measured, how far behind it is."""
    about = reading.task(data)
    if about is None:
        return
    task = about.labels[0]
    if data.get("status") == "in-progress" and _measured(data):
        draft.disk(task, about.labels[1])
    behind = reading.number(data.get("behind"))
    if behind is not None:
        draft.refresh(about.of, str(data.get("health")), {"behind": behind})


def _measured(facts: object) -> bool:
    return isinstance(facts, Mapping) and "diskFree" in facts


def _disk_hint(task: Wire) -> Mapping[str, Any] | None:
    hints: Iterable[Any] = task.get("hints") or ()
    known = [each for each in hints if isinstance(each, Mapping)]
    return next((each for code in reading.DISK for each in known if each.get("code") == code), None)


def _at(told: object, now: Moment) -> Moment:
    at = reading.moment(told)
    return now if at is None else at


def _task(draft: Draft, task: Wire, about: Subject, now: Moment, before: Moment | None) -> None:
    status = task.get("status")
    task_id = about.labels[0]
    if status == "error":
        _ended(draft, task, about, before, "erroredAt")
    elif status in _BY_PEOPLE or task.get("watch") == "paused":
        draft.apply(Change(What.GONE, about, now))
    else:
        _anew(draft, task, about, before)
        if status == "complete":
            _ended(draft, task, about, before, "completedAt")
        else:
            _again(draft, task, about)
        since = _at(task.get("healthSince"), now)
        _between(draft, task, about, since, before)
        for change in events.health(about, task, since, draft.relapses.get(task_id)):
            draft.apply(change)
    disk(draft, task)


def _anew(draft: Draft, task: Wire, about: Subject, before: Moment | None) -> None:
    """An attempt that began unheard of is another one: what was a trouble of the last is not."""
    began = reading.moment(task.get("startedAt")) if task.get("status") == "in-progress" else None
    if began is not None and before is not None and began > before:
        if not task.get("because"):  # else what was a trouble has become a graver one
            draft.apply(Change(What.GONE, about, began))
        draft.relapse(about.labels[0], None)


def _again(draft: Draft, task: Wire, about: Subject) -> None:
    """An attempt that began by itself, unheard of, is a relapse: in trouble since it began."""
    because = reading.text(task.get("because"), 40)
    at = reading.moment(task.get("startedAt"))
    task_id = about.labels[0]
    if because and at is not None and draft.relapses.get(task_id) is None:
        draft.apply(events.relapsed(about, because, at))
        draft.relapse(task_id, because)


def _between(
    draft: Draft, task: Wire, about: Subject, since: Moment, before: Moment | None
) -> None:
    """What is so anew was not so for a while of which nobody knows how long it was."""
    known = draft.present.get(about.of)
    same = known is not None and known.code == task.get("health")
    if same and before is not None and before < since:
        draft.apply(Change(What.VAGUE, about, min(since, draft.seen)))


def _ended(draft: Draft, task: Wire, about: Subject, before: Moment | None, key: str) -> None:
    """An end that nobody has heard of is told; troubles of what has ended are over."""
    at = reading.moment(task.get(key))
    task_id = about.labels[0]
    new = at is not None and before is not None and at > before
    if at is not None and key == "erroredAt":
        draft.apply(Change(What.CLOSED, about, at))
        if new:
            draft.tell(events.failed(about, task, at))
    elif at is not None and new:
        because = reading.text(task.get("because"), 40) or draft.relapses.get(task_id)
        draft.tell(events.completed(about, task, at, because))
    draft.relapse(task_id, None)


def _rest(draft: Draft, kind: str, seen: set[str], what: What, now: Moment) -> None:
    for of in [each for each in draft.known() if each.startswith(kind) and each not in seen]:
        draft.apply(Change(what, Subject(of), now))


def _attentions(draft: Draft, standing: Sequence[Wire], now: Moment) -> None:
    seen = set()
    for each in standing:
        about = reading.service(each)
        if about is not None:
            seen.add(about.of)
            draft.apply(events.attention(about, each, _at(each.get("since"), now)))
    _rest(draft, "service:", seen, What.WELL, now)
