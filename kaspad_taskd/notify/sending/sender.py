"""Sending a message to a target, and seeing whether a target could be sent to at all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Final

from kaspad_taskd.notify.addresses import http_parts
from kaspad_taskd.notify.model import How, Message, Outcome, Target, Why
from kaspad_taskd.notify.sending import shape
from kaspad_taskd.notify.sending.judging import judge, no_apprise, not_accepted, notes
from kaspad_taskd.notify.sending.masking import shown
from kaspad_taskd.notify.sending.running import Ended, Way, run
from kaspad_taskd.version import __version__
from kaspad_taskd.words.table import text

DEADLINE: Final = 20.0
"""Seconds for a message to one target, the start of the child included."""
CHECK: Final = 60.0
"""Seconds for asking Apprise of all URLs: the first load of it from a cold disk is in there."""
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where commands are looked for."""
CHILD: Final = Path(__file__).with_name("child.py")
_ENVIRONMENT: Final = {"PATH": PATH, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
"""What our child gets: no proxies, no `.netrc`, nothing of ours."""
_AGENT: Final = {"User-Agent": f"kaspad-taskd-notify/{__version__}", "Connection": "close"}


def send(
    target: Target,
    message: Message,
    deadline: float = DEADLINE,
    stop: Event | None = None,
    host: str = "",
) -> Outcome:
    """Try once to tell a target a message; blocks for at most `deadline` seconds.

    To be called from a worker thread. Raises nothing for what a service, a library or a command
    does.

    Args:
        target: where to.
        message: what.
        deadline: seconds, after which the try is given up and its process killed.
        stop: set from another thread to give it up at once.
        host: how this host is called in JSON; "" for its own name.
    """
    host = host or os.uname().nodename
    if target.how is How.COMMAND:
        return _command(target, shape.as_json(message, host).encode(), message, deadline, stop)
    if (fault := _fault_of(target)) is not None:
        return fault
    if target.how is How.WEBHOOK:
        job = _webhook(target, message, shape.as_json(message, host))
    else:
        job = _apprise(target, message)
    return judge(_child(job, deadline, stop), (target.url, target.key))


def beat(url: str, deadline: float = DEADLINE, stop: Event | None = None) -> Outcome:
    """Ask the URL of a dead man's switch once, by GET, like `send`."""
    if (fault := _fault_of(Target("", "", How.WEBHOOK, url))) is not None:
        return fault
    job = {"do": "http", "method": "GET", "url": url, "headers": _AGENT, "body": None, "key": ""}
    return judge(_child(job, deadline, stop), (url,))


def accepts(targets: Sequence[Target], deadline: float = CHECK) -> list[Outcome | None]:
    """Return for each target why it could never be sent to, or None; nothing is sent.

    None is no proof: Apprise takes nearly everything. A URL for several targets is refused, for a
    failure of one would tell the others again.
    """
    found = [_fault_of(each) for each in targets]
    asked = [at for at, each in enumerate(targets) if each.how is How.APPRISE and not found[at]]
    told = _checked([targets[at].url for at in asked], deadline) if asked else []
    for at, outcome in zip(asked, told, strict=True):
        found[at] = outcome
    return found


def _fault_of(target: Target) -> Outcome | None:
    """Return what can be seen of a target without Apprise."""
    if target.how is How.COMMAND:
        name = target.command[0] if target.command else ""
        if _is_program(name):
            return None
        return Outcome(False, Why.COMMAND, words=text("sending.no-command", name=name))
    if target.how is How.APPRISE or _is_address(target.url):
        return None
    return Outcome(False, Why.NOT_ACCEPTED, final=True, words=text("sending.no-address"))


def _is_program(name: str) -> bool:
    places = [Path(name)] if "/" in name else [Path(each, name) for each in PATH.split(":")]
    return bool(name) and any(each.is_file() and os.access(each, os.X_OK) for each in places)


def _is_address(url: str) -> bool:
    return http_parts(url) is not None and url.isprintable() and " " not in url


def _apprise(target: Target, message: Message) -> dict[str, object]:
    told = {"title": shape.title(message), "body": shape.text(message)}
    return {"do": "apprise", "url": target.url, "type": shape.TYPES[message.kind], **told}


def _webhook(target: Target, message: Message, body: str) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "X-Kaspad-Taskd-Message": message.id, **_AGENT}
    asked = {"do": "http", "method": "POST", "url": target.url, "headers": headers}
    return {**asked, "body": body, "key": target.key}


def _child(job: Mapping[str, object], deadline: float, stop: Event | None) -> Ended:
    argv = (sys.executable, "-I", str(CHILD))
    told = json.dumps({**job, "deadline": deadline}).encode()
    return run(argv, told, _ENVIRONMENT, deadline=deadline, stop=stop)


def _checked(urls: Sequence[str], deadline: float) -> list[Outcome | None]:
    ended = _child({"do": "check", "urls": list(urls)}, deadline, None)
    told = notes(ended.said)
    missing = next((each for each in told if each["step"] == "missing"), None)
    if missing is not None:
        return [no_apprise(missing["library"])] * len(urls)
    counts = [(each["services"], each["targets"]) for each in told if each["step"] == "checked"]
    if len(counts) != len(urls):
        return [judge(replace(ended, said=b""), ())] * len(urls)
    return [None if each == (1, 1) else not_accepted(*each) for each in counts]


def _command(
    target: Target, job: bytes, message: Message, deadline: float, stop: Event | None
) -> Outcome:
    environment = {
        "PATH": PATH,
        "LC_ALL": "C.UTF-8",
        **{name: os.environ[name] for name in ("HOME",) if name in os.environ},
        **shape.variables(message),
    }
    ended = run(target.command, job, environment, deadline=deadline, stop=stop, complaints=True)
    words = shown(_first_line(ended.said), ())
    if ended.way is Way.ENDED:
        why = None if ended.code == 0 else Why.COMMAND
        return Outcome(ended.code == 0, why, status=ended.code, words=words)
    if ended.way is Way.NEVER:
        told = text("sending.command-not-started", fault=ended.fault)
        return Outcome(False, Why.COMMAND, words=told)
    why = Why.TIMEOUT if ended.way is Way.DEADLINE else Why.STOPPED
    return Outcome(False, why, sent=True, words=words)


def _first_line(said: bytes) -> str:
    lines = said.decode(errors="replace").splitlines()
    return next((each for each in lines if each.strip()), "")
