"""The page as HTML: true by itself, and the ground on which static/app.js keeps it alive.

The doors' side calls `Page().index(snapshot, query)` and `.task(snapshot, task_id, query)`. A
snapshot is `{seq, journal, serverTime (ISO), host, version, canChange, needsToken, store: {durable,
problem}, warnings (as `getWarnings` lists them), attentions (as `getInfo` has them), tasks, events
(newest last), services, tokenFile, definitionDir}`, with `needsToken` where this reader has to give
the token first (then the page is the form that asks for it), and perhaps `history: {taskId:
points}` and, on a task's page, `taskEvents`, `record` (as `getRecord` has it) and `incidents` (as
`getIncidents`, newest first, one more than a page has if there are earlier ones).
Of a hub's host there are `fleet` (its row, and `then`, the moment that is shown where it is not
heard any more) and `settings` (where those of the hub's door stand).
A query may have `q`, `state`, `page` (the list), `range` (the chart: 1h, 6h, 14d, all) and `unlock`
("wrong" or "wait": how the last try ended); `before`, `range`, `days` and `until` are for who makes
the snapshot: its events are the newest below `before`, its history begins so long ago, its record
is of so many days, its incidents began before `until`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kaspad_taskd.base.clock import iso
from kaspad_taskd.web.chart import Point, chart, strip
from kaspad_taskd.web.listing import Listing, listing, slim
from kaspad_taskd.web.moment import clock, when
from kaspad_taskd.web.overview import overview
from kaspad_taskd.web.past import past, read
from kaspad_taskd.web.services import panel, with_switching
from kaspad_taskd.web.story import story
from kaspad_taskd.web.view import WireTask, bar, cap, tidy, view
from kaspad_taskd.words import kept, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import told_apart
from kaspad_taskd.words.event import sentence
from kaspad_taskd.words.moment import seconds_of
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say

Snapshot: TypeAlias = Mapping[str, Any]
Query: TypeAlias = Mapping[str, str]

TEMPLATES = Path(__file__).parent / "templates"
EVENTS = 50
"""Events of a page."""
RANGES = ("1h", "6h", "14d", "all")
DAEMON_FACTS = ("seq", "serverTime", "host", "version", "canChange", "store", "attentions")
BUTTONS = ("check", "start", "pause", "retry", "cancel", "remove")


class Renderer:
    """Renders templates, which are read and compiled once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.policies["json.dumps_function"] = _json
        self._templates.globals.update(
            say=say, plural=plural, cap=cap, percent=_percent, when=when, quote=quote, bar=bar,
            seconds_of=seconds_of, iso=iso, sentence=sentence, number=spans.number,
        )  # fmt: skip

    def locked(self, snapshot: Snapshot, query: Query, root: str) -> str:
        """Return the form that asks for the token."""
        return self.render("locked.html", snapshot, query, root, about=None, data=None)

    def render(
        self, template: str, snapshot: Snapshot, query: Query, root: str, **more: Any
    ) -> str:
        """Return a page; `root` is where all tasks of its host are, seen from it."""
        now = _now(snapshot)
        return self._templates.get_template(template).render(
            root=root,
            base=_base(snapshot, root),
            now=now,
            as_of=clock(now),
            snapshot=snapshot,
            query=query, fleet=snapshot.get("fleet"), of_hub="settings" in snapshot, **more,
        )  # fmt: skip


class Page:
    """Renders snapshots of a host."""

    def __init__(self) -> None:
        self._renderer = Renderer()

    def index(self, snapshot: Snapshot, query: Query) -> str:
        """Return the page of all tasks, or the form that asks for the token."""
        if snapshot["needsToken"]:
            return self._renderer.locked(snapshot, query, "./")
        now = _now(snapshot)
        services = snapshot["services"]
        found = told_apart(snapshot["tasks"])
        known: list[WireTask] = [with_switching(task, services) for task in found]
        shown = listing(known, query)
        history = snapshot.get("history") or {}
        cards = [_card(task, now, history.get(task["id"])) for task in shown.cards]
        return self._renderer.render(
            "index.html",
            snapshot,
            query,
            "./",
            about=overview(
                known, now, snapshot["host"], _problem(snapshot), snapshot["attentions"]
            ),
            cards=cards,
            rows=[_row(task, now, history.get(task["id"])) for task in shown.rows],
            shown=shown,
            pages=_pages(shown, query),
            services=panel(services, known, now),
            data=_data(snapshot, [*shown.cards, *map(slim, shown.others)], shown),
            story=story(snapshot["events"], snapshot["tasks"]),
            earlier=_earlier(snapshot["events"]),
        )

    def task(self, snapshot: Snapshot, task_id: str, query: Query) -> str | None:
        """Return the page of one task, or None where there is no such task."""
        if snapshot["needsToken"]:
            return self._renderer.locked(snapshot, query, "../")
        known: list[WireTask] = told_apart(snapshot["tasks"])
        task = next((each for each in known if each["id"] == task_id), None)
        if task is None:
            return None
        now, task = _now(snapshot), with_switching(task, snapshot["services"])
        points: Sequence[Mapping[str, Any]] = (snapshot.get("history") or {}).get(task_id) or ()
        events = _events_of(snapshot, task_id)
        seen = snapshot.get("record") or {}
        told = bool(seen and (kept.kept(task) or seen["since"]))
        return self._renderer.render(
            "task.html",
            snapshot,
            query,
            "../",
            about=overview([task], now, snapshot["host"], _problem(snapshot)),
            card_of=_card(task, now, points),
            chart=chart(points, events),
            points=points,
            range=query.get("range") if query.get("range") in RANGES else "all",
            ranges=RANGES,
            past=past(seen, snapshot["incidents"], query, now) if told else None,
            days=f"&days={seen['days']}" if told else "",
            data={
                **_data(snapshot, [task], None),
                "history": points,
                "past": read(seen) if told else [],
            },
            story=story(events),
            earlier=_earlier(events),
        )

    def missing(self, snapshot: Snapshot, query: Query) -> str:
        """Return the page for a task that is not there."""
        return self._renderer.render("missing.html", snapshot, query, "../", about=None, data=None)


def _json(value: Any, **options: Any) -> str:
    """JSON of what the scripts go on from, a task at a time.

    The interpreter is held for as long as one value takes: 10,000 tasks at once were 0.1 s.
    """
    if not isinstance(value, dict) or not isinstance(value.get("tasks"), list):
        return json.dumps(value, **options)
    tasks = ", ".join([json.dumps(task, **options) for task in value["tasks"]])
    rest = {key: json.dumps(each, **options) for key, each in value.items() if key != "tasks"}
    members = sorted({**rest, "tasks": f"[{tasks}]"}.items())
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for key, text in members) + "}"


def _now(snapshot: Snapshot) -> float:
    """The moment that is shown: that of a host which is not heard is past."""
    then = (snapshot.get("fleet") or {}).get("then")
    return seconds_of(then or snapshot["serverTime"]) or 0.0


def _base(snapshot: Snapshot, root: str) -> str:
    """Where the server's own things are, seen from a page: a hub has hosts below it."""
    return f"{root}../../" if "fleet" in snapshot else root


def _problem(snapshot: Snapshot) -> str | None:
    store = snapshot["store"]
    return None if store["durable"] else store["problem"] or say("unknown")


def _percent(value: float | None, basis: object = "exact") -> str:
    return "" if value is None else tidy(spans.percent(value, str(basis)))


def _data(
    snapshot: Snapshot, tasks: Sequence[Mapping[str, Any]], shown: Listing | None
) -> dict[str, Any]:
    """What the scripts go on from."""
    return {
        **{key: snapshot[key] for key in DAEMON_FACTS},
        "journal": snapshot.get("journal"),
        **{key: snapshot[key] for key in ("fleet", "late") if key in snapshot},
        "cards": [task["id"] for task in shown.cards] if shown else [tasks[0]["id"]],
        "tasks": list(tasks),
    }


def _events_of(snapshot: Snapshot, task_id: str) -> list[Mapping[str, Any]]:
    if snapshot.get("taskEvents") is not None:
        return list(snapshot["taskEvents"])
    return [each for each in snapshot["events"] if each["data"].get("taskId") == task_id]


def _earlier(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Where the events before these are, if these are a full page of them."""
    return f"?before={events[0]['seq']}" if len(events) >= EVENTS else None


def _row(task: WireTask, now: float, points: Sequence[Point] | None) -> dict[str, Any]:
    """What a row shows, closed and open: a card without its details, which are a page away."""
    return {
        "task": task,
        "view": view(task, now),
        "strip": strip(points or (), now) if words.condition(task) == "ok" else None,
        "buttons": list(_buttons(task)),
    }


def _card(task: WireTask, now: float, points: Sequence[Point] | None) -> dict[str, Any]:
    return {
        **_row(task, now, points),
        "steps": list(_steps(task, now)),
        "record": list(_record(task, now)),
    }


def _buttons(task: WireTask) -> Iterator[tuple[str, str]]:
    """Actions in the order in which they are drawn, each with its label."""
    for action in BUTTONS:
        if action == "retry" and kept.kept(task):
            continue  # it is watched; all of it anew is what programs may ask for
        if action in (task.get("actions") or ()):
            label = {("start", "paused"): "resume", ("retry", "complete"): "again"}
            where = str(task["watch"] if kept.kept(task) else task["status"])
            key = label.get((action, where), action)
            yield action, say(f"page.action.{key}")


def _steps(task: WireTask, now: float) -> Iterator[dict[str, str]]:
    for one in task.get("phases") or ():
        began, ended = seconds_of(one.get("startedAt")), seconds_of(one.get("endedAt"))
        until = ended or (now if one["state"] == "current" else None)
        took = until - began if began and until and until > began else None
        yield {
            "state": one["state"],
            "label": cap(words.phase(one["key"])),
            "took": say("page.took", took=took) if took else "",
            "sentence": maybe(f"phase.{one['key']}.sentence") or "",
        }


def _record(task: WireTask, now: float) -> Iterator[tuple[str, str, str | None]]:
    """What is on record of a task, as label, text and, of a time, its ISO form."""
    began = seconds_of(task.get("startedAt"))
    version = (task.get("metadata") or {}).get("version")
    epoch = (task.get("epoch") or {}).get("number") or 1
    switches = ", ".join(map(str, task.get("switches") or ()))
    for key, text in (
        ("id", task["id"]),
        ("endpoint", task.get("endpoint")),
        ("version", version),
        ("attempt", task.get("attempt")),
        ("begun", when(began, now) if began else None),
        ("epoch", epoch - 1 if epoch > 1 else None),
        ("then", say("status.switches", names=switches) if switches else None),
        ("origin", words.origin(task) if task.get("origin") else None),
    ):
        if text is not None:
            at = task["startedAt"] if key == "begun" else None
            yield say(f"page.field.{key}"), safe(text), at


def _pages(shown: Listing, query: Query) -> dict[str, str | None]:
    """Links to the rows before and after, with the rest of the query kept."""
    kept = {key: query[key] for key in ("q", "state") if query.get(key)}

    def link(page: int | None) -> str | None:
        return None if page is None else "?" + urlencode({**kept, "page": page})

    return {"before": link(shown.before), "after": link(shown.after)}
