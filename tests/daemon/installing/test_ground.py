"""Whose files root runs: nobody's but root's, whichever way leads to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kaspad_taskd.daemon.installing.ground import closed, doubt, hidden

ME = os.geteuid()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with a prefix whose Python is a link, as a virtual environment's is."""
    root = tmp_path / "root"
    for name in ("opt/venv/bin", "opt/venv/lib/site-packages/pkg", "usr/bin", "srv/lib"):
        (root / name).mkdir(parents=True)
    (root / "usr/bin/python3.13").touch(0o755)
    (root / "opt/venv/bin/python3").symlink_to(root / "usr/bin/python3.13")
    (root / "opt/venv/lib64").symlink_to("lib")
    (root / "opt/venv/lib/site-packages/pkg/mod.py").touch(0o644)
    (root / "opt/venv/lib/site-packages/linked").symlink_to(root / "srv/lib")
    (root / "srv/lib/more.py").touch(0o644)
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def asked(root: Path) -> str | None:
    return doubt([root / "opt/venv"], ME, root)


def test_a_prefix_that_its_owner_alone_can_write_is_good(root: Path) -> None:
    """Whatever else is writable on the host."""
    (root / "srv").joinpath("beside").mkdir()
    (root / "srv/beside").chmod(0o777)
    assert asked(root) is None


@pytest.mark.parametrize(
    "place",
    ["", "opt", "opt/venv", "opt/venv/bin", "opt/venv/lib/site-packages/pkg",
     "opt/venv/lib/site-packages/pkg/mod.py", "usr", "usr/bin", "usr/bin/python3.13",
     "srv", "srv/lib", "srv/lib/more.py"],
)  # fmt: skip
@pytest.mark.parametrize("more", [0o020, 0o002], ids=["group", "others"])
def test_any_file_and_any_directory_that_others_write_is_named(
    root: Path, place: str, more: int
) -> None:
    """On the way up, in the prefix, and where its links lead; with what to type."""
    path = root / place
    path.chmod(path.stat().st_mode | more)
    assert asked(root) == f"{path} can be written by others: chmod go-w it"


@pytest.mark.skipif(ME != 0, reason="only root gives files away")
@pytest.mark.parametrize("place", ["opt", "opt/venv/lib/site-packages/pkg/mod.py", "usr/bin"])
def test_what_belongs_to_somebody_else_is_named(root: Path, place: str) -> None:
    """An owner can write whatever the mode is."""
    os.chown(root / place, 4711, -1)
    assert asked(root) == f"{root / place} belongs to uid 4711: chown root it"


@pytest.mark.skipif(ME != 0, reason="only root gives files away")
def test_polkits_own_directory_may_be_polkits(root: Path) -> None:
    """It reads the rules and decides; who else could write there is still named."""
    rules = root / "srv/lib"
    os.chown(rules, 4711, -1)
    assert doubt([rules], ME, root, below=False, also=4711) is None
    assert doubt([rules], ME, root, below=False) is not None
    rules.chmod(0o775)
    assert doubt([rules], ME, root, below=False, also=4711) is not None


def test_what_is_not_there_yet_is_judged_by_who_could_make_it(root: Path) -> None:
    """A library path that somebody could fill, a link to nothing."""
    (root / "srv").chmod(0o777)
    assert doubt([root / "srv/python311.zip"], ME, root) is not None
    (root / "srv").chmod(0o755)
    assert doubt([root / "srv/none/python311.zip"], ME, root) is None
    (root / "srv/free").mkdir()
    (root / "srv/free").chmod(0o777)
    (root / "opt/venv/lib/later.py").symlink_to(root / "srv/free/later.py")
    assert asked(root) == f"{root}/srv/free can be written by others: chmod go-w it"


def test_what_is_no_file_is_nothing_to_write_into(root: Path) -> None:
    """Such as /dev/null, to which links lead that mask something."""
    os.mkfifo(root / "srv/lib/pipe")
    (root / "srv/lib/pipe").chmod(0o666)
    assert asked(root) is None


def test_a_directory_seen_on_the_way_is_still_walked(root: Path) -> None:
    """Asked for the file first and its directory then, what lies beside the file counts."""
    (root / "usr/bin/other").touch()
    (root / "usr/bin/other").chmod(0o666)
    tops = [root / "usr/bin/python3.13", root / "usr/bin"]
    assert doubt(tops[:1], ME, root) is None
    assert str(doubt(tops, ME, root)).startswith(f"{root}/usr/bin/other ")
    assert str(doubt(tops[::-1], ME, root)).startswith(f"{root}/usr/bin/other ")


def test_the_services_user_has_to_get_in(root: Path) -> None:
    """Pip under a strict umask makes what only root can read."""
    assert closed([root / "opt/venv"], root) is None
    (root / "opt/venv/lib/site-packages/pkg").chmod(0o750)
    assert closed([root / "opt/venv"], root) == (
        f"{root}/opt/venv/lib/site-packages/pkg is closed to the user kaspad-taskd: chmod o+rX it"
    )


@pytest.mark.parametrize(
    ("path", "by"),
    [("/root/venv", "/root"), ("/home/me/.venv", "/home"), ("/tmp/venv", "/tmp"),
     ("/opt/venv", None), ("/homes/x", None)],
)  # fmt: skip
def test_what_the_sandbox_hides_is_known(path: str, by: str | None) -> None:
    """As ProtectHome= and PrivateTmp= of the unit say."""
    assert hidden(Path(path)) == by
