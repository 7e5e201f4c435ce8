"""What a daemon is told that knows less of reports than this client."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.cli.run.older import Reports, plain
from kaspad_taskd.client import Refused

KNOWN = {"taskId", "progress", "completed", "error", "metadata"}


class Daemon:
    """Takes what the first `reportTask` took, and refuses whole requests for anything else."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refused = 0

    def __call__(self, method: str, params: dict[str, Any]) -> Any:
        if method == "reportTask" and params.keys() - KNOWN:
            self.refused += 1
            raise Refused(-32602, "unknown", {"reason": "invalid-params"})
        self.asked.append(params)
        return {"task": {}}


def test_it_gets_what_it_knows() -> None:
    """It refuses once; from then on a report is a share, facts and the end."""
    daemon = Daemon()
    call = Reports(daemon)
    call("reportTask", {"taskId": "a", "pid": 1, "startTime": "x", "metadata": {"program": "dd"}})
    call("reportTask", {"taskId": "a", "pid": 1, "done": 1.0, "total": 4.0, "unit": "bytes"})
    call("reportTask", {"taskId": "a", "pid": 1, "completed": True, "warning": "w"})
    call("registerTask", {"id": "b"})
    assert daemon.refused == 1
    assert daemon.asked == [
        {"taskId": "a", "metadata": {"program": "dd"}},
        {"taskId": "a", "progress": 25.0},
        {"taskId": "a", "completed": True, "metadata": {"warning": "w"}},
        {"id": "b"},
    ]


@pytest.mark.parametrize(
    "more", [{"growing": True}, {"phase": "reading"}, {"total": 0}, {"total": None}]
)
def test_it_gets_no_share_of_what_has_none(more: dict[str, Any]) -> None:
    """Of one phase, or of a total that is not the last one, there is no share of it all."""
    assert plain({"taskId": "a", "done": 1, "total": 2, **more}) == {"taskId": "a"}


def test_all_is_done_when_it_has_ended() -> None:
    """A share of 100 % would be the end for it."""
    assert plain({"taskId": "a", "done": 2, "total": 2})["progress"] < 100


def test_other_refusals_are_the_callers_affair() -> None:
    """What is no question of what it knows is not asked again."""

    def call(method: str, params: dict[str, Any]) -> Any:
        asked.append(method)
        raise Refused(-32002, "no", {"reason": "conflict"})

    asked: list[str] = []
    with pytest.raises(Refused):
        Reports(call)("reportTask", {"taskId": "a", "pid": 1})
    assert asked == ["reportTask"]
