"""Both verbs on a host in a directory, with systemd's own tools where they are called."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.daemon.arguments import install_parser, uninstall_parser
from kaspad_taskd.daemon.installing import verbs
from kaspad_taskd.daemon.installing.hands import Hands
from kaspad_taskd.daemon.installing.pieces import PROGRAMS, pieces, shipped
from kaspad_taskd.daemon.installing.plan import Piece, Step
from kaspad_taskd.daemon.installing.refusal import Refusal

TOOLS = ("systemctl", "systemd-sysusers", "systemd-tmpfiles")
ME = os.geteuid()
LIST = "var/lib/kaspad-taskd-install/list.json"
UNIT = "usr/local/lib/systemd/system/kaspad-taskd.service"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"not all installed: {', '.join(TOOLS)}"
)


KEPT = "/etc/kaspad-taskd/kept.toml"
NAMES = ("/kaspad-taskd", "/kaspad-taskctl", ".service", ".socket", ".timer", ".conf", "report.sh",
         "/_kaspad-taskctl", "switch.8", "/node-sync-kaspa-node.toml", ".rules", KEPT)  # fmt: skip


def few(source: Path, prefix: Path) -> list[Piece]:
    """Some of each kind, settings too: each file of each test is brought to the disk."""
    made = [*pieces(source, prefix), Piece(KEPT, b"", kept=True, source="/opt/kept.toml")]
    return [each for each in made if each.path.endswith(NAMES)]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "pieces", few)


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The verbs are the last thing that a process does; a test goes on."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = os.umask(0o022)
    yield
    os.umask(before)


class Noting(Hands):
    """Does everything to the files, and notes what it would tell systemd."""

    told: list[str]

    def run(self, *words: str) -> None:
        self.told.append(" ".join(words))


def noting(root: Path, kind: type[Noting] = Noting) -> Noting:
    hands = kind(root)
    object.__setattr__(hands, "told", [])
    return hands


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with something in it already."""
    place = tmp_path / "root"
    (place / "etc").mkdir(parents=True)
    (place / "usr/lib").mkdir(parents=True)
    return place


def options(root: Path, *more: str) -> argparse.Namespace:
    return install_parser().parse_args(["--root", str(root), *more])


def install(root: Path, hands: Hands | None = None, *more: str) -> int:
    return verbs.install(options(root, *more), hands or noting(root), ME)


def uninstall(root: Path, hands: Hands | None = None, *more: str) -> int:
    given = uninstall_parser().parse_args(["--root", str(root), *more])
    return verbs.uninstall(given, hands or noting(root), ME)


def tree(root: Path) -> dict[str, str | bytes]:
    """Everything but the list."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name != "list.json"
    }


def test_it_makes_what_a_service_needs_and_done_again_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Units of this prefix, commands, rule, default task, settings; the second run says so."""
    monkeypatch.setattr(verbs, "pieces", pieces)
    assert install(root) == 0
    first = tree(root)
    unit = first[UNIT]
    assert isinstance(unit, bytes)
    assert f"\nExecStart={sys.prefix}/bin/kaspad-taskd\n".encode() in unit
    assert b"/usr/bin/kaspad-task" not in unit
    for name in PROGRAMS:
        assert first[f"usr/local/bin/{name}"] == f"{sys.prefix}/bin/{name}"
    assert "usr/share/polkit-1/rules.d/50-kaspad-taskd.rules" in first
    assert "usr/lib/kaspad-taskd/tasks.d/node-sync-kaspa-node.toml" in first
    assert first["usr/local/share/man/man8/kaspad-taskd-switch.8"] == "kaspad-taskd.8"
    said = capsys.readouterr().out
    assert f"made: /{UNIT}" in said
    assert "is a service: kaspad-taskd.service" in said
    stamps = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    hands = noting(root)
    assert install(root, hands) == 0
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == stamps
    assert [each.split()[0] for each in hands.told] == ["systemd-sysusers", "systemd-tmpfiles"]
    assert capsys.readouterr().out.startswith("kaspad-taskd ")


def test_everything_is_open_to_read_and_roots_to_write(root: Path) -> None:
    """Whatever mask the shell has."""
    os.umask(0o077)
    assert install(root) == 0
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            program = path.name.endswith("report.sh")
            assert path.stat().st_mode & 0o777 == (0o755 if program else 0o644), path
        elif path.is_dir() and not path.is_symlink():
            assert path.stat().st_mode & 0o777 == 0o755, path


def test_an_update_replaces_what_nobody_changed_and_restarts(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an administrator changed is left and named, with the file to compare it with."""
    assert install(root) == 0
    default = root / "usr/lib/kaspad-taskd/tasks.d/node-sync-kaspa-node.toml"
    default.write_text("theirs")
    (root / KEPT[1:]).unlink()
    monkeypatch.setattr(verbs, "pieces", renewed)
    capsys.readouterr()
    hands = noting(root)
    assert install(root, hands) == 0
    said = capsys.readouterr().out
    assert f"replaced: /{UNIT}\n" in said
    assert "left: /usr/lib/kaspad-taskd/tasks.d/node-sync-kaspa-node.toml, which somebody" in said
    assert str(shipped() / "packaging/tasks.d/node-sync-kaspa-node.toml") in said
    assert default.read_text() == "theirs"
    assert not (root / KEPT[1:]).exists()
    assert (root / UNIT).read_bytes().endswith(b"# newer\n")
    assert not any("enable" in each for each in hands.told)


class Running(Noting):
    """One whose systemd is told."""

    @property
    def runs(self) -> bool:
        return True


def test_an_update_restarts_whatever_runs_for_long(root: Path) -> None:
    """The hub, too, which nobody has to run: else it would go on with the program of before."""
    units = (shipped() / "packaging").glob("*/*.service")
    lasting = {unit.name for unit in units if "Type=notify" in unit.read_text()}
    hands = noting(root, Running)
    hands.renew()
    (told,) = [each for each in hands.told if "try-restart" in each]
    assert "kaspad-taskd-hub.service" in lasting
    assert set(told.split()[2:]) == lasting


def renewed(source: Path, prefix: Path) -> list[Piece]:
    made = pieces(source, prefix)
    return [
        each if each.data is None else replace(each, data=each.data + b"# newer\n") for each in made
    ]


def test_uninstall_leaves_the_host_as_it_was_but_for_what_is_theirs(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings stay as `apt remove` leaves them; a changed file is left and named."""
    mine = root / "usr/local/bin/mine"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert install(root) == 0
    theirs = root / "usr/local/share/zsh/site-functions/_kaspad-taskctl"
    theirs.write_text("theirs")
    capsys.readouterr()
    hands = noting(root)
    assert uninstall(root, hands) == 0
    left = {path for path in tree(root) if not path.startswith("etc/kaspad-taskd/")}
    assert left == {"usr/local/bin/mine", str(theirs.relative_to(root))}
    assert (root / KEPT[1:]).exists()
    directories = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir()}
    assert not any(name in path for path in directories for name in ("man8", "systemd", "-install"))
    assert "usr/lib" in directories
    said = capsys.readouterr().out
    assert f"left: /{theirs.relative_to(root)}, which somebody" in said
    users = "the users kaspad-taskd*"
    assert f"kept: /etc/kaspad-taskd, /var/lib/kaspad-taskd*, {users}" in said
    assert [each.split()[-1] for each in hands.told][:2] == [
        "kaspad-taskd.socket", "kaspad-taskd-backup.timer",
    ]  # fmt: skip
    assert uninstall(root) == 0
    assert "nothing is here" in capsys.readouterr().out


def test_dry_runs_change_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both verbs list what they would do."""
    assert install(root, None, "--dry-run") == 0
    assert f"would be made: /{UNIT}\n" in capsys.readouterr().out
    assert tree(root) == {}
    assert not (root / "var").exists()
    assert install(root) == 0
    before = tree(root)
    capsys.readouterr()
    assert install(root, None, "--dry-run") == 0
    assert "nothing would be changed\n" in capsys.readouterr().out
    assert uninstall(root, None, "--dry-run") == 0
    assert f"would be removed: /{UNIT}\n" in capsys.readouterr().out
    assert tree(root) == before


class Cut(Noting):
    """Is killed before a step, or where it talks to systemd."""

    after: int

    def do(self, step: Step) -> None:
        self._count()
        super().do(step)

    def run(self, *words: str) -> None:
        self._count()
        super().run(*words)

    def _count(self) -> None:
        object.__setattr__(self, "after", self.after - 1)
        if self.after < 0:
            raise KeyboardInterrupt


def cut(root: Path, after: int) -> Cut:
    hands = noting(root, Cut)
    assert isinstance(hands, Cut)
    object.__setattr__(hands, "after", after)
    return hands


def until_whole(verb: Callable[[Path, Hands], int], root: Path) -> Iterator[None]:
    """Interrupt a run after no step, one step, two..., until one gets through."""
    for after in range(200):
        try:
            assert verb(root, cut(root, after)) == 0
        except KeyboardInterrupt:
            yield
        else:
            return
    raise AssertionError("it never ends")


def test_what_is_interrupted_anywhere_is_finished_or_undone_by_the_next(
    tmp_path: Path,
) -> None:
    """After each step, each word to systemd: whole, or gone, and never half."""
    whole = tmp_path / "whole"
    whole.mkdir()
    assert install(whole) == 0
    first = tmp_path / "first"
    first.mkdir()
    for number, _ in enumerate(until_whole(install, first)):
        one = tmp_path / f"{number}"
        one.mkdir()
        with pytest.raises(KeyboardInterrupt):
            install(one, cut(one, number))
        undone = tmp_path / f"{number}-undone"
        shutil.copytree(one, undone, symlinks=True)
        hands = noting(one)
        assert install(one, hands) == 0
        assert tree(one) == tree(whole)
        assert any("enable" in each for each in hands.told)
        assert uninstall(undone) == 0
        assert not [path for path in tree(undone) if not path.startswith("etc/")]
        for each in (one, undone):
            shutil.rmtree(each)
        if number % 3:  # each third one is enough for the way back, too
            continue
        shutil.copytree(whole, one, symlinks=True)
        with contextlib.suppress(KeyboardInterrupt):
            uninstall(one, cut(one, number))
        assert uninstall(one) == 0
        assert not [path for path in tree(one) if not path.startswith("etc/")]
        shutil.rmtree(one)


@pytest.mark.skipif(ME != 0, reason="only root makes users")
def test_systemds_own_tools_make_user_groups_and_link(root: Path) -> None:
    """As in an image that is not booted: what they read is where we put it."""
    assert install(root, Hands(root)) == 0
    users = (root / "etc/passwd").read_text()
    assert ":/var/lib/kaspad-taskd:" in users
    assert "kaspad-taskd-read:" in (root / "etc/group").read_text()
    link = root / "etc/systemd/system/multi-user.target.wants/kaspad-taskd.service"
    assert link.readlink() == Path("/") / UNIT
    assert uninstall(root, Hands(root)) == 0
    assert not link.is_symlink()
    assert (root / "etc/passwd").read_text() == users


def refused(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert install(root, None, *more) == 1
    assert not (root / "var").exists()
    return capsys.readouterr().err


def test_where_the_package_is_it_refuses(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its files, where dpkg cannot be asked."""
    (root / "usr/share/kaspad-taskd/kaspad_taskd").mkdir(parents=True)
    assert "Debian's package of kaspad-taskd is installed" in refused(root, capsys)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="dpkg-query is not installed")
@pytest.mark.parametrize(
    ("status", "there"),
    [("install ok installed", True), ("install ok half-configured", True),
     ("install reinstreq half-installed", True), ("deinstall ok config-files", False)],
)  # fmt: skip
def test_where_dpkg_knows_the_package_it_refuses(
    root: Path, capsys: pytest.CaptureFixture[str], status: str, *, there: bool
) -> None:
    """Half of it, too; a removed one whose settings are left is none."""
    dpkg = root / "var/lib/dpkg"
    dpkg.mkdir(parents=True)
    (dpkg / "status").write_text(
        f"Package: kaspad-taskd\nStatus: {status}\nVersion: 0.1.0\nArchitecture: all\n"
        "Maintainer: x <x@example.org>\nDescription: x\n"
    )
    assert install(root) == (1 if there else 0)
    assert ("Debian's package" in capsys.readouterr().err) == there


@pytest.mark.parametrize("prefix", ["/nowhere", "relative"])
def test_another_prefix_without_the_program_is_told_how_to_make_one(
    root: Path, capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    """With what to type."""
    said = refused(root, capsys, "--prefix", prefix)
    assert f"python3 -m venv {Path(prefix).absolute()} && " in said


def test_the_program_of_another_prefix_is_not_run_where_others_write(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root would run it to ask."""
    program = root / "opt/bin/kaspad-taskd"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho owned\n")
    program.chmod(0o777)
    (program.parent / "python3").symlink_to(sys.executable)
    assert f"{program} can be written by others" in refused(
        root, capsys, "--prefix", str(root / "opt")
    )


@pytest.mark.parametrize(
    ("begin", "good"),
    [("#!{here}/python3\n", True), ("#!/bin/sh\n\'\'\'exec\' \"{here}/python\" \"$0\"\n", True),
     ("#!/usr/local/bin/python3\n", False), ("#!/bin/sh\nexec elsewhere\n", False), ("", False)],
)  # fmt: skip
def test_a_command_of_another_python_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, begin: str,
    *, good: bool,
) -> None:  # fmt: skip
    """A copied environment's commands still run the one that it was copied from."""
    copied = root / "opt/venv"
    (copied / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        (copied / "bin" / name).write_text(begin.format(here=Path(sys.executable).parent))
    monkeypatch.setattr(sys, "prefix", str(copied))
    assert install(root) == (0 if good else 1)
    assert ("is run by another Python" in capsys.readouterr().err) == (not good)


def test_a_variable_that_the_service_would_not_have_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is imported now is not what would be."""
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert "PYTHONPATH is set" in refused(root, capsys)


@pytest.mark.parametrize("place", ["usr/local", "usr/local/lib/systemd", "usr/share"])
def test_a_place_that_others_write_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """A unit or a command of root's, there, would be theirs."""
    (root / place).mkdir(parents=True, exist_ok=True)
    (root / place).chmod(0o775)
    assert f"{root}/{place} can be written by others" in refused(root, capsys)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "nonsense"])
def test_a_list_that_is_none_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Nothing is made or removed by a guess."""
    assert install(root) == 0
    (root / LIST).write_text(text)
    before = tree(root)
    for verb in (install, uninstall):
        assert verb(root) == 1
        assert f"{root / LIST} is not a list of this version" in capsys.readouterr().err
    assert tree(root) == before


def test_the_list_names_no_path_outside_of_what_it_may(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is root's, and still no way up."""
    assert install(root) == 0
    table = json.loads((root / LIST).read_text())
    table["files"]["/usr/../etc/passwd"] = {"sha256": ["x"], "kept": False, "pending": False}
    (root / LIST).write_text(json.dumps(table))
    assert uninstall(root) == 1
    assert "is not a list of this version" in capsys.readouterr().err


def test_an_old_unit_of_the_administrators_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Systemd takes /etc first; a mask is no unit."""
    old = root / "etc/systemd/system/kaspad-taskd.service"
    old.parent.mkdir(parents=True)
    old.touch()
    (old.parent / "kaspad-taskd.socket").symlink_to("/dev/null")
    assert install(root) == 0
    said = capsys.readouterr().out
    assert f"left: /{old.relative_to(root)}, which systemd takes instead" in said
    assert "kaspad-taskd.socket, which" not in said


def test_a_mask_is_obeyed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the package obeys it: all is there, and nothing is enabled or an error."""
    mask = root / "etc/systemd/system/kaspad-taskd.service"
    mask.parent.mkdir(parents=True)
    mask.symlink_to("/dev/null")
    hands = noting(root)
    assert install(root, hands) == 0
    assert "it is masked, and so not started" in capsys.readouterr().out
    assert not any("enable" in each for each in hands.told)
    assert (root / UNIT).exists()


def test_a_unit_that_somebody_changed_is_ended_and_left(root: Path) -> None:
    """Its commands go: it could not be started again."""
    assert install(root) == 0
    (root / UNIT).write_text("theirs")
    hands = noting(root)
    assert uninstall(root, hands) == 0
    assert any(each.endswith(" disable kaspad-taskd.service") for each in hands.told)
    assert (root / UNIT).read_text() == "theirs"


class Failing(Noting):
    """Whose service does not start."""

    def enable(self) -> None:
        raise Refusal("systemctl enable --now kaspad-taskd.service: no")


def test_a_service_that_does_not_start_is_an_error_and_tried_again(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files are there and known; the next run enables it."""
    assert install(root, noting(root, Failing)) == 1
    assert "systemctl enable --now" in capsys.readouterr().err
    hands = noting(root)
    assert install(root, hands) == 0
    assert any("enable" in each for each in hands.told)
