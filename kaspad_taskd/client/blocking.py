"""A blocking client: JSON-RPC 2.0 on the daemon's Unix socket.

Standard library only.
"""

from __future__ import annotations

import time

from kaspad_taskd.client.faults import Refused
from kaspad_taskd.client.wire import Unreachable, Wire, candidates, connect

TYPE_CHECKING = False  # importing typing would cost the command line a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Any

PATIENCE = 1.0
"""Seconds for which connecting is tried again: a daemon that restarts is back by then."""
_TICK = 1.0


class Client:
    """A connection to the daemon, made when first needed, and again after it was lost.

    Not for use by several threads at once.

    Args:
        path: the socket; None looks for the system's, then the user's own.
        timeout: seconds that an answer may take.
        patience: seconds for which connecting is tried again.
    """

    def __init__(
        self, path: str | None = None, timeout: float = 30.0, patience: float = PATIENCE
    ) -> None:
        self._paths = [path] if path else candidates()
        self._timeout = timeout
        self._patience = patience
        self._wire: Wire | None = None
        self._last_id = 0

    @property
    def path(self) -> str:
        """The socket in use, or the first that will be tried."""
        return self._wire.path if self._wire else self._paths[0]

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go; the next call makes a new one."""
        if self._wire:
            self._wire.close()
            self._wire = None

    def call(self, method: str, params: object = None, timeout: float | None = None) -> Any:
        """Call a method and return its result.

        Args:
            method: by its name on the wire ("getTask").
            params: a dict by name, a list in order, or None for none.
            timeout: seconds for this answer, else the client's own.

        Raises:
            Refused: the daemon said no.
            Unreachable: there is no daemon, or no answer; whether a change was made is then
                not known if the reason is "timeout" or "closed".
        """
        request: dict[str, Any] = {"jsonrpc": "2.0", "id": self._next(), "method": method}
        if params is not None:
            request["params"] = params
        wait = self._timeout if timeout is None else timeout
        try:
            return self._answer(self._sent(request, wait), request["id"], wait)
        except Unreachable:
            self.close()  # a late answer would be taken for the next one's
            raise

    def _next(self) -> int:
        self._last_id += 1
        return self._last_id

    def _sent(self, request: object, timeout: float) -> Wire:
        kept = self._wire
        if kept:
            try:
                kept.send(request)
            except Unreachable:  # ended since the last call: nothing of this one has arrived
                self.close()
            else:
                return kept
        self._wire = connect(self._paths, timeout, self._patience)
        self._wire.send(request)
        return self._wire

    def _answer(self, wire: Wire, request_id: int, timeout: float) -> Any:
        deadline = time.monotonic() + timeout
        while True:
            answer = wire.receive(deadline - time.monotonic())
            if answer.get("id") == request_id:
                return _result(answer, wire.path)
            if answer.get("id") is None and "error" in answer:
                return _result(answer, wire.path)

    def subscribe(
        self,
        after: int | None = None,
        tasks: Sequence[str] | None = None,
        journal: str | None = None,
    ) -> Subscription:
        """Return the events from now on, or those that followed `after`, on their own connection.

        Args:
            after: the last one known; None begins now.
            tasks: ids; None is all.
            journal: whose number `after` is, `Subscription.journal` of then.

        Raises:
            Refused: `gap`: what followed `after` is no longer kept, or the journal is another one
                by now (`data["journal"]`); subscribe without both.
            Unreachable: there is no daemon.
        """
        paths = [self._wire.path] if self._wire else self._paths
        return Subscription(connect(paths, self._timeout, self._patience), after, tasks, journal)

    def events(
        self,
        after: int | None = None,
        tasks: Sequence[str] | None = None,
        lost: Callable[[Unreachable], None] | None = None,
        idle: Callable[[], None] | None = None,
        journal: str | None = None,
        gap: Callable[[Refused], None] | None = None,
        fresh: Callable[[Subscription], None] | None = None,
        last: dict[str, Any] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield events `{seq, event, data}` for ever, over restarts of the daemon, none missing.

        Args:
            after: begin behind this `seq`; None begins now.
            tasks: ids; None is all.
            lost: called with each loss of the connection; may raise to end. None goes on for ever.
            idle: called at least every second while nothing comes; may raise to end.
            journal: whose number `after` is.
            gap: called when events are missing, or the daemon has another journal (it was restored,
                rebuilt, rolled back): what was known of its tasks is to be asked for anew. Then it
                goes on from now. May raise to end; None raises it.
            fresh: called with each subscription that begins now, which has the tasks of then: at
                the beginning without `after`, and after each `gap`. May raise to end.
            last: the last event of `journal` that was told, for who kept it: a host that was put
                back is found out by it.

        Raises:
            Refused: `gap`, as in `subscribe`, where nobody is called.
            Unreachable: there was no daemon at the beginning.
        """
        from kaspad_taskd.client.following import Following  # who asks once needs none

        following = Following(self.subscribe, self.call, tasks, lost, idle, gap, fresh)
        return following.run(after, journal, last)


class Subscription:
    """Events of one connection, until it ends.

    Attributes:
        seq: of the last event before the first one told.
        journal: the identity of the journal that `seq` is of, "" of a daemon that knows none.
        tasks: all tasks as they were at `seq` (only without `after`).
    """

    def __init__(
        self,
        wire: Wire,
        after: int | None,
        tasks: Sequence[str] | None,
        journal: str | None = None,
    ) -> None:
        self._wire = wire
        params: dict[str, Any] = {}
        if after is not None:
            params["after"] = after
        if tasks is not None:
            params["tasks"] = list(tasks)
        if journal:
            params["journal"] = journal
        try:
            wire.send({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params})
            answer = wire.receive(wire.socket.gettimeout() or PATIENCE)
            result = _result(answer, wire.path)
        except BaseException:
            wire.close()
            raise
        self.seq: int = result["seq"]
        self.journal: str = result.get("journal") or ""
        self.tasks: list[dict[str, Any]] = result.get("tasks") or []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield events until the connection ends: then Unreachable is raised."""
        return self.each(None)

    def each(self, idle: Callable[[], None] | None) -> Iterator[dict[str, Any]]:
        """Yield events as `iter` does; `idle` is called each second without one, and may raise."""
        while True:
            event = self.next(_TICK if idle else 3600.0)
            if event:
                yield event
            elif idle:
                idle()

    def next(self, timeout: float) -> dict[str, Any] | None:
        """Return the next event `{seq, event, data}`, or None: there was none for `timeout` s.

        Raises:
            Unreachable: the connection has ended.
            Refused: `gap`: this reader was too slow, subscribe anew.
        """
        try:
            message = self._wire.receive(timeout)
        except Unreachable as fault:
            if fault.reason == "timeout":
                return None
            raise
        if "error" in message:
            _result(message, self._wire.path)
        params = message.get("params")
        return params if message.get("method") == "event" and isinstance(params, dict) else None

    def close(self) -> None:
        """Let the connection go."""
        self._wire.close()


def _result(answer: dict[str, Any], path: str) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        data = error.get("data")
        raise Refused(
            error.get("code", 0),
            str(error.get("message", "")),
            data if isinstance(data, dict) else None,
        )
    if "result" not in answer:
        raise Unreachable("not-taskd", path)
    return answer["result"]
