"""git: each phase its own count."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.git import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED
from tests.cli.run.corpus import holds, load
from tests.cli.run.tools.playing import checked, percents, ran, read

if TYPE_CHECKING:
    from pathlib import Path


def test_a_clone_has_phases() -> None:
    """Each from 0 on; of what is only enumerated there is no percentage."""
    said = [each.reading for each in checked("git-clone")]
    order = list(dict.fromkeys(each.phase for each in said))
    assert order == [
        "remote: enumerating objects",
        "remote: counting objects",
        "remote: compressing objects",
        "receiving objects",
        "resolving deltas",
        "updating files",
    ] or order == [
        "remote: enumerating objects",
        "remote: counting objects",
        "remote: compressing objects",
        "receiving objects",
    ]
    assert {each.phase for each in said if each.percent is None} == {order[0]}
    last = [each for each in said if each.phase == "receiving objects"][-1]
    assert (last.done, last.total, last.unit) == (2442, 2442, "objects")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Receiving objects:  37% (904/2442), 4 MiB | 8 MiB/s", (904, 2442, "receiving objects")),
        ("Updating files: 100% (2400/2400), done.", (2400, 2400, "updating files")),
        ("remote: Compressing objects:  10% (5/50)     ", (5, 50, "remote: compressing objects")),
        ("Filtering content:  50% (1/2), 3.00 MiB | 2.00 MiB/s", (1, 2, "filtering content")),
        ("Enumerating objects: 12, done.", (12, None, "enumerating objects")),
        ("Receiving objects:  37% (904/24", None),
        ("remote: 100% of nothing", None),
        ("fatal: 3% (1/2)", None),
    ],
)  # fmt: skip
def test_rows(row: str, expected: tuple[object, ...] | None) -> None:
    """Also of other subcommands; a half row is none."""
    assert read(TOOL, "git x", row) == ([] if expected is None else [expected])


def test_how_it_ends() -> None:
    """A clone that failed has taken away what it had: another begins anew."""
    assert load("git-clone").ending().outcome == COMPLETE
    for name in ("git-clone-stopped", "git-clone-missing"):
        ending = load(name).ending()
        assert (ending.outcome, ending.rerun) == (FAILED, "run.rerun.over")
    assert TOOL.ending(1, TOOL.reader(["git"]), ["git", "diff"]).rerun is None


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("git clone x", "--progress"),
        ("git -C /x -c a=b --git-dir /y fetch", "--progress"),
        ("git clone --progress x", None),
        ("git pull -q", None),
        ("git status", None),
        ("git -C clone status", None),
        ("git", None),
    ],
)
def test_what_is_offered(command: str, flag: str | None) -> None:
    """To what has it."""
    assert TOOL.offer(command.split()) == flag


def test_a_real_clone(tmp_path: Path) -> None:
    """By the git of this machine, from a repository of this machine."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed (apt install git)")
    source = tmp_path / "source"
    source.mkdir()
    for number in range(200):
        (source / f"file{number}").write_bytes(bytes([number]) * 3000)
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=source, check=True, capture_output=True)
    clone = ran("git", "clone", "--progress", f"file://{source}", str(tmp_path / "copy"))
    moments = clone.played()
    holds(moments)
    assert (clone.code, clone.ending().outcome) == (0, COMPLETE)
    assert percents(moments)[-1] > 99
    assert "receiving objects" in {each.reading.phase for each in moments}
