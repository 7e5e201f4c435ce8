"""A scripted daemon on a real Unix socket: answers from a table, tells events when told to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.fakes.patience import PATIENCE

Answer = Any
"""A result; an Exception of ours (Error); a function of the parameters."""


class Error(Exception):
    """A JSON-RPC error to answer with."""

    def __init__(self, code: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "data": data}


class Hangup(Exception):
    """Answer with the end of the connection."""


class ScriptedTaskd:
    """Serves in threads. `answers` may be changed at any time; `asked` are the requests so far.

    What is in `asked` has its answer: it is not changed by what becomes of `answers` afterwards.
    """

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self.path = path
        self.answers = dict(answers)
        self.asked: list[tuple[str, Any]] = []
        self.subscribed = threading.Event()
        self._news = threading.Condition()
        self._telling = threading.Lock()  # who has read its answer hears everything told after it
        self._subscribers: list[socket.socket] = []
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(16)
        self._run(self._accept, self._listener)

    def stop(self) -> None:
        """Go away as a killed daemon does: the socket file stays, nobody listens on it."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown(socket.SHUT_RDWR)
        threads, self._threads = self._threads, []
        threads[0].join()  # nobody comes in any more
        listener.close()
        self.drop()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(PATIENCE)

    def wait_asked(self, method: str, times: int) -> None:
        """Return when a method was asked so often."""
        with self._news:
            assert self._news.wait_for(lambda: self.times(method) >= times, PATIENCE), self.asked

    def times(self, method: str) -> int:
        """How often a method was asked."""
        return [name for name, _params in self.asked].count(method)

    def tell(self, seq: int, event: str, **data: Any) -> None:
        """Send an event to every subscriber that is still there."""
        params = {"seq": seq, "event": event, "data": {"seq": seq, **data}}
        line = json.dumps({"jsonrpc": "2.0", "method": "event", "params": params}) + "\n"
        with self._telling:
            for one in self._subscribers:
                with suppress(OSError):
                    one.sendall(line.encode())

    def drop(self) -> None:
        """End every connection; new ones are taken."""
        with self._telling:  # who subscribes again, as soon as it hears of its end, is a new one
            self._subscribers.clear()
            self.subscribed.clear()
        for one in [*self._open]:
            self._end(one)

    def _end(self, one: socket.socket) -> None:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            self._open.append(one)
            self._run(self._serve, one)

    def _serve(self, one: socket.socket) -> None:
        with one, one.makefile("rb") as lines:
            try:
                for line in lines:
                    self._answer(one, json.loads(line))
            except (OSError, Hangup):
                self._end(one)
        self._open.remove(one)

    def _answer(self, one: socket.socket, request: Mapping[str, Any]) -> None:
        method, params = request["method"], request.get("params")
        answer = self.answers.get(method, Error(-32601, "no such method"))
        with self._news:
            self.asked.append((method, params))
            self._news.notify_all()
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, Hangup):
            raise answer
        if isinstance(answer, bytes):
            one.sendall(answer)
            return
        body = {"error": answer.body} if isinstance(answer, Error) else {"result": answer}
        line = json.dumps({"jsonrpc": "2.0", "id": request["id"], **body}).encode() + b"\n"
        if method != "subscribe":
            one.sendall(line)
            return
        with self._telling:
            one.sendall(line)
            self._subscribers.append(one)
            self.subscribed.set()


@contextmanager
def scripted(path: Path, answers: Mapping[str, Answer]) -> Iterator[ScriptedTaskd]:
    """A scripted daemon for the time of a test."""
    taskd = ScriptedTaskd(path, answers)
    taskd.start()
    try:
        yield taskd
    finally:
        taskd.stop()


def answering(tasks: list[dict[str, Any]]) -> dict[str, Answer]:
    """The answers of a daemon that has these tasks."""

    def by(field: str, name: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda params: [task for task in tasks if task[field] == params[name]]

    def get(params: Mapping[str, Any]) -> Any:
        return next((task for task in tasks if task["id"] == params["taskId"]), None)

    return {
        "getAllTasks": lambda _params: tasks,
        "getTask": get,
        "getTasksByService": by("service", "service"),
        "getTasksByType": by("type", "type"),
        "subscribe": lambda _params: {"seq": 1042, "tasks": tasks},
        "getInfo": {"host": "node-1", "version": "1.0.0"},
    }
