"""What a card says: a task's public form and a moment in, plain values out.

static/view.js is the same in JavaScript, and one golden file of tasks and their views holds both to
it. So there are no times of day but through `when`, and no sentence that is not in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from kaspad_taskd.web.moment import when
from kaspad_taskd.words import kept, room, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.facts import facts as told
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say

WireTask: TypeAlias = Mapping[str, Any]
View: TypeAlias = dict[str, Any]
"""Texts ("" where there is nothing to say), `cures` and `facts` (texts), `bar` (segments), `value`
(whole percent or None)."""

LOOKS = {
    "not-started": ("dashed", "quiet"),
    "waiting": ("dashed", "quiet"),
    "first-check": ("ring", "quiet"),
    "ok": ("arrow", "moving"),
    "stalled": ("hourglass", "attention"),
    "unreachable": ("plug", "attention"),
    "paused": ("bars", "quiet"),
    "complete": ("tick", "done"),
    "in-sync": ("tick", "done"),
    "behind": ("hourglass", "attention"),
    "watch-paused": ("bars", "quiet"),
    "clock-wrong": ("ring", "quiet"),
    "first-look": ("ring", "quiet"),
    "unseen": ("ring", "quiet"),
    "switching": ("arrows", "moving"),
    "error": ("octagon", "failure"),
    "cancelled": ("barred", "quiet"),
}
"""Icon and tone of each condition."""
OLD = ("unreachable", "paused", "error", "cancelled")
"""Conditions in which the number is of an earlier time, and says of which."""


def view(task: WireTask, now: float) -> View:
    """Return what a card says of a task at `now` (s since 1970 UTC)."""
    condition = words.condition(task)
    icon, tone = LOOKS.get(condition, ("ring", "quiet"))
    troubles, cures = _causes(task)
    shown: View = {
        "icon": icon,
        "tone": tone,
        "name": words.name(task),
        "state": state(task),
        "kind": _kind(task),
        "banner": _banner(task, condition, troubles, now),
        "cures": cures,
        "step": _step(task),
        "share": _share(task),
        "percent": _percent(task, condition, now),
        "value": _value(task),
        "left": _left(task),
        "ready": _ready(task, now),
        "note": _note(task, condition, now),
        "facts": _facts(task, condition),
        "checked": _checked(task, now),
        "bar": bar(task),
    }
    spoken = ", ".join(shown[key] for key in ("step", "percent", "left") if shown[key])
    return {**shown, "spoken": spoken or shown["state"]}


def tidy(text: str) -> str:
    """Keep a number and its percent sign on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def cap(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def stop(text: str) -> str:
    """End a sentence with a full stop."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def state(task: WireTask) -> str:
    """Return the word for status and health together: `Syncing`, `Not reachable`."""
    condition = words.condition(task)
    if words.is_watched(task):
        # by how much it is behind the banner says: this is spoken when it changes
        return cap(say(kept.key(task, "state"), word=kept.word(task)))
    if condition in ("ok", "complete"):
        return cap(words.word(task))
    known = {"names": words.awaited(task), **(task.get("switching") or {})}
    key = words.of_type(task.get("type"), f"page.state.{words.said(task)}")
    return cap(maybe(key, **known) or safe(condition))


def _value(task: WireTask) -> int | None:
    if counting(task) or words.is_stale(task) or not task.get("progress"):
        return None
    return int(task["progress"])


def ended(task: WireTask) -> float | None:
    """Return since when a task is paused, or when it ended; s since 1970 UTC."""
    fields = {"paused": "healthSince", "complete": "completedAt", "error": "erroredAt"}
    return seconds_of(task.get(fields.get(str(task.get("status")), "cancelledAt")))


def counting(task: WireTask) -> bool:
    """Whether the current step has a count, but no total and so no percent."""
    at, detail = words.step(task), task.get("progressDetail")
    if words.condition(task) != "ok" or (at and at[2].get("progress") is not None):
        return False
    return bool(detail and detail.get("total") is None and detail.get("done") is not None)


def _kind(task: WireTask) -> str:
    known = task.get("metadata") or {}
    network = known.get("network") or (task.get("config") or {}).get("network")
    return say("page.kind", kind=words.kind(task, "long"), network=network or None)


def _causes(task: WireTask) -> tuple[list[str], list[str]]:
    """What is wrong, and what to do, from the reason and the hints."""
    shared, reason = words.params(task), task.get("reason")
    hints = list(task.get("hints") or ())
    if reason and all(one.get("code") != reason for one in hints):
        hints.insert(0, {"code": reason})
    says, cures = [], []
    for one in hints:
        what, do = words.hint(str(one["code"]), {**shared, **(one.get("params") or {})})
        says.append(task.get("note") or what if one["code"] == reason else what)
        cures += [do] if do else []
    if words.condition(task) == "error":
        cures.append(say("page.say.then-try" if cures else "page.say.try"))
    return [stop(safe(each)) for each in says], cures


def _banner(task: WireTask, condition: str, troubles: list[str], now: float) -> str:
    if words.is_watched(task):
        return _watch_banner(task, condition, troubles, now)
    if condition in ("stalled", "unreachable"):
        key = words.of_type(task.get("type"), f"page.say.{words.said(task)}")
        first = say(key, since=words.since(task, now))
        parts = [first, *troubles]
        if condition == "unreachable":
            parts.append(say("page.say.lost", next=_next(task, now)))
        return " ".join(parts)
    if condition == "error":
        failed = stop(cap(safe(task.get("error") or say("unknown"))))
        return " ".join([failed, say("page.say.error")])
    return " ".join(troubles) if condition == "ok" else ""


def _next(task: WireTask, now: float) -> float | None:
    due = seconds_of(task.get("nextCheck"))
    return due - now if due and due - now >= 1 else None


def _watch_banner(task: WireTask, condition: str, troubles: list[str], now: float) -> str:
    """What is wrong with what is watched; of what is well its hints."""
    if condition not in kept.TROUBLE:
        return " ".join(troubles)
    parts = [stop(cap(words.watched(task, "text", now, when))), *troubles]
    if condition == "unreachable":
        parts.append(say("kept.on", next=_next(task, now)))
    return " ".join(parts)


def _step(task: WireTask) -> str:
    at = words.step(task)
    if not at or words.condition(task) not in ("ok", "stalled", "unreachable", "paused"):
        return ""
    return say("page.step", k=at[0], n=at[1], label=words.phase(at[2]["key"]))


def _share(task: WireTask) -> str:
    at = words.step(task)
    if not at or words.condition(task) not in ("ok", "stalled"):
        return ""
    one, need = at[2], task.get("confirmations") or {}
    if one["key"] == "confirming":
        return say("step.checks", have=need.get("have"), need=need.get("need"))
    if one["key"] == "utxoindex":
        return say("step.no-numbers")
    if one.get("progress") is None:
        return ""
    return tidy(say("page.of-step", percent=_of(one["progress"], one.get("basis"))))


def _of(progress: float, basis: object) -> str:
    """A step's percent; 100 belongs to what is complete."""
    return spans.percent(min(progress, 99.9), str(basis))


def _percent(task: WireTask, condition: str, now: float) -> str:
    share = words.percent(task)
    unsaid = condition in ("waiting", "not-started") or words.is_stale(task)
    if share is None or unsaid or counting(task):
        return ""
    if condition not in OLD:
        return tidy(share)
    ended = task.get("erroredAt") or task.get("cancelledAt") or task.get("lastUpdate")
    at = seconds_of(ended)
    return tidy(say("last-seen", percent=share, when=when(at, now) if at else None))


def _left(task: WireTask) -> str:
    eta = words.left(task) if words.condition(task) == "ok" else None
    return "" if eta is None else say("page.left", eta=eta)


def _ready(task: WireTask, now: float) -> str:
    eta = words.left(task) if words.condition(task) == "ok" else None
    return "" if eta is None else say("page.ready", when=when(now + eta, now))


def _note(task: WireTask, condition: str, now: float) -> str:
    if condition == "ok":
        return " ".join(_going(task, now))
    if condition in (*kept.TROUBLE, "error"):
        return ""
    if words.is_watched(task):
        return stop(cap(words.watched(task, "text", now, when)))
    kind = "node" if task.get("type") == "node-sync" else "work"
    at, began = ended(task), seconds_of(task.get("startedAt"))
    texts = [
        say(
            words.of_type(task.get("type"), f"page.say.{condition}"),
            names=words.awaited(task),
            when=when(at, now) if at else None,
            took=at - began if at and began else None,
            **(task.get("switching") or {}),
        )
    ]
    if condition == "paused":
        texts.append(say(f"page.say.paused-{kind}"))
    elif condition == "cancelled":
        texts.append(say(f"page.say.untouched-{kind}"))
    elif condition == "waiting":
        texts += _awaited_in_trouble(task)
    return " ".join(texts)


def _awaited_in_trouble(task: WireTask) -> list[str]:
    """What the note says beyond the names: that one has failed, was stopped or is missing."""
    note = safe(task.get("note") or "")
    plain = say("waiting.note", names=", ".join(task.get("waitingFor") or ()))
    return [note[len(plain) + 1 :]] if note.startswith(f"{plain} ") else []


def _going(task: WireTask, now: float) -> Iterator[str]:
    """What explains the numbers of a task that moves, or why some are missing."""
    if counting(task):
        detail = task["progressDetail"]
        yield say(
            "page.so-far",
            done=detail["done"],
            unit=safe(detail.get("unit") or "", 40),
            rate=task.get("syncRate"),
        )
    reason = task.get("etaReason")
    if words.left(task) is None and reason:
        rate, unit = task.get("syncRate"), str(task.get("rateUnit") or "").removesuffix("/s")
        drift = (task.get("metadata") or {}).get("drift")
        key = "page.no-total" if reason == "no-total" and not counting(task) else f"eta.{reason}"
        key = words.of_type(task.get("type"), key)
        why = maybe(key, rate=rate, unit=safe(unit, 40), drift=drift)
        yield stop(cap(why or safe(reason)))
    if (task.get("pass") or 1) > 1:
        yield stop(cap(say("step.pass", **{"pass": task["pass"]})))
    epoch = task.get("epoch") or {}
    since = seconds_of(epoch.get("since"))
    if (epoch.get("number") or 1) > 1 and since:
        yield say("epoch.note", when=when(since, now), why=words.epoch(epoch.get("reason")))


def _facts(task: WireTask, condition: str) -> list[str]:
    """What is counted, how fast, how far behind, with how many peers; what its program says."""
    own = told(task)
    if condition not in ("ok", "stalled", "behind", "in-sync"):
        return own
    rate, behind = task.get("syncRate"), task.get("behind")
    facts = [] if words.is_watched(task) else [_position(task)]
    if condition == "ok" and rate and task.get("rateUnit") and not counting(task):
        facts.append(say("page.rate", rate=rate, unit=safe(task["rateUnit"], 40)))
    if behind and not words.is_watched(task):
        facts.append(say("position.behind", behind=behind))
    peers = (task.get("metadata") or {}).get("peers")
    if isinstance(peers, int) and not own:
        facts.append(plural("status.peers", peers))
    facts.append(room.left(task))
    return [fact for fact in [*facts, *own] if fact]


def _position(task: WireTask) -> str:
    detail = task.get("progressDetail")
    if not detail or detail.get("done") is None or detail.get("total") is None:
        return ""
    if detail.get("unit") == "%":
        return ""
    key = "of" if detail.get("basis") == "exact" else "of-about"
    unit = safe(detail.get("unit") or "", 40)
    return say(f"position.{key}", done=detail["done"], total=detail["total"], unit=unit).rstrip()


def _checked(task: WireTask, now: float) -> str:
    if not kept.looked_at(task):
        return ""
    report = task.get("type") == "report"
    at = seconds_of(task.get("lastUpdate" if report else "lastChecked"))
    every = task.get("watchInterval" if kept.kept(task) else "checkInterval")
    ago = max(0, int(now - at)) if at else None
    if report:
        return "" if ago is None else say("page.reported", ago=ago)
    return say("page.checked", ago=ago, every=None if every is None else every / 1000)


def bar(task: WireTask) -> list[tuple[float, float, str]]:
    """Return the segments of the bar: begin and width in percent, and what each is.

    "done"; "now" (known to be done of the step under way); "hatch" (a step without a total);
    "next" (track).
    """
    phases = task.get("phases") or ()
    if not phases:
        return _single(task)
    whole = sum(float(one.get("weight") or 0) for one in phases) or 1.0
    segments: list[tuple[float, float, str]] = []
    begin = 0.0
    for one in phases:
        width = float(one.get("weight") or 0) / whole * 100
        segments += _segment(begin, width, one, counting(task))
        begin += width
    return [(cut(x), cut(width), kind) for x, width, kind in segments]


def _single(task: WireTask) -> list[tuple[float, float, str]]:
    progress = float(task.get("progress") or 0)
    rest = "hatch" if counting(task) else "next"
    known = [(0.0, cut(progress), "now")] if progress else []
    return [*known, (cut(progress), cut(100 - progress), rest)] if progress < 100 else known


def _segment(
    begin: float, width: float, one: Mapping[str, Any], hatched: bool
) -> list[tuple[float, float, str]]:
    if one.get("state") != "current":
        return [(begin, width, "done" if one.get("state") == "done" else "next")]
    if one.get("progress") is None:
        return [(begin, width, "hatch" if hatched or one["key"] == "utxoindex" else "next")]
    full = width * float(one["progress"]) / 100
    return [(begin, full, "now"), (begin + full, width - full, "next")]


def cut(value: float) -> float:
    """Two decimals, the rest cut off, as JavaScript does it."""
    return int(value * 100) / 100
