"""Guarantees of `kaspad_taskd.notify.follow`, against a scripted daemon on a real socket."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kaspad_taskd.client import blocking
from kaspad_taskd.notify import follow
from kaspad_taskd.notify.ear import Stopped
from kaspad_taskd.notify.follow import Began, CaughtUp, Follower, Heard, Learned, Lost, Word
from kaspad_taskd.notify.kept import Cursor
from kaspad_taskd.notify.snapshot import Asks
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import Error, ScriptedTaskd, scripted

W = TypeVar("W", bound=Word)
JOURNAL = "abc"
WARNING = {"id": 1, "code": "state-repaired", "params": {}, "note": "", "cure": "", "at": "x"}


def answers(seq: int = 10) -> dict[str, Any]:
    return {
        "subscribe": lambda params: (
            {"seq": (params or {}).get("after", seq), "journal": JOURNAL}
            | ({} if (params or {}).get("after") else {"tasks": [{"id": "a"}]})
        ),
        "ping": {"seq": seq},
        "getWarnings": {"warnings": [WARNING]},
        "getInfo": {"attentions": [{"service": "s"}]},
        "getTask": lambda params: None if params["taskId"] == "gone" else {"id": params["taskId"]},
        "getEvents": {"events": [event(10)], "seq": seq, "oldest": 1},
    }


def event(seq: int, at: str = "t") -> dict[str, Any]:
    return {"seq": seq, "event": "sync:health", "data": {"seq": seq, "timestamp": at}}


class Ear:
    """What a follower tells, in order."""

    def __init__(self, taskd: ScriptedTaskd, cursor: Cursor | None, every: float = 3600.0) -> None:
        self._words: queue.SimpleQueue[Word] = queue.SimpleQueue()
        self.looked = threading.Semaphore(0)
        self.follower = Follower(
            str(taskd.path), cursor, self._words.put, lambda: self.looked.release(), every
        )
        self.follower.start()

    def next(self, kind: type[W]) -> W:
        """Return the next word, which is one of this kind."""
        word = self._words.get(timeout=PATIENCE)
        assert isinstance(word, kind), word
        return word

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.follower.stop(PATIENCE)


@pytest.fixture
def taskd(tmp_path: Path) -> Iterator[ScriptedTaskd]:
    with scripted(tmp_path / "watch.sock", answers()) as one:
        yield one


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PAUSE", 0.01)
    monkeypatch.setattr(blocking, "_TICK", 0.02)


def test_the_first_start_begins_with_all_that_is(taskd: ScriptedTaskd) -> None:
    """Tasks, warnings and attentions of now; then events, each with how far it is heard."""
    with Ear(taskd, None) as ear:
        began = ear.next(Began)
        now = began.snapshot
        assert (now.tasks, now.warnings) == ([{"id": "a"}], [WARNING])
        assert now.attentions == [{"service": "s"}]
        assert began.cursor == Cursor(JOURNAL, 10)
        ear.next(CaughtUp)
        taskd.tell(11, "sync:health", timestamp="t11")
        heard = ear.next(Heard)
        assert heard.cursor == Cursor(JOURNAL, 11, (11, "sync:health", "t11"))
        taskd.tell(11, "sync:progress", timestamp="later")
        assert ear.next(Heard).cursor == heard.cursor


def test_a_later_start_goes_on_and_has_caught_up_when_all_is_heard(taskd: ScriptedTaskd) -> None:
    """From the cursor, in the same journal; not before the last event on record is told."""
    taskd.answers |= answers(12)
    with Ear(taskd, Cursor(JOURNAL, 10, (10, "sync:health", "t"))) as ear:
        taskd.wait_asked("ping", 1)
        assert ("subscribe", {"after": 10, "journal": JOURNAL}) in taskd.asked
        for seq in (11, 12):
            taskd.tell(seq, "sync:health", timestamp="t")
        assert [ear.next(Heard).cursor.seq for _ in range(2)] == [11, 12]
        ear.next(CaughtUp)


def test_a_host_that_was_put_back_meanwhile_is_found_out(taskd: ScriptedTaskd) -> None:
    """The last event that was heard is another one there: it is begun anew."""
    with Ear(taskd, Cursor(JOURNAL, 10, (10, "sync:health", "another time"))) as ear:
        assert ear.next(Began).cursor.seq == 10
        ear.next(CaughtUp)


def test_another_journal_is_begun_anew(taskd: ScriptedTaskd) -> None:
    """Of a daemon that was restored, or has lost what followed."""
    gap = Error(-32007, "gap", reason="gap", journal=JOURNAL, oldest=1, seq=10)
    plain = answers()["subscribe"]
    taskd.answers["subscribe"] = lambda params: (
        gap if (params or {}).get("after") else plain(params)
    )
    with Ear(taskd, Cursor("old", 7)) as ear:
        assert ear.next(Began).cursor == Cursor(JOURNAL, 10)


def test_a_daemon_that_goes_and_comes_back_is_told_once_each(taskd: ScriptedTaskd) -> None:
    """However often it is tried meanwhile."""
    with Ear(taskd, Cursor(JOURNAL, 10)) as ear:
        ear.next(CaughtUp)
        taskd.stop()
        ear.next(Lost)
        for _ in range(5):
            assert ear.looked.acquire(timeout=PATIENCE)
        taskd.start()
        ear.next(CaughtUp)


def test_a_daemon_that_hangs_does_not_answer(
    taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections stand and nothing comes: that is silence, too; until it answers."""
    monkeypatch.setattr(follow, "QUIET", 0.0)
    release = threading.Event()

    def hang(_params: object) -> Any:
        assert release.wait(PATIENCE)
        return {"seq": 10}

    with Ear(taskd, Cursor(JOURNAL, 10)) as ear:
        ear.next(CaughtUp)
        monkeypatch.setattr(ear.follower._asking, "_timeout", 0.05)
        taskd.answers["ping"] = hang
        ear.next(Lost)
        taskd.answers["ping"] = {"seq": 10}
        release.set()
        monkeypatch.setattr(ear.follower._asking, "_timeout", PATIENCE)
        ear.next(CaughtUp)


def test_what_no_event_tells_is_asked_for(taskd: ScriptedTaskd) -> None:
    """Tasks and warnings that somebody wants; what is gone is left out."""
    with Ear(taskd, Cursor(JOURNAL, 10), every=0.0) as ear:
        ear.next(CaughtUp)
        ear.follower.asks = Asks(("a", "gone"), warnings=True)
        learned = ear.next(Learned)
        assert (learned.tasks, learned.warnings) == ([{"id": "a"}], [WARNING])


def test_it_ends_while_nobody_takes_what_it_tells(taskd: ScriptedTaskd) -> None:
    """A stop does not wait for a full queue."""
    held = threading.Event()
    told: list[Word] = []

    def tell(word: Word) -> None:
        told.append(word)
        held.set()
        if ending.wait(PATIENCE):
            raise Stopped

    ending = threading.Event()
    one = Follower(str(taskd.path), None, tell, lambda: None)
    one.start()
    assert held.wait(PATIENCE)
    ending.set()
    one.stop(PATIENCE)
    assert not one._thread.is_alive()
    assert len(told) == 1
