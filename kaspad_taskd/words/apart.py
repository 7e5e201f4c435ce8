"""Tasks that share a service, told apart: by their ids, where the service is not enough."""

from __future__ import annotations

from kaspad_taskd.words.plain import cut, fit, width

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any


def shared(tasks: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the services of more than one task, each told by its `service` and `id`."""
    ids: dict[str, set[str]] = {}
    for one in tasks:
        if one.get("service") and one.get("id"):
            ids.setdefault(str(one["service"]), set()).add(str(one["id"]))
    return {service for service, known in ids.items() if len(known) > 1}


def owners(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return service and id of the tasks that events are of; a switch is of its service alone."""
    found = [event["data"] for event in events if "switch" not in event["data"]]
    return [{"service": data.get("service"), "id": data.get("taskId")} for data in found]


def told_apart(tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tasks, those that share a service marked (`alike`), so that a name has the id."""
    alike = shared(tasks)
    return [
        {**task, "alike": True} if task.get("service") in alike and not task.get("alike") else task
        for task in tasks
    ]


def column(names: Sequence[str], cells: int) -> list[str]:
    """Return names cut to one width so that two of them still look different.

    A name loses its end; where that is what makes the difference, its beginning, else its middle.
    """
    shown = [fit(name, cells) for name in names]
    for form in (_end, _middle):
        same = _same(names, shown)
        shown = [
            fit(form(name, cells), cells) if text in same else text
            for name, text in zip(names, shown, strict=True)
        ]
    return shown


def _same(names: Sequence[str], shown: Sequence[str]) -> set[str]:
    """The cut forms that stand for different names."""
    meant: dict[str, set[str]] = {}
    for name, text in zip(names, shown, strict=True):
        meant.setdefault(text, set()).add(name)
    return {text for text, those in meant.items() if len(those) > 1}


def _end(name: str, cells: int) -> str:
    if width(name) <= cells:
        return name
    place = max(0, len(name) - cells + 1)
    while width(name[place:]) > cells - 1:
        place += 1
    return "…" + name[place:]


def _middle(name: str, cells: int) -> str:
    if width(name) <= cells:
        return name
    half = cells // 2
    return cut(name, cells - half, "…") + _end(name, half + 1).removeprefix("…")
