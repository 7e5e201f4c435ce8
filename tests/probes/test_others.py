"""Types of other packages: taken in by name, and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from kaspad_taskd import probes
from kaspad_taskd.probes import TYPES, add

PAGE = Path(__file__).parents[2] / "docs" / "checkers.md"
FILE = Path("/etc/kaspad-taskd/kaspad-taskd.toml")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's own type, installed as a package of its own."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "file_size_of_the_page.py").write_text(source)
    about = tmp_path / "file_size-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: file-size\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[kaspad_taskd.probes]\n"
        "file-size = file_size_of_the_page:TYPE\n"
        "other-name = file_size_of_the_page:TYPE\n"
        "no-type = file_size_of_the_page:parse\n"
        "broken = no_such_module:TYPE\n"
        "report = file_size_of_the_page:TYPE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(probes, "_TYPES", dict(TYPES))
    return tmp_path


def test_a_type_is_taken_in_when_it_is_named(package: Path) -> None:
    """Installed alone it is not even imported."""
    assert "file_size_of_the_page" not in sys.modules
    assert add([], FILE) == []
    assert "file_size_of_the_page" not in sys.modules
    assert add(["file-size"], FILE) == []
    assert probes._TYPES["file-size"].name == "file-size"
    del sys.modules["file_size_of_the_page"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none", "no installed package offers"),
        ("no-type", "is no ProbeType"),
        ("other-name", "is no ProbeType named"),
        ("broken", "cannot be loaded"),
        ("report", "is there already"),
    ],
)
def test_what_cannot_be_taken_in_is_said(package: Path, name: str, problem: str) -> None:
    """With its name, the file and the key that ask for it; the others go on."""
    before = dict(probes._TYPES)
    (said,) = add([name], FILE)
    assert str(said).startswith(f"{FILE}, probes: ")
    assert problem in said.problem
    assert name in said.problem
    assert before == probes._TYPES
    sys.modules.pop("file_size_of_the_page", None)
