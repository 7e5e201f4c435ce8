"""What came of a try, judged by what its child told: pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.model import Outcome, Why
from kaspad_taskd.notify.sending.masking import shown
from kaspad_taskd.notify.sending.running import Ended, Way
from kaspad_taskd.words.table import text

Note: TypeAlias = Mapping[str, Any]
"""One line of a child, see child.py: `step` and what belongs to it."""

_TIMED_OUT: Final = frozenset({"ConnectTimeout", "ReadTimeout", "ReadTimeoutError", "TimeoutError"})
_NOT_CONNECTED: Final = frozenset(
    {"ConnectTimeout", "ConnectionRefusedError", "NameResolutionError", "NewConnectionError"}
    | {"SSLError", "SSLCertVerificationError", "gaierror"}
)
"""Of these exceptions nothing was sent before."""
_FOR_NOW: Final = frozenset({408, 425, 429})
"""Refusals that are not meant for ever."""
_MOVED_FOR_GOOD: Final = frozenset({301, 308})
_SMTP_TAKEN: Final = 250


@frozen
class Seen:
    """What the notes of one try come to.

    Attributes:
        asked: whether the message may have left the host.
        status: of the last answer.
        mail: whether the status is one of SMTP.
        taken: whether a mail's server took the mail, whatever it says to the rest.
        retry_after: seconds, as the last answer said.
        said: its body.
        causes: of the last fault, names of exceptions.
        fault: what the system said to it.
        slept: seconds that the library wanted to wait.
        end: the last note, of a child that came to its end.
    """

    asked: bool = False
    status: int | None = None
    mail: bool = False
    taken: bool = False
    retry_after: float | None = None
    said: str = ""
    causes: tuple[str, ...] = ()
    fault: str = ""
    slept: float | None = None
    end: Note | None = None


def notes(said: bytes) -> list[Note]:
    """Return the lines of a child; the last may be half a line where it was killed."""
    found: list[Note] = []
    for line in said.splitlines():
        try:
            note = json.loads(line)
        except ValueError:
            break
        if isinstance(note, dict) and "step" in note:
            found.append(note)
    return found


def seen(told: Iterable[Note]) -> Seen:
    """Return what a try's notes come to."""
    state = Seen()
    for note in told:
        if state.end is None:  # Matrix logs out afterwards
            state = _after(state, note)
    return state


def _after(state: Seen, note: Note) -> Seen:
    match note["step"]:
        case "asking":
            return Seen(asked=True, taken=state.taken)
        case "answer" | "refused-mail" | "mailed" as step:
            return replace(
                state,
                status=note["status"],
                mail=step != "answer",
                taken=step == "mailed" and note["status"] == _SMTP_TAKEN,
                retry_after=note.get("retry_after"),
                said=note.get("words", ""),
                causes=(),
            )
        case "body":
            return replace(state, said=note["words"])
        case "fault":
            return replace(state, causes=tuple(note["causes"]), fault=note["words"])
        case "sleep":
            return replace(state, slept=note["seconds"])
        case _:
            return replace(state, end=note)


def judge(ended: Ended, secrets: Sequence[str]) -> Outcome:
    """Return what came of a message or a heartbeat that a child of ours was to send."""
    state = seen(notes(ended.said))
    outcome = _end_of_child(ended, state) or _missing(state) or _judged(state)
    return replace(
        outcome,
        status=state.status,
        words=outcome.words or shown(state.said or state.fault, secrets),
        retry_after=None if outcome.delivered else _retry_after(state),
    )


def _end_of_child(ended: Ended, state: Seen) -> Outcome | None:
    if state.taken:  # what came afterwards is of no interest
        return Outcome(True)
    if ended.way is Way.NEVER:
        return Outcome(False, Why.FAULT, words=text("sending.not-started", fault=ended.fault))
    step = (state.end or {}).get("step")
    if step == "broken" or (step is None and ended.way is Way.ENDED):
        words = text("sending.no-answer", code=ended.code, cause=", ".join(state.causes) or None)
        return Outcome(False, Why.FAULT, sent=state.asked, words=words)
    if step is None:
        why = Why.TIMEOUT if ended.way is Way.DEADLINE else Why.STOPPED
        return Outcome(False, why, sent=state.asked)
    return None


def _missing(state: Seen) -> Outcome | None:
    end = state.end or {}
    if end.get("step") == "missing":
        return no_apprise(end.get("library", ""))
    if end.get("step") == "refused":
        return not_accepted(end.get("services", 0))
    return None


def no_apprise(library: str) -> Outcome:
    """Return that Apprise, or a library that it needs, is not there."""
    key = "no-apprise" if library in ("", "apprise") else "apprise-broken"
    return Outcome(False, Why.NO_APPRISE, words=text(f"sending.{key}", library=library))


def not_accepted(services: int, targets: int = 1) -> Outcome:
    """Return that Apprise makes nothing, or too much, of a URL."""
    key = "several-services" if services > 1 else "several-targets" if targets > 1 else "not-taken"
    words = text(f"sending.{key}", services=services, targets=targets)
    return Outcome(False, Why.NOT_ACCEPTED, final=True, words=words)


def _judged(state: Seen) -> Outcome:
    """Judge a child that came to its end."""
    status = state.status
    if status is not None and 300 <= status < 400:
        final = status in _MOVED_FOR_GOOD
        return Outcome(False, Why.REDIRECTED, final=final, words=text("sending.redirected"))
    if _is_delivered(state):
        return Outcome(True)
    if state.slept is not None:
        return Outcome(False, Why.SLEEP, sent=_is_good(status))
    if state.causes:
        return _faulted(state)
    if status is None:
        words = text("sending.no-reason")
        return Outcome(False, Why.REFUSED, sent=state.asked, words=words)
    return Outcome(False, Why.REFUSED, final=_is_final(state, status), sent=_is_good(status))


def _is_delivered(state: Seen) -> bool:
    end = state.end or {}
    if end.get("result"):
        return True
    # Apprise 1.2 compares bytes with a text there
    return end.get("service") == "NotifySlack" and state.status == 200 and state.said == "ok"


def _faulted(state: Seen) -> Outcome:
    causes = set(state.causes)
    why = Why.TIMEOUT if causes & _TIMED_OUT else Why.UNREACHABLE
    return Outcome(False, why, sent=state.asked and not causes & _NOT_CONNECTED)


def _is_good(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def _is_final(state: Seen, status: int) -> bool:
    """Whether the same message will be refused again."""
    if state.mail:
        return status >= 500
    return 400 <= status < 500 and status not in _FOR_NOW


def _retry_after(state: Seen) -> float | None:
    found = [state.retry_after, _in_body(state.said), state.slept]
    return next((each for each in found if each is not None), None)


def _in_body(said: str) -> float | None:
    try:
        answer = json.loads(said)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    inner = answer.get("parameters")  # Telegram
    found = [answer, inner if isinstance(inner, dict) else {}]
    waits = [(place.get("retry_after"), 1) for place in found]
    for value, parts in (*waits, (answer.get("retry_after_ms"), 1000)):  # Matrix
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return max(0.0, value / parts)
    return None
