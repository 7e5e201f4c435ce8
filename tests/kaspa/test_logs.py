"""Following a log: a file as it rotates, is cut, is none; a journal by a stand-in program."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa import logs
from kaspad_taskd.kaspa.logs import (
    MAX_BYTES,
    FileFollower,
    JournalFollower,
    entries,
    grown_file,
    open_log,
    where_of,
)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_a_file_gives_its_new_lines_once(tmp_path: Path) -> None:
    """Each line at one look, none twice; the cursor survives JSON."""
    path = tmp_path / "node.log"
    append(path, "one\ntwo\n")
    follower = FileFollower(path)
    first = await follower.read(None)
    append(path, "three\n")
    second = await FileFollower(path).read(json.loads(json.dumps(first.cursor)))
    third = await follower.read(second.cursor)
    assert (first.lines, second.lines, third.lines) == (("one", "two"), ("three",), ())


def test_a_cut_line_waits_for_its_rest(tmp_path: Path) -> None:
    """The writer was in the middle of it."""
    path = tmp_path / "node.log"
    append(path, "one\ntw")
    first = grown_file(path, None)
    append(path, "o\n")
    assert first.lines == ("one",)
    assert grown_file(path, first.cursor).lines == ("two",)


def test_a_rotated_file_begins_anew(tmp_path: Path) -> None:
    """Renamed, and a new one made in its place."""
    path = tmp_path / "node.log"
    append(path, "old\n")
    cursor = grown_file(path, None).cursor
    path.rename(tmp_path / "node.log.1")
    append(path, "new\n")
    assert grown_file(path, cursor).lines == ("new",)


def test_a_truncated_file_begins_anew(tmp_path: Path) -> None:
    """Emptied in place (copytruncate)."""
    path = tmp_path / "node.log"
    append(path, "a long line of before\n")
    cursor = grown_file(path, None).cursor
    path.write_text("new\n")
    assert grown_file(path, cursor).lines == ("new",)


def test_of_much_only_the_newest_whole_lines_are_read(tmp_path: Path) -> None:
    """A gigabyte of log costs one look no more than a quarter of a megabyte."""
    path = tmp_path / "node.log"
    path.write_text("".join(f"line {number:09}\n" for number in range(100_000)))
    first = grown_file(path, None)
    assert first.lines[-1] == "line 000099999"
    assert first.lines[0].startswith("line ")
    assert sum(len(line) + 1 for line in first.lines) <= MAX_BYTES
    assert grown_file(path, first.cursor).lines == ()


def test_a_line_without_end_is_passed_over(tmp_path: Path) -> None:
    """No text at all, or a line of megabytes, does not hold up what follows."""
    path = tmp_path / "node.log"
    path.write_bytes(b"\x00\xff" * MAX_BYTES)
    first = grown_file(path, None)
    append(path, "\nafter\n")
    assert "after" in grown_file(path, first.cursor).lines


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    """Missing, a directory, a pipe without a writer: a sentence, and at once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, words in ((tmp_path / "none", "No such file"), (tmp_path, "is no file"),
                        (pipe, "is no file")):  # fmt: skip
        found = grown_file(path, [1, 2, 3])
        assert words in str(found.problem)
        assert (found.lines, found.cursor) == ((), [1, 2, 3])


@given(st.lists(st.binary(max_size=60), max_size=12), st.data())
def test_whatever_is_written_in_whatever_pieces_is_read_once(
    pieces: list[bytes], data: object
) -> None:
    """Appended piece by piece, a look after each: together they are the file's whole lines."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log"
        path.write_bytes(b"")
        cursor = grown_file(path, None).cursor
        lines: list[str] = []
        for piece in pieces:
            with path.open("ab") as file:
                file.write(piece)
            found = grown_file(path, cursor)
            cursor = found.cursor
            lines += found.lines
        whole = b"".join(pieces).split(b"\n")[:-1]
        assert lines == [line.decode("utf-8", "replace") for line in whole]


@pytest.mark.parametrize(
    "source",
    [
        "journal:", "journal:-x", "journal:a b", "relative.log",
        "journal:CONTAINER_NAME=", "journal:CONTAINER_NAME=-x", "journal:CONTAINER_NAME=a b",
        "journal:CONTAINER_NAME=a+_UID=0", "journal:CONTAINER_NAME=a\n", "journal:_UID=0",
    ],
)  # fmt: skip
def test_a_source_that_is_none_is_refused(source: str) -> None:
    """With what it must be."""
    with pytest.raises(ValueError, match="must be"):
        open_log(source)


def journal(tmp_path: Path, script: str, name: str = "kaspad.service") -> JournalFollower:
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return JournalFollower(name, str(program))


ENTRY = r'{"__CURSOR":"s=1;i=2","MESSAGE":"hello"}'


async def test_a_journal_is_asked_after_its_cursor(tmp_path: Path) -> None:
    """One bounded call a look."""
    follower = journal(tmp_path, f"echo \"$@\" > {tmp_path}/asked; printf '%s\\n' '{ENTRY}'")
    found = await follower.read("s=1;i=1")
    asked = (tmp_path / "asked").read_text()
    assert (found.lines, found.cursor, found.problem) == (("hello",), "s=1;i=2", None)
    assert "--unit=kaspad.service" in asked
    assert "--after-cursor=s=1;i=1" in asked
    assert "--lines=2000" in asked


async def test_a_container_s_journal_is_asked_by_its_name(tmp_path: Path) -> None:
    """Docker's and podman's log driver `journald`: no socket, no group of theirs."""
    script = f"echo \"$@\" > {tmp_path}/asked; printf '%s\\n' '{ENTRY}'"
    found = await journal(tmp_path, script, "CONTAINER_NAME=kaspa-node").read(None)
    assert found.lines == ("hello",)
    assert "--unit" not in (tmp_path / "asked").read_text()
    assert "CONTAINER_NAME=kaspa-node " in (tmp_path / "asked").read_text()


def test_a_log_is_named_in_sentences() -> None:
    """By what a cure needs of it."""
    assert isinstance(open_log("journal:CONTAINER_NAME=kaspa-node"), JournalFollower)
    assert where_of("journal:CONTAINER_NAME=kaspa-node") == {"container": "kaspa-node"}
    assert where_of("journal:kaspad.service") == {"unit": "kaspad.service"}
    assert where_of("/k.log") == {"log": "/k.log"}
    assert where_of(None) == {}


async def test_a_journal_that_may_not_be_read_names_the_cure(tmp_path: Path) -> None:
    """Without the group journalctl exits 1."""
    script = "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1"
    found = await journal(tmp_path, script).read("c")
    assert (found.lines, found.cursor) == ((), "c")
    assert "group systemd-journal" in str(found.problem)


async def test_a_journal_that_hangs_costs_its_lines_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed at the deadline."""
    monkeypatch.setattr(logs, "DEADLINE", 0.2)
    found = await journal(tmp_path, "exec sleep 60").read("c")
    assert "does not answer" in str(found.problem)


async def test_a_journal_that_floods_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read until then counts."""
    monkeypatch.setattr(logs, "MAX_OUTPUT", 100_000)
    found = await journal(tmp_path, f"while :; do printf '%s\\n' '{ENTRY}'; done").read(None)
    assert 100 < len(found.lines) < 10_000
    assert found.cursor == "s=1;i=2"


async def test_no_journalctl_is_said() -> None:
    """In a container."""
    found = await JournalFollower("a.service", "/nonexistent/journalctl").read(None)
    assert "cannot run journalctl" in str(found.problem)


def test_entries_of_all_shapes_are_read() -> None:
    """Bytes instead of text, several lines, none, and a cut end."""
    rows = [
        b'{"__CURSOR":"1","MESSAGE":"a\\nb"}',
        b'{"__CURSOR":"2","MESSAGE":[104,105,255]}',
        b'{"__CURSOR":"3","MESSAGE":null}',
        b'{"__CURSOR":"4","MESSAGE":[1000]}',
        b'{"__CURSOR":"5","MES',
    ]
    assert entries(b"\n".join(rows)) == (("a", "b", "hi\ufffd"), "4")
