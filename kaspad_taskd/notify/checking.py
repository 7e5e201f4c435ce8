"""`kaspad-taskd-notify --check`: what is wrong with the settings, and what is not proven."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from kaspad_taskd.config.beside import not_installed
from kaspad_taskd.notify.model import How, Target, Why
from kaspad_taskd.notify.sending import accepts
from kaspad_taskd.notify.settings import Settings, Source, examined
from kaspad_taskd.words import plural, say

OK, BAD = 0, 78


def check(path: Path) -> int:
    """Say every fault of a settings file and of those it names; returns the exit code."""
    settings, wrong = examined(path)
    for fault in wrong:
        print(fault)
    faults = len(wrong)
    for target, verdict, words in judged(settings):
        if verdict == "fault" or not wrong:
            print(f"{target.name}: {words}")
        faults += verdict == "fault"
    if settings.fleet is not None and not wrong:
        for verdict, words in _of_fleet(settings.fleet):
            print(f"fleet: {words}")
            faults += verdict == "fault"
    if faults:
        print(plural("notifier.check.faults", faults), file=sys.stderr)
        return BAD
    print(say("notifier.check.good", file=path))
    return OK


def _of_fleet(source: Source) -> Iterator[tuple[str, str]]:
    try:  # who follows one daemon needs no Redis
        from kaspad_taskd.notify.fleet_check import judged as of_fleet
    except ImportError as fault:
        yield "fault", not_installed(fault)
        return
    yield from of_fleet(source)


def judged(settings: Settings) -> Iterator[tuple[Target, str, str]]:
    """Yield each target with "good", "doubt" or "fault", and a sentence."""
    targets = [each for each in settings.targets if _is_whole(each)]
    for target, outcome in zip(targets, accepts(targets), strict=True):
        if outcome is None:
            yield target, "good", say(f"notifier.check.{target.how}")
        elif outcome.why in (Why.NO_APPRISE, Why.FAULT, Why.TIMEOUT):
            yield target, "doubt", say("notifier.check.doubt", words=outcome.words)
        else:
            yield target, "fault", outcome.words
    if settings.heartbeat is not None:
        yield settings.heartbeat.target, "good", say("notifier.check.webhook")


def _is_whole(target: Target) -> bool:
    """Whether there is something to judge: else it is said already what is missing."""
    if target.how is How.COMMAND:
        return bool(target.command) and target.command[0].startswith("/")
    return bool(target.url)
