"""What an earlier version gave to the daemon is given to root, and the daemon reads it still."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kaspad_taskd.daemon import hand_over as program
from kaspad_taskd.daemon.hand_over import hand_over, is_owners_alone, is_password_file

UID, GID = 54_321, 54_322
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def file(place: Path, uid: int, gid: int, mode: int, text: str = "secret\n") -> Path:
    place.write_text(text)
    os.chown(place, uid, gid)
    place.chmod(mode)
    return place


def seen(place: Path) -> tuple[int, int, int]:
    found = place.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@needs_root
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "then"),
    [
        (UID, 0, 0o400, (0, GID, 0o640)),
        (UID, GID, 0o600, (0, GID, 0o640)),
        (UID, 0, 0o640, (0, GID, 0o640)),
        (UID, GID, 0o604, (0, GID, 0o640)),
        (UID, GID, 0o640, (UID, GID, 0o640)),
        (UID, 0, 0o644, (UID, 0, 0o644)),
        (UID, GID, 0o200, (UID, GID, 0o200)),
        (0, GID, 0o640, (0, GID, 0o640)),
        (0, 0, 0o600, (0, 0, 0o600)),
    ],
)
def test_what_only_its_owner_could_read_is_given(
    tmp_path: Path, uid: int, gid: int, mode: int, then: tuple[int, int, int]
) -> None:
    """By the classes as the kernel takes them; each that was given is named, once."""
    one = file(tmp_path / "one", uid, gid, mode)
    said = list(hand_over(str(tmp_path), UID, GID))
    assert seen(one) == then
    given = then != (uid, gid, mode)
    assert said == ([f"{one} is now root:kaspad-taskd 0640"] if given else [])
    assert list(hand_over(str(tmp_path), UID, GID)) == []


@needs_root
def test_directories_are_taken_before_what_lies_in_them(tmp_path: Path) -> None:
    """Root's as well, at any depth."""
    inner = tmp_path / "roots/its"
    inner.mkdir(parents=True)
    os.chown(inner, UID, GID)
    inner.chmod(0o700)
    one = file(inner / "one", UID, GID, 0o600)
    said = list(hand_over(str(tmp_path), UID, GID))
    assert [each.partition(" ")[0] for each in said] == [str(inner), str(one)]
    assert (seen(inner), seen(one)) == ((0, GID, 0o750), (0, GID, 0o640))


@needs_root
def test_nothing_elsewhere_is_reached(tmp_path: Path) -> None:
    """By no link, no second name, no pipe that waits."""
    secrets, elsewhere = tmp_path / "secrets", tmp_path / "elsewhere"
    for each in (secrets, elsewhere):
        each.mkdir()
    away = file(elsewhere / "away", UID, GID, 0o600)
    (secrets / "link").symlink_to(away)
    (secrets / "directory").symlink_to(elsewhere)
    (secrets / "second").hardlink_to(away)
    os.mkfifo(secrets / "pipe")
    os.chown(secrets / "pipe", UID, GID)
    assert list(hand_over(str(secrets), UID, GID)) == []
    assert seen(away) == (UID, GID, 0o600)
    (tmp_path / "other").symlink_to(secrets)
    with pytest.raises(NotADirectoryError):
        list(hand_over(str(tmp_path / "other"), UID, GID))


@needs_root
def test_a_password_file_of_postgresql_stays(tmp_path: Path) -> None:
    """Its clients ignore one that anybody else can read; a DSN is none."""
    kept = file(tmp_path / "pgpass", UID, GID, 0o600, "# mine\n*:5432:db:me:pass:word\n")
    file(tmp_path / "dsn", UID, GID, 0o600, "postgresql://me:word@h:5432/db?host=::1\n")
    said = list(hand_over(str(tmp_path), UID, GID))
    assert seen(kept) == (UID, GID, 0o600)
    assert [each.partition(" ")[2][:12] for each in said] == ["is now root:", "is a passwor"]


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b"h:1:d:u:p\n", True),
        (b"/run/postgresql:5432:*:u:p\n\n", True),
        (b"", False),
        (b"# only a remark: a : b : c : d\n", False),
        (b"token-without-colons\n", False),
        (b"host=::1 port=1 user=u password=a:b:c\nmore\n", False),
        (b"Bearer a:b\n", False),
        (b"\xff\x00:::", False),
    ],
)
def test_how_a_password_file_is_known(content: bytes, is_one: bool) -> None:
    """Every line has its five fields."""
    assert is_password_file(content) is is_one


def test_a_file_of_another_is_never_the_daemons(tmp_path: Path) -> None:
    """Whatever its mode."""
    (tmp_path / "x").touch()
    assert not is_owners_alone((tmp_path / "x").stat(), os.geteuid() + 1, 0)


def test_it_runs_alone_and_says_what_is_wrong(tmp_path: Path) -> None:
    """As postinst runs it, with the standard library only; a failure is a sentence."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program.__file__), str(tmp_path / "none")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "stays as it is" in done.stderr
    assert "Traceback" not in done.stderr
