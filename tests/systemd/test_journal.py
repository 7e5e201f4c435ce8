"""The log as the journal gets it, at a real socket that speaks as journald's does."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.systemd.journal import (
    HELD,
    LONGEST,
    PAUSE,
    JournalHandler,
    Lines,
    begin_log,
    complain,
    entry_of,
    is_journal,
)
from tests.fakes.no_files import no_files
from tests.fakes.patience import PATIENCE

PACKAGE = Path(__file__).parents[2] / "kaspad_taskd"


def parsed(entry: bytes) -> dict[str, str]:
    """Read an entry by the rules of systemd's JOURNAL_NATIVE_PROTOCOL."""
    fields = {}
    while entry:
        line, _, entry = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(entry[:8], "little")
            value, entry = entry[8 : 8 + size], entry[8 + size :]
            assert entry[:1] == b"\n"
            entry = entry[1:]
        fields[name.decode()] = value.decode()
    return fields


class Journal:
    """A socket where journald's is."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self.path)

    def entries(self) -> list[dict[str, str]]:
        found = []
        while True:
            try:
                found.append(parsed(self._socket.recv(1 << 20)))
            except BlockingIOError:
                return found

    def until(self, count: int) -> list[dict[str, str]]:
        """Wait for so many entries."""
        return self._until(lambda found: len(found) >= count)

    def until_says(self, words: str) -> list[dict[str, str]]:
        """Wait for an entry with these words; returns all up to it."""
        return self._until(lambda found: bool(found) and words in found[-1]["MESSAGE"])

    def _until(self, enough: Callable[[list[dict[str, str]]], bool]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        self._socket.settimeout(PATIENCE)
        try:
            while not enough(found):
                found.append(parsed(self._socket.recv(1 << 20)))
        finally:
            self._socket.setblocking(False)
        return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "socket")
    yield made
    made.close()


@pytest.fixture
def log(journal: Journal) -> Iterator[logging.Logger]:
    """A logger whose records go to the journal."""
    logger = logging.getLogger("kaspad_taskd.of-this-test")
    handler = JournalHandler(journal.path, patience=PATIENCE)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)
    handler.close()


def test_fields_are_fields(log: logging.Logger, journal: Journal) -> None:
    """Task, reason and incident can be asked for, and stand in the text for those who read."""
    log.warning("it %s", "failed", extra={"task": "a", "reason": "refused", "incident": None})
    (entry,) = journal.entries()
    assert entry["MESSAGE"] == "task=a reason=refused it failed"
    assert (entry["TASK"], entry["REASON"], entry["PRIORITY"]) == ("a", "refused", "4")
    assert "INCIDENT" not in entry
    assert entry["SYSLOG_IDENTIFIER"] == "kaspad-taskd"
    assert entry["CODE_FILE"] == __file__
    assert entry["CODE_FUNC"] == "test_fields_are_fields"
    assert int(entry["CODE_LINE"]) > 0


def test_a_traceback_is_one_entry(log: logging.Logger, journal: Journal) -> None:
    """Not a line each."""
    try:
        raise ValueError("the\nvery cause")
    except ValueError:
        log.exception("a fault", extra={"incident": "ab12"})
    (entry,) = journal.entries()
    assert entry["MESSAGE"].startswith("incident=ab12 a fault\nTraceback")
    assert entry["MESSAGE"].endswith("ValueError: the\nvery cause")
    assert (entry["INCIDENT"], entry["PRIORITY"]) == ("ab12", "3")


@pytest.mark.parametrize(
    ("level", "priority"), [(50, "2"), (40, "3"), (30, "4"), (20, "6"), (10, "7"), (1, "7")]
)
def test_levels_are_priorities(level: int, priority: str) -> None:
    """As `journalctl -p` wants them."""
    record = logging.LogRecord("n", level, "f", 1, "m", (), None)
    assert parsed(entry_of(record, "m"))["PRIORITY"] == priority


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_value_becomes_another_field(task: str, text: str) -> None:
    """Whatever line ends it has."""
    record = logging.LogRecord("n", 20, "f", 1, "m", (), None)
    record.task = task
    fields = parsed(entry_of(record, text))
    assert set(fields) == {"PRIORITY", "SYSLOG_IDENTIFIER", "LOGGER", "CODE_FILE", "CODE_LINE",
                           "CODE_FUNC", "TASK", "MESSAGE"}  # fmt: skip
    shown = task.encode(errors="replace").decode()
    assert (fields["TASK"], fields["MESSAGE"]) == (shown, text.encode(errors="replace").decode())


def test_what_is_too_long_keeps_both_ends(log: logging.Logger, journal: Journal) -> None:
    """It arrives at once, its begin and its end."""
    log.error("begin %s end", "x" * 1_000_000)
    (entry,) = journal.entries()
    assert len(entry["MESSAGE"]) == LONGEST
    assert entry["MESSAGE"].startswith("begin x")
    assert entry["MESSAGE"].endswith("x end")


def test_a_burst_is_held_and_told_in_order(log: logging.Logger, journal: Journal) -> None:
    """More than the socket's queue takes: nobody waits, nothing is lost, nothing overtakes."""
    began = time.monotonic()
    for number in range(HELD):
        log.info("%d", number)
    assert time.monotonic() - began < HELD * PAUSE / 2
    told = journal.until(HELD)
    assert [entry["MESSAGE"] for entry in told] == [str(number) for number in range(HELD)]
    log.info("and now")
    assert journal.until(1)[0]["MESSAGE"] == "and now"


def test_a_burst_is_told_though_there_is_no_file(log: logging.Logger, journal: Journal) -> None:
    """What says that files have run out does not need one."""
    with no_files():
        for number in range(HELD):
            log.info("%d", number)
        told = journal.until(HELD)
    assert [entry["MESSAGE"] for entry in told] == [str(number) for number in range(HELD)]


def test_what_is_too_much_is_counted(log: logging.Logger, journal: Journal) -> None:
    """It is said once the rest is through."""
    for number in range(4 * HELD):
        log.info("%d", number)
    told = journal.until_says("were lost")
    assert HELD <= len(told) - 1 < 4 * HELD
    kept = [int(entry["MESSAGE"]) for entry in told[:-1]]
    assert kept == sorted(kept)
    assert told[-1]["MESSAGE"].startswith(f"{4 * HELD - len(kept)} entries were lost")


def test_a_journal_that_comes_back_gets_what_it_missed(
    log: logging.Logger, journal: Journal
) -> None:
    """A restarted journald is found again; nothing is raised meanwhile."""
    journal.close()
    Path(journal.path).unlink()
    log.info("meanwhile")
    back = Journal(Path(journal.path))
    log.info("again")
    assert [entry["MESSAGE"] for entry in back.until(2)] == ["meanwhile", "again"]
    back.close()


def test_patience_ends(journal: Journal) -> None:
    """Without a journal memory does not grow; when it is back, the loss is told."""
    handler = JournalHandler(journal.path, patience=0.1)
    journal.close()
    Path(journal.path).unlink()
    handler.handle(logging.LogRecord("n", 20, "f", 1, "gone", (), None))
    end = time.monotonic() + PATIENCE
    while handler._sender is not None and time.monotonic() < end:
        time.sleep(0.01)
    assert not handler._held
    back = Journal(Path(journal.path))
    handler.handle(logging.LogRecord("n", 20, "f", 1, "heard", (), None))
    told = [entry["MESSAGE"] for entry in back.until(2)]
    assert told == ["heard", "1 entries were lost: the journal did not take them in time"]
    handler.close()
    back.close()


def test_a_stop_waits_a_moment_only(journal: Journal) -> None:
    """Whatever the journal does."""
    handler = JournalHandler(journal.path, patience=10 * PATIENCE)
    for _ in range(2000):
        handler.handle(logging.LogRecord("n", 20, "f", 1, "x", (), None))
    began = time.monotonic()
    handler.close()
    assert time.monotonic() - began < PATIENCE


def test_what_is_held_at_a_stop_is_sent(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """logging.shutdown holds the handler's lock while it closes it: the sender needs none of it."""
    monkeypatch.setattr("kaspad_taskd.systemd.journal.LAST_WORDS", PATIENCE)
    journal.close()
    Path(journal.path).unlink()
    handler = JournalHandler(journal.path, patience=PATIENCE)
    for number in range(3):
        handler.handle(logging.LogRecord("n", 20, "f", 1, str(number), (), None))
    back = Journal(Path(journal.path))
    handler.acquire()
    handler.close()
    assert not handler._held
    handler.release()
    assert [entry["MESSAGE"] for entry in back.until(3)] == ["0", "1", "2"]
    back.close()


@pytest.fixture
def stderr(tmp_path: Path) -> Iterator[TextIO]:
    """A stream in the place of stderr; the root logger is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    with (tmp_path / "stderr").open("w+") as stream:
        yield stream
    for each in root.handlers:
        each.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def journal_stream(stream: TextIO) -> str:
    found = os.fstat(stream.fileno())
    return f"{found.st_dev}:{found.st_ino}"


def test_the_journal_is_taken_where_stderr_is_it(
    stderr: TextIO, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOURNAL_STREAM names stderr's own device and inode."""
    monkeypatch.setenv("JOURNAL_STREAM", journal_stream(stderr))
    begin_log("info", stderr, journal.path)
    logging.getLogger("kaspad_taskd").info("hello")
    assert [entry["MESSAGE"] for entry in journal.entries()] == ["hello"]
    assert stderr.tell() == 0


def test_a_terminal_gets_lines(
    stderr: TextIO, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stamp, the fields before the text; an inherited variable is no reason for another."""
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    begin_log("info", stderr, journal.path)
    logging.getLogger("kaspad_taskd.x").warning("hello", extra={"task": "a"})
    stderr.seek(0)
    line = stderr.read()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d .* WARNING kaspad_taskd\.x: task=a hello\n", line)
    assert journal.entries() == []


def test_no_socket_is_no_reason_to_be_silent(
    stderr: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox may hide it: then lines, which the journal stamps itself."""
    monkeypatch.setenv("JOURNAL_STREAM", journal_stream(stderr))
    begin_log("info", stderr, str(tmp_path / "none"))
    logging.getLogger("kaspad_taskd").error("hello")
    stderr.seek(0)
    assert stderr.read() == "ERROR kaspad_taskd: hello\n"


def test_a_closed_stderr_is_no_journal() -> None:
    """A question, no crash."""
    assert not is_journal({"JOURNAL_STREAM": "1:1"}, 9999)
    assert not is_journal({}, sys.__stderr__.fileno() if sys.__stderr__ else 2)


def test_why_there_is_no_daemon_is_an_error(
    stderr: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the journal by its priority, on a terminal by the program's name."""
    monkeypatch.setattr(sys, "stderr", stderr)
    complain("a.toml, key: must be so")
    monkeypatch.setenv("JOURNAL_STREAM", journal_stream(stderr))
    complain("a.toml, key: must be so")
    stderr.seek(0)
    assert stderr.read() == "kaspad-taskd: a.toml, key: must be so\n<3>a.toml, key: must be so\n"


def test_every_handler_tells_the_same() -> None:
    """The fields are put before the text once, however often a record is formatted."""
    record = logging.LogRecord("n", 20, "f", 1, "m %s", ("1",), None)
    record.task = "a"
    line = Lines()
    assert [line.format(record), line.format(record)] == ["task=a m 1", "task=a m 1"]


def test_no_text_has_a_field_in_it() -> None:
    """`task=%s` in a text would be no field: it belongs into `extra`."""
    found = [
        str(path)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"""["'][^"']*\b(task|reason|incident)=%""", path.read_text())
    ]
    assert found == []
