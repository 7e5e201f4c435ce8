"""Many questions to the daemon at once, on one connection, until a moment that is fixed before."""

from __future__ import annotations

import time

from kaspad_taskd.client import Unreachable
from kaspad_taskd.client.wire import Wire

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    Question: TypeAlias = tuple[str, dict[str, Any] | None]
    """A method and its parameters."""

AT_ONCE = 32
"""The daemon takes 64 of a connection at once."""


class Answer:
    """What became of a question.

    Attributes:
        took: seconds from asking to the answer; None: none came in time.
        result: the daemon's, None where it refused or has not answered.
        reason: why it refused, or None.
    """

    def __init__(self) -> None:
        self.took: float | None = None
        self.result: Any = None
        self.reason: str | None = None


def ask(path: str, questions: Sequence[Question], within: float) -> list[Answer]:
    """Return an answer to each question, in their order.

    Args:
        path: the daemon's socket.
        questions: the most important first: those that are not reached are not asked.
        within: seconds for all of them.
    """
    answers = [Answer() for _ in questions]
    deadline = time.monotonic() + within
    try:
        wire = Wire(path, within)
    except OSError:
        return answers
    try:
        _exchange(wire, questions, answers, deadline)
    except Unreachable:  # out of time, or the daemon went: what came has come
        pass
    finally:
        wire.close()
    return answers


def _exchange(
    wire: Wire, questions: Sequence[Question], answers: list[Answer], deadline: float
) -> None:
    asked: dict[int, float] = {}
    following = iter(range(len(questions)))
    while True:
        while len(asked) < AT_ONCE and (number := next(following, None)) is not None:
            method, params = questions[number]
            request = {"jsonrpc": "2.0", "id": number, "method": method}
            wire.send(request if params is None else {**request, "params": params})
            asked[number] = time.monotonic()
        if not asked:
            return
        message = wire.receive(deadline - time.monotonic())
        if message.get("id") in asked:
            number = message["id"]
            _take(answers[number], message, time.monotonic() - asked.pop(number))


def _take(answer: Answer, message: dict[str, Any], took: float) -> None:
    answer.took = took
    answer.result = message.get("result")
    if "error" in message:
        error = message["error"] if isinstance(message["error"], dict) else {}
        answer.reason = str((error.get("data") or {}).get("reason") or error.get("code"))
