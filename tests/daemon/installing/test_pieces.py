"""`install-service` makes what the Debian package holds, by debhelper's own lists.

That it is all of it the machines of tests/system/test_package.py tell, from the package itself.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kaspad_taskd.daemon.installing.pieces import pieces

ROOT = Path(__file__).parents[3]
PREFIX = Path("/opt/kaspad-taskd")


def test_each_file_of_a_unit_a_rule_a_task_or_a_page_is_put_in_place() -> None:
    """Whatever is added to these directories."""
    sources = {piece.source for piece in pieces(ROOT, PREFIX)}
    for name in ("systemd", "fleet", "polkit", "tasks.d", "drop-ins", "man"):
        for file in (ROOT / "packaging" / name).iterdir():
            assert file.is_dir() or str(file) in sources, file


def test_commands_are_those_of_the_project() -> None:
    """All of them, and no other."""
    made = {Path(each.path) for each in pieces(ROOT, PREFIX) if each.target}
    scripts = re.findall(r"(?m)^(kaspad-task[a-z-]*) = ", (ROOT / "pyproject.toml").read_text())
    assert {path.name for path in made if path.parent == Path("/usr/local/bin")} == set(scripts)


def test_it_follows_the_packages_lists(tmp_path: Path) -> None:
    """Files, directories, examples and links that are added to debian/, in their places."""
    for name in ("debian", "packaging", "docs/examples", "etc"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "etc/new.toml").touch()
    for name, line in (
        ("install", "etc/new.toml usr/lib/kaspad-taskd/defaults"),
        ("dirs", "etc/kaspad-taskd/new.d"),
        ("examples", "etc/new.toml"),
        ("links", "usr/share/man/man8/kaspad-taskd.8 usr/share/man/man8/new.8"),
    ):
        with (tmp_path / "debian" / name).open("a") as file:
            file.write(f"{line}\n")
    before = {piece.path for piece in pieces(ROOT, PREFIX)}
    new = {piece.path: piece for piece in pieces(tmp_path, PREFIX) if piece.path not in before}
    assert sorted(new) == [
        "/etc/kaspad-taskd/new.d",
        "/usr/lib/kaspad-taskd/defaults/new.toml",
        "/usr/local/share/doc/kaspad-taskd/examples/new.toml",
        "/usr/local/share/man/man8/new.8",
    ]
    assert new["/etc/kaspad-taskd/new.d"].kept
    assert new["/usr/local/share/man/man8/new.8"].target == "kaspad-taskd.8"


def test_what_runs_is_the_prefixs() -> None:
    """Every program of ours that a unit starts, and no other word of it changes."""
    for piece in pieces(ROOT, PREFIX):
        if not piece.path.startswith("/usr/local/lib/systemd/") or piece.data is None:
            continue
        assert piece.source is not None
        before, after = Path(piece.source).read_text(), piece.data.decode()
        assert "=/usr/bin/kaspad-task" not in after
        back = after.replace("=/opt/kaspad-taskd/bin/", "=/usr/bin/")
        assert back.replace("/usr/local/share/doc", "/usr/share/doc") == before


@pytest.mark.parametrize("name", ["debian", "docs/examples", "etc", "packaging"])
def test_the_wheel_brings_what_is_put_in_place(name: str) -> None:
    """Under the paths that it has in a checkout."""
    project = (ROOT / "pyproject.toml").read_text()
    assert f'"{name}" = "kaspad_taskd/shipped/{name}"' in project
