"""The page of a fleet as HTML: all hosts, trouble first; static/fleet.js keeps it alive.

A snapshot is `{seq, journal, serverTime (ISO), host (the hub's own), version, unlocked,
tokenFile, settings, hosts, late, problem}`: hosts as `kaspad-taskd-hub --once --json` has them, in
any order; `late` is for how many ms those were not heard that are due, by name; `problem` is why a
server of the fleet cannot be read, or None. A query may have `q` (part of a name, a label, a line),
`state` (a verdict), `by` (a label that groups), `page`, and `wall`: the view that is read across a
room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from kaspad_taskd.web.page import Query, Renderer, Snapshot
from kaspad_taskd.web.view import cap, stop
from kaspad_taskd.words import fleet as words
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import plural, say

Row: TypeAlias = Mapping[str, Any]

ROWS: Final = 100
"""Hosts of one page."""
TILES: Final = 24
"""Hosts of the wall; of more, those that are well are counted alone."""
FILTER_FROM: Final = 8
"""From this many hosts on there is a filter."""
MOST: Final = 3
"""Hosts that the first lines name."""
LABELS: Final = 20
"""Labels by which they can be grouped."""
LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "trouble": ("octagon", "attention"),
    "silent": ("plug", "quiet"),
    "daemon-away": ("plug", "quiet"),
    "unknown": ("ring", "quiet"),
    "ok": ("tick", "done"),
}
"""Icon and tone of each verdict."""
LOST: Final = ("silent", "unknown")
"""Of these the rest is as it was when they were heard last."""


@dataclass(frozen=True)
class Group:
    """Hosts under one value of a label; `name` is "" where there are no groups."""

    name: str
    count: str
    rows: Sequence[Mapping[str, Any]]


class FleetPage:
    """Renders snapshots of a fleet."""

    def __init__(self) -> None:
        self._renderer = Renderer()

    def locked(self, snapshot: Snapshot, query: Query, root: str) -> str:
        """Return the form that asks for the token; `root` is where all hosts are, seen from it."""
        return self._renderer.locked(snapshot, query, root)

    def index(self, snapshot: Snapshot, query: Query) -> str:
        """Return the page of all hosts."""
        hosts = sorted(snapshot["hosts"], key=lambda one: (_order(one), one["host"]))
        wall = "wall" in query
        found = [one for one in hosts if _matches(one, query)]
        shown = _on_wall(found) if wall else found
        by = query.get("by", "")
        if by and not wall:
            shown = sorted(shown, key=lambda one: (by not in one["labels"], one["labels"].get(by)))
        page = min(_number(query.get("page")), max(1, -(-len(shown) // ROWS)))
        part = shown[(page - 1) * ROWS : page * ROWS]
        return self._renderer.render(
            "wall.html" if wall else "fleet.html",
            snapshot,
            query,
            "./",
            about=overview(hosts, snapshot["problem"]),
            groups=list(_groups(part, shown, "" if wall else by)),
            chips=list(_chips(hosts, query)),
            labels=_labels(hosts),
            found=len(found),
            total=len(hosts),
            rest=len(found) - len(shown),
            filtered=len(hosts) >= FILTER_FROM,
            before=_link(query, page=page - 1) if page > 1 else None,
            after=_link(query, page=page + 1) if page * ROWS < len(shown) else None,
            size=ROWS,
            data={key: snapshot[key] for key in DATA},
        )


DATA: Final = ("seq", "journal", "serverTime", "host", "version", "late")
"""What the scripts go on from."""


def overview(hosts: Sequence[Row], problem: str | None) -> dict[str, Any]:
    """Return the first sentences: `title`, `headline`, `problem` ("" for none), `first` (rows)."""
    ill = [one for one in hosts if one["verdict"] != "ok"]
    known = any(one["verdict"] != "unknown" for one in hosts)
    if not hosts and not problem:
        headline = say("fleet.none")
    elif not known:
        headline = say("page.fleet.nobody")
    elif ill:
        headline = say("page.fleet.ill", n=len(ill), total=len(hosts))
    else:
        headline = plural("fleet.well", len(hosts))
    title = say("page.fleet.title.ill", n=len(ill)) if ill else say("page.fleet.title.well")
    return {
        "title": title,
        "headline": headline,
        "problem": say("page.fleet.engine", fault=stop(safe(problem))) if problem else "",
        "first": [_row(one) for one in ill[:MOST]] if known else [],
    }


def _order(one: Row) -> int:
    known = one["verdict"] in words.VERDICTS
    return words.VERDICTS.index(one["verdict"]) if known else len(words.VERDICTS)


def _on_wall(found: Sequence[Row]) -> list[Row]:
    """All where they are few, else those that are not well."""
    if len(found) <= TILES:
        return list(found)
    return [one for one in found if one["verdict"] != "ok"][:ROWS]


def _row(one: Row) -> dict[str, Any]:
    """What is shown of a host."""
    icon, tone = LOOKS.get(one["verdict"], ("ring", "quiet"))
    since = one["since"]
    return {
        **one,
        "icon": icon,
        "tone": tone,
        "state": cap(say(f"fleet.verdict.{one['verdict']}")),
        "at": None if since is None else since / 1000,
        "link": f"host/{quote(one['host'], safe='')}/",
        "notes": list(_notes(one)),
        "lost": one["verdict"] in LOST,
    }


def _notes(one: Row) -> Iterator[str]:
    """What is wrong with it that its tasks do not say."""
    gone = words.gone(one)
    if gone is not None:
        yield cap(gone)
    if one["fault"]:
        yield cap(say("fleet.fault", fault=safe(one["fault"])))
    if one["gap"]:
        yield cap(say("fleet.gap", **one["gap"]))


def _matches(one: Row, query: Query) -> bool:
    state, text = query.get("state", ""), query.get("q", "").strip().casefold()
    if state in LOOKS and one["verdict"] != state:
        return False
    told = one["host"], one["said"], *words.labels(one)
    return not text or any(text in each.casefold() for each in told)


def _groups(part: Sequence[Row], shown: Sequence[Row], by: str) -> Iterator[Group]:
    """The hosts of a page in groups, each with how many there are on all pages."""
    if not by:
        yield Group("", "", [_row(one) for one in part])
        return
    sizes = Counter(one["labels"].get(by) for one in shown)
    ill = Counter(one["labels"].get(by) for one in shown if one["verdict"] != "ok")
    groups: dict[Any, list[Row]] = {}
    for one in part:
        groups.setdefault(one["labels"].get(by), []).append(one)
    for value, rows in groups.items():
        count = plural("fleet.hosts", sizes[value])
        if ill[value]:
            count = f"{count}, {say('page.fleet.of-them', n=ill[value])}"
        name = say("page.fleet.without", label=safe(by, 64)) if value is None else value
        yield Group(name, count, [_row(one) for one in rows])


def _chips(hosts: Sequence[Row], query: Query) -> Iterator[Mapping[str, Any]]:
    """How many there are of each verdict, each a link to those alone."""
    counts = Counter(one["verdict"] for one in hosts)
    now = query.get("state", "")
    here = now if now in LOOKS else ""
    yield {
        "name": say("page.fleet.all"), "n": len(hosts), "link": _link(query, state=""),
        "here": not here, "tone": "quiet",
    }  # fmt: skip
    for verdict in words.VERDICTS:
        if counts[verdict] or verdict == here:
            yield {
                "name": cap(say(f"fleet.verdict.{verdict}")), "n": counts[verdict],
                "link": _link(query, state=verdict), "here": verdict == here,
                "tone": LOOKS[verdict][1],
            }  # fmt: skip


def _link(query: Query, **more: object) -> str:
    """A link that keeps what is asked for; another page only where that is meant."""
    kept: dict[str, object] = {key: query[key] for key in ("q", "state", "by") if query.get(key)}
    asked = {key: value for key, value in {**kept, **more}.items() if value}
    return "?" + urlencode(asked) if asked else "./"


def _labels(hosts: Iterable[Row]) -> Sequence[str]:
    return sorted({name for one in hosts for name in one["labels"]})[:LABELS]


def _number(text: str | None) -> int:
    known = text is not None and text.isascii() and text.isdigit() and len(text) < 6
    return max(1, int(text)) if known and text else 1
