"""What the page says of services: where each points, why it cannot switch, steps and button."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.web.moment import when
from kaspad_taskd.web.view import WireTask, cap, stop
from kaspad_taskd.words import kept
from kaspad_taskd.words import service as words
from kaspad_taskd.words import task as tasks
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

Panel: TypeAlias = dict[str, Any]

LOOKS = {
    "switching": ("arrows", "moving"),
    "undoing": ("back", "attention"),
    "down": ("octagon", "failure"),
    "undone": ("back", "attention"),
    "local": ("tick", "done"),
    "public": ("ring", "quiet"),
}
"""Icon and tone of each condition."""
_STEPPING = ("switching", "undoing", "undone", "down")


def panel(services: Sequence[words.WireService], known: Sequence[WireTask], now: float
          ) -> list[Panel]:  # fmt: skip
    """Return what to draw of each service; `now` in s since 1970 UTC."""
    by_id = {str(task["id"]): task for task in known}
    return [_one(service, by_id.get(str(service.get("task"))), now) for service in services]


def with_switching(task: WireTask, services: Sequence[words.WireService]) -> WireTask:
    """Return the task; one that is complete and whose services are being switched says so.

    Its `switching` is `{n, doing}`: how many services it switches, and what is done of which.
    """
    running = [one for one in services if _is_of(one.get("switch") or {}, task)]
    if task.get("status") != "complete" or not running:
        return task
    doing = f"{words.name(running[0])}: {words.doing(running[0]['switch'])}"
    n = max(len(task.get("switches") or ()), len(running))
    return {**task, "switching": {"n": n, "doing": doing}}


def _is_of(switch: words.WireSwitch, task: WireTask) -> bool:
    return switch.get("state") in words.RUNNING and switch.get("taskId") == task["id"]


def _one(service: words.WireService, node: WireTask | None, now: float) -> Panel:
    condition = words.condition(service)
    icon, tone = LOOKS.get(condition, ("ring", "attention"))
    if condition != "down" and (words.hindered(service) or words.needs(service)):
        tone = "attention"
    says, cures = _causes(service, condition)
    since = _since(service, condition)
    return {
        "id": str(service["service"]),
        "name": words.name(service),
        "icon": icon,
        "tone": tone,
        "state": _state(service, condition),
        "kind": _runs_as(service),
        "banner": " ".join(says),
        "cures": cures,
        "since": since,
        "when": when(seconds, now) if (seconds := seconds_of(since)) else "",
        "facts": list(_facts(service, condition, node, now)),
        "steps": list(_steps(service, now)) if _steps_are_told(service, condition) else [],
        "button": _button(service, condition),
    }


def _state(service: words.WireService, condition: str) -> str:
    to = (service.get("switch") or {}).get("to")
    if condition in ("switching", "undoing", "down"):
        return cap(say(f"page.service.state.{condition}", to=to))
    return cap(words.node(service.get("points")))


def _runs_as(service: words.WireService) -> str:
    compose = service.get("compose")
    return say("service.compose", **compose) if compose else safe(service.get("unit"))


def _since(service: words.WireService, condition: str) -> Any:
    """Since when it is so; of a switch under way its steps tell."""
    if condition == "down" and words.needs(service):
        return words.needs(service).get("since")
    if condition in ("undone", "down"):
        return service["switch"]["endedAt"]
    return None if condition in _STEPPING else service.get("since")


def _causes(service: words.WireService, condition: str) -> tuple[list[str], list[str]]:
    """What is wrong, and what to do: what is seen now, before what its last switch told."""
    switch, needs = service.get("switch") or {}, words.needs(service)
    told: list[Mapping[str, Any]] = [needs] if needs else []
    if condition in ("undoing", "undone") or (condition == "down" and _is_of_switch(needs)):
        told.append({"note": switch.get("error"), "cure": switch.get("cure")})
    if condition == "unknown":
        told.append({"note": cap(say("service.state.unreadable"))})
    if condition in ("public", "local", "undone"):
        said = switch.get("reason") if condition == "undone" else None
        told += [one for one in words.troubles(service) if one.get("code") != said]
    cures = dict.fromkeys(safe(one["cure"]) for one in told if one.get("cure"))
    return [stop(safe(one["note"])) for one in told if one.get("note")], list(cures)


def _is_of_switch(needs: Mapping[str, Any]) -> bool:
    """Whether what the last switch ended with is what is wrong."""
    return needs.get("code") in (None, "undo-failed")


def _steps_are_told(service: words.WireService, condition: str) -> bool:
    """Those of a switch that goes on, or that explains how the service is."""
    of_switch = condition != "down" or _is_of_switch(words.needs(service))
    return condition in _STEPPING and of_switch and bool(service.get("switch"))


def _facts(
    service: words.WireService, condition: str, node: WireTask | None, now: float
) -> Iterator[str]:
    if condition == "local":
        yield cap(words.use(service, now, when))
        ill = node is not None and kept.kept(node) and tasks.troubled(node)
        if node is not None and ill and not words.needs(service):
            yield tasks.about(node, tasks.watched(node, "text", now, when))
    if condition in ("public", "local"):
        yield from (text for text, _ in words.fallback(service, now, when))
    if service.get("held"):
        yield cap(say("service.state.held"))
        return
    waits = node is not None and node.get("status") != "complete"
    if node is not None and waits and condition in ("public", "undone"):
        yield cap(say("service.state.waits", name=tasks.name(node)))
    if condition == "public":
        hints = service.get("hints") or ()
        quiet = [one for one in hints if one.get("code") in words.HARMLESS]
        yield from (safe(one["note"]) for one in quiet if not (waits and _is_waiting(one)))


def _is_waiting(hint: Mapping[str, Any]) -> bool:
    """Whether a hint tells what its task tells already."""
    return hint.get("code") == "node-not-synced"


def _steps(service: words.WireService, now: float) -> Iterator[Mapping[str, Any]]:
    over = service["switch"]["state"] not in words.RUNNING
    for one in words.steps(service["switch"]):
        if over and one.state == "next":
            continue  # it was never begun
        key = "back" if one.back else "step"
        yield {
            "label": cap(say(f"page.service.{key}", k=one.k, n=one.n, label=one.label)),
            "state": one.state,
            "note": one.note,
            "since": _iso(service, one) if one.state == "current" else None,
            "took": _took(one, now),
        }


def _iso(service: words.WireService, one: words.Step) -> str | None:
    """When the current step began, for the scripts that count on."""
    told = service["switch"]["steps"]
    return next((each["startedAt"] for each in told if each["state"] == one.state), None)


def _took(one: words.Step, now: float) -> str:
    if one.state == "current" and one.began is not None:
        return say("page.service.took", took=max(0, int(now - one.began)))
    if one.took is not None:
        key = "failed" if one.state == "failed" else "took"
        return say(f"page.service.{key}", took=one.took)
    return say(f"page.status.{one.state}")


def _button(service: words.WireService, condition: str) -> dict[str, str] | None:
    """What can be asked for now, and what is to be said before it is done."""
    running = (service.get("switch") or {}).get("to") if condition == "switching" else None
    if condition == "undoing" or running == "public":
        return None
    back = running or condition in ("local", "down", "unknown")
    to = "public" if back else "local"
    ask = f"page.service.ask.{'cancel' if running else to}"
    name = words.name(service)
    return {
        "to": to,
        "label": say(f"page.service.button.{to}"),
        "title": say(f"{ask}.title", name=name),
        "text": say(f"{ask}.text"),
    }
