"""`fleet`: the hosts of a fleet and how they are; one host with its tasks; live.

The client knows no Redis. What reads a fleet is part of `kaspad-taskd-hub`, and runs beside it as
a program of its own, with the caller's rights and the hub's user of `fleet.toml`.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections import Counter

from kaspad_taskd.cli import fleet_rows
from kaspad_taskd.cli.ending import NOT_IN_SYNC, TIMED_OUT
from kaspad_taskd.cli.faults import FAILED, Fault, first_of
from kaspad_taskd.cli.filters import is_pattern
from kaspad_taskd.cli.frame import Frame
from kaspad_taskd.cli.streams import must_be_read

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen
    from typing import Any, TypeAlias

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

    Known: TypeAlias = dict[str, Any]
    """What was told: hosts, fault, of one alone its tasks (kaspad_taskd/fleet/shown.py)."""

WELL, NOT_WELL = 0, NOT_IN_SYNC
_SPARE = 30.0  # seconds beyond what the look itself may take: its start, a busy machine
_LOOK = 20.0  # seconds that it takes at most, where nobody says how many
_CHUNK = 1 << 16
_BOOT = """
import sys
sys.path.insert(0, sys.argv[1])
from kaspad_taskd.fleet.shown import main
sys.exit(main())
"""
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def run(run: Run) -> int:
    """Run the verb."""
    from subprocess import PIPE, Popen
    from tempfile import TemporaryFile

    options = run.options
    request = {
        "config": options.config and os.path.abspath(options.config),  # noqa: PTH100
        "hosts": options.hosts, "longest": options.timeout, "watch": options.watch,
    }  # fmt: skip
    with TemporaryFile() as said:
        # -P: a directory of that name where somebody happens to stand is not ours
        command = [sys.executable, "-P", "-c", _BOOT, _ROOT]
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=said) as process:
            try:
                _ask(process, request)
                documents = _documents(process, (options.timeout or _LOOK) + _SPARE)
                return _watch(run, documents) if options.watch else _once(run, documents)
            except EOFError:
                process.wait()
                said.seek(0)
                raise _unread(said.read(_CHUNK).decode(errors="replace")) from None
            finally:
                process.kill()


def _ask(process: Popen[bytes], request: object) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise EOFError from None


def _documents(process: Popen[bytes], patience: float) -> Iterator[Known]:
    """What the program tells, line by line; raises EOFError at its end, Fault where it refuses."""
    assert process.stdout is not None
    handle, rest = process.stdout.fileno(), b""
    while True:
        if not select.select([handle], [], [], patience)[0]:
            raise Fault("fleet-unread", why=f"no answer within {patience:.0f} s")
        chunk = os.read(handle, _CHUNK)
        if not chunk:
            raise EOFError
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            known = json.loads(line)
            if "refused" in known:
                key = "fleet-settings" if known["refused"] != FAILED else "fleet-unread"
                raise Fault(key, known["refused"], why="; ".join(known["said"]))
            yield known


def _unread(said: str) -> Fault:
    """Why it ended: by its last line."""
    last = said.strip().splitlines()[-1:]
    if last and last[0].startswith("ModuleNotFoundError"):
        return Fault("fleet-none")
    return Fault("fleet-unread", why=" ".join(last) or "it ended")


def _once(run: Run, documents: Iterator[Known]) -> int:
    known = next(documents)
    _check_names(run, known)
    known = _narrowed(run, known)
    if run.options.json:
        run.print_json(_as_json(run, known))
    else:
        run.screen.show(_page(run, known, run.screen.width))
    return _code(known)


def _check_names(run: Run, known: Known) -> None:
    """A name that is of no host is refused; a pattern may mean none."""
    there = [each["host"] for each in known["hosts"]]
    missing = [name for name in run.options.hosts if not is_pattern(name) and name not in there]
    if missing and known["fault"] is None:
        raise Fault("no-host", host=missing[0], names=first_of(known["names"]))


def _narrowed(run: Run, known: Known) -> Known:
    """The hosts that are shown, and beside them how many of all that are meant are how."""
    counts = Counter(str(each["verdict"]) for each in known["hosts"])
    wanted = [e for e in known["hosts"] if e["verdict"] != "ok" or not run.options.trouble]
    return {**known, "hosts": wanted, "counts": counts}


def _is_one(run: Run, known: Known) -> bool:
    return "of" in known and len(run.options.hosts) == 1 and bool(known["hosts"])


def _as_json(run: Run, known: Known) -> Known:
    if _is_one(run, known):
        return {"host": known["hosts"][0], **known["of"], "fault": known["fault"]}
    return {"hosts": known["hosts"], "fault": known["fault"]}


def _page(run: Run, known: Known, cells: int) -> list[Line]:
    now, narrowed = time.time(), bool(run.options.hosts)
    head = fleet_rows.unread(known["fault"], cells)
    if _is_one(run, known):
        return [*head, *fleet_rows.detail(known["hosts"][0], known["of"], cells, now)]
    if head and not known["hosts"]:
        return head
    counts = known["counts"]
    return [*head, *fleet_rows.page(known["hosts"], counts, cells, now, narrowed=narrowed)]


def _code(known: Known) -> int:
    if known["fault"] is not None:
        return FAILED
    return WELL if all(each["verdict"] == "ok" for each in known["hosts"]) else NOT_WELL


# -- live


def _watch(run: Run, documents: Iterator[Known]) -> int:
    limit = time.monotonic() + (run.options.timeout or float("inf"))
    if run.options.json:
        return _each(run, documents, limit, _Json(run))
    if not run.screen.terminal:
        return _each(run, documents, limit, _Log(run))
    with Frame(run.screen) as frame:
        return _each(run, documents, limit, _Painter(run, frame))


def _each(run: Run, documents: Iterator[Known], limit: float, tell: Any) -> int:
    for known in documents:
        tell(_narrowed(run, known))
        must_be_read()
        if time.monotonic() >= limit:
            break
    return TIMED_OUT


class _Json:
    """Writes what is known whenever it is something else."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: Known | None = None

    def __call__(self, known: Known) -> None:
        """Write it."""
        told = _as_json(self._run, known)
        if told != self._told:
            self._told = told
            self._run.print_json(told)


class _Log:
    """Writes a line for each host whose verdict is another one."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: dict[str, object] = {}

    def __call__(self, known: Known) -> None:
        """Write what is news."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for host in known["hosts"]:
            news = (host["verdict"], host["gone"], host["ill"], known["fault"])
            if self._told.get(host["host"]) != news:
                self._told[host["host"]] = news
                self._run.screen.show([[(fleet_rows.plain(host, stamp), "")]])


class _Painter:
    """Shows the hosts in a frame."""

    def __init__(self, run: Run, frame: Frame) -> None:
        self._run = run
        self._frame = frame

    def __call__(self, known: Known) -> None:
        """Paint what is known now."""
        frame = self._frame
        frame.measure()
        page = _page(self._run, known, frame.columns)
        head = fleet_rows.heading(known["fault"] is None, frame.columns, time.time())
        room = frame.rows - 2
        frame.paint([head, *fleet_rows.within(page, room)])
