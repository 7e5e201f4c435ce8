"""One task in full, as lines. Pure: a task, a width and a time in, lines out."""

from __future__ import annotations

from kaspad_taskd.cli.bars import bar, icon, rate, share
from kaspad_taskd.cli.screen import hang
from kaspad_taskd.words import kept, room, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.facts import facts, session
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import fit, safe
from kaspad_taskd.words.sentences import plural, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from kaspad_taskd.cli.screen import Line
    from kaspad_taskd.words.task import WireTask

    Field = tuple[str, str]

_LABEL = 11
_LONGEST_BAR = 50
_STEPS_TOLD = 3


def page(
    task: WireTask, cells: int, now: float, record: Mapping[str, Any] | None = None
) -> list[Line]:
    """Return the verdict, the bar, a line for each thing known, and the last steps.

    `record`: what `getRecord` tells of it, where it is, or was, kept watch on.
    """
    sign, tone = icon(task)
    lines = hang([(sign + " ", tone)], _verdict(task, now), cells)
    if words.percent(task) is not None and share(task) != "-":
        lines.append(
            [("  ", ""), bar(task, min(_LONGEST_BAR, cells - 12)), ("  " + share(task), "")]
        )
    for label, text in (*_fields(task, now), *_kept(record), *_steps(task, now)):
        lines += _field(label, text, cells)
    return lines


def _kept(record: Mapping[str, Any] | None) -> list[Field]:
    """How it was while watch was kept on it."""
    if not record or not record["since"]:
        return []
    from kaspad_taskd.words.record import line

    return [(say("field.record"), line(record))]


def _verdict(task: WireTask, now: float) -> str:
    return words.headline(task, now) + ("." if words.troubled(task) else "")


def _field(label: str, text: str, cells: int) -> list[Line]:
    head = ("  " + fit(label, _LABEL), "dim")
    cure = label in (say("field.cure"), say("field.next"))
    if cure and not text.endswith("."):  # a command stays whole, to be copied
        return [[head, (text, "")]]
    return hang([head], text, cells)


def _fields(task: WireTask, now: float) -> Iterator[Field]:
    """What is known, in the order in which people ask."""
    for key, text in (
        ("seen", _last_seen(task, now)),
        *_causes(task),
        ("step", _step(task)),
        ("position", _position(task)),
        ("disk", room.left(task)),
        ("facts", ", ".join(facts(task))),
        ("session", session(task)),
        ("node" if task.get("type") == "node-sync" else "asks", _endpoint(task)),
        ("reported" if task.get("type") == "report" else "checked", _checked(task, now)),
        ("then", _then(task)),
        ("task", _record(task, now)),
        ("next", _next(task)),
    ):
        if text:
            yield say(f"field.{key}"), text


def _last_seen(task: WireTask, now: float) -> str:
    percent = words.percent(task)
    if words.condition(task) not in ("paused", "unreachable") or percent is None or kept.kept(task):
        return ""
    seen = seconds_of(task.get("lastUpdate"))
    return say("last-seen", percent=percent, when=when(seen, now) if seen else None)


def _causes(task: WireTask) -> Iterator[Field]:
    """The note and each likely cause, each with its cure."""
    shared, reason, note = words.params(task), task.get("reason"), task.get("note")
    failed = words.condition(task) == "error"  # the verdict has said why
    if note and not failed:
        yield "waits" if words.condition(task) == "waiting" else "cause", safe(note)
    hints = list(task.get("hints") or ())
    if reason and not failed and not any(_tells(one, reason) for one in hints):
        hints.insert(0, {"code": reason})
    for one in hints:
        says, do = words.hint(str(one["code"]), {**shared, **(one.get("params") or {})})
        if one["code"] != reason and not failed:
            yield "cause", says
        if do:
            yield "cure", do
            if failed:  # its end has one cause
                return


def _tells(one: Mapping[str, Any], reason: object) -> bool:
    """Whether a hint says what to do about the reason: its own, or a closer one."""
    code = str(one["code"])
    return code in (reason, "other-protocol", "node-stopped")


def _step(task: WireTask) -> str:
    at = words.step(task)
    if not at or words.condition(task) not in ("ok", "stalled", "unreachable", "paused"):
        return ""
    k, n, one = at
    progress = one.get("progress")
    percent = None if progress is None else spans.percent(progress, str(one.get("basis")), "tilde")
    parts = [say("step.line", k=k, n=n, label=words.phase(one["key"]), percent=percent)]
    need = task.get("confirmations") or {}
    if one["key"] == "confirming":
        parts.append(say("step.checks", have=need.get("have"), need=need.get("need")))
    elif one["key"] == "utxoindex":
        parts.append(say("step.no-numbers"))
    if (task.get("pass") or 1) > 1:
        parts.append(say("step.pass", **{"pass": task["pass"]}))
    return ", ".join(parts)


def _position(task: WireTask) -> str:
    if task.get("status") == "complete":
        return ""
    parts = [counted(task)] if task.get("progressDetail") else []
    if rate(task) != "-":
        parts.append(rate(task))
    behind = task.get("behind")
    if isinstance(behind, int | float) and behind > 0:
        parts.append(say("position.behind", behind=behind))
    return ", ".join(part for part in parts if part)


def counted(task: WireTask) -> str:
    """Return what is done of the current step: `533,400 of about 1,181,400 blocks`, or ""."""
    detail: Mapping[str, Any] = task["progressDetail"]
    if detail.get("done") is None or detail.get("unit") == "%":
        return ""
    key = "of" if detail.get("basis") == "exact" else "of-about"
    if detail.get("total") is None:
        if not detail["done"]:  # nobody counts yet
            return ""
        key = "so-far"
    unit = safe(detail.get("unit") or "", 40)
    return say(
        f"position.{key}", done=detail["done"], total=detail.get("total"), unit=unit
    ).rstrip()


def _endpoint(task: WireTask) -> str:
    if not task.get("endpoint"):
        return ""
    parts = [safe(task["endpoint"], 200)]
    known: Mapping[str, Any] = task.get("metadata") or {}
    if task.get("type") == "node-sync":
        parts += [safe(known["network"], 40)] if known.get("network") else []
        parts += [f"kaspad {safe(known['version'], 40)}"] if known.get("version") else []
        peers = known.get("peers")
        parts += [plural("status.peers", peers)] if isinstance(peers, int) else []
    return ", ".join(parts)


def _checked(task: WireTask, now: float) -> str:
    if task.get("type") == "report":
        return _reported(task, now)
    checked, after = seconds_of(task.get("lastChecked")), seconds_of(task.get("nextCheck"))
    every = task.get("watchInterval" if kept.kept(task) else "checkInterval")
    text = say(
        "status.checked",
        ago=max(0, int(now - checked)) if checked else None,
        every=every / 1000 if isinstance(every, int | float) else None,
    )
    since = seconds_of(task.get("healthSince"))
    if words.condition(task) == "ok" and since:
        return f"{text}; {say('status.reachable', when=when(since, now))}"
    if words.troubled(task) and kept.looked_at(task) and after and after > now:
        return f"{text}; {say('status.next', next=after - now)}"
    return text if (task.get("status") in words.LIVE or kept.looked_at(task)) and checked else ""


def _reported(task: WireTask, now: float) -> str:
    heard = seconds_of(task.get("lastUpdate"))
    if not heard or task.get("status") not in ("in-progress", "paused"):
        return ""
    return say("report.status.checked", ago=max(0, int(now - heard)))


def _then(task: WireTask) -> str:
    services = task.get("switches") or ()
    if not services or task.get("status") not in words.LIVE:
        return ""
    return say("status.switches", names=", ".join(map(str, services)))


def _record(task: WireTask, now: float) -> str:
    began = seconds_of(task.get("startedAt"))
    return say(
        "status.task",
        id=task.get("id"),
        attempt=task.get("attempt"),
        when=when(began, now) if began else None,
        origin=words.origin(task),
    )


def _next(task: WireTask) -> str:
    """What one can do about a task that is not watched."""
    key = {
        "not-started": "start",
        "paused": "resume",
        "error": "kept",
        "cancelled": "again",
        "complete": "unwatched",
        "watch-paused": "resume",
        "unreachable": "nothing-lost",
    }.get(words.condition(task))
    if key == "nothing-lost" and kept.kept(task):
        return ""
    told = words.of_type(task.get("type"), f"status.{key}")
    return say(told, id=task.get("id")) if key else ""


def _steps(task: WireTask, now: float) -> Iterable[Field]:
    """When the last steps began, the newest first."""
    phases = task.get("phases") or ()
    if not phases:
        return ()
    from kaspad_taskd.words.event import step_began

    told = []
    for k, one in enumerate(phases, 1):
        began = seconds_of(one.get("startedAt"))
        if began:
            before = _took(phases[k - 2]) if k > 1 else None
            told.append((when(began, now), step_began(one, k, len(phases), before)))
    return reversed(told[-_STEPS_TOLD:])


def _took(one: Mapping[str, Any]) -> float | None:
    began, ended = seconds_of(one.get("startedAt")), seconds_of(one.get("endedAt"))
    return ended - began if began and ended and ended > began else None
