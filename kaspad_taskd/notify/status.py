"""What is shown of the notifier: a file for `kaspad-taskctl notify`, and a line for systemd.

The notifier listens nowhere; who may look reads `status.json`, which has no address in it. The unit
lets it belong to the group kaspad-taskd-read: who may look at the daemon may look at this.
"""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.clock import iso
from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.notify.delivery import Entry, Fate
from kaspad_taskd.notify.kept import outcome_dict
from kaspad_taskd.notify.model import Moment, Outcome
from kaspad_taskd.notify.outbox import Outbox
from kaspad_taskd.notify.settings import Settings
from kaspad_taskd.version import __version__
from kaspad_taskd.words import plural, say

FILE: Final = "status.json"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Condition:
    """How the program is doing.

    Attributes:
        started: when it began.
        answers: whether the daemon does, and is heard.
        since: since when.
        hosts: of a fleet, how many there are, and how many are silent.
        unsaved: why what is known is not on disk, "" where it is.
        refused: why newer settings do not hold, "" where they do.
        beat: what came of the last heartbeat.
        beat_at: when that was.
    """

    started: Moment
    answers: bool = False
    since: Moment = 0
    unsaved: str = ""
    refused: str = ""
    beat: Outcome | None = None
    beat_at: Moment | None = None
    hosts: tuple[int, int] | None = None


def line(condition: Condition, outbox: Outbox, settings: Settings) -> str:
    """Return the status as one line."""
    parts = []
    if not condition.answers:
        key = "silent" if condition.hosts is None else "engine"
        parts.append(say(f"notifier.status.{key}"))
    elif condition.hosts is not None:
        known, silent = condition.hosts
        parts.append(plural("notifier.status.hosts", known))
        if silent:
            parts.append(say("notifier.status.silent-hosts", n=silent))
    if condition.unsaved:
        parts.append(say("notifier.status.unsaved"))
    if condition.refused:
        parts.append(say("notifier.status.refused"))
    if waiting := len(outbox.waiting()):
        parts.append(plural("notifier.status.waiting", waiting))
    if failed := sum(entry.fate is Fate.FAILED for entry in outbox.ended()):
        parts.append(plural("notifier.status.failed", failed))
    parts.append(plural("notifier.status.listening", len(settings.rules)))
    return "; ".join(parts)


class StatusFile:
    """The file, written where something is new.

    Args:
        directory: of the state.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._sparing = Sparing()
        self._written = ""

    def show(
        self,
        condition: Condition,
        outbox: Outbox,
        settings: Settings,
        now: Moment,
        ahead: int = 0,
    ) -> None:
        """Write how things are; a full disk keeps nobody from going on.

        `ahead`: what clocks on the wall are ahead of `now`; less than half a second is none.
        """
        ahead = round(ahead / 1000) * 1000
        found = shown(condition, outbox, settings, ahead)
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        if text == self._written:
            return
        whole = json.dumps({**found, "at": iso(now + ahead)}, ensure_ascii=False)
        try:
            write_atomically(self._path, whole.encode(), 0o640)
        except OSError as fault:
            if self._sparing.may(fault.errno) is not None:
                log.warning("%s cannot be written: %s", self._path, fault.strerror or fault)
        else:
            self._written = text


def shown(
    condition: Condition, outbox: Outbox, settings: Settings, ahead: int = 0
) -> dict[str, Any]:
    """Return what the file says, in times as clocks show them."""
    names = {place: target.name for place, target in settings.places().items()}
    return {
        "version": __version__,
        "pid": os.getpid(),
        "started": iso(condition.started + ahead),
        "daemon": {"answers": condition.answers, "since": iso(condition.since + ahead)},
        "fleet": _fleet(condition),
        "unsaved": condition.unsaved or None,
        "refused": condition.refused or None,
        "heartbeat": _beat(condition, settings, ahead),
        "targets": _targets(names, outbox),
        "messages": _messages([*outbox.ended(), *outbox.waiting()], outbox, names, ahead),
    }


def _fleet(condition: Condition) -> dict[str, int] | None:
    if condition.hosts is None:
        return None
    return {"hosts": condition.hosts[0], "silent": condition.hosts[1]}


def _beat(condition: Condition, settings: Settings, ahead: int) -> dict[str, Any] | None:
    if settings.heartbeat is None:
        return None
    outcome, at = condition.beat, condition.beat_at
    return {
        "at": None if at is None else iso(at + ahead),
        "outcome": None if outcome is None else outcome_dict(outcome),
    }


def _targets(names: Mapping[str, str], outbox: Outbox) -> list[dict[str, Any]]:
    waiting = Counter(entry.place for entry in outbox.waiting())
    return [
        {"name": name, "waiting": waiting[place], "failures": outbox.lane(place).failures}
        for place, name in names.items()
    ]


def _messages(
    entries: Iterable[Entry], outbox: Outbox, names: Mapping[str, str], ahead: int
) -> list[dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda entry: entry.number):
        message = outbox.message(entry)
        if message.id not in told:
            told[message.id] = {
                "id": message.id, "rule": message.rule, "kind": str(message.kind),
                "title": message.title, "text": message.text, "made": iso(message.made), "to": [],
            }  # fmt: skip
        told[message.id]["to"].append(_way(entry, names.get(entry.place, entry.place), ahead))
    return list(told.values())


def _way(entry: Entry, name: str, ahead: int) -> dict[str, Any]:
    return {
        "target": name,
        "fate": str(entry.fate),
        "tries": entry.tries,
        "at": None if entry.at is None else iso(entry.at + ahead),
        "next": iso(entry.due + ahead) if entry.fate is Fate.WAITING else None,
        "outcome": None if entry.outcome is None else outcome_dict(entry.outcome),
    }
