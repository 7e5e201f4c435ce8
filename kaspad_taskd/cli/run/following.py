"""What is known of one run, and what of it the daemon was told."""

from __future__ import annotations

import os
import sys
from time import monotonic, time

from kaspad_taskd.cli.run import outbox
from kaspad_taskd.cli.run.asking import Asking
from kaspad_taskd.cli.run.claiming import Claim, claim
from kaspad_taskd.cli.run.older import Reports
from kaspad_taskd.cli.run.place import iso, start_time
from kaspad_taskd.cli.run.progress import Progress
from kaspad_taskd.cli.run.recognise import innermost, recognise
from kaspad_taskd.cli.run.splitting import Splitter
from kaspad_taskd.cli.run.telling import end_of, last_words, load_words, message_of
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, Ending, by_code
from kaspad_taskd.cli.run.wish import is_name
from kaspad_taskd.client import Client, Refused, Unreachable
from kaspad_taskd.words.plain import safe

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from typing import Any

    from kaspad_taskd.cli.run.pump import Tap
    from kaspad_taskd.cli.run.tools.tool import Reader, Tool
    from kaspad_taskd.cli.run.wish import Wish

    End = tuple[int, float, int | None]

ALIVE = 30.0
"""Seconds after which a report goes though there is nothing new to tell."""
_ANSWER_WITHIN = 5.0
_STDOUT, _STDERR = 1, 2
_FOR_GOOD = ("forbidden", "bad-path", "not-taskd")


class Following:
    """One run.

    Args:
        wish: how it is to be told.
        pid: of the command.
        began: when it did, s since 1970 UTC.
        taps: what is to be read of its streams, by number.

    Attributes:
        told: its end is on record.
    """

    def __init__(self, wish: Wish, pid: int, began: float, taps: dict[int, Tap]) -> None:
        self._wish = wish
        self._taps = taps
        found = _recognised(wish)
        self._tool: Tool | None = found[0] if found else None
        self._argv = found[1] if found else innermost(wish.command)
        self._reader: Reader | None = self._tool.reader(self._argv) if self._tool else None
        lines = self._tool is not None and self._tool.lines
        self._splitters = {number: Splitter(lines) for number in taps}
        self._gone = dict.fromkeys(taps, 0)
        self._progress = Progress()
        said = taps.get(_STDERR) or taps.get(_STDOUT)
        self._asking = Asking(pid, self._tool, self._argv, said)
        self._client = Client(wish.socket, _ANSWER_WITHIN, patience=0.0)
        self._call = Reports(self._client.call)
        self.program = _named(self._argv[0].rpartition("/")[2])
        tool = self._tool  # a way of reading any program has no programs of its own
        name = _named(tool.name) if tool is not None and tool.programs else self.program
        self._wanted = Claim(wish.id, name, wish.service or name[:64], wish.stall_after)
        self._task: dict[str, Any] | None = None
        self._first = self._begin(began)
        self._sent: dict[str, Any] = {}
        self._sent_at = monotonic()
        self._moved = self._lost = self._said = self.told = False

    def _begin(self, began: float) -> dict[str, Any]:
        """The first report: whose it is. Of the command only its name is told, no argument."""
        pid = os.getpid()
        facts: dict[str, Any] = {"program": self.program[:200]}
        if self._wish.title:
            facts["title"] = safe(self._wish.title, 200)
        facts["pid"], facts["startTime"] = pid, start_time(pid) or iso(began)
        found = {"pid": pid, "startTime": facts["startTime"], "metadata": facts}
        offer = self._tool.offer(self._argv) if self._tool else None
        if offer:
            facts["offer"] = offer[:200]
            if os.isatty(_STDERR):
                self._say("run.offer", program=self.program, flags=offer)
        return found

    # -- what the command says

    def read(self, last: bool = False) -> bool:
        """Read what the taps hold; returns whether anything came.

        Args:
            last: no more comes.
        """
        came = False
        for number, tap in self._taps.items():
            splitter = self._splitters[number]
            any_here = False
            while tap.chunks:
                data = tap.take()
                any_here = True
                if data is None:
                    splitter.skip()
                else:
                    self._take(number, splitter.feed(data))
            self._count(number, tap.lines_gone)
            if last or not any_here:  # many never end an update before they begin the next
                pending = splitter.end() if last else splitter.pending()
                self._take(number, [pending] if pending else [], whole=last)
            came = came or any_here
        self._moved = self._moved or came
        self._asking.ask()
        return came

    def _count(self, number: int, gone: int) -> None:
        """Count the lines of a stream that went by unread: `gone` so far."""
        new, self._gone[number] = gone - self._gone[number], gone
        skipped = getattr(self._reader, "skipped", None)
        if new and number == _STDOUT and skipped is not None:
            self._laid(skipped(new))

    def _take(self, number: int, pieces: list[str], whole: bool = True) -> None:
        reader = self._reader
        if reader is None:
            return
        try:
            for piece in pieces:
                self._laid(reader.read(number, piece, whole))
        except Exception:  # likewise
            self._reader = None

    def _laid(self, reading: Any) -> None:
        if reading is not None:
            self._progress.take(reading)

    # -- what is told

    def tell(self, now: float) -> bool:
        """Tell what is new; returns whether the daemon was asked. Never fails."""
        params = self._params()
        if self._task is not None and params == self._sent and now - self._sent_at < ALIVE:
            return False
        return not self._lost and self._try(params)

    def _params(self) -> dict[str, Any]:
        found = self._progress.told()
        if "done" not in found:
            found["atWork"] = self._moved or (False if self._wish.stall_after else None)
        if self._progress.facts:
            found["metadata"] = dict(self._progress.facts)
        return {key: value for key, value in found.items() if value is not None}

    def _try(self, params: dict[str, Any]) -> bool:
        try:
            if self._task is None:
                self._task = claim(self._call, self._wanted, self._first)
                self._sent = {}  # nothing yet of what is known
                self._claimed(self._task)
            else:
                self._report(params)
                self._sent, self._sent_at, self._moved = params, monotonic(), False
                load_words()
        except Refused as fault:
            self._refused(fault)
        except Unreachable as fault:
            if fault.reason in _FOR_GOOD:
                self._give_up(fault)
        except (LookupError, TypeError, ValueError):  # no kaspad-taskd, or a much older one
            self._lost = True
        return True

    def _report(self, params: dict[str, Any]) -> None:
        assert self._task is not None
        who = {key: self._first[key] for key in ("pid", "startTime")}
        self._call("reportTask", {"taskId": self._task["id"], **who, **params})

    def _refused(self, fault: Refused) -> None:
        if fault.reason == "forbidden":
            self._give_up(Unreachable("forbidden", self._client.path))
        elif fault.reason == "not-found":  # removed by somebody: it is told anew
            self._task = None
        elif fault.reason == "not-allowed":  # cancelled, or ended by somebody: that is its end
            self._lost = self.told = True
        elif fault.reason == "conflict" or fault.code in (-32601, -32602):
            self._lost = True

    def _claimed(self, task: dict[str, Any]) -> None:
        if self._wish.id is not None and task["id"] != self._wish.id:
            self._say("run.taken", id=self._wish.id, other=task["id"])
        outbox.tell(self._call, self._wish.socket)

    def _give_up(self, fault: Unreachable) -> None:
        self._lost = True
        from kaspad_taskd.cli.faults import of_unreachable

        what = of_unreachable(fault, None).said()
        self._say("run.not-told", why=what[0], cure=" ".join(what[1:]))

    def _say(self, key: str, **params: Any) -> None:
        if self._wish.quiet or sys.stderr is None:
            return
        from kaspad_taskd.words.sentences import say

        try:
            os.write(_STDERR, f"kaspad-taskctl run: {say(key, **params)}\n".encode())
        except OSError:  # nobody reads it: what is told is told nonetheless
            pass

    # -- the end

    def finish(self, end: End) -> None:
        """Tell the end, if the daemon takes it. Never fails."""
        if self._lost and self._task is None:
            return
        try:
            if self._task is None:
                self._task = claim(self._call, self._wanted, self._first)
            last, known = self._end(end), self._params()
            if "error" in last and "done" in known and known != self._sent:
                self._report(known)  # how far it came
            self._report(last)
            self.told = True
        except Refused as fault:
            self.told = fault.reason in ("not-allowed", "not-found")
            self._refused(fault)
        except Unreachable as fault:
            if fault.reason in _FOR_GOOD:
                self._give_up(fault)
        except (LookupError, TypeError, ValueError):
            pass

    def leave(self, end: End) -> None:
        """Leave the end to the next client."""
        task_id = self._task["id"] if self._task else None
        message = message_of(
            self._wanted, self._first, self._end(end), self._wish.socket, task_id, iso(time())
        )
        outbox.keep(message)

    def _end(self, end: End) -> dict[str, Any]:
        code, took, passed = end
        ending: Ending = by_code(code)
        if self._tool is not None and self._reader is not None:
            ending = self._tool.ending(code, self._reader, self._argv)
        if code in self._wish.ok_codes and ending.outcome in (PARTLY, FAILED):
            ending = Ending(COMPLETE, ending.said, None, ending.params)
        stopped = passed if ending.outcome in (PARTLY, FAILED) else None
        source = self._taps.get(_STDERR) or next(iter(self._taps.values()), None)
        words = last_words(source.last) if source is not None and self._wish.output else ""
        found = end_of(ending, code, took, self.program, stopped, words)
        found["metadata"] = {**self._progress.facts, **found["metadata"]}
        return found


def _recognised(wish: Wish) -> tuple[Tool, list[str]] | None:
    try:
        return recognise(wish.command, wish.chosen)
    except Exception:  # a fault of ours costs its progress, not what is told of its end
        return None


def _named(text: str) -> str:
    """What can stand in an id: other characters are minus signs."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)
    name = plain.lstrip("._-")[:60] or "command"
    assert is_name(name, 64)
    return name
