"""What a task's public form (contract section 2, as JSON) means in words."""

from __future__ import annotations

import time

from kaspad_taskd.words import kept, room, spans
from kaspad_taskd.words.moment import date, seconds_of, when
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, say, step_name
from kaspad_taskd.words.table import entry

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    WireTask: TypeAlias = Mapping[str, Any]
    """A task as both doors show it. Missing fields count as unknown."""

LIVE = ("pending", "in-progress", "paused")
ILL = ("error", *kept.TROUBLE)


def note(
    reason: str,
    params: Mapping[str, object] | None = None,
    type: object = None,  # noqa: A002
) -> str:
    """Return the sentence for a `reason` (its `note` on the wire); an unknown one is said as is."""
    if entry(f"reason.{reason}") is None:
        return safe(reason)
    return say(of_type(type, f"reason.{reason}.note"), **_bare(params))


def brief(
    reason: str,
    params: Mapping[str, object] | None = None,
    type: object = None,  # noqa: A002
) -> str:
    """Return a `reason` as part of a sentence: `127.0.0.1:16110 refuses`."""
    if entry(f"reason.{reason}") is None:
        return safe(reason)
    return say(of_type(type, f"reason.{reason}.brief"), **_bare(params))


def of_type(type: object, key: str) -> str:  # noqa: A002
    """Return the key under which a sentence is said of a type: nobody looks at what reports."""
    own = f"report.{key}"
    return own if type == "report" and entry(own) is not None else key


def _bare(params: Mapping[str, object] | None) -> dict[str, object]:
    """The address without its scheme, as people say it."""
    known = dict(params or {})
    if isinstance(known.get("address"), str):
        known["address"] = str(known["address"]).rpartition("://")[2]
    return known


def hint(code: str, params: Mapping[str, object] | None = None) -> tuple[str, str | None]:
    """Return what a hint says and what to do, None where nothing can be said to do."""
    params = params or {}
    says = maybe(f"hint.{code}.says", **params) or note(code, params)
    return says, maybe(f"hint.{code}.do", **params)


def warning(code: str, params: Mapping[str, object] | None = None) -> tuple[str, str | None]:
    """Return what a warning says and its cure, None where there is none to say."""
    params = params or {}
    return maybe(f"warning.{code}.note", **params) or safe(code), maybe(
        f"warning.{code}.cure", **params
    )


def needed(key: str, holds: bool, value: object = None, limit: object = None) -> str:
    """Return a condition of completion as it is found: `it downloads from a peer`."""
    form = "holds" if holds else "fails"
    found = maybe(f"condition.{key}.{form}", value=value, limit=limit)
    if found is not None:
        return found
    return safe(key if value is None else f"{key}: {value}")


def waiting(names: Mapping[str, str | None]) -> str:
    """Return the note of a task that waits, from awaited id to status (None: it is missing)."""
    parts = [say("waiting.note", names=", ".join(names))]
    for name, status in names.items():
        if status is None or status in ("error", "cancelled"):
            parts.append(say(f"waiting.{status or 'missing'}", name=name) + ".")
    return " ".join(parts)


def epoch(reason: str | None) -> str:
    """Return why progress starts over, as part of a sentence."""
    return maybe(f"epoch.why.{reason}") or say("epoch.why.other")


def phase(key: str, form: str = "label") -> str:
    """Return a phase's name; `form` is "short", "label" or "sentence". Unknown: the key itself."""
    return step_name(key, form)


def step(task: WireTask) -> tuple[int, int, Mapping[str, Any]] | None:
    """Return the current step's number, the number of steps, and its entry of `phases`."""
    phases = task.get("phases") or ()
    for place, one in enumerate(phases, 1):
        if one.get("state") == "current":
            return place, len(phases), one
    return None


def name(task: WireTask) -> str:
    """Return what people call the task: its service, with the id beside it where it is `alike`."""
    service = safe(task.get("service") or task.get("id") or say("unknown"), 100)
    if not task.get("alike"):
        return service
    return say("headline.alike", name=service, id=safe(task.get("id"), 100))


def origin(told: Mapping[str, Any]) -> str:
    """Return who defined a task, from `origin` and `directory`: the directory itself of a file."""
    return say(f"origin.{told.get('origin')}", directory=told.get("directory"))


def kind(task: WireTask, form: str = "short") -> str:
    """Return the type's name; `form` is "short" or "long"."""
    return maybe(f"type.{task.get('type')}.{form}") or safe(task.get("type"), 60)


def word(task: WireTask) -> str:
    """Return what it does (`syncing`), or is when done (`ready`), well (`in sync`) or idle."""
    if kept.kept(task):
        return kept.word(task)
    now = _nobody(task) or maybe(f"running.{task.get('type')}") or say("running.other")
    return done_word(task) if task.get("status") == "complete" else now


def _nobody(task: WireTask) -> str | None:
    """Return the word for work that nobody does now, as its hints say."""
    found = (maybe(f"idle.{each.get('code')}") for each in task.get("hints") or ())
    return next((each for each in found if each is not None), None)


def done_word(task: WireTask) -> str:
    """Return what the task is once it is complete."""
    return maybe(f"done.{task.get('type')}") or say("done.other")


def condition(task: WireTask) -> str:
    """Return the one word for status and health together.

    "not-started", "waiting", "first-check", "ok", "stalled", "unreachable", "paused", "complete",
    "switching" (complete, and the page says that its services are being switched), "error" or
    "cancelled"; of what is kept watch on one of `kept.CONDITIONS`.
    """
    status, health = task.get("status"), task.get("health")
    if task.get("switching"):
        return "switching"
    if status == "pending":
        return "waiting" if task.get("waitingFor") else "not-started"
    if status == "in-progress":
        return {"unknown": "first-check", None: "first-check"}.get(health, str(health))
    return kept.condition(task) if kept.kept(task) else str(status)


def is_watched(task: WireTask) -> bool:
    """Whether what is told of it is how its watch finds it; not while it switches services."""
    return kept.kept(task) and not task.get("switching")


def is_stale(task: WireTask) -> bool:
    """Whether it is complete, and not known to be so now: its percent says nothing."""
    return is_watched(task) and kept.condition(task) != "in-sync"


def troubled(task: WireTask) -> bool:
    """Whether somebody should look: failed, unreachable, stalled, behind, or its disk runs full."""
    return condition(task) in ILL or room.filling(task) is not None


def said(task: WireTask) -> str:
    """Return under which key people are told of the condition: "silent" of who does not report."""
    silent = task.get("type") == "report" and task.get("reason") == "silent-report"
    now = condition(task)
    return "silent" if silent and now == "stalled" else now


def state(task: WireTask, now: float | None = None) -> str:
    """Return the state as a column shows it: `6/7 blocks`, `not reachable`, `after kaspa-node`.

    What is done says when: `done 14:24` on the day of `now` (None: of the clock), else the day.
    """
    here = condition(task)
    if is_watched(task):
        return say(
            kept.key(task, "state"), **kept.params(task, time.time() if now is None else now)
        )
    if here == "ok":
        at = None if _nobody(task) else step(task)
        return f"{at[0]}/{at[1]} {phase(at[2]['key'], 'short')}" if at else word(task)
    if here == "waiting":
        return say("state.waiting", names=awaited(task))
    if here == "complete":
        ended = seconds_of(task.get("completedAt"))
        there = date(ended, time.time() if now is None else now) if ended else ""
        return say("state.complete", word=say("done.other"), when=there)
    return maybe(of_type(task.get("type"), f"state.{said(task)}")) or safe(here)


def awaited(task: WireTask) -> str:
    """Return the awaited tasks, by service where the id tells it (`<type>-<service>`)."""
    types = entry("type")
    names = []
    for other in task.get("waitingFor") or ():
        known = next((type_ for type_ in types if other.startswith(f"{type_}-")), None)
        names.append(other[len(known) + 1 :] if known else other)
    return safe(", ".join(names))


def percent(task: WireTask, mark: str = "about") -> str | None:
    """Return the share of the whole way, or None where nothing at all is known of it."""
    value = task.get("progress") or 0
    basis = str(task.get("progressBasis") or "unknown")
    if basis == "unknown" and not value:
        return None
    return spans.percent(value, basis, mark)


def left(task: WireTask) -> float | None:
    """Return the seconds left to the end, where they are known and the task runs."""
    if task.get("status") != "in-progress":
        return None
    value = task.get("estimatedTimeRemaining")
    return value if isinstance(value, int | float) else None


def params(task: WireTask) -> dict[str, object]:
    """Return what the sentences of a task's reason and hints may need beyond their own."""
    known = room.params(task)
    endpoint = task.get("endpoint")
    if isinstance(endpoint, str):
        known["address"] = endpoint.partition("://")[2].partition("/")[0] or endpoint
    known.update(_log((task.get("config") or {}).get("log")))
    for one in task.get("hints") or ():
        told = one.get("params") or {}
        if one.get("code") == task.get("reason"):
            known.update(told)
        elif one.get("code") == "permission-missing":  # no password is wrong then
            known.update({"reader": told.get("user"), "relation": told.get("table")})
    return known


def _log(log: object) -> dict[str, object]:
    """What names the log of a definition: its unit, its container, or its path."""
    if not isinstance(log, str):
        return {}
    name = log.removeprefix("journal:")
    if name == log:
        return {"log": log}
    container = name.removeprefix("CONTAINER_NAME=")
    return (
        {"unit": name.removesuffix(".service")} if container == name else {"container": container}
    )


def why(task: WireTask) -> str:
    """Return, as part of a sentence, why the task is not simply well."""
    reason = task.get("reason")
    if not reason:
        return say("unknown")
    return brief(str(reason), params(task), task.get("type"))


def since(task: WireTask, now: float) -> int:
    """Return for how many whole seconds the health is as it is; 1 at least.

    Of a standstill: since it moved, or since it is watched where it never did. Of one who does not
    report: since the last report.
    """
    if kept.kept(task):
        return kept.since(task, now)
    fields = _SINCE.get(said(task), ())
    began = next(filter(None, (seconds_of(task.get(each)) for each in (*fields, "healthSince"))), 0)
    return max(1, int(now - began)) if began else 1


_SINCE = {"stalled": ("lastMoved", "startedAt"), "silent": ("lastUpdate", "startedAt")}


def attention(task: WireTask, now: float) -> str:
    """Return the sentence of a troubled task, without its full stop."""
    if kept.kept(task):
        return _kept(task, now)
    if condition(task) not in ILL:
        return say("attention.disk", name=name(task), why=room.brief(task))
    return say(
        of_type(task.get("type"), f"attention.{said(task)}"),
        name=name(task),
        since=since(task, now),
        why=why(task),
        error=_error(task),
    )


def _error(task: WireTask) -> str | None:
    error = task.get("error")
    return safe(error).rstrip(".") if error else None


def headline(task: WireTask, now: float) -> str:
    """Return the verdict on a task: `kaspa-node is syncing, about 1 hour 20 min left, ...`."""
    key = condition(task)
    if is_watched(task):
        return _kept(task, now)
    eta = left(task)
    if key == "ok":
        key = "running" if eta is None else "left-ready"
    elif key in ILL:
        return attention(task, now)
    elif key == "first-check" and task.get("reason"):  # refused, which has not lasted yet
        return say("headline.unusable", name=name(task), why=why(task))
    ended = _ended(task)
    text = say(
        of_type(task.get("type"), f"headline.{key}"),
        name=name(task),
        word=word(task),
        names=awaited(task),
        eta=eta,
        when=when(ended or now + (eta or 0), now),
        took=_took(task, ended),
    )
    if room.filling(task):
        return room.also(task, text)
    reason = task.get("etaReason") if key == "running" else None
    if not reason or not entry(f"eta.{reason}"):
        return text
    return f"{text}; {say(of_type(task.get('type'), f'eta.{reason}'))}"


def watched(task: WireTask, where: str, now: float, say_when: kept.SayWhen = when) -> str:
    """Return what is said of a task kept watch on, without why: `behind by 14 min since 09:12`.

    Args:
        task: one that is `kept.kept`.
        where: of the table's `kept`: "text", "state", "watch" or "line" ("": nothing).
        now: s since 1970 UTC.
        say_when: how a moment is told where this is read.
    """
    known = kept.params(task, now, say_when)
    return maybe(kept.key(task, where), name=name(task), **known) or ""


def because(task: WireTask, text: str) -> str:
    """Return what is wrong with a task kept watch on, and why, as far as that is known."""
    told = kept.condition(task) in (*kept.TROUBLE, "clock-wrong") and task.get("reason")
    return say("kept.because", text=text, why=why(task)) if told and text else text


def about(task: WireTask, text: str) -> str:
    """Return a whole sentence of what is `watched`."""
    form = "is" if kept.condition(task) in ("in-sync", "behind") else "of"
    return say(f"kept.{form}", name=name(task), text=text)


def _kept(task: WireTask, now: float) -> str:
    text = because(task, watched(task, "text", now))
    ago = kept.params(task, now)["ago"] if kept.condition(task) == "in-sync" else None
    return about(task, text if ago is None else say("kept.checked", text=text, ago=ago))


def _ended(task: WireTask) -> float | None:
    if task.get("status") == "paused":
        return seconds_of(task.get("healthSince"))
    return seconds_of(task.get("completedAt")) or seconds_of(task.get("cancelledAt"))


def _took(task: WireTask, ended: float | None) -> float | None:
    began = seconds_of(task.get("startedAt"))
    return ended - began if began and ended else None


def most_urgent(tasks: Iterable[WireTask]) -> WireTask | None:
    """Return the task that the first sentence is about.

    The node-sync that is live, failed, switches services or is watched and in trouble, else the
    first live task, else what is kept watch on, trouble and nodes first, else the last that ended.
    """
    known = list(tasks)
    nodes = [task for task in known if task.get("type") == "node-sync"]
    for task in nodes:
        if task.get("status") in LIVE or task.get("switching") or condition(task) in ILL:
            return task
    for task in known:
        if task.get("status") in LIVE and not task.get("waitingFor"):
            return task
    watched = [task for task in known if kept.kept(task)]
    if watched:
        return min(watched, key=lambda task: (not troubled(task), task.get("type") != "node-sync"))
    return max(known, key=lambda task: _ended(task) or 0.0, default=None)
