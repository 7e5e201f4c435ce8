"""What the page says of all tasks together: the title, the first sentence, who needs attention.

static/view.js is the same in JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kaspad_taskd.web.moment import when
from kaspad_taskd.web.view import WireTask, cap, ended, state, stop, tidy
from kaspad_taskd.words import room, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say


def overview(
    tasks: Sequence[WireTask],
    now: float,
    host: str,
    problem: str | None = None,
    services: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the first sentences and the ids of the tasks that they are about.

    `title`, `headline`, `reassure` and `attention` are texts ("" for none), `first` and `troubled`
    ids or None, `place` the id on the page of what the attention is about, or None. `problem` is
    why nothing can be saved, where that is so; `services` those that need somebody
    (`getInfo.attentions`).
    """
    first = words.most_urgent(tasks)
    troubled = [task for task in tasks if words.troubled(task)]
    other = next((task for task in troubled if task is not first), None)
    running = any(task.get("status") == "in-progress" for task in tasks)
    headline = _headline(first, now)
    reassure = say("page.reassure") if running else ""
    if problem:
        headline, reassure = say("page.headline.store", why=problem), say("page.store")
    return {
        "title": title(tasks, host, services),
        "headline": tidy(headline),
        "reassure": reassure,
        "attention": tidy(" ".join(_attention(troubled, other, len(tasks), services, now))),
        "first": first and first["id"],
        "troubled": other and other["id"],
        "place": _place(other, services),
    }


def title(tasks: Sequence[WireTask], host: str, services: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the tab's title: trouble first, then the share and time left of what runs."""
    host = safe(host, 100)
    troubled = next((task for task in tasks if words.troubled(task)), None)
    if troubled or services:
        name = words.name(troubled) if troubled else safe(services[0]["service"], 100)
        return say("page.title.trouble", name=name, host=host)
    first = words.most_urgent(tasks)
    if first is None:
        return say("page.title.other", word=say("page.name"), host=host)
    eta, share = words.left(first), short_percent(first)
    if first.get("status") == "in-progress" and share:
        key = "share" if eta is None else "left"
        return say(f"page.title.{key}", percent=share, eta=eta, host=host)
    word = words.word(first) if words.condition(first) == "complete" else state(first)
    return say("page.title.other", word=cap(word), host=host)


def short_percent(task: Mapping[str, Any]) -> str:
    """Return `71 %`, rounded down, or "" where nothing is known."""
    if words.percent(task) is None:
        return ""
    return tidy(spans.percent(int(task.get("progress") or 0), "estimated", "exact"))


def _headline(task: WireTask | None, now: float) -> str:
    if task is None:
        return say("headline.none")
    if words.is_watched(task):  # without its age and cause, which the card has
        return words.about(task, words.watched(task, "text", now, when))
    key = words.condition(task)
    eta, at = words.left(task), ended(task)
    known = {
        "name": words.name(task),
        "word": words.word(task),
        "names": words.awaited(task),
        "since": words.since(task, now),
        "when": when(at, now) if at else None,
        "eta": eta,
        **(task.get("switching") or {}),
    }
    if key == "ok":
        told = say("headline.running" if eta is None else "page.headline.left", **known)
        return room.also(task, told)
    page = key in ("complete", "switching", "error")
    if page:
        return say(f"page.headline.{key}", **known)
    return say(words.of_type(task.get("type"), f"headline.{words.said(task)}"), **known)


def _attention(
    troubled: Sequence[WireTask],
    other: WireTask | None,
    total: int,
    services: Sequence[Mapping[str, Any]],
    now: float,
) -> Iterator[str]:
    if other is not None:
        count = say("attention.count", n=len(troubled), total=total)
        yield stop(say("page.attention", count=count, what=_headline(other, now)))
    if services:
        count = say("attention.services", n=len(services))
        yield stop(say("page.attention", count=count, what=safe(services[0]["note"])))


def _place(other: WireTask | None, services: Sequence[Mapping[str, Any]]) -> str | None:
    """Where on the page that is which needs attention: `t-ID`, `s-SERVICE`."""
    if other is not None:
        return f"t-{other['id']}"
    return f"s-{services[0]['service']}" if services else None
