"""Events for ever: over restarts of the daemon, none missing, none of another journal."""

from __future__ import annotations

import time

from kaspad_taskd.client.faults import Refused
from kaspad_taskd.client.wire import Unreachable

TYPE_CHECKING = False  # importing typing would cost the command line a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    class Source(Protocol):
        """The events of one connection."""

        seq: int
        journal: str

        def each(self, idle: Callable[[], None] | None) -> Iterator[dict[str, Any]]:
            """Yield until it ends; `idle` is called while nothing comes."""

        def close(self) -> None:
            """Let it go."""


_PAUSE = 0.05
_GAP = -32007


class Following:
    """One reader of the journal, who knows where it is and whose journal that is.

    Args:
        subscribe: opens a source: `Client.subscribe`.
        ask: calls a method: `Client.call`.
        tasks: ids; None is all.
        lost: called with each loss of the connection; may raise to end.
        idle: called at least every second while nothing comes; may raise to end.
        gap: called when it has to start over; None: that is raised.
        fresh: called with each source that begins now, before its first event.
    """

    def __init__(
        self,
        subscribe: Callable[[int | None, Sequence[str] | None, str | None], Source],
        ask: Callable[[str, object], Any],
        tasks: Sequence[str] | None,
        lost: Callable[[Unreachable], None] | None,
        idle: Callable[[], None] | None,
        gap: Callable[[Refused], None] | None,
        fresh: Callable[[Any], None] | None = None,
    ) -> None:
        self._subscribe = subscribe
        self._ask = ask
        self._tasks = tasks
        self._lost = lost
        self._idle = idle
        self._gap = gap
        self._fresh = fresh
        self._seq: int | None = None
        self._journal: str | None = None
        self._last: dict[str, Any] | None = None  # on record, as it was told

    def run(
        self, after: int | None, journal: str | None, last: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield events.

        Args:
            after: the last `seq` that is known; None begins now.
            journal: whose number that is.
            last: the last event on record that was told, if somebody kept it.

        Raises:
            Refused: `gap`, where nobody is called.
            Unreachable: there was no daemon at the beginning.
        """
        self._seq, self._journal, self._last = after, journal, last
        source = self._open()
        while True:
            fault: Unreachable | Refused
            try:
                for event in source.each(self._idle):
                    self._note(event)
                    yield event
            except (Unreachable, Refused) as ended:
                fault = ended
            finally:
                source.close()
            source = self._again(fault) if isinstance(fault, Unreachable) else self._anew(fault)

    def _note(self, event: dict[str, Any]) -> None:
        self._seq = max(self._seq or 0, event["seq"])
        if event["event"] != "sync:progress":  # that is state, and stands in no journal
            self._last = event

    def _again(self, fault: Unreachable) -> Source:
        while True:
            if self._lost:
                self._lost(fault)
            if self._idle:
                self._idle()
            time.sleep(_PAUSE)
            try:
                return self._open()
            except Unreachable as again:
                fault = again

    def _open(self) -> Source:
        """Go on where we are, if that is still somewhere."""
        if self._seq is None:
            return self._begin()
        try:
            source = self._subscribe(self._seq, self._tasks, self._journal)
        except Refused as fault:
            return self._anew(fault)
        try:
            other = self._is_other()
        except BaseException:
            source.close()
            raise
        if other is not None:
            source.close()
            return self._anew(other)
        return self._at(source)

    def _at(self, source: Source) -> Source:
        self._seq, self._journal = source.seq, source.journal or None
        return source

    def _anew(self, fault: Refused) -> Source:
        """Begin now, if somebody wants to know why; nothing that was known counts any more."""
        if fault.reason != "gap" or self._gap is None:
            raise fault
        self._gap(fault)
        self._seq = self._journal = self._last = None
        return self._begin()

    def _begin(self) -> Source:
        source = self._at(self._subscribe(None, self._tasks, None))
        try:
            if self._fresh:
                self._fresh(source)
        except BaseException:
            source.close()
            raise
        return source

    def _is_other(self) -> Refused | None:
        """Why the daemon, whose host was rolled back perhaps, knows our last event otherwise."""
        mine = self._last
        if mine is None:
            return None
        try:
            answer = self._ask("getEvents", {"after": mine["seq"] - 1, "limit": 1})
        except Refused as fault:
            return (
                fault
                if fault.reason == "gap" and mine["seq"] >= fault.data.get("oldest", 0)
                else None
            )
        known = [(one["event"], one["data"].get("timestamp")) for one in answer["events"]]
        same = known == [(mine["event"], mine["data"].get("timestamp"))]
        if same or mine["seq"] < answer["oldest"]:
            return None
        kept = {key: answer[key] for key in ("oldest", "seq")}
        said = f"event {mine['seq']} is another one than was told: the journal was put back"
        return Refused(_GAP, said, {"reason": "gap", "journal": self._journal or "", **kept})
