"""What is told of a task that is complete and kept watch on (contract section 2, Keeping watch).

The fields alone; words/task.py makes sentences of them.
"""

from __future__ import annotations

from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    SayWhen = Callable[[float, float], str]

TROUBLE = ("behind", "stalled", "unreachable")
"""Conditions of a watched task that somebody should look at."""
CONDITIONS = ("in-sync", *TROUBLE, "watch-paused", "clock-wrong", "first-look", "unseen")
"""All of them; only `in-sync` is known to be well."""
SYNCS = ("node-sync", "indexer-sync")
"""Types that are in sync, or so far behind; of others it can be said alone what they are not."""


def kept(task: Mapping[str, Any]) -> bool:
    """Whether it is complete and there is a watch over it, be it paused."""
    return task.get("status") == "complete" and task.get("watch") in ("on", "paused")


def looked_at(task: Mapping[str, Any]) -> bool:
    """Whether looks are taken at it now: in progress, or complete with its watch on."""
    return task.get("status") == "in-progress" or (kept(task) and task["watch"] == "on")


def condition(task: Mapping[str, Any]) -> str:
    """Return the one word for a watched task, of `CONDITIONS`; its services are not regarded.

    Of one that is not known to be well: its watch is paused, the clock is wrong, it was not looked
    at yet, or it was, and has not been found well.
    """
    health = str(task.get("health"))
    if task.get("watch") == "paused":
        return "watch-paused"
    if health in TROUBLE:
        return health
    if health == "ok":
        return "in-sync"
    if task.get("reason") == "clock-skew":
        return "clock-wrong"
    checked, since = seconds_of(task.get("lastChecked")), seconds_of(task.get("healthSince"))
    return "first-look" if checked is None or checked <= (since or checked) else "unseen"


def key(task: Mapping[str, Any], where: str) -> str:
    """Return the key of its sentence: `kept.headline.behind` for "headline"."""
    now = condition(task)
    lapsed = now == "behind" and task.get("type") not in SYNCS
    return f"kept.{where}.{'lapsed' if lapsed else now}"


def word(task: Mapping[str, Any]) -> str:
    """Return what it is while all is well: `in sync`."""
    return maybe(f"kept.word.{task.get('type')}") or say("kept.word.other")


def well_since(task: Mapping[str, Any]) -> float | None:
    """Return since when it is in sync, in trouble since when it is complete; s since 1970 UTC."""
    ended = seconds_of(task.get("completedAt"))
    since = seconds_of(task.get("healthSince")) if task.get("health") == "ok" else None
    return since if ended is None else max(ended, since or ended)


def since(task: Mapping[str, Any], now: float) -> int:
    """Return for how many whole seconds it is as it is, 1 at least; stalled: since it moved."""
    moved = task.get("lastMoved") if task.get("health") == "stalled" else None
    began = seconds_of(moved) or seconds_of(task.get("healthSince"))
    return max(1, int(now - began)) if began else 1


def params(task: Mapping[str, Any], now: float, say_when: SayWhen = when) -> dict[str, object]:
    """Return what its sentences name but for `name` and `why`; what is not known is None.

    `say_when`: how a moment is told where this is read.
    """
    began, well = seconds_of(task.get("healthSince")), well_since(task)
    checked = seconds_of(task.get("lastChecked"))
    return {
        "word": word(task),
        "well": say_when(well, now) if well else None,
        "when": say_when(began, now) if began else None,
        "since": since(task, now),
        "behind": task.get("behind"),
        "ago": max(0, int(now - checked)) if checked else None,
    }
