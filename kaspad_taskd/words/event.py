"""What an event's public form (contract section 4) says in one sentence."""

from __future__ import annotations

from kaspad_taskd.words import kept, spans, task
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import fill, say
from kaspad_taskd.words.table import entry

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Any


_UNWELL = ("behind", "stalled", "unknown")
"""Healths after which there is more to say of an `ok` than that it answers again."""


def sentence(event: str, data: Mapping[str, Any]) -> str:
    """Return what happened, without the task's name and without a full stop.

    An event of a later version is said by its name.
    """
    key = f"event.{event}"
    if isinstance(entry(key), dict):
        key = task.of_type(data.get("type"), f"{key}.{_health(data)}")
    return fill(entry(key), _params(event, data)) or safe(event)


def _health(data: Mapping[str, Any]) -> str:
    silent = data.get("type") == "report" and data.get("reason") == "silent-report"
    if data.get("health") == "ok" and data.get("was") in _UNWELL:
        return "well"
    return "silent" if silent else str(data.get("health"))


def called(data: Mapping[str, Any], alike: Container[str]) -> str:
    """Return what an event is about: its service, with the task's id where that is `alike`."""
    service = data.get("service")
    mine = service in alike and "switch" not in data  # that is of the service, not of a task
    known = {"service": service, "id": data.get("taskId"), "alike": mine}
    return task.name(known) if service else ""


def step_began(one: Mapping[str, Any], k: int, n: int, before: float | None) -> str:
    """Return "step 6 of 7 began: ...", from an entry of `phases`; `before`: seconds of the last."""
    return say("step.began", k=k, n=n, label=task.phase(one["key"]), before=k - 1, took=before)


def _params(event: str, data: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {key: value for key, value in data.items() if _plain(value)}
    if event == "sync:health":
        reason = data.get("reason")
        known["why"] = task.brief(str(reason), None, data.get("type")) if reason else None
        form = "again" if data.get("was") in kept.TROUBLE else "seen"
        known["well"] = say(f"kept.event.{form}", word=kept.word(data))
    elif event == "sync:start":
        known["why"] = _relapse(data)
    elif event == "sync:epoch":
        known["why"] = task.epoch(data.get("reason"))
    elif event == "sync:complete":
        took = data.get("duration")
        known["word"] = task.done_word(data)
        known["took"] = took.get("formatted") if isinstance(took, dict) else None
    elif event == "sync:progress":
        known["percent"] = spans.percent(data.get("progress") or 0, "estimated", "tilde")
        known["left"] = data.get("formattedTimeRemaining")
    elif event.startswith("switch:"):
        known["because"] = ((data.get("switch") or {}).get("because") or {}).get("note")
    elif event == "task:added" and data.get("origin"):
        known["origin"] = task.origin(data) if _whence(data) else None
    return known


def _relapse(data: Mapping[str, Any]) -> str | None:
    """Why an attempt began by itself, None of one that somebody began."""
    because = data.get("because")
    if because is None:
        return None
    if because == "far-behind":
        return say("relapse.far-behind")
    known = because != "other" and because in entry("epoch.why")
    return say("relapse.lost", what=task.epoch(because)) if known else say("relapse.other")


def _whence(data: Mapping[str, Any]) -> bool:
    """Whether an event tells where a file is: those of earlier versions do not."""
    return data["origin"] != "admin" or bool(data.get("directory"))


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)
