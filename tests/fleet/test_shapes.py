"""Judges of what a host says: the contract's shapes pass, all else is named and kept out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.fleet import batch, shapes
from kaspad_taskd.fleet.laid import Shown
from kaspad_taskd.words.task import headline
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task
from tests.fakes.golden import golden_tasks

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
"""Any JSON."""


def test_whatever_a_daemon_shows_passes() -> None:
    for task in golden_tasks():
        shapes.task(task, "tasks")
    shapes.progress(a_progress("a"), "progress")


@pytest.mark.parametrize("key", sorted(a_task()))
def test_a_task_with_one_field_of_another_type_is_named(key: str) -> None:
    with pytest.raises(ValueError, match=rf"tasks\.{key}"):
        shapes.task({**a_task(), key: 3 if isinstance(a_task()[key], dict) else {"x": []}}, "tasks")


@pytest.mark.parametrize("wrong", ["x" * 5000, ["x"] * 1000, {f"{n}": n for n in range(300)}])
def test_what_is_too_long_is_kept_out_of_unknown_fields_too(wrong: object) -> None:
    with pytest.raises(ValueError, match="at most"):
        shapes.task(a_task(new=wrong), "tasks")


def test_what_is_nested_without_end_is_kept_out() -> None:
    deep: object = 1
    for _ in range(30):
        deep = [deep]
    with pytest.raises(ValueError, match="levels"):
        shapes.task(a_task(metadata={"deep": deep}), "tasks")


def test_words_and_fields_of_a_later_version_pass() -> None:
    shapes.task(a_task(health="drowsy", shade={"of": ["blue"]}), "tasks")
    shapes.event({"seq": 1, "event": "sync:other", "data": {"any": [1]}}, "events")


@given(ANY)
def test_any_json_passes_or_is_refused_with_its_place(value: object) -> None:
    for judge in (shapes.task, shapes.progress, shapes.services, shapes.warnings, shapes.event):
        said = "here"
        try:
            judge(value, "here")
        except ValueError as fault:
            said = str(fault)
        assert "here" in said


@given(st.binary(max_size=200) | ANY.map(lambda each: str(each).encode()))
def test_any_bytes_are_a_batch_or_a_named_fault(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        batch.batch(raw)


@given(st.dictionaries(st.binary(max_size=9), st.binary(max_size=40)))
def test_meta_of_any_bytes_is_refused(told: dict[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="meta"):
        batch.meta(told, "a")


def passes(judge: shapes.Judge, value: Any) -> bool:
    """Whether a judge lets a value in."""
    try:
        judge(value, "it")
    except ValueError:
        return False
    return True


WORDS = st.sampled_from(
    ["ok", "error", "complete", "in-progress", "on", "unknown", "disk-full", "clock-skew", "blocks"]
)
PARTS = st.recursive(
    ANY | WORDS | st.dictionaries(st.sampled_from(["code", "params", "key", "free"]), WORDS),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(
    st.sampled_from(golden_tasks()),
    st.dictionaries(st.sampled_from(sorted(a_task())), PARTS, max_size=4),
    st.dictionaries(st.sampled_from(sorted(a_progress("a"))), PARTS, max_size=3),
)
def test_whatever_passes_can_be_shown(task: Any, other: Any, moved: Any) -> None:
    """Each task that the judges let in is weighed and put into words: none of these fails."""
    changed, progress = {**task, **other}, {**a_progress("a"), **moved}
    if not passes(shapes.task, changed):
        return
    known = Shown(dumps(changed), changed)
    assert isinstance(headline(known.task(), 1_796_000_000), str)
    if passes(shapes.progress, progress):
        known.move(progress)
        assert isinstance(headline(known.task(), 1_796_000_000), str)


def test_a_bad_part_of_a_batch_costs_itself_alone() -> None:
    host = FleetHost("a")
    raw = host.batch([a_task(1), a_task(2, progress="all"), a_task(3)], [a_progress("../etc")])
    told = batch.batch(raw)
    assert list(told.tasks) == ["task-1", "task-3"]
    assert told.progress == {}
    assert "tasks.progress must be a number" in told.faults[0]
    assert "no id" in told.faults[1]


def test_a_batch_beyond_its_bound_is_not_looked_into() -> None:
    with pytest.raises(ValueError, match="more than 1048576"):
        batch.batch(b"[" + b" " * 2**20 + b"]")


def test_meta_of_another_host_is_not_this_ones() -> None:
    told = {key.encode(): text.encode() for key, text in FleetHost("b").meta().items()}
    with pytest.raises(ValueError, match=r'meta\.host is "b", and its keys are a\'s'):
        batch.meta(told, "a")
    assert batch.meta(told, "b").labels == {"site": "berlin"}
