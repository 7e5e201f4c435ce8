"""What can go wrong, as a person reads it: what, where, and the cure. Never a traceback."""

from __future__ import annotations

from kaspad_taskd.client import Refused, Unreachable, candidates
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FAILED, USAGE, UNREACHABLE = 1, 2, 3
_NAMED = 8


class UsageFault(Exception):
    """The command line cannot be understood: the sentence, and where help stands."""

    def __init__(self, what: str, help_command: str) -> None:
        super().__init__(what)
        self.help_command = help_command


class Fault(Exception):
    """Something the client itself found wrong: a key below `error` in the table of words.

    Attributes:
        key: of the sentence ("no-task").
        params: what it needs.
        code: the exit code.
        typed: commands for its cure, by their places (`typed`).
    """

    def __init__(
        self,
        key: str,
        code: int = FAILED,
        *,
        typed: Mapping[str, str] | None = None,
        **params: object,
    ) -> None:
        super().__init__(key)
        self.key = key
        self.params = params
        self.code = code
        self.typed = typed or {}

    def said(self) -> list[str]:
        """Return what is wrong, then what to do."""
        what = say(f"error.{self.key}.what", **self.params)
        cure = maybe(f"error.{self.key}.cure", **{**self.params, **self.typed})
        return [what, *([cure] if cure else [])]


def first_of(names: Sequence[str]) -> str | None:
    """Return the first of the names there are, for who has given another one; None: none."""
    more = ", ..." if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more if names else None


def of_unreachable(fault: Unreachable, timeout: float | None) -> Fault:
    """Return why there is no daemon to talk to."""
    key = f"unreachable.{fault.reason}"
    known = {"path": fault.path, "detail": fault.detail, "timeout": timeout}
    return Fault(key, UNREACHABLE, typed=typed(fault.path), **known)


def typed(path: str) -> dict[str, str]:
    """Return what to type to start, restart or see the daemon of a socket, as it is run there.

    Keys: `start`, `restart`, `status`, `log`, `join`; those that there are.
    """
    from kaspad_taskd.client.unit import beside, started_by

    by = started_by(path)
    usual = beside(path) in candidates()
    directory = None if usual else path.rpartition("/")[0] or "."
    found = {
        what: maybe(f"manager.{by}.{what}", directory=directory)
        for what in ("start", "restart", "status", "log", "join")
    }
    return {what: text for what, text in found.items() if text is not None}


def of_refused(
    fault: Refused, task: str | None, method: str | None, path: str, asked: bool = False
) -> list[str]:
    """Return what the daemon refused, then what to do.

    Args:
        fault: its answer.
        task: what the command line named, a task or a service.
        method: what was called.
        path: the daemon's socket.
        asked: whether the method's name came from the command line (`call`).
    """
    if fault.code == -32601:
        return _unknown_method(method, path, asked)
    faults = [one for one in fault.data.get("faults") or () if isinstance(one, dict)]
    what = fault.message.partition(":")[0] if faults else fault.message  # the rest lists them too
    lines = [safe(what).rstrip(".")]
    lines += [f"{safe(one.get('key'), 100)}: {safe(one.get('problem'))}" for one in faults]
    known: dict[str, object] = {"task": task, **typed(path)}
    known |= {key: value for key, value in fault.data.items() if isinstance(value, str | int)}
    cure = maybe(f"error.refused.{method}.{fault.reason}", **known)
    cure = cure or maybe(f"error.refused.{fault.reason}", **known)
    if fault.data.get("incident"):
        cure = say("error.incident", incident=fault.data["incident"], **typed(path))
    return [*lines, *([cure] if cure else [])]


def _unknown_method(method: str | None, path: str, asked: bool) -> list[str]:
    if asked:
        return Fault("unknown-method", method=method).said()
    from kaspad_taskd.version import __version__

    typed_here = typed(path)
    return Fault("too-old", typed=typed_here, method=method or "?", version=__version__).said()


def as_json(fault: Refused | Fault) -> dict[str, Any]:
    """Return the one line of --json: `{"error": {code?, message, data}}`."""
    if isinstance(fault, Refused):
        error = {"code": fault.code, "message": fault.message, "data": fault.data}
    else:
        reason = fault.key.removeprefix("unreachable.")
        params = {key: value for key, value in fault.params.items() if value is not None}
        error = {"message": fault.said()[0], "data": {"reason": reason, **params}}
    return {"error": error}
