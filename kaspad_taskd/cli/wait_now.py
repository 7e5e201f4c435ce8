"""`wait --now`: no waiting; each task is asked at this moment whether it is in sync."""

from __future__ import annotations

import time

from kaspad_taskd.cli.arguments import of_all
from kaspad_taskd.cli.bars import time_left
from kaspad_taskd.cli.complaints import tell
from kaspad_taskd.cli.ending import FAILED, NOT_IN_SYNC, TIMED_OUT, code_of, worst
from kaspad_taskd.cli.faults import Fault
from kaspad_taskd.cli.filters import called, is_pattern
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.wait_shown import verdict
from kaspad_taskd.client import Refused
from kaspad_taskd.words import kept
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import shared
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run


def run(run: Run) -> int:
    """Ask, say of each how it is now, return the exit code."""
    asking = _Asking(run)
    for name in run.options.task or ["*"]:
        try:
            asking.named(name)
        except (Refused, Fault) as fault:
            if len(run.options.task) == 1:
                raise
            tell(run, fault, name, among=True)
            asking.codes.append(FAILED)
    if not asking.codes and not run.options.json:
        run.screen.say(say("wait.now.nothing"))
    codes = asking.codes or [0]
    return 0 if run.options.any and 0 in codes else worst(codes)


class _Asking:
    """One after the other, each task once.

    Attributes:
        codes: what each of them means for the exit.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._every: list[dict[str, Any]] = run.call("getAllTasks")
        self._alike = shared(self._every)
        self._asked: set[str] = set()
        self.codes: list[int] = []

    def named(self, name: str) -> None:
        """Ask the task of this id or service, or each of such a name. Raises Refused, Fault."""
        for task in _meant(self._run, name, self._every):
            if task["id"] not in self._asked:
                self._asked.add(task["id"])
                alike = task.get("service") in self._alike
                self.codes.append(_one(self._run, {**task, "alike": alike}))


def _meant(run: Run, name: str, every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not is_pattern(name):
        return [find(run, name)]
    return [task for task in called(every, name, all_=run.options.all) if _is_asked(task)]


def _is_asked(task: Mapping[str, Any]) -> bool:
    """Whether --all and patterns mean a task: it goes on, or watch is kept over it."""
    return of_all("wait", task.get("status"), False) or task.get("watch", "none") != "none"


def _one(run: Run, known: dict[str, Any]) -> int:
    try:
        answer: dict[str, Any] = run.call("checkTaskStatus", {"taskId": known["id"]})
    except Refused as fault:
        if fault.reason != "not-found":
            raise
        answer = {"task": None}
    task = answer["task"]
    code = FAILED if task is None else code_now(task, answer.get("inSync"))
    shown = {**known, **(task or {})}
    if run.options.json:
        run.print_json(task or {**known, "removed": True})
    else:
        run.screen.say(said(shown, code))
        if code == NOT_IN_SYNC and shown.get("watch") == "paused":
            run.screen.show([[(say("wait.now.resume", id=shown["id"]), "")]])
    return code


def code_now(task: Mapping[str, Any], in_sync: bool | None) -> int:
    """Return the exit code of a task that was just asked.

    Args:
        task: as it is after the look.
        in_sync: what the daemon says of that look; None: it does not know.
    """
    ended = code_of(task)
    if ended != 0:
        return TIMED_OUT if ended is None else ended
    well = task.get("watch") == "on" and task.get("health") == "ok" and in_sync is not False
    return 0 if well else NOT_IN_SYNC


def said(task: Mapping[str, Any], code: int) -> str:
    """Return how a task is now, as a sentence."""
    if code not in (0, NOT_IN_SYNC, TIMED_OUT):
        return verdict(task, code, 0.0)
    state = words.percent(task, "tilde") or words.state(task)
    since = seconds_of(task.get("healthSince"))
    return say(
        f"wait.now.{_key(task, code)}",
        name=words.name(task),
        id=task["id"],
        word=words.done_word(task),
        why=words.why(task) if task.get("reason") else None,
        when=when(since, time.time()) if since else None,
        behind=task.get("behind"),
        state=state,
        left=time_left(task) if words.left(task) else None,
    )


def _key(task: Mapping[str, Any], code: int) -> str:
    health, watch = str(task.get("health")), task.get("watch", "none")
    if code == TIMED_OUT:
        return "open"
    if code == 0:
        return "ok"
    if watch != "on":
        return "paused" if watch == "paused" else "unwatched"
    if health == "ok":
        return "not-good"
    return health if health in kept.TROUBLE else "unknown"
