"""The shape of the code: short functions, small files, every public name explained."""

from __future__ import annotations

import ast
import re
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kaspad_taskd"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if not path.stem.endswith("_pb2"))

MEDIAN_LINES = 8
P90_LINES = 30
FILE_LINES = 400

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

PLACES = re.compile(r"(?<![\w.~}/-])/(work|root/\.[a-z]+|Users/[a-z]+)\b")
"""Paths that exist on a developer's machine only."""


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring left out."""
    body = function.body
    first = body[1] if ast.get_docstring(function) is not None and len(body) > 1 else body[0]
    last = function.end_lineno
    assert last is not None
    return last - first.lineno + 1


def _public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Public classes and functions, and those inside public classes; magic methods left out."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_") or _is_overload(node):
                continue
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{prefix}{node.name}.")


def _is_overload(node: Definition) -> bool:
    """The last definition of an overloaded function explains them all; setters too."""
    names = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    return bool(names & {"overload", "setter", "deleter", "override"})


def _lengths() -> dict[str, int]:
    return {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": _body_lines(function)
        for path in SOURCES
        for function in _functions(ast.parse(path.read_text()))
    }


def _places(name: str) -> Iterator[str]:
    text = (ROOT / name).read_bytes().decode(errors="ignore")
    for number, line in enumerate(text.splitlines() if PLACES.search(text) else (), 1):
        if PLACES.search(line):
            yield f"{name}:{number}: {line.strip()[:100]}"


def test_functions_are_short() -> None:
    """Half of all functions have at most 8 lines, nine of ten at most 30."""
    lengths = _lengths()
    median = statistics.median(lengths.values())
    p90 = statistics.quantiles(lengths.values(), n=10)[-1]
    longest = sorted(lengths, key=lambda name: -lengths[name])[:10]
    assert median <= MEDIAN_LINES, longest
    assert p90 <= P90_LINES, longest


def test_files_are_small() -> None:
    """No file of the package has more than 400 lines."""
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_public_name_is_explained(path: Path) -> None:
    """Modules with code, public classes and functions have a docstring."""
    tree = ast.parse(path.read_text())
    if not tree.body:
        return
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [name for name, node in _public(tree) if ast.get_docstring(node) is None] == []


@pytest.mark.skipif(shutil.which("git") is None, reason="git tells which files are the project's")
def test_no_text_names_a_place_on_a_developers_machine() -> None:
    """What is in the repository makes sense everywhere."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: nobody tells which files are the project's")
    names = [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    found = [place for name in names if name for place in _places(name)]
    assert found == []


def test_what_never_changes_is_made_in_one_way() -> None:
    """A frozen dataclass costs each start half a millisecond, `@frozen` a tenth of it.

    The clients and the words know no room of the daemon, and load none of theirs at a start.
    """
    others = ("cli", "client", "words")
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.relative_to(PACKAGE).parts[0] not in others
        and re.search(r"^\s*@dataclass\(frozen=True, slots=True\)", path.read_text(), re.MULTILINE)
    ]
    assert found == [], "take kaspad_taskd.base.frozen"
