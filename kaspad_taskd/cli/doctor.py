"""`doctor`: looks for what is wrong, says what to do; exit 1 when something does not work."""

from __future__ import annotations

import time
from functools import partial

from kaspad_taskd.cli import checkup, checkup_now, checkup_offline, checkup_tasks
from kaspad_taskd.cli.checkup import FAULT, GOOD, WARNING, Finding
from kaspad_taskd.cli.faults import FAILED, of_unreachable
from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.client import SYSTEM_SOCKET, Unreachable
from kaspad_taskd.client.unit import beside
from kaspad_taskd.client.wire import own_socket
from kaspad_taskd.words.plain import fit
from kaspad_taskd.words.sentences import plural, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

_SIGNS = {GOOD: ("✓", "done"), WARNING: ("!", "attention"), FAULT: ("✗", "failure")}
_LABEL = 8


def run(run: Run) -> int:
    """Check, and say what was found."""
    found = list(_findings(run))
    if run.options.json:
        run.print_json([one.as_json() for one in found])
    else:
        for one in found:
            run.screen.show(lines(one, run.screen.width))
        run.screen.say(summary(found))
    return FAILED if any(one.level == FAULT for one in found) else 0


def _findings(run: Run) -> Iterator[Finding]:
    began = time.perf_counter()
    try:
        version = run.call("ping").get("version")
    except Unreachable as fault:
        said = of_unreachable(fault, run.timeout).said()
        yield Finding(FAULT, say("doctor.daemon"), said[0], said[1] if said[1:] else None)
        socket = checkup_offline.meant(run.client.path)
        yield from checkup_offline.last_error(socket)
        if socket == SYSTEM_SOCKET:
            yield from checkup.settings(checkup.SETTINGS, "mended-down")
            yield from checkup_offline.preflight(*checkup_offline.SYSTEM)
        elif socket == own_socket():
            yield from checkup.settings(checkup_offline.own_settings(), "mended-down")
            yield from checkup_offline.preflight(*checkup_offline.OWN)
    else:
        yield checkup.daemon(version, run.client.path, time.perf_counter() - began)
        yield from checkup.rights(run.client.path)
        info = run.call("getInfo")
        yield from checkup.store(info)
        if info.get("warnings"):
            yield from checkup.standing(run.call("getWarnings")["warnings"])
        yield from checkup.bridge(info, run.client.path)
        yield from checkup.settings(info.get("settingsFile"), read=info.get("settingsFiles"))
        yield from checkup.files(run.call("listDefinitions"))
        yield from _asked_now(run)
    yield from checkup.system_clock()
    yield from checkup.unit(beside(run.client.path))
    yield from checkup.man()


def _asked_now(run: Run) -> Iterator[Finding]:
    """What is watched and switched, as it is now: not as it was when somebody looked last."""
    within = run.options.timeout or checkup_now.WITHIN
    path = run.client.path
    looked = checkup_now.look(path, run.call("getAllTasks"), within)
    yield from checkup_now.findings(looked, within)
    yield from checkup_tasks.tasks(looked.tasks, time.time(), partial(checkup_now.timed, looked))
    yield from checkup.switching(looked.services or (), beside(path))


def lines(one: Finding, cells: int) -> list[Line]:
    """Return a finding as lines: sign, name, what; below it the cure, a command in one piece."""
    shown = hang([_SIGNS[one.level], (f" {fit(one.name, _LABEL)} ", "")], one.text, cells)
    if not one.cure:
        return shown
    room = _LABEL + 3
    cure = wrap(one.cure, cells - room) if one.cure.endswith(".") else [one.cure]
    return [*shown, *([(" " * room + part, "dim")] for part in cure)]


def summary(found: list[Finding]) -> str:
    """Return "1 good, 1 warning, 1 fault"; nothing is said of none, but good ones."""
    count = {level: sum(one.level == level for one in found) for level in (GOOD, WARNING, FAULT)}
    parts = [say("doctor.good", n=count[GOOD])]
    parts += [plural("doctor.warnings", count[WARNING])] if count[WARNING] else []
    parts += [plural("doctor.faults", count[FAULT])] if count[FAULT] else []
    return ", ".join(parts)
