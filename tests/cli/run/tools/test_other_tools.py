"""cryptsetup, pip, ffmpeg, ddrescue, and the ways of reading any program."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.recognise import recognise
from kaspad_taskd.cli.run.tools import cryptsetup, ddrescue, ffmpeg, pip
from kaspad_taskd.cli.run.tools.general import way
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY
from tests.cli.run.corpus import Recording, holds, load
from tests.cli.run.record import record
from tests.cli.run.tools.playing import checked, ended, made, percents, ran, read

if TYPE_CHECKING:
    from pathlib import Path

    from kaspad_taskd.cli.run.tools.tool import Tool


# -- cryptsetup


def test_cryptsetup_speaks_in_strings() -> None:
    """Its first line says 0 when a zone is written already; that is never ahead."""
    assert [each.reading.done for each in checked("cryptsetup-json")] == [
        0, 1 << 30, 2 << 30, 3 << 30, 4 << 30, 4701814784,
    ]  # fmt: skip
    assert percents(checked("cryptsetup-silent")) == []
    assert read(cryptsetup.TOOL, "cryptsetup x", '{"device_bytes": 5, "device_size": "9"}') == []
    assert read(
        cryptsetup.TOOL, "cryptsetup x", "Progress:  12.3%, ETA 00m10s,  1 MiB written"
    ) == [(12.3, 100, None)]


def test_cryptsetup_goes_on_where_it_was() -> None:
    """Once it has begun; it ends with 1 after a signal."""
    stopped = load("cryptsetup-stopped")
    assert (stopped.code, stopped.ending().rerun) == (1, "run.rerun.resume-reencrypt")
    assert load("cryptsetup-missing").ending().rerun is None
    assert cryptsetup.TOOL.offer(["cryptsetup", "reencrypt", "x"]) is not None
    assert cryptsetup.TOOL.offer(["cryptsetup", "luksFormat", "x"]) is None


# -- pip


def test_pip_counts_the_bytes_of_each_file() -> None:
    """And not of all: how many there will be it does not know."""
    said = [each.reading for each in checked("pip-raw")]
    assert list(dict.fromkeys(each.phase for each in said)) == [
        "downloading file 1",
        "downloading file 2",
    ]
    assert [(each.done, each.total) for each in said if each.done] == [
        (262144, 16918164), (16918164, 16918164), (262144, 1250147), (1250147, 1250147),
    ]  # fmt: skip
    assert checked("pip-install")[-1].reading.phase == "installing collected packages"
    assert percents(checked("pip-plain")) == []
    assert percents(checked("pip-tty")) == [0]
    assert read(pip.TOOL, "pip install x", "Progress 5 of 0") == [(5, None, "downloading")]


def test_pip_is_offered_what_newer_ones_take() -> None:
    """An older one ends with 2 there and then."""
    assert load("pip-old").ending().outcome == FAILED
    assert "24.1" in (pip.TOOL.offer(["pip", "install", "x"]) or "")
    assert pip.TOOL.offer(["pip", "install", "--progress-bar=off", "x"]) is None
    assert pip.TOOL.offer(["pip", "list"]) is None


def test_a_real_pip() -> None:
    """Recognised behind python -m; what is not there fails."""
    argv = [sys.executable, "-m", "pip", "download", "--no-index", "no-such-package"]
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this Python has no pip")
    reads, code = record(argv)
    run = Recording("now", {"argv": argv, "code": code}, reads)
    assert run.tool()[0].name == "pip"
    assert (percents(run.played()), run.ending().outcome) == ([], FAILED)


# -- ffmpeg


@pytest.mark.parametrize(
    "name",
    [
        "ffmpeg-progress",
        "ffmpeg-plain",
        "ffmpeg-to",
        "ffmpeg-stopped",
        "ffmpeg-progress-13",
        "ffmpeg-plain-13",
    ],
)
def test_ffmpeg_says_seconds_of_what_it_makes(name: str) -> None:
    """In microseconds, whatever they are called, or h:mm:ss; of how many nobody knows."""
    moments = checked(name)
    assert percents(moments) == []
    assert {each.reading.unit for each in moments} == {"seconds"}
    done = [each.reading.done or 0 for each in moments]
    assert len(done) >= 3
    assert max(done) <= 60.1
    if name in ("ffmpeg-progress", "ffmpeg-plain"):
        assert max(done) > 59


def test_an_ffmpeg_that_was_stopped_is_not_at_its_end() -> None:
    """Though it says progress=end."""
    stopped = load("ffmpeg-stopped")
    assert b"progress=end" in b"".join(each.data for each in stopped.reads)
    assert (stopped.code, stopped.ending().outcome) == (255, FAILED)
    assert stopped.ending().rerun == "run.rerun.shorter"
    assert load("ffmpeg-progress").ending().outcome == COMPLETE


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("ffmpeg -i a b", None),
        ("ffmpeg -v error -i a b", "-progress pipe:2"),
        ("ffmpeg -nostats -i a b", "-progress pipe:2"),
        ("ffmpeg -loglevel quiet -progress pipe:1 -i a b", None),
    ],
)
def test_what_ffmpeg_is_offered(command: str, flag: str | None) -> None:
    """It draws its row on a pipe, unless it is told to be quiet."""
    assert ffmpeg.TOOL.offer(command.split()) == flag


def test_a_real_ffmpeg(tmp_path: Path) -> None:
    """By what is installed here."""
    out = str(tmp_path / "out.mkv")
    source = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=3"]
    run = ran("ffmpeg", "-v", "error", *source, "-progress", "pipe:1", "-nostats", out)
    holds(run.played())
    assert run.code == 0, run.reads
    assert (run.played()[-1].reading.done or 0) > 2  # it says when a frame begins


# -- ddrescue


def test_ddrescue_counts_what_it_has() -> None:
    """Over all passes, and from where a mapfile says that the last run ended."""
    assert percents(checked("ddrescue-copy"))[:3] == [0, 33.42, 66.84]
    assert percents(checked("ddrescue-continued"))[0] == 50.13
    stopped = load("ddrescue-stopped")
    assert (stopped.code, stopped.ending().rerun) == (-2, "run.rerun.mapfile")
    assert ended(ddrescue.TOOL, "ddrescue -f a b", -2).rerun is None


def test_what_could_not_be_read_is_said() -> None:
    """It ends with 0 all the same."""
    for name in ("ddrescue-bad", "ddrescue-bad-13"):
        assert load(name).code == 0
        ending = load(name).ending()
        assert (ending.outcome, ending.said) == (PARTLY, "run.end.unreadable")
        assert ending.params == {"n": 1, "percent": "99.83"}
    assert load("ddrescue-copy").ending().outcome == COMPLETE


def test_a_real_ddrescue(tmp_path: Path) -> None:
    """By what is installed here."""
    source = made(tmp_path / "source", 1 << 20)
    argv = ["ddrescue", str(source), str(tmp_path / "copy"), str(tmp_path / "map")]
    run = ran(*argv, tool="gddrescue")
    holds(run.played())
    assert (run.code, run.ending().outcome) == (0, COMPLETE)


# -- any program


def general(chosen: str) -> Tool:
    """The way that is chosen."""
    found = recognise(["x"], chosen)
    assert found is not None
    return found[0]


def test_a_number_of_json() -> None:
    """By a name or a path; also where it is text; TOTAL may be a number."""
    rows = ['{"a": {"b": [7, "9"]}, "n": 12}', "no JSON", '{"a": 1}', "[1]", '{"a": {"b": []}}']
    assert read(general("json:a.b.0/n"), "x", *rows) == [(7, 12, None)]
    assert read(general("json:a.b.1/100"), "x", *rows) == [(9, 100, None)]
    assert read(general("json:n/none"), "x", *rows) == [(12, None, None)]
    assert read(general("json:x.y/z"), "x", '{"x.y": 1.5, "z": 3}') == [(1.5, 3, None)]
    for row in ('{"n": true}', '{"n": -1}', '{"n": 1e999}', '{"n": null}', '{"n": NaN}'):
        assert read(general("json:n/9"), "x", row) == []


def test_a_pattern() -> None:
    """Its first group is the percentage, or all of it; what is above 100 is none."""
    rows = ["at 12.5 percent", "at 30,5 percent of 99 %", "at 130 percent", "99%"]
    found = read(general("percent:at ([0-9.,]+) percent"), "x", *rows)
    assert found == [(12.5, 100, None), (30.5, 100, None)]
    assert read(general("percent:[0-9]+%"), "x", *rows) == [(99, 100, None)]
    assert read(general("percent:(a)|b"), "x", "b") == []


def test_lines_are_counted() -> None:
    """Those of standard output that are whole; more than were said have no total."""
    tool = general("lines:3")
    assert tool.lines
    reader = tool.reader(["x"])
    assert reader.read(2, "error") is None
    assert reader.read(1, "pending", False) is None
    found = [reader.read(1, line) for line in ("a", "", "b", "c")]
    assert [(each.done, each.total) for each in found if each] == [
        (1, 3),
        (2, 3),
        (3, 3),
        (4, None),
    ]


def test_a_way_is_none() -> None:
    """Where it says nothing that could be read."""
    assert way("json:a") is None
    assert way("percent:[") is None
    assert way("lines:٣") is None
