"""`kaspad-taskd-notify --check`: what is wrong with the settings, and what is not proven."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from kaspad_taskd.notify.model import Target, Why
from kaspad_taskd.notify.sending import accepts
from kaspad_taskd.notify.settings import Settings, load
from kaspad_taskd.words import plural, say

OK, BAD = 0, 78


def check(path: Path) -> int:
    """Say every fault of a settings file and of those it names; returns the exit code."""
    settings = load(path)
    if not isinstance(settings, Settings):
        for fault in settings:
            print(fault)
        print(plural("notifier.check.faults", len(settings)), file=sys.stderr)
        return BAD
    faults = 0
    for target, verdict, words in judged(settings):
        print(f"{target.name}: {words}")
        faults += verdict == "fault"
    if faults:
        print(plural("notifier.check.faults", faults), file=sys.stderr)
        return BAD
    print(say("notifier.check.good", file=path))
    return OK


def judged(settings: Settings) -> Iterator[tuple[Target, str, str]]:
    """Yield each target with "good", "doubt" or "fault", and a sentence."""
    for target, outcome in zip(settings.targets, accepts(settings.targets), strict=True):
        if outcome is None:
            yield target, "good", say(f"notifier.check.{target.how}")
        elif outcome.why in (Why.NO_APPRISE, Why.FAULT, Why.TIMEOUT):
            yield target, "doubt", say("notifier.check.doubt", words=outcome.words)
        else:
            yield target, "fault", outcome.words
    if settings.heartbeat is not None:
        yield settings.heartbeat.target, "good", say("notifier.check.webhook")
