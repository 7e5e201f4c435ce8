"""How it was, as the page of a task shows it: a strip of columns, a sentence, the incidents.

Pure: answers of `getRecord` and `getIncidents` in, path data and sentences in words out. What
wizards embed draws the same columns (web/embed/src/past.js).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, TypeAlias
from urllib.parse import urlencode

from kaspad_taskd.web.moment import when
from kaspad_taskd.web.view import cap, tidy
from kaspad_taskd.words import record as words
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.sentences import say

Json: TypeAlias = Mapping[str, Any]

SIZE = (720, 40)
"""Width and height of the strip, in its own units."""
NOTCH = 5
"""Height that a trouble has at least: three minutes of a day are seen, and are no bad day."""
DASH = 2
"""Height that has at least what nobody saw, from a minute on."""
MINUTE_S = 60
STACK = ("ok", "unknown", "behind", "stalled", "unreachable")
"""From the foot of a column to its head."""
LEAST = {"ok": 0, "unknown": DASH, "behind": NOTCH, "stalled": NOTCH, "unreachable": NOTCH}
WIDTHS: Mapping[str, float] = {
    "ok": 0.75, "unknown": 0.25, "behind": 0.75, "stalled": 0.5, "unreachable": 0.75,
}  # fmt: skip
"""Of a column's place: states differ in shape, not in colour alone."""
INCIDENTS = 20
"""Incidents of a page."""
DAYS = (1, 7, 30, 90)


def heights(seconds: Json) -> dict[str, int]:
    """Return how high each state is in a column: by its share of the time, together `SIZE[1]`.

    A trouble is `NOTCH` high at least, and what nobody saw `DASH`; those that are highest above
    their least make room for it.
    """
    total = sum(seconds[state] for state in STACK) or 1
    found: dict[str, int] = {}
    for state in STACK:
        spent = seconds[state]
        if not spent or (state == "unknown" and spent < min(MINUTE_S, total)):
            continue
        found[state] = max(LEAST[state], floor(SIZE[1] * spent / total + 0.5))
    while found and (room := SIZE[1] - sum(found.values())):
        highest = max(found, key=lambda state: found[state] - LEAST[state])
        found[highest] += 1 if room > 0 else -1
    return found


def strip(record: Json) -> dict[str, str]:
    """Return the path data of each state that was: a column for each part of the record.

    The last one stands at the right edge; before the record began there is nothing.
    """
    places = places_of(record)
    wide, first = SIZE[0] / places, places - len(record["series"])
    paths: dict[str, list[str]] = {}
    for place, one in enumerate(record["series"], first):
        foot = SIZE[1]
        for state, tall in heights(one["seconds"]).items():
            width = wide * WIDTHS[state]
            left = place * wide + (wide * WIDTHS["ok"] - width) / 2
            paths.setdefault(state, []).append(f"M{left:.2f} {foot}v-{tall}h{width:.2f}v{tall}z")
            foot -= tall
    return {state: "".join(paths[state]) for state in STACK if state in paths}


def places_of(record: Json) -> int:
    """How many columns a strip has: a day each, of one day an hour each."""
    return 24 if record["days"] == 1 else int(record["days"])


def past(record: Json, incidents: Sequence[Json], query: Mapping[str, str], now: float) -> Json:
    """Return what the page shows of it.

    `line`, `label`, `paths` by state, `places`, `legend` (state and name), `days` (number, link,
    whether it is this), `incidents`, `earlier` (a link or None).

    Args:
        record: of so many days.
        incidents: of a page of them, newest first, and one more if there are earlier ones.
        query: of the page; its range stays as it is.
        now: s since 1970 UTC.
    """
    paths = strip(record)
    kept = {"range": query["range"]} if query.get("range") else {}
    shown = incidents[:INCIDENTS]
    more = {"days": record["days"], **kept, "until": shown[-1]["began"]} if shown else {}
    return {
        "days": [
            (each, "?" + urlencode({"days": each, **kept}), each == record["days"]) for each in DAYS
        ],
        "earlier": "?" + urlencode(more) + "#past" if len(incidents) > INCIDENTS else None,
        "incidents": [_incident(each, now) for each in shown],
        "label": say(f"record.label.{'hour' if record['days'] == 1 else 'day'}"),
        "legend": [(state, cap(say(f"record.state.{state}"))) for state in paths],
        "line": tidy(words.line(record)) if record["since"] else say("record.nothing"),
        "paths": paths,
        "places": places_of(record),
    }


def read(record: Json) -> list[list[str]]:
    """Return what is read of each column: from when, to when (ISO), how it was."""
    return [[one["from"], one["to"], tidy(words.part(one["seconds"]))] for one in record["series"]]


def _incident(one: Json, now: float) -> dict[str, Any]:
    began, ended = seconds_of(one["began"]) or now, seconds_of(one["ended"])
    return {
        "began": one["began"],
        "ended": one["ended"],
        "from": when(began, now),
        "to": None if ended is None else when(ended, began),
        "tone": "failure" if one["health"] == "unreachable" else "attention",
        "text": cap(tidy(words.incident(one, now))),
    }
