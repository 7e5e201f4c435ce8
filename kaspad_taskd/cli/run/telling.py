"""What is told of a run at its end, in words and as `reportTask` takes it."""

from __future__ import annotations

import re
import signal

from kaspad_taskd.cli.run.splitting import unescaped
from kaspad_taskd.client.faults import Refused

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from kaspad_taskd.cli.run.claiming import Claim
    from kaspad_taskd.cli.run.tools.tool import Ending

    Call = Callable[[str, dict[str, Any]], Any]

_ERROR = 2000  # characters of an error; the daemon takes no more
_WARNING = 200
_WORDS = 1000  # characters of the last words
_LINES = 8


def last_words(data: bytes) -> str:
    """Return the last lines of what was written, without escapes and what was drawn over."""
    text = unescaped(data).decode("utf-8", "replace")
    lines = []
    for line in text.split("\n"):
        drawn = [part for part in re.split(r"[\r\b]+", line) if part.strip()]
        shown = "".join(c if c.isprintable() else " " for c in drawn[-1]).strip() if drawn else ""
        if shown:
            lines.append(shown)
    return " / ".join(lines[-_LINES:])[-_WORDS:]


def signal_name(number: int) -> str:
    """Return `SIGTERM`; of one without a name its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def end_of(
    ending: Ending, code: int, took: float, program: str, stopped: int | None, words: str
) -> dict[str, Any]:
    """Return the last report of a run.

    Args:
        ending: what its exit code means.
        code: that, or -n: a signal ended it.
        took: seconds.
        program: its base name.
        stopped: the signal that we know it was stopped with, or None.
        words: its last words, or "".
    """
    facts: dict[str, Any] = {"duration": round(took, 1)}
    if code < 0:
        facts["signal"] = signal_name(-code)
    else:
        facts["exit"] = code
    if ending.outcome == "complete" and stopped is None:
        return {"completed": True, "metadata": facts}
    from kaspad_taskd.words.sentences import maybe, say  # most runs end well, and need none
    from kaspad_taskd.words.spans import duration

    rerun = maybe(ending.rerun, **ending.params) if ending.rerun else None
    said = maybe(ending.said, **ending.params) if ending.said else None
    if ending.outcome == "warning" and stopped is None:
        warning = _joined(said or say("run.warned", code=code), rerun)[:_WARNING]
        return {"completed": True, "warning": warning, "metadata": facts}
    known = {"program": program, "code": code, "took": duration(took)["formatted"], "why": said}
    if stopped is not None:
        what = say("run.stopped", signal=signal_name(stopped), **known)
    elif ending.outcome == "partly":
        what = say("run.partly", **known)
    elif code < 0:
        what = say("run.killed", signal=signal_name(-code), **known)
    else:
        what = say("run.failed", **known)
    last = say("run.last-words", words=words) if words else None
    return {"error": _joined(what, rerun, last)[:_ERROR], "metadata": facts}


def load_words() -> None:
    """Have now what an end is said with: a long run outlives an upgrade, which takes it away."""
    from kaspad_taskd.words import sentences, spans

    spans.duration(0.0)
    sentences.say("run.failed")


def _joined(*sentences: str | None) -> str:
    found = [each.strip() for each in sentences if each]
    return " ".join(each if each[-1] in ".!?" else f"{each}." for each in found if each)


def message_of(
    wanted: Claim,
    first: Mapping[str, Any],
    last: Mapping[str, Any],
    socket: str | None,
    task_id: str | None,
    ended: str,
) -> dict[str, Any]:
    """Return what is left for the next client: as what a run is told, its begin, its end."""
    return {
        "id": wanted.id, "name": wanted.name, "service": wanted.service,
        "stallAfter": wanted.stall_after, "first": dict(first), "last": dict(last),
        "socket": socket, "taskId": task_id, "ended": ended,
    }  # fmt: skip


def tell_left(call: Call, message: dict[str, Any]) -> None:
    """Tell the end of a run that was left, once: what was told before is not told again.

    What is no message of ours, and what the daemon will never take, is dropped.
    """
    from kaspad_taskd.cli.run.claiming import Claim, claim
    from kaspad_taskd.cli.run.older import Reports

    call = Reports(call)
    try:
        wanted = Claim(
            message["id"], str(message["name"]), str(message["service"]), message["stallAfter"]
        )
        first, last = dict(message["first"]), dict(message["last"])
        last["metadata"] = {**last["metadata"], "ended": str(message["ended"])}
        first["metadata"] = dict(first["metadata"])
    except (KeyError, TypeError, ValueError):
        return
    try:
        task = _its_own(call, message.get("taskId"), first)
        if task is not None and task["status"] in ("complete", "error", "cancelled"):
            if not _is_lost(task):
                return
            call("retryTask", {"taskId": task["id"]})
            call("reportTask", {"taskId": task["id"], **first})
        elif task is None:
            task = claim(call, wanted, first)
        call("reportTask", {"taskId": task["id"], **last})
    except Refused as fault:
        if fault.reason in ("store-unavailable", "busy", "forbidden"):
            raise


def _its_own(call: Call, task_id: Any, first: dict[str, Any]) -> dict[str, Any] | None:
    """The task that this very run was told as, if it came to that."""
    task: dict[str, Any] | None = call("getTask", {"taskId": str(task_id)}) if task_id else None
    known = (task or {}).get("metadata") or {}
    mine = first["metadata"]
    same = all(known.get(key) == mine.get(key) for key in ("pid", "startTime"))
    return task if task is not None and same else None


def _is_lost(task: dict[str, Any]) -> bool:
    """Whether it ended because nobody knew how: now somebody does."""
    return (
        task["status"] == "error" and not {"exit", "signal"} & (task.get("metadata") or {}).keys()
    )
