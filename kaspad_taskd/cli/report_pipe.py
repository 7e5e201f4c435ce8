"""`report TASK -`: lines from a pipe become reports, one a second at most.

The work at the other end of the pipe does not depend on the daemon: whatever is wrong here, its
lines are read to their end, so that it is never held up or ended by a pipe that nobody reads.
"""

from __future__ import annotations

import os
import select
import time

from kaspad_taskd.cli.complaints import tell
from kaspad_taskd.cli.ending import is_gone
from kaspad_taskd.cli.faults import FAILED, UNREACHABLE, Fault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.pairs import pairs
from kaspad_taskd.cli.pipe_lines import Told, read
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words import task as words
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kaspad_taskd.cli.main import Run

STDIN = 0
PACE = 1.0
"""Seconds between two reports."""
LONGEST = 65536
"""Bytes of a line; what follows them is left out."""
_ANSWER_WITHIN = 5.0  # seconds: the pipe is not read meanwhile
_INVALID = -32602


class Lines:
    """The lines of a file descriptor, as they come."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)
        self._rest = bytearray()  # of a line that has not ended, at most LONGEST
        self._ended = False

    def next(self, timeout: float | None) -> list[str] | None:
        """Return the lines that have come, [] after `timeout` s (None: wait), None at the end."""
        if self._ended:
            return None
        if not self._poll.poll(None if timeout is None else max(0, int(timeout * 1000) + 1)):
            return []
        data = os.read(self._handle, LONGEST)
        if data:
            return self._split(data)
        self._ended = True
        return [self._rest.decode("utf-8", "replace")] if self._rest else None

    def _split(self, data: bytes) -> list[str]:
        # progress bars go back to the beginning of their line
        *whole, rest = data.replace(b"\r", b"\n").split(b"\n")
        lines = []
        for part in whole:
            self._keep(part)
            lines.append(self._rest.decode("utf-8", "replace"))
            self._rest.clear()
        self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        self._rest += part[: LONGEST - len(self._rest)]


def report(run: Run) -> int:
    """Report what the lines say until they end; returns the exit code."""
    pipe = _Pipe(run)
    try:
        pipe.read()
        return pipe.end()
    except KeyboardInterrupt:  # the work was ended by it, too: how far it came is told
        pipe.last_word()
        raise


class _Pipe:
    """One task's reports: what is not told yet, and what became of the last try."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._task: dict[str, Any] | None = None
        self._told = Told(facts=pairs([pair for pair in run.options.pairs if pair != "-"]))
        self._reached = 0.0  # the last share that was read
        self._next = 0.0  # no report before, by time.monotonic()
        self._answer: dict[str, Any] | None = None
        self._over = False  # its end is reported: nothing more is
        self._lost = 0  # the exit code of what no further try would mend
        self._broken = False  # what was to be read could not be
        self._complained = ""

    def read(self) -> None:
        """Read to the end, and report meanwhile."""
        lines = Lines(STDIN)
        self._try(self._find)
        while not (self._lost and os.isatty(STDIN)):
            try:
                got = lines.next(self._due())
            except OSError as error:  # a directory, or a terminal that has gone
                self._broken = True
                why = error.strerror or str(error)
                self._complain(Fault("bad-file", file="-", detail=why))
                return
            if got is None:
                return
            for line in got:
                self._take(line)
            if self._due() == 0:
                self._try(self._send)

    def end(self) -> int:
        """Report the last of it; returns the exit code."""
        if not self._broken and (self._run.options.complete_at_end or self._reached >= 100):
            self._told.completed = True
        ended = time.monotonic()
        while (due := self._due()) is not None:
            time.sleep(due)
            known = self._task is not None  # of one never reached no restart is waited for
            fault = self._try(self._send)
            if isinstance(fault, Refused):
                return FAILED
            if isinstance(fault, Unreachable) and (not known or is_gone(fault, ended)):
                return UNREACHABLE
        if not self._lost and not self._broken:
            self._say()
        return self._lost or (FAILED if self._broken else 0)

    def last_word(self) -> None:
        """Report how far it came, if that can be done at once."""
        if self._task is not None and self._due() is not None:
            self._try(self._send)

    def _take(self, line: str) -> None:
        said = None if self._over or self._lost else read(line)
        if said is not None:
            self._told.add(said)
            self._reached = self._reached if said.progress is None else said.progress

    def _due(self) -> float | None:
        """Seconds until the next report may go, or None: there is nothing to report."""
        if self._lost or self._over or not self._told:
            return None
        return max(0.0, self._next - time.monotonic())

    # -- the daemon

    def _try(self, what: Callable[[], None]) -> Refused | Unreachable | Fault | None:
        """Do it; what fails is said, once, and returned."""
        fault: Refused | Unreachable | Fault | None = None
        try:
            what()
            self._complained = ""
        except Fault as wrong:  # there is no such task: no try would find it
            fault, self._lost = wrong, wrong.code
        except Unreachable as away:
            fault = away
            if away.reason in ("forbidden", "bad-path"):
                self._lost = UNREACHABLE
        except Refused as no:
            fault = no
        if fault is not None:
            self._complain(fault)
        self._next = time.monotonic() + (0 if what == self._find and fault is None else PACE)
        return fault

    def _complain(self, fault: Refused | Unreachable | Fault) -> None:
        if str(fault) != self._complained:
            self._complained = str(fault)
            tell(self._run, fault, self._run.options.task)

    def _find(self) -> None:
        if self._task is None:
            self._task = find(self._run, self._run.options.task)

    def _send(self) -> None:
        self._find()
        assert self._task is not None
        params = self._told.params()
        try:
            answer = self._report(params)
        except Refused as fault:
            if fault.reason == "not-found":  # removed: perhaps it is registered anew
                self._task = None
            found = self._as_wanted(params, fault)
            if found is None:
                raise
            answer = {"task": found}
        self._answer, self._told = answer, Told()
        self._over = "completed" in params or "error" in params

    def _report(self, params: dict[str, Any]) -> dict[str, Any]:
        """Report it; what cannot be a fact of this task does not keep its progress."""
        try:
            return self._call(params)
        except Refused as fault:
            if fault.code != _INVALID or not params.pop("metadata", None) or not params:
                raise
            self._complain(fault)
            return self._call(params)

    def _call(self, params: dict[str, Any]) -> dict[str, Any]:
        assert self._task is not None
        run, wanted = self._run, {"taskId": self._task["id"], **params}
        run.method = "reportTask"
        answer: dict[str, Any] = run.client.call(
            "reportTask", wanted, timeout=min(run.timeout, _ANSWER_WITHIN)
        )
        return answer

    def _as_wanted(self, params: dict[str, Any], fault: Refused) -> dict[str, Any] | None:
        """The task, where an end that we reported before has arrived: its answer was lost."""
        end = "error" if "error" in params else "complete" if "completed" in params else None
        if end is None or fault.reason != "not-allowed" or self._task is None:
            return None
        task: dict[str, Any] | None = self._run.call("getTask", {"taskId": self._task["id"]})
        return task if task and task.get("status") == end else None

    def _say(self) -> None:
        if self._run.options.json:
            if self._answer:
                self._run.print_json(self._answer)
            return
        if self._answer is None:
            self._run.screen.say(say("changed.piped.nothing"))
            return
        task = self._answer["task"]
        state = ", ".join(part for part in (words.state(task), words.percent(task)) if part)
        key = "changed.report" if self._over else "changed.piped.open"
        self._run.screen.say(say(key, name=words.name(task), state=state))
        if not self._over:
            done = f"  {PROG} report {safe(task['id'], 100)} --complete"
            self._run.screen.show([[(done, "dim")]])
