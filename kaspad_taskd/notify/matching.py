"""Whether a rule is about a task or service: ids and names, with `*`."""

from __future__ import annotations

import re
from functools import lru_cache

from kaspad_taskd.notify.change import Subject
from kaspad_taskd.notify.model import Kind, Rule


def concerns(rule: Rule, about: Subject) -> bool:
    """Whether those of a rule want to hear of somebody.

    What is of no task or service (a warning, the daemon) concerns who takes all.
    """
    if "*" in rule.tasks:
        return True
    return any(_pattern(each).fullmatch(label) for each in rule.tasks for label in about.labels)


def wants(rule: Rule, kind: Kind, about: Subject) -> bool:
    """Whether those of a rule want to hear this of somebody."""
    return kind in rule.on and concerns(rule, about)


@lru_cache(maxsize=1024)
def _pattern(given: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in given.split("*")), re.DOTALL)
