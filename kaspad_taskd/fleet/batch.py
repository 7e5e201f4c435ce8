"""What stands in a host's keys (docs/contract.md, section 8), read and judged; no I/O.

A fault of the whole is a ValueError that names the place. A part that is bad (one task of five)
is left out and named in `faults`: the rest of its host is shown, and so are all other hosts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, NamedTuple, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.jsontext import loads
from kaspad_taskd.base.values import MAX_ITEMS, SAFE_INTEGER, kind_of, quote
from kaspad_taskd.fleet import keys, shapes

Json: TypeAlias = Any

MAX_ENTRY: Final = 2**20
"""Bytes of a batch, and of any other value that is no task."""
MAX_TASK: Final = 2**16
"""Bytes of a task's public form, of a progress, of an event's data."""
MAX_TASKS: Final = 10_000
"""Tasks of a host, as of a daemon."""
MAX_FAULTS: Final = 5
"""Faults that are named; the rest is the same in more words."""
MAX_NAME: Final = 200
"""Characters of a name, a version, an address."""
TASK_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STREAM: Final = re.compile(r"(ev:[A-Za-z0-9]{1,64}(\.[0-9]{1,9})?)?")
"""Of a relay that has not heard its daemon yet it is empty: there is no journal."""


class Event(NamedTuple):
    """An event of a host's journal."""

    seq: int
    name: str
    data: Mapping[str, Json]


@frozen
class Meta:
    """Whose keys these are. `gap`: the last events that are missing, `{after, next}`."""

    run: str = ""
    stream: str = ""
    journal: str = ""
    address: str = ""
    relay: str = ""
    daemon: str = ""
    since: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    gap: Mapping[str, int] | None = None


@frozen
class Batch:
    """An entry of `now`: what changed. Parts that are not said are None or empty."""

    run: str
    stream: str
    at: int
    after: int
    """The last event before it (`from`)."""
    to: int
    answers: bool
    """Whether the daemon answers its relay."""
    since: int | None
    """Since when (ms, by the host's clock)."""
    events: Sequence[Event] = ()
    tasks: Mapping[str, Json] = field(default_factory=dict)
    progress: Mapping[str, Json] = field(default_factory=dict)
    gone: Sequence[str] = ()
    services: Json = None
    warnings: Json = None
    past: Sequence[str] = ()
    anew: bool = False
    """Whether the hashes and strings were written anew as a whole."""
    faults: Sequence[str] = ()


def value(raw: bytes, place: str, limit: int = MAX_ENTRY) -> Json:
    """Return the JSON value of a text; raises ValueError: it is none, or longer than `limit`."""
    if len(raw) > limit:
        raise ValueError(f"{place} has {len(raw)} bytes, more than {limit}")
    try:
        return loads(raw)
    except ValueError as fault:
        raise ValueError(f"{place} is no JSON: {quote(str(fault))}") from None


def batch(raw: bytes) -> Batch:
    """Return what an entry of `now` says; raises ValueError where nothing can be made of it."""
    told = value(raw, keys.NOW)
    if type(told) is not dict:
        raise ValueError(f"{keys.NOW} must be an object, not {kind_of(told)}")
    daemon = told.get("daemon")
    if type(daemon) is not dict or type(daemon.get("answers")) is not bool:
        raise ValueError("daemon.answers must be true or false")
    stream = name(told, "stream")
    if not _STREAM.fullmatch(stream):
        raise ValueError(f"stream {quote(stream)} is no name of one")
    after, to = number(told, "from"), number(told, "to")
    if to < after:
        raise ValueError(f"it goes from {after} back to {to}")
    if to > 0 and not stream:
        raise ValueError(f"it goes to {to} in no stream")
    faults: list[str] = []
    return Batch(
        name(told, "run"), stream, number(told, "at"), after, to, daemon["answers"],
        moment(daemon.get("since")),
        tuple(_events(told.get("events"), after, to, faults)),
        dict(_each(told.get("tasks"), "tasks", "id", shapes.task, faults)),
        dict(_each(told.get("progress"), "progress", "taskId", shapes.progress, faults)),
        _ids(told, "gone", faults),
        _whole(told, "services", shapes.services, faults),
        _whole(told, "warnings", shapes.warnings, faults),
        _ids(told, "past", faults),
        told.get("anew") is True,
        faults,
    )  # fmt: skip


def meta(told: Mapping[bytes, bytes], host: str) -> Meta:
    """Return what a host's `meta` says; raises ValueError: it is not this host's, or says nothing.

    `host`: whose key it is.
    """
    texts = {}
    for key, raw in told.items():
        if len(raw) > MAX_TASK:
            raise ValueError(f"meta.{quote(_text(key))} has {len(raw)} bytes, more than {MAX_TASK}")
        texts[_text(key)] = _text(raw)
    if texts.get("host") != host:
        raise ValueError(f"meta.host is {quote(texts.get('host', ''))}, and its keys are {host}'s")
    stream = texts.get("stream", "")
    if not _STREAM.fullmatch(stream):
        raise ValueError(f"meta.stream {quote(stream)} is no name of one")
    plain = {each: texts.get(each, "")[:MAX_NAME] for each in ("journal", "address", "relay")}
    since = texts.get("since", "")
    return Meta(
        texts.get("run", "")[:MAX_NAME], stream, **plain,
        daemon=texts.get("daemon", "")[:MAX_NAME],
        since=int(since) if re.fullmatch("[0-9]{1,15}", since) else None,
        labels=_labels(texts.get("labels", "{}")),
        gap=_gap(texts.get("gap", "null")),
    )  # fmt: skip


def task(raw: bytes, task_id: str) -> Json:
    """Return the task of a field of `tasks`; raises ValueError."""
    return _field(raw, f"tasks.{quote(task_id)}", task_id, "id", shapes.task)


def progress(raw: bytes, task_id: str) -> Json:
    """Return the data of a field of `progress`; raises ValueError."""
    return _field(raw, f"progress.{quote(task_id)}", task_id, "taskId", shapes.progress)


def services(raw: bytes) -> Json:
    """Return the result of `getServices`; raises ValueError."""
    told = value(raw, keys.SERVICES)
    shapes.services(told, keys.SERVICES)
    return told


def warnings(raw: bytes) -> Json:
    """Return the result of `getWarnings`; raises ValueError."""
    told = value(raw, keys.WARNINGS)
    shapes.warnings(told, keys.WARNINGS)
    return told


def event(entry: str, fields: Mapping[bytes, bytes]) -> Event:
    """Return an event of an `ev:` stream, by its id and fields; raises ValueError."""
    return judged(*framed(entry, fields))


def framed(entry: str, fields: Mapping[bytes, bytes]) -> tuple[int, str, bytes]:
    """Return number, name and data of an event, not judged yet; raises ValueError."""
    seq = keys.number_of(entry)
    called, raw = _text(fields.get(b"e", b"")), fields.get(b"d", b"")
    if not 0 < len(called) <= MAX_NAME:
        raise ValueError(f"event {seq} has no name")
    if len(raw) > MAX_TASK:
        raise ValueError(f"event {seq} has {len(raw)} bytes, more than {MAX_TASK}")
    return seq, sys.intern(called), raw


def judged(seq: int, called: str, raw: bytes) -> Event:
    """Return an event by what `framed` returns; raises ValueError."""
    data = value(raw, f"event {seq}", MAX_TASK)
    shapes.event_data(called, data, f"event {seq}")
    return Event(seq, called, data)


def name(told: Mapping[str, Json], key: str) -> str:
    """Return a short text; raises ValueError."""
    text = told.get(key)
    if type(text) is not str or len(text) > MAX_NAME:
        raise ValueError(f"{key} must be a string of {MAX_NAME} characters at most")
    return text


def number(told: Mapping[str, Json], key: str) -> int:
    """Return a number from 0 on; raises ValueError."""
    found = told.get(key)
    if type(found) is not int or not 0 <= found <= SAFE_INTEGER:
        raise ValueError(f"{key} must be a whole number, 0 at least")
    return found


def moment(told: Json) -> int | None:
    """Return a moment (ms), or None where it is none."""
    return told if type(told) is int and 0 <= told <= SAFE_INTEGER else None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _say(faults: list[str], fault: object) -> None:
    if len(faults) < MAX_FAULTS:
        faults.append(str(fault)[:MAX_NAME])


def _field(raw: bytes, place: str, task_id: str, key: str, judge: shapes.Judge) -> Json:
    told = value(raw, place, MAX_TASK)
    judge(told, place)
    if told[key] != task_id:
        raise ValueError(f"{place} says it is {quote(told[key])}")
    return told


def _list(told: Json, place: str, faults: list[str]) -> list[Json]:
    if told is None:
        return []
    if type(told) is list and len(told) <= MAX_TASKS:
        return told
    _say(faults, f"{place} must be a list of {MAX_TASKS} entries at most")
    return []


def _each(
    told: Json, place: str, key: str, judge: shapes.Judge, faults: list[str]
) -> Iterator[tuple[str, Json]]:
    for one in _list(told, place, faults):
        try:
            judge(one, place)
            task_id = one[key]
            if not TASK_ID.fullmatch(task_id):
                raise ValueError(f"{place}: {quote(task_id)} is no id")
        except ValueError as fault:
            _say(faults, fault)
        else:
            yield task_id, one


def _ids(told: Mapping[str, Json], place: str, faults: list[str]) -> Sequence[str]:
    listed = _list(told.get(place), place, faults)
    good = [each for each in listed if type(each) is str and TASK_ID.fullmatch(each)]
    if len(good) < len(listed):
        _say(faults, f"{place} must be ids")
    return good


def _whole(told: Mapping[str, Json], place: str, judge: shapes.Judge, faults: list[str]) -> Json:
    if told.get(place) is None:
        return None
    try:
        judge(told[place], place)
    except ValueError as fault:
        _say(faults, fault)
        return None
    return told[place]


def _events(told: Json, after: int, to: int, faults: list[str]) -> Iterator[Event]:
    """Those that are good; each number once, upwards, within the batch's own."""
    for one in _list(told, "events", faults):
        try:
            shapes.event(one, "events")
            if not after < one["seq"] <= to:
                raise ValueError(f"events: {one['seq']} is not between {after} and {to}")
        except ValueError as fault:
            _say(faults, fault)
            continue
        after = one["seq"]
        yield Event(after, one["event"], one["data"])


def _labels(text: str) -> Mapping[str, str]:
    told = value(text.encode(), "meta.labels", MAX_TASK)
    if type(told) is not dict or len(told) > MAX_ITEMS:
        raise ValueError("meta.labels must be an object")
    if not _all(_short, [*told, *told.values()]):
        raise ValueError(f"meta.labels must be strings of {MAX_NAME} characters at most")
    return told


def _gap(text: str) -> Mapping[str, int] | None:
    told = value(text.encode(), "meta.gap", MAX_TASK)
    if told is None:
        return None
    if type(told) is not dict:
        raise ValueError("meta.gap must be an object or null")
    return {key: number(told, key) for key in ("after", "next")}


def _short(value: object) -> bool:
    return type(value) is str and len(value) <= MAX_NAME


def _all(good: Callable[[object], bool], values: Iterable[object]) -> bool:
    return all(map(good, values))
