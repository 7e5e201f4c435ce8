"""wget: rows of dots that grow, its bar, several files; wget2 says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY
from kaspad_taskd.cli.run.tools.wget import TOOL
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import (
    checked,
    ended,
    names,
    percents,
    ran,
    read,
)
from tests.cli.run.tools.test_curl import address as address

if TYPE_CHECKING:
    from pathlib import Path

GET = "wget http://h/x"


@pytest.mark.parametrize("name", names("wget"))
def test_recordings(name: str) -> None:
    """Never ahead of what was sent, never falling, never 100 %."""
    moments = checked(name)
    silent = load(name).argv[0] == "wget2" or name == "wget-bar-unknown-12"
    assert bool(moments) != silent


def test_a_row_that_grows_is_what_its_first_column_says() -> None:
    """Its percentage is of when it is whole."""
    length = "Length: 5242880 (5.0M) [application/octet-stream]"
    row = "    50K .......... .......... .......... .......... ..........  1% 2.04M 2s"
    reader = TOOL.reader(GET.split())
    assert reader.read(2, length) is None
    seen = [reader.read(2, row[:end], False) for end in range(len(row))]
    assert {(each.done, each.total) for each in seen if each} == {(51200, 5242880)}


@pytest.mark.parametrize("language", ["Länge: 5242880 (5,0M) [x]", "Longitud: 5242880 (5.0M) [x]"])
def test_a_length_in_any_language(language: str) -> None:
    """It is the number behind a word and a colon."""
    assert read(TOOL, GET, language, "   100K ...") == [(102400, 5242880, "file 1")]


def test_no_length_no_percentage() -> None:
    """The bytes are known."""
    for name in ("wget-unknown-12", "wget-unknown-13"):
        moments = checked(name)
        assert moments
        assert not percents(moments)


def test_each_file_is_a_phase() -> None:
    """The second begins anew."""
    moments = checked("wget-two-12")
    assert list(dict.fromkeys(each.reading.phase for each in moments)) == ["file 1", "file 2"]


def test_told_to_be_quiet_it_says_no_length() -> None:
    """Then the percentage at the end of a row is all there is."""
    moments = checked("wget-nv-12")
    assert {each.reading.unit for each in moments} == {"percent"}


@pytest.mark.parametrize(
    ("argv", "code", "pieces", "outcome", "rerun"),
    [
        (GET, 0, (), COMPLETE, None),
        (GET, 4, (), FAILED, "run.rerun.truncated-wget"),
        (f"{GET} -c", -2, (), FAILED, "run.rerun.continues"),
        ("wget2 http://h/x", -6, (), FAILED, "run.rerun.truncated-wget"),
        ("wget2 http://h/x", 0, (), COMPLETE, None),
    ],
)
def test_how_it_ends(
    argv: str, code: int, pieces: tuple[str, ...], outcome: str, rerun: str | None
) -> None:
    """The part lies under the final name; -c goes on with it."""
    found = ended(TOOL, argv, code, *pieces)
    assert (found.outcome, found.rerun) == (outcome, rerun)


def test_some_of_several_have_failed() -> None:
    """8 with a file that was saved is a part."""
    saved = ["    50K ...", "2026-11-30 08:57:01 (1.95 MB/s) - a saved [5242880/5242880]"]
    found = ended(TOOL, "wget -r http://h/", 8, *saved)
    assert (found.outcome, found.said) == (PARTLY, "run.end.some-failed")


def test_what_would_help() -> None:
    """Quiet ones may show their progress."""
    helping = "--show-progress --progress=dot:mega"
    assert TOOL.offer(["wget", "-q", "http://h/x"]) == helping
    assert TOOL.offer(["wget", "-nv", "http://h/x"]) == helping
    for argv in (GET, f"{GET} -q --show-progress", "wget2 -q http://h/x"):
        assert TOOL.offer(argv.split()) is None


def test_for_real(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for form in ("dot", "bar:force"):
        now = ran("wget", f"--progress={form}", "-O", str(tmp_path / "x"), address)
        moments = now.played()
        holds(moments)
        assert percents(moments)
        assert now.ending().outcome == COMPLETE
