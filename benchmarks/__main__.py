"""`python -m benchmarks NAME [ARGS]`: run one; several names run in turn; no name lists them."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Collection
from pathlib import Path

_HERE = Path(__file__).parent


def _offers_main(source: str) -> bool:
    body = ast.parse(source).body
    return any(isinstance(each, ast.FunctionDef) and each.name == "main" for each in body)


def _summary(source: str) -> str:
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def benchmarks() -> dict[str, str]:
    """What there is: each module here with a `main(argv)`, and the first line of its docstring."""
    sources = {path.stem: path.read_text() for path in sorted(_HERE.glob("[a-z]*.py"))}
    return {
        name.replace("_", "-"): _summary(text)
        for name, text in sources.items()
        if _offers_main(text)
    }


def runs(words: list[str], names: Collection[str]) -> list[tuple[str, list[str]]]:
    """Split a command line: each name begins a run, and what follows it are its arguments."""
    made: list[tuple[str, list[str]]] = []
    for word in words:
        if word in names:
            made.append((word, []))
        elif not made:
            raise SystemExit(f"no benchmark is called {word!r}; there are: {', '.join(names)}")
        else:
            made[-1][1].append(word)
    return made


def main(argv: list[str]) -> int:
    """Run what is named, in turn; 1 if one of them failed."""
    known = benchmarks()
    if not argv:
        for name, summary in known.items():
            print(f"{name:10} {summary}")
    failed = False
    for name, arguments in runs(argv, known):
        print(f"== {name}", flush=True)
        failed |= bool(
            importlib.import_module(f"benchmarks.{name.replace('-', '_')}").main(arguments)
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
