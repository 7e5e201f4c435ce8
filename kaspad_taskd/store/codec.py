"""Tasks, definitions and facts as documents (JSON), and back.

Plain fields pass as they are, by name; nested ones have a line of their own each way. A field that
a document lacks has its default, one that this version does not know is ignored: an older and a
newer daemon can read each other's documents. A reason that is unknown is read as none, but a new
status, health or event name needs a new schema step, which an older daemon refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

from kaspad_taskd import jsontext
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.model import (
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
    Sample,
    Status,
    Task,
    Window,
)
from kaspad_taskd.core.observation import Hint, Json
from kaspad_taskd.core.reason import EtaReason, Reason

_Word = TypeVar("_Word", Reason, EtaReason)


class _Plain:
    """The fields of a class that need no code.

    Args:
        kind: a dataclass.
        nested: fields that JSON cannot say as they are.
        restored: fields that JSON can say, but gives back as something else.
    """

    def __init__(self, kind: type[Any], nested: str = "", restored: str = "") -> None:
        names = [field.name for field in fields(kind)]
        self._written = tuple(name for name in names if name not in nested.split())
        self._read = tuple(name for name in self._written if name not in restored.split())
        self._values = attrgetter(*self._written)

    def write(self, thing: object) -> dict[str, Json]:
        return dict(zip(self._written, self._values(thing), strict=True))

    def read(self, document: Mapping[str, Json]) -> dict[str, Any]:
        return {name: document[name] for name in self._read if name in document}


_DEFINITION = _Plain(Definition, "checker on_complete", "after origin")
_TASK = _Plain(Task, "definition phases epoch failure live", "status health reason waiting_for")
_LIVE = _Plain(Live, "detail hints metadata params window memory", "shown eta_reason")
_PHASE = _Plain(PhaseRecord)
_DETAIL = _Plain(Detail)
_EPOCH = _Plain(Epoch)


def definition_text(definition: Definition) -> str:
    """The document of a definition.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    document = _DEFINITION.write(definition)
    document["checker"] = dict(definition.checker)
    reaction = definition.on_complete
    document["on_complete"] = reaction and {"command": reaction.command}
    return _text(document)


def definition_of(text: str) -> Definition:
    """The definition of a document.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    document = jsontext.loads(text)
    reaction = document.get("on_complete")
    return Definition(
        **_DEFINITION.read(document),
        after=tuple(document.get("after", ())),
        origin=Origin(document["origin"]),
        checker=document.get("checker", {}),
        on_complete=reaction and OnComplete(tuple(reaction["command"])),
    )


def task_text(task: Task) -> str:
    """The document of a task, all but its definition.

    Raises:
        TypeError, ValueError: a value of it cannot be said in JSON.
    """
    document = _TASK.write(task)
    document["phases"] = [_PHASE.write(phase) for phase in task.phases]
    document["epoch"] = _EPOCH.write(task.epoch)
    document["failure"] = task.failure and _failure_document(task.failure)
    document["live"] = _live_document(task.live)
    return _text(document)


def task_of(text: str, definition: Definition) -> Task:
    """The task of a document, with its definition.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    document = jsontext.loads(text)
    failure = document.get("failure")
    return Task(
        definition,
        **_TASK.read(document),
        status=Status(document["status"]),
        health=Health(document["health"]),
        reason=_word(Reason, document.get("reason")),
        waiting_for=tuple(document.get("waiting_for", ())),
        phases=tuple(PhaseRecord(**_PHASE.read(each)) for each in document.get("phases", ())),
        epoch=Epoch(**_EPOCH.read(document.get("epoch", {}))),
        failure=failure and _failure_of(failure),
        live=_live_of(document.get("live", {})),
    )


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


def _text(document: Json) -> str:
    return jsontext.dumps(document).decode()


def _word(kind: type[_Word], word: str | None) -> _Word | None:
    """The member of a list that grows, or None for a word of a later version."""
    try:
        return None if word is None else kind(word)
    except ValueError:
        return None


def _failure_document(failure: Failure) -> Json:
    return {"reason": failure.reason, "params": dict(failure.params), "text": failure.text}


def _failure_of(document: Mapping[str, Json]) -> Failure:
    reason = _word(Reason, document["reason"]) or Reason.CHECKER_ERROR
    return Failure(reason, document["params"], document.get("text"))


def _live_document(live: Live) -> Json:
    document = _LIVE.write(live)
    document["detail"] = live.detail and _DETAIL.write(live.detail)
    document["hints"] = [{"code": hint.code, "params": dict(hint.params)} for hint in live.hints]
    document["metadata"] = dict(live.metadata)
    document["params"] = dict(live.params)
    document["memory"] = dict(live.memory)
    document["window"] = {
        "phase": live.window.phase,
        "samples": [(sample.at, sample.position) for sample in live.window.samples],
        "rates": dict(live.window.rates),
        "seen_at": live.window.seen_at,
        "moved_at": live.window.moved_at,
    }
    return document


def _live_of(document: Mapping[str, Json]) -> Live:
    shown, detail = document.get("shown"), document.get("detail")
    return Live(
        **_LIVE.read(document),
        shown=shown and (shown[0], shown[1]),
        eta_reason=_word(EtaReason, document.get("eta_reason")),
        detail=detail and Detail(**_DETAIL.read(detail)),
        hints=tuple(Hint(each["code"], each["params"]) for each in document.get("hints", ())),
        metadata=document.get("metadata", {}),
        params=document.get("params", {}),
        memory=document.get("memory", {}),
        window=_window_of(document.get("window", {})),
    )


def _window_of(document: Mapping[str, Json]) -> Window:
    samples = tuple(Sample(at, position) for at, position in document.get("samples", ()))
    rates = document.get("rates", {})
    seen_at, moved_at = document.get("seen_at"), document.get("moved_at")
    return Window(document.get("phase"), samples, rates, seen_at, moved_at)
