"""Tasks, facts and a loop's side of the store, for the tests of this room."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.model import Definition, Samples, Task
from kaspad_taskd.core.record import Change, HistoryPoint, Outcome

NOW = 1_790_000_000_000


def definition(task_id: str = "a", **given: Any) -> Definition:
    return Definition(task_id, "node-sync", "kaspa-node", **given)


def task(task_id: str = "a", **given: Any) -> Task:
    return Task(definition(task_id), NOW, **given)


def fact(task_id: str = "a", at: int = NOW, **data: Any) -> Fact:
    return Fact(EventName.START, task_id, "kaspa-node", "node-sync", at, data)


def point(at: int, progress: float = 1.0, task_id: str = "a") -> HistoryPoint:
    return HistoryPoint(task_id, at, progress, 5.0, None, "ok")


class Ear:
    """The loop's side: hears groups, and lets a test wait for the outcome of its change."""

    def __init__(self) -> None:
        self.groups: list[Sequence[Outcome]] = []
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self.groups.append(outcomes)
        for outcome in outcomes:
            future = self._waiting.pop(id(outcome.change), None)
            if future is not None:
                future.set_result(outcome)

    def submit(self, store: Any, change: Change) -> asyncio.Future[Outcome]:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[id(change)] = future
        store.submit(change)
        return future

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for group in self.groups for outcome in group]


_text = st.text(max_size=8)
_number = st.floats(allow_nan=False, allow_infinity=False)
_scalar = st.booleans() | st.integers(-(2**63), 2**63 - 1) | _number | _text
_json = st.recursive(
    st.none() | _scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    Any: _json,
    bool: st.booleans(),
    float: _number,
    int: st.integers(-(2**63), 2**63 - 1),
    str: _text,
    type(None): st.none(),
    Samples: st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), _number), max_size=3).map(
        lambda pairs: Samples(*zip(*pairs, strict=True))
    ),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the model, all of its fields included, also those of tomorrow."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    arguments = get_args(hint)
    if is_dataclass(hint):
        kind: Any = hint
        hints = get_type_hints(kind)
        return st.builds(kind, **{each.name: anything(hints[each.name]) for each in fields(kind)})
    if get_origin(hint) is tuple and arguments[-1] is Ellipsis:
        return st.lists(anything(arguments[0]), max_size=3).map(tuple)
    if get_origin(hint) is tuple:
        return st.tuples(*map(anything, arguments))
    if get_origin(hint) is Mapping:
        return st.dictionaries(_text, anything(arguments[1]), max_size=3)
    if arguments:
        return st.one_of(*map(anything, arguments))
    return st.sampled_from(hint)
