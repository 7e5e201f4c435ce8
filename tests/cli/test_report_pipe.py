"""`report TASK -`: lines in, one report a second out, whatever the daemon does meanwhile."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kaspad_taskd.cli import ending, report_pipe
from kaspad_taskd.cli.report_pipe import LONGEST, Lines
from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task
from tests.fakes.patience import PATIENCE
from tests.fakes.set_time import SetTime
from tests.fakes.taskd import Error, Hangup, ScriptedTaskd

Ctl = Callable[..., Ran]
TASK = {**golden_task("headers-import"), "status": "in-progress", "progress": 42.0,
        "progressBasis": "exact"}  # fmt: skip


class Given(SetTime):
    """A clock, and a pipe in its time: so many seconds pass, then these lines are there."""

    def __init__(self, *parts: tuple[float, list[str]]) -> None:
        super().__init__()
        ends = itertools.accumulate(after for after, _ in parts)
        self._parts = [(at, lines) for at, (_, lines) in zip(ends, parts, strict=True)]

    def __call__(self, _handle: int) -> Given:
        return self

    def next(self, timeout: float | None) -> list[str] | None:
        if not self._parts:
            return None
        at, lines = self._parts[0]
        if timeout is not None and self.now + timeout < at:
            self.now += timeout
            return []
        self.now = max(self.now, at)
        self._parts.pop(0)
        return lines


@pytest.fixture
def pipe(
    taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[tuple[float, Any]]]:
    """Give the client a pipe; the reports and when they came are in the list."""

    def give(*parts: tuple[float, list[str]], answers: Any = None) -> list[tuple[float, Any]]:
        given = Given(*parts)
        told: list[tuple[float, Any]] = []
        left = list(answers or [{"task": TASK}])
        monkeypatch.setattr(report_pipe, "time", given)
        monkeypatch.setattr(ending, "time", given)
        monkeypatch.setattr(report_pipe, "Lines", given)

        def answer(params: dict[str, Any]) -> Any:
            assert params.pop("taskId") == TASK["id"]
            told.append((given.now, params))
            return left.pop(0) if len(left) > 1 else left[0]

        taskd.answers["reportTask"] = answer
        return told

    return give


@pytest.mark.parametrize(
    ("parts", "reports"),
    [
        ([(0, ["1 %"]), (5, ["2 %"]), (5, ["3 %"])], [(0, 1), (5, 2), (10, 3)]),
        ([(0, ["1 %"]), (0.1, ["2 %"]), (0.1, ["3 %"]), (9, [])], [(0, 1), (1, 3)]),
        ([(0, ["1 %"]), (0.1, ["2 %"])], [(0, 1), (1, 2)]),
        ([(0.3, [f"{n} %" for n in range(99)])], [(0.3, 98)]),
        ([(0.01, [f"{n / 10} %"]) for n in range(300)],
         [(0.01, 0), (1.01, 9.9), (2.01, 19.9), (3.01, 29.9)]),
    ],
)  # fmt: skip
def test_one_report_a_second_and_always_the_last(
    ctl: Ctl, pipe: Any, parts: list[Any], reports: list[tuple[float, float]]
) -> None:
    """The first at once; of what comes meanwhile the newest; the last though the pipe has ended."""
    told = pipe(*parts)
    assert ctl("report", "headers-import", "-")[0] == 0
    assert [params["progress"] for _at, params in told] == [share for _at, share in reports]
    assert [at for at, _ in told] == pytest.approx([at for at, _ in reports], abs=0.02)
    assert "completed" not in told[-1][1]
    assert all(b - a > 0.999 for (a, _), (b, _) in itertools.pairwise(told))


@pytest.mark.parametrize(
    ("lines", "words", "ends"),
    [
        (["99 %"], "", {"progress": 99}),
        (["100 %"], "", {"progress": 100, "completed": True}),
        (["10/10", "synced"], "", {"progress": 100, "completed": True,
                                   "metadata": {"note": "synced"}}),
        (["100 %", "3 %"], "", {"progress": 3}),
        (["3 %"], "--complete-at-end", {"progress": 3, "completed": True}),
        ([], "--complete-at-end", {"completed": True}),
        (['{"error": "disk full"}'], "--complete-at-end", {"error": "disk full"}),
        (['{"completed": true}'], "", {"completed": True}),
        (["3 %"], "file=x", {"progress": 3, "metadata": {"file": "x"}}),
    ],
)  # fmt: skip
def test_what_the_end_of_the_pipe_means(
    ctl: Ctl, pipe: Any, lines: list[str], words: str, ends: dict[str, Any]
) -> None:
    """Nothing, unless the last share was the whole, the line said so, or who called."""
    told = pipe((0, lines))
    assert ctl("report", "headers-import", "-", *words.split())[0] == 0
    everything: dict[str, Any] = {}
    for _at, params in told:
        everything |= params
        assert ("completed" in params) <= (params is told[-1][1])
    assert everything == ends


def test_what_was_reported_is_said_at_the_end(ctl: Ctl, pipe: Any) -> None:
    """How to end it, where it goes on; with --json the last answer alone."""
    pipe((0, ["42 %"]))
    code, out, err = ctl("report", "headers-import", "-")
    assert (code, err) == (0, "")
    assert "42.0 %" in out
    assert f"kaspad-taskctl report {TASK['id']} --complete" in " ".join(out.split())
    pipe((0, ["41 %"]), (2, ["42 %"]))
    assert json.loads(ctl("report", "headers-import", "-", "--json")[1]) == {"task": TASK}
    pipe()
    assert ctl("report", "headers-import", "-") == (0, "Nothing was reported: no line came.\n", "")


def test_after_its_end_nothing_more_is_reported(ctl: Ctl, pipe: Any) -> None:
    """The rest of the pipe is read."""
    told = pipe((0, ['{"completed": true}']), (5, ["3 %"]), (5, ["4 %"]))
    assert ctl("report", "headers-import", "-")[0] == 0
    assert len(told) == 1


def test_a_restart_of_the_daemon_ends_no_pipe(ctl: Ctl, pipe: Any) -> None:
    """What was not taken goes with the next one, tried once a second; it is said once."""
    away = [Hangup()] * 3
    told = pipe((0, ["1 %", "a=1"]), (5, ["2 %"]), answers=[*away, {"task": TASK}])
    code, _out, err = ctl("report", "headers-import", "-")
    assert code == 0
    assert [at for at, _ in told] == pytest.approx([0, 1, 2, 3, 5])
    assert told[3][1] == {"progress": 1, "metadata": {"a": 1}}
    assert err.count("closed the connection") == 1


def test_a_daemon_that_stays_away_is_exit_3(ctl: Ctl, pipe: Any) -> None:
    """The pipe is read to its end, then the last report is tried for a minute."""
    told = pipe((0, ["1 %"]), (500, ["2 %"]), answers=[Hangup()])
    assert ctl("report", "headers-import", "-")[0] == 3
    assert told[-1][1]["progress"] == 2
    assert 560 <= told[-1][0] <= 565


def test_a_pause_is_waited_out(ctl: Ctl, pipe: Any) -> None:
    """A refusal is said once and tried again; at the end it is exit 1."""
    no = Error(-32003, "The task is paused.", reason="not-allowed")
    pipe((0, ["1 %"]), (1, ["2 %"]), (1, ["3 %"]), answers=[no, no, {"task": TASK}])
    code, _out, err = ctl("report", "headers-import", "-")
    assert (code, err.count("is paused")) == (0, 1)
    pipe((0, ["1 %"]), (5, ["2 %"]), answers=[no])
    assert ctl("report", "headers-import", "-")[0] == 1


def test_facts_that_are_refused_do_not_keep_the_progress(ctl: Ctl, pipe: Any) -> None:
    """A task has so many, whoever reported them."""
    no = Error(-32602, "metadata must be at most 64 facts", reason="invalid-params")
    told = pipe((0, ["1 %", "a=1"]), answers=[no, {"task": TASK}])
    code, _out, err = ctl("report", "headers-import", "-")
    assert (code, "64 facts" in err, told[-1][1]) == (0, True, {"progress": 1})


def test_an_end_whose_answer_was_lost_is_no_failure(
    ctl: Ctl, pipe: Any, taskd: ScriptedTaskd
) -> None:
    """The daemon took it, then the connection ended: it is complete."""
    taskd.answers["getTask"] = {**TASK, "status": "complete"}
    no = Error(-32003, "The task is complete.", reason="not-allowed")
    pipe((0, ["100 %"]), answers=[Hangup(), no])
    assert ctl("report", TASK["id"], "-")[0] == 0


@pytest.mark.parametrize(
    "words", ["- --progress 3", "- --complete", "- --error x", "--complete-at-end"]
)
def test_two_ways_at_once_are_a_wrong_command_line(ctl: Ctl, words: str) -> None:
    """Nothing is read, nothing sent."""
    assert ctl("report", "headers-import", *words.split())[:2] == (2, "")


@pytest.mark.parametrize("words", ["", "--complete-at-end"])
def test_what_cannot_be_read_is_no_end(
    ctl: Ctl, pipe: Any, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """A terminal that has gone: said as that, exit 1; what was read is reported, nothing ends."""

    class Broken(Given):
        def next(self, timeout: float | None) -> list[str] | None:
            got = super().next(timeout)
            if got is None:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return got

    told = pipe((0, ["99 %"]), (0.1, ["100 %"]))
    broken = Broken((0, ["99 %"]), (0.1, ["100 %"]))
    for module in (report_pipe, ending):
        monkeypatch.setattr(module, "time", broken)
    monkeypatch.setattr(report_pipe, "Lines", broken)
    code, out, err = ctl("report", "headers-import", "-", *words.split())
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: - cannot be read: Input/output error\n")
    assert [params for _at, params in told] == [{"progress": 99.0}, {"progress": 100.0}]


# -- the pipe itself


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


def every(lines: Lines) -> list[str]:
    found: list[str] = []
    while (got := lines.next(0)) is not None:
        found += got
    return found


def test_lines_end_as_progress_bars_end_them(ends: tuple[int, int]) -> None:
    """By a carriage return too; the last one needs no end; pieces are put together."""
    reader, writer = ends
    lines = Lines(reader)
    os.write(writer, b"1 %\r2 ")
    assert lines.next(60) == ["1 %"]
    assert lines.next(0) == []
    os.write(writer, b"%\r\n\xff\n3 %")
    os.close(writer)
    assert every(lines) == ["2 %", "", "\ufffd", "3 %"]


def test_an_endless_line_takes_no_room(ends: tuple[int, int]) -> None:
    """Its beginning is kept; the next one is whole."""
    reader, writer = ends
    lines = Lines(reader)
    got: list[str] = []
    for _ in range(8):
        os.write(writer, b"x" * 50_000)
        got += lines.next(60) or []
    os.write(writer, b"\n42 %\n")
    os.close(writer)
    assert [*got, *every(lines)] == ["x" * LONGEST, "42 %"]


def test_whatever_is_wrong_the_work_can_write_to_its_end(taskd: ScriptedTaskd) -> None:
    """A task that is none: said at once, exit 1 after the last line, no SIGPIPE for the work."""
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(taskd.path), "report"]
    with subprocess.Popen(
        [*command, "nobody", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        assert "there is no task nobody" in process.stderr.readline()
        for _ in range(50):
            process.stdin.write("42 %\n" * 2000)
        process.stdin.close()
        assert process.wait(PATIENCE) == 1
    assert taskd.times("reportTask") == 0


def test_without_a_daemon_the_work_can_write_too(tmp_path: Any) -> None:
    """Exit 3 at the end, and no minute of waiting for what was never there."""
    command = [sys.executable, "-m", "kaspad_taskd.cli", "--socket", str(tmp_path / "none")]
    done = subprocess.run(
        [*command, "report", "x", "-"], input="42 %\n" * 50_000, text=True, capture_output=True,
        timeout=PATIENCE * 2, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("cannot reach")) == (3, 1)
