"""Of a library that does not load: to be installed, or replaced under the running program."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from kaspad_taskd import words
from kaspad_taskd.base.libraries import cause


def caught(module: str) -> ImportError:
    with pytest.raises(ImportError) as raised:
        importlib.import_module(module)
    return raised.value


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Libraries whose compiled half is another Python's, as the next Debian brings them."""
    for name, text in {
        "half_one": "from half_one.protocol import protocol",
        "half_two": "from . import _speedups",
        "half_three": "from json import no_such_name",
        "half_four": "import half_four_needs_it",
    }.items():
        (tmp_path / name / "protocol").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text(f"{text}\n")
        (tmp_path / name / "protocol/__init__.py").write_text("")
        (tmp_path / name / "protocol/protocol.cpython-399-x86_64-linux-gnu.so").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("halves")
@pytest.mark.parametrize("name", ["half_one", "half_two"])
def test_a_library_that_is_there_is_not_to_be_installed(name: str) -> None:
    """Whichever module within it did not load: a restart is told, by the library's own name."""
    assert cause(caught(name)) == {"stale": name}


@pytest.mark.usefixtures("halves")
def test_one_that_needs_another_names_that_one() -> None:
    """By the name of its package."""
    assert cause(caught("half_four")) == {"library": "half-four-needs-it"}


@pytest.mark.usefixtures("halves")
def test_pythons_own_modules_are_in_no_package() -> None:
    """The Python that runs has been removed; nor are ours."""
    assert cause(caught("half_three")) == {"stale": "json"}
    assert cause(ModuleNotFoundError("x", name="_ssl")) == {"stale": "_ssl"}
    assert cause(ModuleNotFoundError("x", name="kaspad_taskd.gone")) == {"stale": "kaspad_taskd"}


@pytest.mark.parametrize("name", ["no_such_library", "google.no_such", "no_such.inner", None, ""])
def test_no_package_has_a_dot_in_its_name(name: str | None) -> None:
    """What is typed is a package's name, or there is nothing to type but a restart."""
    params = cause(ModuleNotFoundError("x", name=name))
    said = " ".join(filter(None, (words.note("library-missing", params),
                                  *words.hint("library-missing", params))))  # fmt: skip
    for package in re.findall(r"(?:python3-|pip install )([^\s):,]+)", said):
        assert re.fullmatch(r"[a-z0-9-]+", package), said
    assert "?" not in json.dumps(params)


def test_what_was_replaced_is_cured_by_a_restart() -> None:
    """Said by its note and its hint; apt only if that does not help."""
    params = cause(ModuleNotFoundError("x", name="asyncpg.protocol.protocol"))
    assert params == {"stale": "asyncpg"}
    note = words.note("library-missing", params)
    assert note is not None
    assert "restart kaspad-taskd" in note
    assert "apt install" not in note
    assert "restart kaspad-taskd" in str(words.hint("library-missing", params)[1])
    assert sys.modules.get("kaspad_taskd") is not None
