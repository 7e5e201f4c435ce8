"""Whether a rule is about a task or service: ids and names, with `*`."""

from __future__ import annotations

import re
from functools import lru_cache

from kaspad_taskd.notify.change import Gone, Subject
from kaspad_taskd.notify.model import Kind, Rule


def concerns(rule: Rule, about: Subject) -> bool:
    """Whether those of a rule want to hear of somebody; whose host is theirs is asked before.

    What is of no task or service (a warning, the daemon) concerns who takes all.
    """
    if about.of == Gone.ENGINE and "*" not in rule.hosts:
        return False
    if "*" in rule.tasks:
        return True
    return any(_pattern(each).fullmatch(label) for each in rule.tasks for label in about.labels)


def is_of(rule: Rule, host: str) -> bool:
    """Whether those of a rule want to hear of a host; "": of what is of no host."""
    if "*" in rule.hosts:
        return True
    return bool(host) and any(_pattern(each).fullmatch(host) for each in rule.hosts)


def wants(rule: Rule, kind: Kind, about: Subject) -> bool:
    """Whether those of a rule want to hear this of somebody."""
    return kind in rule.on and concerns(rule, about)


@lru_cache(maxsize=1024)
def _pattern(given: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in given.split("*")), re.DOTALL)
