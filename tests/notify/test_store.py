"""Guarantees of `kaspad_taskd.notify.store` and `outbox`, on a real disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.delivery import DAY, FEWEST, Entry, Fate, Lane
from kaspad_taskd.notify.kept import Cursor, message_json, message_of
from kaspad_taskd.notify.model import Item, Kind, Message, Outcome, Why
from kaspad_taskd.notify.outbox import MOST, SHOWN, Content, Outbox
from kaspad_taskd.notify.store import Held, Lost, Newer, Store, Unwritable

CURSOR = Cursor("abc", 17, (17, "sync:health", "2026-11-30T00:00:00.000Z"))
DOWN = Outcome(delivered=False, why=Why.TIMEOUT, sent=True, words="no answer", retry_after=7.0)
GOOD = Outcome(delivered=True, status=200, words="ok")


def message(name: str = "s-1") -> Message:
    item = Item(Kind.TROUBLE, "task:node", "node", "behind", {"behind": 7, "x": None}, began=5)
    return Message(name, "phone", 10, Kind.TROUBLE, (item,), "Title", "Text", "http://x/task/node")


def outbox(content: Content | None = None) -> Outbox:
    return Outbox(content or Content(), 100)


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    """State, cursor and outbox, by the next process."""
    box = outbox()
    box.put(message(), ["phone/0", "phone/1"], 100)
    box.note(1, DOWN, 200)
    box.note(2, GOOD, 300)
    store = Store(tmp_path)
    assert store.load(0).state is None
    store.save({"a": [1]}, CURSOR, box.changes())
    store.close()
    again = Store(tmp_path)
    kept = again.load(0)
    again.close()
    assert (kept.state, kept.cursor) == ({"a": [1]}, CURSOR)
    new = outbox(kept.outbox)
    assert new.content() == box.content()
    assert new.waiting()[0].outcome == DOWN
    assert new.lane("phone/0") == Lane(1, 200 + 7000)
    assert new.message(new.waiting()[0]) == message()


def test_state_and_outbox_are_one_transaction(tmp_path: Path) -> None:
    """A save that fails in its middle leaves nothing of itself."""
    store = Store(tmp_path)
    store.load(0)
    store.save({"n": 1}, None, Content())
    bad = Content(entries=(Entry(1, "m", "p", 0, 0, at="x" * 10),))  # type: ignore[arg-type]
    broken = Content(messages=(message(),), entries=(*bad.entries, "no entry"))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        store.save({"n": 2}, CURSOR, broken)
    store.close()
    again = Store(tmp_path)
    kept = again.load(0)
    again.close()
    assert kept.state == {"n": 1}
    assert kept.cursor is None
    assert kept.outbox == Content()


@pytest.mark.parametrize("harm", ["garbage", "cut", "json", "table", "empty"])
def test_a_damaged_file_is_put_aside_and_begun_anew(tmp_path: Path, harm: str) -> None:
    """And who looks finds it beside the new one."""
    store = Store(tmp_path)
    store.load(0)
    box = outbox()
    for n in range(60):
        box.put(message(f"s-{n}"), ["p"], 0)
    store.save({"n": 1}, None, box.changes())
    store.close()
    file = tmp_path / "notify.db"
    if harm == "garbage":
        file.write_bytes(b"no database at all" * 1000)
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:9000])
    elif harm == "empty":
        file.write_bytes(b"")
    else:
        with sqlite3.connect(file) as base:
            base.execute("UPDATE kept SET value = '{'" if harm == "json" else "DROP TABLE lanes")
        base.close()
    again = Store(tmp_path)
    kept = again.load(1_700_000_000_000)
    assert kept.state is None
    if harm != "empty":
        assert kept.aside is not None
        assert kept.aside.exists()
    again.save({"n": 2}, None, Content())
    again.close()


def test_a_file_that_is_removed_or_damaged_meanwhile_is_written_anew(tmp_path: Path) -> None:
    """Whole, from memory."""
    store = Store(tmp_path)
    store.load(0)
    box = outbox()
    box.put(message(), ["p"], 0)
    store.save({"n": 1}, None, box.changes())
    box.saved()
    (tmp_path / "notify.db").unlink()
    with pytest.raises(Lost):
        store.save({"n": 2}, CURSOR, box.changes())
    assert store.renew({"n": 2}, CURSOR, box.content(), 0) is None
    store.close()
    again = Store(tmp_path)
    kept = again.load(0)
    again.close()
    assert kept.state == {"n": 2}
    assert kept.outbox == box.content()


def test_of_two_notifiers_the_second_is_refused(tmp_path: Path) -> None:
    """By the lock of the kernel, which ends with its holder."""
    first = Store(tmp_path)
    with pytest.raises(Held, match=str(os.getpid())):
        Store(tmp_path)
    first.close()
    Store(tmp_path).close()


def test_a_newer_state_is_left_alone(tmp_path: Path) -> None:
    """Nothing of it is changed."""
    store = Store(tmp_path)
    store.load(0)
    store.close()
    with sqlite3.connect(tmp_path / "notify.db") as base:
        base.execute("PRAGMA user_version = 2")
    base.close()
    again = Store(tmp_path)
    with pytest.raises(Newer):
        again.load(0)
    again.close()


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(Unwritable, match="--state-dir"):
        Store(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_on_a_full_disk_nothing_is_lost_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """What could not be saved is saved by the next one that can."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], check=True)
    try:
        store = Store(disk)
        store.load(0)
        box = outbox()
        box.put(message(), ["p"], 0)
        store.save({"n": 1}, None, box.changes())
        box.saved()
        with pytest.raises(OSError, match="space"):
            (disk / "ballast").write_bytes(b"x" * 2**20)
        box.put(message("s-2"), ["p"], 0)
        with pytest.raises(Unwritable, match="make room"):
            store.save({"n": 2, "pad": "y" * 200_000}, None, box.changes())
        (disk / "ballast").unlink()
        store.save({"n": 2}, None, box.changes())
        store.close()
        again = Store(disk)
        kept = again.load(0)
        again.close()
        assert kept.state == {"n": 2}
        assert [entry.message for entry in kept.outbox.entries] == ["s-1", "s-2"]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


_WRITER = """
import sys
from pathlib import Path
from kaspad_taskd.notify.store import Store
from kaspad_taskd.notify.outbox import Outbox, Content
from tests.notify.test_store import GOOD, message
store = Store(Path(sys.argv[1])); kept = store.load(0); box = Outbox(kept.outbox, 0)
n = (kept.state or {"n": 0})["n"]
while True:
    n += 1
    box.put(message(f"s-{n}"), ["a"], 0)
    if n % 2:
        box.note(max(e.number for e in box.content().entries), GOOD, n)
    store.save({"n": n}, None, box.changes()); box.saved()
    print(n, flush=True)
"""


@pytest.mark.system
def test_a_kill_at_any_moment_leaves_a_whole_state(tmp_path: Path) -> None:
    """What was said to be saved is there, and state and outbox are of one moment."""
    for _ in range(5):
        command = [sys.executable, "-c", _WRITER, str(tmp_path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(7):
            said = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
        writer.wait()
        writer.stdout.close()
        said = rest.splitlines()[-1] if rest.endswith("\n") and rest else said
        store = Store(tmp_path)
        kept = store.load(0)
        store.close()
        assert kept.state is not None
        n = kept.state["n"]
        assert n >= int(said)
        assert max(int(entry.message[2:]) for entry in kept.outbox.entries) == n


def test_the_outbox_is_bounded() -> None:
    """What ended is kept for a while; what waits for one place gives way to what is newer."""
    box = outbox()
    for n in range(SHOWN + 50):
        box.put(message(f"s-{n}"), ["a"], n)
        box.note(n + 1, GOOD, n)
    assert len(box.content().messages) == SHOWN
    assert len(box.ended()) == SHOWN
    for n in range(MOST):
        assert box.put(message(f"t-{n}"), ["a"], n) == []
    (lost,) = box.put(message("t-x"), ["a"], 1)
    assert (lost.message, lost.fate) == ("t-0", Fate.FAILED)
    assert len(box.waiting()) == MOST


def test_what_waits_for_a_place_that_is_none_any_more_is_given_up_and_told() -> None:
    """Settings that change lose nothing in silence."""
    box = outbox()
    box.put(message(), ["a", "b"], 0)
    assert [entry.place for entry in box.keep_to(frozenset({"b"}), 5)] == ["a"]
    assert [entry.place for entry in box.waiting()] == ["b"]


def test_an_outcome_that_comes_twice_or_too_late_changes_nothing() -> None:
    """The first one counts."""
    box = outbox()
    box.put(message(), ["a"], 0)
    box.note(1, GOOD, 0)
    before = box.content()
    assert box.note(1, DOWN, 5) == []
    assert box.note(99, DOWN, 5) == []
    assert box.content() == before


SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9)
ITEMS = st.builds(
    Item,
    st.sampled_from(Kind), st.text(), st.text(), st.text(), st.dictionaries(st.text(), SCALAR),
    st.none() | st.integers(), st.none() | st.integers(), st.integers(1, 99), st.booleans(),
)  # fmt: skip


@given(st.lists(ITEMS, max_size=3), st.sampled_from(Kind), st.none() | st.text())
def test_any_message_comes_back_as_it_was(items: list[Item], kind: Kind, link: str | None) -> None:
    """Through JSON and back."""
    given = Message("a-1", "r", 5, kind, tuple(items), "Überschrift", "Text", link)
    assert message_of(message_json(given)) == given


def test_one_that_is_given_up_with_its_place_is_told_of_once() -> None:
    """Though it was tried itself: as given up, and not as one that waits."""
    box = outbox()
    for n in range(2):
        box.put(message(f"s-{n}"), ["a"], 0)
    for n in range(1, FEWEST):
        assert [(e.number, e.fate) for e in box.note(1, DOWN, n)] == [(1, Fate.WAITING)]
    told = [(entry.number, entry.fate) for entry in box.note(2, DOWN, DAY)]
    assert told == [(2, Fate.FAILED), (1, Fate.FAILED)]
