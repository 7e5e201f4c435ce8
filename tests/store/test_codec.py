"""Documents: what is written is what is read, also by another version."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, settings

from kaspad_taskd.base import jsontext
from kaspad_taskd.core.fact import Fact
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import (
    Definition,
    Failure,
    Health,
    Live,
    Origin,
    Status,
    Task,
    Watch,
)
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.watch_record import WatchRecord
from kaspad_taskd.store import codec
from tests.store import samples


@given(samples.anything(Task))
@settings(max_examples=150, deadline=None)
def test_any_task_comes_back_equal(task: Task) -> None:
    """All fields, of the task, its definition and its live part, survive."""
    definition = codec.definition_of(codec.definition_text(task.definition))
    assert definition == task.definition
    assert codec.task_of(codec.task_text(task), definition) == task


@given(samples.anything(Fact))
@settings(deadline=None)
def test_any_fact_comes_back_equal(fact: Fact) -> None:
    """Name, service, type, data; the task and the moment stand beside the document."""
    assert codec.fact_of(codec.fact_text(fact), fact.task_id, fact.at) == fact


@given(samples.anything(WatchRecord), samples.anything(Incident))
@settings(deadline=None)
def test_any_record_and_incident_come_back_equal(record: WatchRecord, incident: Incident) -> None:
    """With all that was counted, and why."""
    assert codec.record_from(codec.record_text(record)) == record
    assert codec.incident_from(codec.incident_text(incident)) == incident


def test_words_come_back_as_members() -> None:
    """A status is a Status again, not a mere string."""
    task = samples.task(
        status=Status.ERROR,
        health=Health.UNREACHABLE,
        reason=Reason.TIMEOUT,
        live=Live(eta_reason=EtaReason.STALLED),
    )
    back = codec.task_of(codec.task_text(task), task.definition)
    kinds = (type(back.status), type(back.health), type(back.reason), type(back.live.eta_reason))
    assert kinds == (Status, Health, Reason, EtaReason)


def test_what_a_later_version_added_is_ignored() -> None:
    """Unknown fields, at any depth, and unknown reasons do not stop an older daemon."""
    task = samples.task(failure=Failure(Reason.GAVE_UP), reason=Reason.TIMEOUT)
    document = jsontext.loads(codec.task_text(task))
    document["mood"] = document["live"]["mood"] = document["epoch"]["mood"] = "good"
    document["reason"] = document["live"]["eta_reason"] = "of-tomorrow"
    document["failure"]["reason"] = "of-tomorrow"
    back = codec.task_of(jsontext.dumps(document).decode(), task.definition)
    assert (back.reason, back.live.eta_reason) == (None, None)
    assert back.failure is not None
    assert back.failure.reason is Reason.CHECKER_ERROR


def test_what_an_earlier_version_lacked_has_its_default() -> None:
    """A document with the least that identifies a task is a task."""
    text = '{"created_at": 5, "status": "pending", "health": "ok"}'
    assert codec.task_of(text, samples.definition()) == Task(
        samples.definition(), 5, health=Health.OK
    )


def test_read_only_mappings_can_be_written() -> None:
    """Any Mapping will do where the model says Mapping."""
    frozen = MappingProxyType({"k": 1})
    live = Live(metadata=frozen, params=frozen, memory=frozen, hints=(Hint("h", frozen),))
    task = samples.task(live=live, failure=Failure(Reason.CREDENTIALS, frozen))
    assert codec.task_of(codec.task_text(task), task.definition) == task


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "{}", '{"status": "no-such", "health": "ok"}']
)
def test_a_damaged_document_raises(text: str) -> None:
    """Garbage is an error that the store knows how to take, never a task."""
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        codec.task_of(text, samples.definition())


def of_before(task: Task) -> Task:
    """A task as a version that kept no watch wrote it, read by this one."""
    document = jsontext.loads(codec.task_text(task))
    known = jsontext.loads(codec.definition_text(task.definition))
    for name in ("watch", "watched_since", "proven", "because", "relapsed_at"):
        del document[name]
    for name in ("keep_watching", "watch_interval", "behind_after", "relapse_after"):
        del known[name]
    definition = codec.definition_of(jsontext.dumps(known).decode())
    return codec.task_of(jsontext.dumps(document).decode(), definition)


@pytest.mark.parametrize(
    ("origin", "status", "watch"),
    [
        (Origin.ADMIN, Status.COMPLETE, Watch.ON),
        (Origin.VENDOR, Status.COMPLETE, Watch.ON),
        (Origin.API, Status.COMPLETE, Watch.NONE),
        (Origin.ADMIN, Status.ERROR, Watch.NONE),
        (Origin.ADMIN, Status.IN_PROGRESS, Watch.NONE),
    ],
)
def test_what_was_complete_before_is_watched_if_it_is_a_files(
    origin: Origin, status: Status, watch: Watch
) -> None:
    """Nobody who registered one expects it; of its health nothing is known, and nothing told."""
    task = Task(samples.definition(origin=origin), samples.NOW, status=status, ended_at=5,
                live=Live(read_at=5))  # fmt: skip
    back = of_before(task)
    assert (back.watch, back.health, back.watched_since) == (watch, Health.UNKNOWN, None)
    assert back.proven == (status is Status.COMPLETE)
    again = codec.task_of(codec.task_text(back), back.definition)
    assert again == back


@pytest.mark.parametrize(
    ("kind", "keep"), [("node-sync", True), ("indexer-sync", True), ("http-json", False)]
)
def test_a_definition_of_before_keeps_watch_as_a_new_one_of_its_type(kind: str, keep: bool) -> None:
    """So that a file that says nothing of it is no changed definition."""
    known = jsontext.loads(codec.definition_text(Definition("a", kind, "s")))
    del known["keep_watching"]
    assert codec.definition_of(jsontext.dumps(known).decode()).keep_watching is keep
