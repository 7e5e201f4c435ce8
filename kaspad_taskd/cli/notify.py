"""`notify`: what was told, what waits and what failed; `notify test`: whether messages arrive.

The notifier listens nowhere. What it did stands in a file of its state; a test is asked for by a
file that is put there, with the caller's rights, and answered by another one.
"""

from __future__ import annotations

import json
import os
import stat
import time

from kaspad_taskd.cli.faults import FAILED, Fault, UsageFault
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.client.wire import own_directory
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

NAME = "kaspad-taskd-notify"
SYSTEM = f"/var/lib/{NAME}"
STATUS, REQUEST, ANSWER = "status.json", "test.json", "test.answer.json"
_PROGRAM = (b"kaspad-taskd-notify", b"kaspad_taskd.notify")
_LONGEST = 32 << 20
_ANSWER_WITHIN = 120.0
_PAUSE = 0.1
_SIGNS = {
    "delivered": ("✓", "done"),
    "waiting": ("…", "attention"),
    "failed": ("✗", "failure"),
}


def run(run: Run) -> int:
    """Run the verb."""
    options = run.options
    if options.action is None:
        if options.name is not None:
            raise UsageFault(say("error.notify-what"), f"{PROG} notify --help")
        return _look(run)
    return _test(run, options.name)


def _directory(run: Run) -> str:
    """Where the notifier's state is: as told, the system's, else this user's own."""
    if run.options.state_dir:
        return str(run.options.state_dir)
    if os.path.isdir(SYSTEM):  # noqa: PTH112 - pathlib costs the client a tenth of its start
        return SYSTEM
    own = f"{own_directory('XDG_STATE_HOME', '.local/state')}/{NAME}"
    return own if os.path.isdir(own) else SYSTEM  # noqa: PTH112


def _status(directory: str) -> dict[str, Any]:
    try:
        found = _read(f"{directory}/{STATUS}")
    except PermissionError:
        raise Fault("notify-forbidden", directory=directory) from None
    except OSError:
        raise Fault("notify-none", directory=directory) from None
    if not isinstance(found, dict) or "messages" not in found:
        raise Fault("notify-strange", directory=directory)
    return found


def _read(path: str) -> Any:
    """A JSON file that somebody else may have put there: a plain file, within bounds."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        try:
            return json.loads(file.read(_LONGEST))
        except (ValueError, RecursionError):
            return None


def runs(status: Mapping[str, Any]) -> bool:
    """Whether the notifier that wrote this is there still."""
    pid = status.get("pid")
    if not isinstance(pid, int):
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            line = file.read(4096)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(name in line for name in _PROGRAM)


def _look(run: Run) -> int:
    status = _status(_directory(run))
    running = runs(status)
    if run.options.json:
        run.print_json({**status, "running": running})
    else:
        run.screen.show(lines(status, run.screen.width, time.time(), running=running))
    return 0 if running else FAILED


def lines(status: Mapping[str, Any], cells: int, now: float, *, running: bool) -> list[Line]:
    """Return what is to be known of a notifier: how it is, then messages, the newest last."""
    shown: list[Line] = []
    for style, text in _condition(status, running=running):
        sign = ("✓ ", "done") if style == "done" else ("! ", "attention")
        shown += hang([sign], text, cells)
    if not running:
        shown.append([(f"  {say('notifier.start')}", "dim")])
    for target in status.get("targets") or ():
        waiting, failures = target.get("waiting") or 0, target.get("failures") or 0
        key = "failing" if failures else "waiting" if waiting else "fine"
        text = say(f"notifier.target.{key}", name=target.get("name"), n=waiting, failures=failures)
        shown += [[(f"  {part}", "")] for part in wrap(text, cells - 2)]
    messages = status.get("messages") or ()
    if not messages:
        shown.append([(say("notifier.told.nothing"), "dim")])
    for message in messages:
        shown += _message(message, cells, now)
    return shown


def _condition(status: Mapping[str, Any], *, running: bool) -> list[tuple[str, str]]:
    if not running:
        return [("attention", say("notifier.not-running"))]
    said = []
    if not (status.get("daemon") or {}).get("answers"):
        key = "engine" if status.get("fleet") else "silent"
        said.append(("attention", say(f"notifier.status.{key}")))
    for key in ("unsaved", "refused"):
        if status.get(key):
            text = say(f"notifier.status.{key}")
            said.append(("attention", f"{text}: {safe(status[key], 1000)}"))
    beat = (status.get("heartbeat") or {}).get("outcome")
    if beat and not beat.get("delivered"):
        said.append(("attention", say("notifier.beat", why=outcome(beat))))
    hosts = (status.get("fleet") or {}).get("hosts")
    if isinstance(hosts, int) and not said:
        said.append(("done", plural("notifier.status.hosts", hosts)))
    count = len(status.get("targets") or ())
    return said or [("done", plural("notifier.status.listening", count))]


def _message(message: Mapping[str, Any], cells: int, now: float) -> list[Line]:
    made = seconds_of(message.get("made"))
    at = when(made, now) if made else say("unknown")
    shown = hang([("  ", "")], f"{at}  {safe(message.get('title'), 200)}", cells)
    for way in message.get("to") or ():
        fate = str(way.get("fate"))
        sign, style = _SIGNS.get(fate, ("?", "dim"))
        text = say(f"notifier.fate.{fate}", name=way.get("target"), tries=way.get("tries"))
        if fate != "delivered" and way.get("outcome"):
            text = f"{text}: {outcome(way['outcome'])}"
        due = seconds_of(way.get("next")) if fate == "waiting" and way.get("tries") else None
        if due:
            text = f"{text}; {say('notifier.again', when=when(due, now))}"
        shown += hang([("    ", ""), (f"{sign} ", style)], text, cells)
    return shown


def outcome(found: Mapping[str, Any]) -> str:
    """Return what came of a try, in words: why, the status, what the service said."""
    if found.get("delivered"):
        said = say("notifier.why.delivered")
    else:
        said = maybe(f"notifier.why.{found.get('why')}") or safe(found.get("why"), 40)
    if found.get("status") is not None:
        said = f"{said} ({safe(found['status'], 10)})"
    words = safe(found.get("words"), 300) if found.get("words") else ""
    return f"{said}: {words}" if words else said


def _test(run: Run, name: str | None) -> int:
    directory = _directory(run)
    if not runs(_status(directory)):
        raise Fault("notify-stopped")
    id_ = os.urandom(8).hex()
    _ask(directory, json.dumps({"id": id_, "name": name}).encode())
    answer = _answer(directory, id_, run.options.timeout or _ANSWER_WITHIN)
    if run.options.json:
        run.print_json(answer)
    if answer.get("problem"):
        known = ", ".join(map(str, answer.get("known") or ())) or None
        raise Fault("notify-unknown", name=name, known=known)
    results = answer.get("results") or ()
    for each in () if run.options.json else results:
        sign, style = ("✓", "done") if each.get("delivered") else ("✗", "failure")
        text = f"{safe(each.get('target'), 200)}: {outcome(each)}"
        run.screen.show(hang([(f"{sign} ", style)], text, run.screen.width))
    return 0 if results and all(each.get("delivered") for each in results) else FAILED


def _ask(directory: str, data: bytes) -> None:
    """Put the request there, whole or not at all; nothing that lies there is followed."""
    fresh = f"{directory}/.{REQUEST}.{os.getpid()}"
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            os.write(handle, data)
            os.fchmod(handle, 0o644)
        finally:
            os.close(handle)
        os.replace(fresh, f"{directory}/{REQUEST}")  # noqa: PTH105
    except PermissionError:
        raise Fault("notify-test-forbidden", directory=directory) from None
    except OSError as error:
        raise Fault("notify-test-failed", directory=directory, why=error.strerror) from None


def _answer(directory: str, id_: str, patience: float) -> dict[str, Any]:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            found = _read(f"{directory}/{ANSWER}")
        except OSError:
            found = None
        if isinstance(found, dict) and found.get("id") == id_:
            return found
        time.sleep(_PAUSE)
    raise Fault("notify-test-silent", seconds=round(patience))
