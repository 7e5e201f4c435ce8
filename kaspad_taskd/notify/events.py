"""Which troubles begin and end with an event of the wire, and what is told as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from kaspad_taskd.notify import reading
from kaspad_taskd.notify.change import Change, News, Subject, What
from kaspad_taskd.notify.model import Item, Kind, Moment, Scalar

Heard: TypeAlias = Iterable[Change | News]
Data: TypeAlias = Mapping[str, Any]


def read(name: str, data: Data, at: Moment, relapse: str | None) -> Heard:
    """Return what an event comes to; one that says nothing to the notifier comes to nothing.

    Args:
        name: of the event.
        data: its public form.
        at: when it was, told.
        relapse: why the task of it syncs again by itself, or None.
    """
    if name not in _KNOWN:
        return ()
    whom, what = _KNOWN[name]
    about = whom(data)
    return () if about is None else what(about, data, at, relapse)


def health(about: Subject, data: Data, at: Moment, relapse: str | None) -> list[Change]:
    """Return what a health means; `data` has it, `reason`, `note`, `type`, perhaps `behind`.

    What syncs again is in trouble until it is complete: a health can only be a worse one. One that
    is not known, for no reason, is of a task at which nobody looks because somebody wants it so.
    """
    value = reading.text(data.get("health"), 40)
    if value not in (reading.WELL, *reading.NOT_KNOWN):
        return [Change(What.BAD, about, at, value, _of_health(data))]
    if value != reading.WELL:
        unseen = What.VAGUE if data.get("reason") else What.GONE
        return [] if relapse is not None else [Change(unseen, about, at)]
    if relapse is None:
        return [Change(What.WELL, about, at)]
    return [Change(What.BAD, about, at, reading.RELAPSE, reading.params(because=relapse))]


def relapsed(about: Subject, because: str, at: Moment) -> Change:
    """Return what it means that a task has to sync again."""
    params = reading.params(because=because)
    return Change(What.BAD, about, at, reading.RELAPSE, params, graver=True)


def attention(about: Subject, data: Data, at: Moment) -> Change:
    """Return what it means that a service needs somebody, or does not any more."""
    code = reading.text(data.get("code"), 60)
    params = reading.params(note=data.get("note"), cure=data.get("cure"))
    return Change(What.BAD if code else What.WELL, about, at, code, params)


def warning(about: Subject, data: Data, at: Moment) -> Change:
    """Return what a warning means."""
    params = reading.params(note=data.get("note"), cure=data.get("cure"))
    return Change(What.BAD, about, at, reading.text(data.get("code"), 60) or "warning", params)


def failed(about: Subject, data: Data, at: Moment) -> News:
    """Return what is told of a task that failed."""
    params = reading.params(
        error=data.get("error"), reason=data.get("reason"), type=data.get("type")
    )
    code = reading.text(data.get("reason"), 60) or "error"
    return News(about, Item(Kind.ERROR, about.of, about.name, code, params, began=at))


def completed(about: Subject, data: Data, at: Moment, because: str | None) -> News:
    """Return what is told of a task that is complete; `because`: why it synced again."""
    took = data.get("duration")
    params = reading.params(
        type=data.get("type"),
        took=took.get("formatted") if isinstance(took, Mapping) else None,
        because=because,
    )
    code = "complete" if because is None else "complete-again"
    return News(about, Item(Kind.COMPLETE, about.of, about.name, code, params, began=at))


def over(about: Subject, at: Moment, what: What = What.GONE) -> list[Change]:
    """Return that nothing of a task is a trouble any more."""
    return [Change(what, about, at), Change(what, reading.disk(about), at)]


def _of_health(data: Data) -> dict[str, Scalar]:
    return reading.params(
        reason=data.get("reason"),
        note=data.get("note"),
        type=data.get("type"),
        behind=reading.number(data.get("behind")),
    )


def _start(about: Subject, data: Data, at: Moment, _relapse: str | None) -> Heard:
    because = reading.text(data.get("because"), 40)
    return [relapsed(about, because, at)] if because else over(about, at)


def _resumed(about: Subject, _data: Data, at: Moment, relapse: str | None) -> Heard:
    return () if relapse is None else [relapsed(about, relapse, at)]


def _complete(about: Subject, data: Data, at: Moment, relapse: str | None) -> Heard:
    because = reading.text(data.get("because"), 40) or relapse
    ended = Change(What.CLOSED if because is None else What.WELL, about, at)
    disk = Change(What.GONE, reading.disk(about), at)
    return [ended, disk, completed(about, data, at, because)]


def _error(about: Subject, data: Data, at: Moment, _relapse: str | None) -> Heard:
    return [*over(about, at, What.CLOSED), failed(about, data, at)]


def _gone(about: Subject, _data: Data, at: Moment, _relapse: str | None) -> Heard:
    return over(about, at)


def _attention(about: Subject, data: Data, at: Moment, _relapse: str | None) -> Heard:
    return [attention(about, data, at)]


def _warning(about: Subject, data: Data, at: Moment, _relapse: str | None) -> Heard:
    return [warning(about, data, at)]


def _switched(about: Subject, data: Data, at: Moment, _relapse: str | None) -> Heard:
    switch = data.get("switch")
    shape = switch if isinstance(switch, Mapping) else {}
    node = shape.get("because")  # how the local node stood that it leaves or comes back to
    stood = node if isinstance(node, Mapping) else {}
    params = reading.params(
        stood=stood.get("health"),
        behind=stood.get("behind"),
        to=data.get("to"),
        by=shape.get("by"),
        error=data.get("error"),
        reason=data.get("reason"),
        cure=shape.get("cure"),
    )
    code = reading.text(shape.get("state"), 20) or ("failed" if "error" in data else "done")
    return [News(about, Item(Kind.SWITCH, about.of, about.name, code, params, began=at))]


_Whom: TypeAlias = Callable[[Data], Subject | None]
_What: TypeAlias = Callable[[Subject, Data, Moment, str | None], Heard]
_KNOWN: dict[str, tuple[_Whom, _What]] = {
    "sync:health": (reading.task, health),
    "sync:start": (reading.task, _start),
    "sync:resumed": (reading.task, _resumed),
    "sync:complete": (reading.task, _complete),
    "sync:error": (reading.task, _error),
    "sync:cancelled": (reading.task, _gone),
    "sync:paused": (reading.task, _gone),
    "task:removed": (reading.task, _gone),
    "service:attention": (reading.service, _attention),
    "warning": (reading.warning, _warning),
    "switch:complete": (reading.service, _switched),
    "switch:error": (reading.service, _switched),
}
"""Whom an event is about, and what it comes to."""
