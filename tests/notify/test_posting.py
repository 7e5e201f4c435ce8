"""Guarantees of `kaspad_taskd.notify.posting`, with real threads."""

from __future__ import annotations

import logging
import queue
import threading

import pytest

from kaspad_taskd.notify.model import Outcome, Why
from kaspad_taskd.notify.posting import MOST, Errand, Post, Tried
from tests.fakes.patience import PATIENCE

GOOD = Outcome(delivered=True)


def test_a_few_at_once_and_each_has_its_answer() -> None:
    """A place is busy until its answer was heard."""
    answers: queue.SimpleQueue[Tried] = queue.SimpleQueue()
    post = Post(answers.put)
    go = threading.Event()

    def job(_stop: threading.Event) -> Outcome:
        assert go.wait(PATIENCE)
        return GOOD

    for number in range(MOST):
        assert not post.is_full
        post.begin(Errand.MESSAGE, f"p/{number}", number, job)
    assert post.is_full
    assert post.busy == {f"p/{number}" for number in range(MOST)}
    go.set()
    for _ in range(MOST):
        tried = answers.get(timeout=PATIENCE)
        assert tried.outcome == GOOD
        assert tried.place in post.busy
        post.done(tried)
    assert post.busy == frozenset()


def test_what_is_given_up_ends_at_once() -> None:
    """By the event that each try has."""
    answers: queue.SimpleQueue[Tried] = queue.SimpleQueue()
    post = Post(answers.put)

    def job(stop: threading.Event) -> Outcome:
        assert stop.wait(PATIENCE)
        return Outcome(delivered=False, why=Why.STOPPED)

    post.begin(Errand.MESSAGE, "p", 1, job)
    post.give_up()
    tried = answers.get(timeout=PATIENCE)
    post.done(tried)
    assert tried.outcome.why is Why.STOPPED


def test_a_fault_of_ours_is_an_answer_and_its_text_is_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may have an address in it."""
    answers: queue.SimpleQueue[Tried] = queue.SimpleQueue()
    post = Post(answers.put)

    def job(_stop: threading.Event) -> Outcome:
        raise ValueError("https://host/topic-of-mine")

    with caplog.at_level(logging.INFO):
        post.begin(Errand.TEST, "p", 1, job)
        tried = answers.get(timeout=PATIENCE)
        post.done(tried)
    assert tried.outcome.why is Why.FAULT
    assert "ValueError" in caplog.text
    assert "topic" not in caplog.text
