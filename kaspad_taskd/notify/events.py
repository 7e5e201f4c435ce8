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
    known = _KNOWN.get(name)
    return () if known is None else known(data, at, relapse)


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


def over(data: Data, at: Moment, what: What = What.GONE) -> list[Change | News]:
    """Return that nothing of a task is a trouble any more."""
    both = (reading.task(data), reading.task(data, "disk"))
    return [Change(what, each, at) for each in both if each is not None]


def _of_health(data: Data) -> dict[str, Scalar]:
    return reading.params(
        reason=data.get("reason"),
        note=data.get("note"),
        type=data.get("type"),
        behind=reading.number(data.get("behind")),
    )


def _health(data: Data, at: Moment, relapse: str | None) -> Heard:
    about = reading.task(data)
    return () if about is None else health(about, data, at, relapse)


def _start(data: Data, at: Moment, _relapse: str | None) -> Heard:
    about = reading.task(data)
    because = reading.text(data.get("because"), 40)
    if about is None:
        return ()
    return [relapsed(about, because, at)] if because else over(data, at)


def _resumed(data: Data, at: Moment, relapse: str | None) -> Heard:
    about = reading.task(data)
    return () if about is None or relapse is None else [relapsed(about, relapse, at)]


def _complete(data: Data, at: Moment, relapse: str | None) -> Heard:
    about = reading.task(data)
    if about is None:
        return ()
    because = reading.text(data.get("because"), 40) or relapse
    disk = over(data, at)[1:]
    ended = Change(What.CLOSED if because is None else What.WELL, about, at)
    return [ended, *disk, completed(about, data, at, because)]


def _error(data: Data, at: Moment, _relapse: str | None) -> Heard:
    about = reading.task(data)
    return () if about is None else [*over(data, at, What.CLOSED), failed(about, data, at)]


def _gone(data: Data, at: Moment, _relapse: str | None) -> Heard:
    return over(data, at)


def _attention(data: Data, at: Moment, _relapse: str | None) -> Heard:
    about = reading.service(data)
    return () if about is None else [attention(about, data, at)]


def _warning(data: Data, at: Moment, _relapse: str | None) -> Heard:
    about = reading.warning(data)
    return () if about is None else [warning(about, data, at)]


def _switched(data: Data, at: Moment, _relapse: str | None) -> Heard:
    about = reading.service(data)
    if about is None:
        return ()
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


_KNOWN: dict[str, Callable[[Data, Moment, str | None], Heard]] = {
    "sync:health": _health,
    "sync:start": _start,
    "sync:resumed": _resumed,
    "sync:complete": _complete,
    "sync:error": _error,
    "sync:cancelled": _gone,
    "sync:paused": _gone,
    "task:removed": _gone,
    "service:attention": _attention,
    "warning": _warning,
    "switch:complete": _switched,
    "switch:error": _switched,
}
