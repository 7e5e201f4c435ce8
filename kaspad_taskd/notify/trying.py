"""A message on trial: `kaspad-taskctl notify test` asks for it by a file in the state's directory.

Only who may write there can ask: root, or whose notifier it is. It is sent by this program, from
its sandbox, with the settings that hold, as any other message is: what works there works.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.clock import iso
from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.kept import outcome_dict
from kaspad_taskd.notify.model import Kind, Message, Moment, Outcome, Target
from kaspad_taskd.notify.settings import Settings
from kaspad_taskd.words import say

REQUEST: Final = "test.json"
ANSWER: Final = "test.answer.json"
MAX_BYTES: Final = 4096
_ID: Final = re.compile(r"[0-9a-f]{1,32}")

log = logging.getLogger(__name__)


@frozen
class Asked:
    """Somebody wants to see whether messages arrive.

    Attributes:
        id: by which the answer is known.
        name: of a `[[to]]`; None: of all.
    """

    id: str
    name: str | None = None


def look(directory: Path) -> Asked | None:
    """Return what is asked for, once, or None. Blocks, on a regular file of a few bytes only."""
    path = directory / REQUEST
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(handle, MAX_BYTES)
        path.unlink()
    except OSError:
        return None
    finally:
        os.close(handle)
    return _asked(data)


def _asked(data: bytes) -> Asked | None:
    try:
        given = json.loads(data)
        id_, name = given["id"], given["name"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        return None
    return Asked(id_, name if isinstance(name, str) else None)


@dataclass(slots=True)
class Test:
    """One that is under way.

    Attributes:
        asked: by whom.
        waiting: places that are to be tried yet, with their targets.
        under_way: places where it is being tried.
        results: what came of the others.
    """

    asked: Asked
    waiting: dict[str, Target]
    under_way: set[str] = field(default_factory=set)
    results: list[dict[str, Any]] = field(default_factory=list)


class Tests:
    """Messages on trial, one request after the other.

    Args:
        directory: of the state, where the answers are written.
    """

    __test__ = False  # nothing of pytest

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._now: Test | None = None
        self._asked = Asked("")

    @property
    def asked(self) -> Asked:
        """What was asked for last."""
        return self._asked

    def begin(self, asked: Asked, settings: Settings) -> None:
        """Begin one; one that is under way is not answered any more."""
        places = settings.places(asked.name)
        self._asked = asked
        self._now = Test(asked, dict(places))
        if not places:
            known = [rule.name for rule in settings.rules]
            self._answer({"problem": "unknown" if known else "nobody", "known": known})

    def next(self, busy: frozenset[str]) -> tuple[str, Target] | None:
        """Return a place that is to be tried now, if there is one."""
        if self._now is None:
            return None
        for place, target in self._now.waiting.items():
            if place not in busy:
                del self._now.waiting[place]
                self._now.under_way.add(place)
                return place, target
        return None

    def note(self, place: str, name: str, outcome: Outcome, took: float) -> None:
        """Note what came of one; the answer is written when all are known."""
        if self._now is None or place not in self._now.under_way:
            return
        self._now.under_way.discard(place)
        told = {"target": name, "took": round(took, 2), **outcome_dict(outcome)}
        self._now.results.append(told)
        if not self._now.waiting and not self._now.under_way:
            self._answer({"results": self._now.results})

    def _answer(self, answer: Mapping[str, Any]) -> None:
        test, self._now = self._now, None
        if test is None:
            return
        data = json.dumps({"id": test.asked.id, **answer}, ensure_ascii=False).encode()
        try:
            write_atomically(self._directory / ANSWER, data, 0o640)
        except OSError as fault:
            log.warning("the answer to a test cannot be written: %s", fault)


def message(series: str, asked: Asked, settings: Settings, rule: str, now: Moment) -> Message:
    """Return the message that is sent on trial."""
    title = say("notifier.test.title", host=settings.host)
    text = say("notifier.test.text", rule=rule, host=settings.host, at=iso(now))
    return Message(
        f"{series}-test-{asked.id[:8]}",
        rule,
        now,
        Kind.COMPLETE,
        (),
        title,
        text,
        settings.page_url,
    )
