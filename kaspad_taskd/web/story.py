"""What happened, as a list that people read: newest first, an outage and its end in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from kaspad_taskd.web.moment import day, minute
from kaspad_taskd.words.apart import owners, shared
from kaspad_taskd.words.event import called, sentence
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.sentences import say

Event: TypeAlias = Mapping[str, Any]


def story(events: Sequence[Event], tasks: Iterable[Event] = ()) -> list[dict[str, Any]]:
    """Return entries, newest first: `seq`, `at` (ISO), `when`, `day`, `name`, `id`, `text`.

    `day` is "" but for the first of a day. An outage that has ended is one entry at its beginning:
    "not reachable for 3 min: ...", and so is one that was behind. A switch is one entry at its
    newest state: its steps are the services' to show. Tasks that share a service, of `tasks` or of
    the events, have their ids in the names.
    """
    alike = shared(owners(events)) | shared(tasks)
    entries: list[dict[str, Any]] = []
    open_outages: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "sync:progress":
            continue
        entry = _entry(event, alike)
        if entry["switch"]:
            entries = [each for each in entries if each["switch"] != entry["switch"]]
            entries.append(entry)
            continue
        health = event["data"].get("health") if event["event"] == "sync:health" else None
        began = open_outages.pop(entry["id"], None)
        if health == "ok" and began is not None:
            _fold(began, entry)
            continue
        if health in ("unreachable", "behind"):
            open_outages[entry["id"]] = {
                **entry,
                "why": _why(event),
                "health": health,
                "entry": entry,
            }
        entries.append(entry)
    return _with_days(entries[::-1])


def _entry(event: Event, alike: Collection[str]) -> dict[str, Any]:
    data = event["data"]
    at = seconds_of(data.get("timestamp"))
    return {
        "seq": event["seq"],
        "at": data.get("timestamp") or "",
        "seconds": at,
        "when": "" if at is None else minute(at),
        "name": called(data, alike),
        "id": str(data.get("taskId") or ""),
        "switch": (data.get("switch") or {}).get("id"),
        "text": sentence(str(event["event"]), data),
    }


def _why(event: Event) -> str | None:
    """The reason alone, from "not reachable: connection refused"."""
    return sentence("sync:health", event["data"]).partition(": ")[2] or None


def _fold(began: Mapping[str, Any], recovery: Mapping[str, Any]) -> None:
    if began["seconds"] is None or recovery["seconds"] is None:
        return
    span = max(0.0, recovery["seconds"] - began["seconds"])
    key = "page.folded" if began["health"] == "unreachable" else "page.folded-behind"
    began["entry"]["text"] = say(key, span=span, why=began["why"])


def _with_days(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    before = ""
    for entry in entries:
        today = "" if entry["seconds"] is None else day(entry["seconds"])
        entry["day"] = today if today != before else ""
        before = today or before
    return entries
