"""Masks are made and removed with the caller's rights, and never in another file's place."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.cli import admin, masks
from kaspad_taskd.cli.faults import Fault
from kaspad_taskd.words.plain import width
from tests.cli.conftest import Ran
from tests.cli.test_looks import written
from tests.fakes.taskd import Error, ScriptedTaskd, scripted

Ctl = Callable[..., Ran]
NOBODY = 65534
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user's rights")
RELOADED = {"added": [], "changed": [], "removed": ["a"], "faults": [], "needRestart": []}


def listed(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": name, "type": "report", "origin": "vendor", "state": "ok",
            "file": f"/usr/lib/{name}.toml", "faults": [], "directory": None, **fields}  # fmt: skip


@pytest.fixture
def place(taskd: ScriptedTaskd, tmp_path: Path) -> Path:
    """The administrator's directory, as the daemon names it."""
    return prepared(taskd, tmp_path)


@pytest.fixture
def open_place() -> Iterator[tuple[ScriptedTaskd, Path]]:
    """The same where other users may enter, and use the socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        with scripted(Path(name) / "rpc.sock", {}) as taskd:
            taskd.path.chmod(0o666)
            yield taskd, prepared(taskd, Path(name))


def prepared(taskd: ScriptedTaskd, above: Path) -> Path:
    made = above / "tasks.d"
    made.mkdir(mode=0o755)
    taskd.answers["listDefinitions"] = [listed()]
    taskd.answers["getInfo"] = {"definitionDirs": ["/usr/lib/x", str(made)]}
    taskd.answers["reload"] = RELOADED
    return made


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling"])
def test_what_is_there_is_never_replaced_or_removed(
    ctl: Ctl, taskd: ScriptedTaskd, place: Path, kind: str
) -> None:
    """Whatever it is; nothing is reloaded."""
    path = place / "a.toml"
    if kind == "file":
        path.write_text("x")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "link" else "/nowhere")
    before = path.lstat()
    code, out, err = ctl("definitions", "mask", "a")
    assert (code, out, err.count("\n")) == (1, "", 2)
    assert "is your own" in err
    ctl("definitions", "unmask", "a")
    assert path.lstat() == before


def test_a_link_that_leads_there_is_a_mask(place: Path) -> None:
    """However it was written."""
    (place / "a.toml").symlink_to(os.path.relpath("/dev/null", place))
    assert not masks.mask(str(place), "a.toml")
    assert masks.unmask(str(place), "a.toml")
    assert not masks.unmask(str(place), "a.toml")
    assert not masks.unmask(str(place / "missing"), "a.toml")


def test_a_directory_that_is_missing_is_made(tmp_path: Path) -> None:
    """As a user's own is before its first file."""
    place = tmp_path / "config" / "tasks.d"
    assert masks.mask(str(place), "a.toml")
    assert (place / "a.toml").readlink() == Path("/dev/null")


@ROOT
@pytest.mark.parametrize("theirs", [".", ".."])
def test_root_does_not_write_where_others_can(tmp_path: Path, theirs: str) -> None:
    """A daemon may name any directory: what another user could replace is none for root."""
    place = tmp_path / "above" / "tasks.d"
    place.mkdir(parents=True)
    os.chown(place / theirs, NOBODY, -1)
    with pytest.raises(Fault) as fault:
        masks.mask(str(place), "a.toml")
    assert fault.value.key == "mask-foreign"
    assert list(place.iterdir()) == []
    os.chown(place / theirs, 0, -1)
    (place / theirs).chmod(0o775)
    with pytest.raises(Fault):
        masks.unmask(str(place), "a.toml")
    (place / theirs).chmod(0o755)
    assert masks.mask(str(place), "a.toml")


@ROOT
def test_root_makes_no_directory_where_others_can(tmp_path: Path) -> None:
    """Nor any above it."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, -1)
    with pytest.raises(Fault):
        masks.mask(str(theirs / "deep" / "tasks.d"), "a.toml")
    assert list(theirs.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", ".x"])
def test_a_name_that_leads_elsewhere_is_none(
    ctl: Ctl, taskd: ScriptedTaskd, place: Path, name: str
) -> None:
    """Whatever a daemon says its definitions are called."""
    taskd.answers["listDefinitions"] = [listed(name)]
    assert ctl("definitions", "mask", name)[0] == 1
    assert list(place.parent.glob("**/*.toml")) == []


AS_NOBODY = f"""
import json, os, sys
import kaspad_taskd.cli.definitions
from kaspad_taskd.cli.main import run
from kaspad_taskd.cli.options import parse
parse(sys.argv[1:])
os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sys.exit(run(sys.argv[1:]))
"""
"""The client as another user. What it needs is imported before: he may not read our files."""


@ROOT
@pytest.mark.parametrize("action", ["mask", "unmask"])
def test_who_may_not_is_told_how_he_may(
    open_place: tuple[ScriptedTaskd, Path], action: str
) -> None:
    """The same words with sudo; nothing is changed, nothing reloaded."""
    taskd, place = open_place
    if action == "unmask":
        (place / "a.toml").symlink_to("/dev/null")
        taskd.answers["listDefinitions"] = [listed(state="masked", file=str(place / "a.toml"))]
    argv = ["--socket", str(taskd.path), "definitions", action, "a"]
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *argv], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"you may not change {place}" in done.stderr
    assert f"  sudo kaspad-taskctl definitions {action} a --socket {taskd.path}\n" in done.stderr
    assert len(list(place.iterdir())) == (action == "unmask")
    assert taskd.times("reload") == 0


def test_a_mask_that_the_daemon_does_not_take_over_is_told(
    ctl: Ctl, taskd: ScriptedTaskd, place: Path
) -> None:
    """It is made, and why it does not count yet."""
    taskd.answers["reload"] = Error(-32006, "The disk is full.", reason="store-unavailable")
    code, out, err = ctl("definitions", "mask", "a")
    assert (code, out.startswith("a is masked"), "disk is full" in err) == (1, True, True)
    assert (place / "a.toml").is_symlink()


@pytest.mark.parametrize("kind", ["pipe", "directory", "long"])
def test_what_is_no_definition_file_is_not_shown(
    ctl: Ctl, taskd: ScriptedTaskd, place: Path, kind: str
) -> None:
    """Nobody waits for a pipe, nor for its end."""
    path = place / "a.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(b"#" * ((1 << 20) + 1))
    taskd.answers["listDefinitions"] = [listed(file=str(path))]
    code, out, err = ctl("definitions", "show", "a")
    assert (code, out, str(path) in err) == (1, "", True)


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("cells", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(cells: int) -> None:
    """Long ids, types and directories, a fault that names a long path; ids stay different."""
    path = "/srv/" + "deep/" * 40 + "x"
    fault = {"file": "/etc/x.toml", "key": "checker.log", "problem": f"{path} is no file"}
    found = [
        listed("indexer-sync-" + "a" * 80 + end, type="database-migration", origin="admin",
               directory="/home/somebody/.config/kaspad-taskd/tasks.d", state=state,
               faults=[fault])
        for end, state in (("1", "last-good"), ("2", "masked"), ("3", "ok"))
    ]  # fmt: skip
    lines = written(admin.definitions(found, cells)).splitlines()
    assert max(map(width, lines)) <= cells
    assert "the last good version is used" in "\n".join(lines)
    assert len({line.split()[1] for line in lines if line[0] in "✓✗–"}) == 3  # noqa: RUF001
    assert path in "".join(line[2:] for line in lines[2:8])
