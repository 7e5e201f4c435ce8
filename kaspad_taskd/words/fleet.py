"""What is said of a host of a fleet, as `kaspad-taskd-hub --once --json` has it."""

from __future__ import annotations

from kaspad_taskd.words.moment import when
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    WireHost: TypeAlias = Mapping[str, Any]
    """A host: verdict, since, gone, labels, tasks and ill (how many), gap, fault."""

VERDICTS = ("trouble", "silent", "daemon-away", "unknown", "ok")
"""Trouble first, silence second."""


def verdict(host: WireHost) -> str:
    """Return how it is, in a word or two; one of a later version stands for itself."""
    return maybe(f"fleet.verdict.{host['verdict']}") or safe(host["verdict"], 40)


def since(host: WireHost, now: float) -> str | None:
    """Return since when it is so, by a local time; None: nobody knows.

    `now`: seconds since 1970 UTC.
    """
    return None if host["since"] is None else when(host["since"] / 1000, now)


def gone(host: WireHost) -> str | None:
    """Return which part of it gives no sign; None: each does, or nobody can tell."""
    if host["gone"] is not None:
        return say(f"fleet.gone.{host['gone']}")
    never = host["since"] is None and host["verdict"] == "unknown"
    return say("fleet.gone.never") if never else None


def remarks(host: WireHost) -> Iterator[str]:
    """What is said beside it: what is gone, how many tasks, what is missing, what is strange."""
    missing = gone(host)
    if missing is not None:
        yield missing
    yield plural("fleet.tasks", host["tasks"])
    if host["ill"]:
        yield say("fleet.ill", n=host["ill"])
    if host["gap"]:
        yield say("fleet.gap", **host["gap"])
    if host["fault"]:
        yield say("fleet.fault", fault=safe(host["fault"], 400))


def labels(host: WireHost) -> list[str]:
    """Return the labels that it has: `site=Vienna`."""
    return [f"{safe(name, 64)}={safe(value, 100)}" for name, value in host["labels"].items()]


def summary(counts: Mapping[str, int]) -> str:
    """Return how many hosts are well, and how the others are; `counts`: hosts by verdict."""
    total, well = sum(counts.values()), counts.get("ok", 0)
    if well == total:
        return plural("fleet.well", total)
    others = [
        say(f"fleet.count.{each}", n=counts[each]) for each in VERDICTS[:-1] if each in counts
    ]
    return say("fleet.some", well=well, n=total, others=", ".join(others))
