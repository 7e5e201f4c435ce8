"""Makes `kaspad-taskd.js` and its types: `python -m kaspad_taskd.web.embed.src.bundle`.

Each module becomes a function that gives what it exports, in the order in which they need one
another; so one file without imports does what the many do. Socket.IO's client is taken as it was
published, the words from `words/en.json`, a card's text from the page's own scripts, the types of
the payloads from the definitions that make them. Both made files are committed: nothing is built
when the package is installed, and a test makes them anew.
"""

from __future__ import annotations

import json
import os.path
import re
import sys
from pathlib import Path
from typing import Any

from kaspad_taskd.api.typescript import declarations
from kaspad_taskd.web.files import SPOKEN
from kaspad_taskd.words.table import entry

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "kaspad-taskd.js"
TYPES = HERE.parent / "kaspad-taskd.d.ts"
TABLE = "../../static/en.js"
"""The table of words; the page's server makes it, and so does this."""

WORDS = (*SPOKEN, "record", "strategy", "wizard")
"""Sections of the table that the page's scripts and the components say."""
WITHOUT = (
    "chart", "filter", "unlock", "empty", "field", "record", "history", "hold",
    "held", "happened", "earlier", "skip", "not-found", "tasks", "others", "then", "unsaid",
)  # fmt: skip
"""What the page alone says, of its section."""
OF_REPORTS = ("headline", "eta", "page")
"""What scripts say of a task that reports."""

IMPORT = re.compile(r'^import (\{[^}]*\}|\w+) from "(\.[\w./-]+)";\n', re.MULTILINE)
EXPORTED = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
LISTED = re.compile(r"^export \{([^}]*)\};\n?", re.MULTILINE)
PUBLISHED = re.compile(r"export\{([^}]*)\};\s*(?://# sourceMappingURL=.*\s*)?\Z")
COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
LEFT_OVER = re.compile(r"^(?:import|export)\b", re.MULTILINE)

HEAD = """\
// kaspad-taskd: client and components for wizards. Made from web/embed/src by its bundle.py.
// Socket.IO's client inside: (c) 2014-2026 Guillermo Rauch, MIT License.
"""


def script() -> str:
    """Return the text of the module.

    Raises:
        ValueError: an import or export that cannot be taken apart, or a circle of imports.
    """
    made: dict[str, str] = {}
    _visit("main.js", made)
    return HEAD + "".join(made.values())


def types() -> str:
    """Return the text of its types: payloads as generated, client and components by hand."""
    return declarations() + "\n" + (HERE / "api.d.ts").read_text()


def _visit(name: str, made: dict[str, str]) -> None:
    if made.get(name) == "":
        raise ValueError(f"{name} needs itself")
    if name in made:
        return
    if name == TABLE:
        table = json.dumps(_table(), separators=(",", ":"))
        made[name] = f"const {_variable(name)} = {{ default: {table} }};\n"
        return
    text = (HERE / name).read_text(encoding="utf-8")
    made[name] = ""
    needs = [(names, _beside(name, other)) for names, other in IMPORT.findall(text)]
    for _names, other in needs:
        _visit(other, made)
    del made[name]
    made[name] = _published(name, text) if "/vendor/" in name else _own(name, text, needs)


def _beside(name: str, other: str) -> str:
    """The other module's path from here; the page's scripts are found two rooms up."""
    return os.path.normpath(os.path.join(os.path.dirname(name), other))  # noqa: PTH118, PTH120 - a name, no place on disk


def _variable(name: str) -> str:
    return "m_" + re.sub(r"\W", "_", name)


def _own(name: str, text: str, needs: list[tuple[str, str]]) -> str:
    lines = [_taken(names, other) for names, other in needs]
    body = COMMENT.sub("", IMPORT.sub("", text))
    gives = [found for _declaration, found in EXPORTED.findall(body)]
    for listed in LISTED.findall(body):
        gives += [each.strip() for each in listed.split(",") if each.strip()]
    body = EXPORTED.sub(r"\1", LISTED.sub("", body)).strip()
    if LEFT_OVER.search(body):
        raise ValueError(f"{name}: an import or export of a form that is not known here")
    inner = "".join(lines) + body + f"\nreturn {{ {', '.join(gives)} }};\n"
    if name == "main.js":
        outer = ", ".join(gives)
        return f"const {{ {outer} }} = (() => {{\n{inner}}})();\nexport {{ {outer} }};\n"
    return f"const {_variable(name)} = (() => {{\n{inner}}})();\n"


def _taken(names: str, other: str) -> str:
    names = names if names.startswith("{") else f"{{ default: {names} }}"
    return f"const {names.replace(' as ', ': ')} = {_variable(other)};\n"


def _published(name: str, text: str) -> str:
    """A published module, untouched but for its list of exports."""
    found = PUBLISHED.search(text)
    if found is None:
        raise ValueError(f"{name}: no list of exports at its end")
    pairs = (each.split(" as ") for each in found[1].split(","))
    gives = ", ".join(f"{outer}: {inner}" for inner, outer in pairs)
    body = text[: found.start()].rstrip()
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {gives} }};\n}})();\n"


def _table() -> dict[str, Any]:
    said = {section: entry(section) for section in WORDS}
    said["report"] = {key: said["report"][key] for key in OF_REPORTS}
    said["page"] = {key: each for key, each in said["page"].items() if key not in WITHOUT}
    return said


def main() -> int:
    """Write both files."""
    SCRIPT.write_text(script(), encoding="utf-8")
    TYPES.write_text(types(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
