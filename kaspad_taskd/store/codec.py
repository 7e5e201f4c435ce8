"""Tasks, definitions and facts as documents (JSON), and back.

Fields pass as they are, by name, but for those that JSON cannot say or gives back as something
else: a table below says how. A field that a document lacks has its default, one that this version
does not know is ignored: an older and a newer daemon can read each other's documents. A reason that
is unknown is read as none, but a new status, health or event name needs a new schema step, which an
older daemon refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from typing import Any, TypeAlias

from kaspad_taskd.base import jsontext
from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.incidents import Ending, Incident
from kaspad_taskd.core.model import (
    WATCHED_TYPES,
    Definition,
    Detail,
    Epoch,
    Failure,
    Health,
    Live,
    Moment,
    OnComplete,
    Origin,
    PhaseRecord,
    Samples,
    Status,
    Task,
    Walk,
    Walked,
    Watch,
    Window,
)
from kaspad_taskd.core.observation import Condition, Hint, Json
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.seen import Counts
from kaspad_taskd.core.switch import Switch, document, switch_of
from kaspad_taskd.core.warning import StandingWarning
from kaspad_taskd.core.watch_record import WatchRecord

_Way: TypeAlias = tuple[Callable[[Any], Json] | None, Callable[[Json], Any] | None]
"""How a field is written and how it is read; None: as it is."""


class _Shape:
    """How the objects of a dataclass are documents.

    Args:
        kind: the dataclass.
        leave: a field that stands elsewhere.
        ways: of the fields that need one.

    Attributes:
        write: returns the document of such an object.
    """

    def __init__(self, kind: type[Any], leave: str = "", **ways: _Way) -> None:
        self._kind = kind
        held = [each for each in fields(kind) if each.name != leave]
        self._names = tuple(each.name for each in held)
        self._defaults = tuple(each.default for each in held)  # MISSING: it makes one, or needs it
        self._needed = [each.name for each in held if _is_needed(each)]
        self.write = _compiled(self._names, {name: way[0] for name, way in ways.items() if way[0]})
        self._readers = [
            (name, self._names.index(name), read) for name, (_, read) in ways.items() if read
        ]

    def read(self, document: dict[str, Json], *left: Any) -> Any:
        """`left`: the field that stands elsewhere, which is the first."""
        values = list(map(document.get, self._names, self._defaults))
        if not all(name in document for name in self._needed):
            raise KeyError(*self._needed)
        for name, place, read in self._readers:
            if name in document:
                values[place] = read(values[place])
        return self._kind(*left, *values)


def _compiled(
    names: Iterable[str], writers: Mapping[str, Callable[[Any], Json]]
) -> Callable[[object], dict[str, Json]]:
    """Write what takes a thing apart, a line each field: every look pays for some 90 of them."""
    lines = [
        f" document[{name!r}] = {name}(thing.{name})\n"
        if name in writers
        else f" document[{name!r}] = thing.{name}\n"
        for name in names
    ]
    scope: dict[str, Any] = dict(writers)
    exec(f"def write(thing):\n document = {{}}\n{''.join(lines)} return document", scope)  # noqa: S102 - names alone
    made: Callable[[object], dict[str, Json]] = scope["write"]
    return made


def _is_needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _member(kind: type[StrEnum]) -> _Way:
    """A member of a list that is closed."""
    return None, {each.value: each for each in kind}.__getitem__


def _one(shape: _Shape) -> _Way:
    return shape.write, shape.read


def _many(shape: _Shape) -> _Way:
    return (
        lambda things: [shape.write(thing) for thing in things] if things else [],
        lambda documents: tuple([shape.read(document) for document in documents]),
    )


def _or_none(way: _Way) -> _Way:
    write, read = way
    return (
        write and (lambda thing: None if thing is None else write(thing)),
        read and (lambda document: None if document is None else read(document)),
    )


def _word(kind: type[Reason] | type[EtaReason], unknown: Reason | None = None) -> _Way:
    """A member of a list that grows; a word of a later version is read as `unknown`."""

    def read(word: str) -> Reason | EtaReason | None:
        try:
            return kind(word)
        except ValueError:
            return unknown

    return None, read


_TABLE: _Way = (dict, None)  # any Mapping; JSON wants a dict
_TUPLE: _Way = (None, tuple)
_SAMPLES: _Way = (
    lambda samples: list(zip(samples.moments, samples.positions, strict=True)),
    lambda pairs: Samples(*zip(*pairs, strict=True)),
)

_DEFINITION = _Shape(
    Definition,
    after=_TUPLE,
    checker=_TABLE,
    on_complete=_or_none(
        (lambda reaction: list(reaction.command), lambda words: OnComplete(tuple(words)))
    ),
    origin=_member(Origin),
)
_LIVE = _Shape(
    Live,
    shown=_or_none(_TUPLE),
    detail=_or_none(_one(_Shape(Detail))),
    eta_reason=_or_none(_word(EtaReason)),
    walk=_or_none(_one(_Shape(Walk, legs=_many(_Shape(Walked))))),
    hints=_many(_Shape(Hint, params=_TABLE)),
    conditions=_many(_Shape(Condition)),
    metadata=_TABLE,
    params=_TABLE,
    window=_one(_Shape(Window, samples=_SAMPLES, rates=_TABLE)),
    memory=_TABLE,
    reached=_TABLE,
    entered=_TUPLE,
    paced=_or_none(_TUPLE),
)
_TASK = _Shape(
    Task,
    leave="definition",
    status=_member(Status),
    health=_member(Health),
    reason=_or_none(_word(Reason)),
    waiting_for=_TUPLE,
    phases=_many(_Shape(PhaseRecord)),
    epoch=_one(_Shape(Epoch)),
    failure=_or_none(
        _one(_Shape(Failure, reason=_word(Reason, Reason.CHECKER_ERROR), params=_TABLE))
    ),
    watch=_member(Watch),
    live=_one(_LIVE),
)

_WARNING = _Shape(StandingWarning, params=_TABLE)
_RECORD = _Shape(WatchRecord, total=_one(_Shape(Counts)))
_INCIDENT = _Shape(
    Incident, health=_member(Health), params=_TABLE, ending=_or_none(_member(Ending))
)


def definition_text(definition: Definition) -> str:
    """The document of a definition.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(_DEFINITION.write(definition))


def definition_of(text: str) -> Definition:
    """The definition of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    return definition_from(jsontext.loads(text))


def definition_from(document: Json) -> Definition:
    """The definition of a document that is read already.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    definition: Definition = _DEFINITION.read(document)
    if "keep_watching" not in document:  # of a version that knew of none
        return replace(definition, keep_watching=definition.type in WATCHED_TYPES)
    return definition


def task_text(task: Task) -> str:
    """The document of a task, all but its definition.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(_TASK.write(task))


def task_of(text: str, definition: Definition) -> Task:
    """The task of a document, with its definition.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    document = jsontext.loads(text)
    task: Task = _TASK.read(document, definition)
    if "watch" not in document:
        task = _of_before(task)
    _check_numbers(task.number, task.revision, task.attempt, task.created_at)
    return task


def _of_before(task: Task) -> Task:
    """A task as the versions before kept it: those did not look at what was complete.

    One of a file is on watch from now on, as its definition says; what was registered is not, for
    nobody who did so expects it.
    """
    if task.status is not Status.COMPLETE:
        return task
    proven = task.live.read_at == task.ended_at
    kept = task.definition.keep_watching and task.definition.origin is not Origin.API
    return replace(task, proven=proven, watch=Watch.ON if kept else Watch.NONE)


def fact_text(fact: Fact) -> str:
    """The document of a fact, all but its task and moment.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(
        {"name": fact.name, "service": fact.service, "type": fact.type, "data": dict(fact.data)}
    )


def fact_of(text: str, task_id: str, at: Moment) -> Fact:
    """The fact of a document, with its task and moment.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    document = jsontext.loads(text)
    return Fact(
        name=EventName(document["name"]),
        task_id=task_id,
        service=document["service"],
        type=document["type"],
        at=at,
        data=document["data"],
    )


def switch_text(switch: Switch) -> str:
    """The document of a switch.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(document(switch))


def switch_from(text: str) -> Switch:
    """The switch of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    return switch_of(jsontext.loads(text))


def warning_text(warning: StandingWarning) -> str:
    """The document of a warning.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(_WARNING.write(warning))


def warning_from(text: str) -> StandingWarning:
    """The warning of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    warning: StandingWarning = _WARNING.read(jsontext.loads(text))
    return warning


def record_text(record: WatchRecord) -> str:
    """The document of a record of what is kept watch on.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(_RECORD.write(record))


def record_from(text: str) -> WatchRecord:
    """The record of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    record: WatchRecord = _RECORD.read(jsontext.loads(text))
    _check_numbers(record.since, record.at, record.unknown, record.total.known)
    return record


def incident_text(incident: Incident) -> str:
    """The document of an incident.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    return _text(_INCIDENT.write(incident))


def incident_from(text: str) -> Incident:
    """The incident of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    incident: Incident = _INCIDENT.read(jsontext.loads(text))
    _check_numbers(incident.id, incident.began, incident.ended or 0)
    return incident


def _check_numbers(*numbers: object) -> None:
    for number in numbers:
        if not isinstance(number, int):
            raise TypeError(f"{number!r} is no number")


def _text(shown: Json) -> str:
    return jsontext.dumps(shown).decode()
