"""The files beside the page, read once: scripts, styles, what wizards embed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kaspad_taskd.words.table import table

HERE = Path(__file__).parent
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
}
"""Content types by ending; files of other endings are not served."""
SPOKEN = (
    "unknown", "type", "running", "done", "headline", "attention", "last-seen", "reason", "hint",
    "phase", "step", "position", "eta", "epoch", "waiting", "time", "percent", "months", "page",
    "status",
)  # fmt: skip
"""Sections of the table of words that the scripts need."""
UNSPOKEN = {
    "type": ("short",),
    "reason": ("brief",),
    "phase": ("short", "sentence"),
    "page": (
        "about", "version", "details", "more", "back", "steps", "record", "history", "took",
        "status", "field", "happened", "earlier", "nothing-happened", "folded", "tasks", "others",
        "filter", "empty", "strip", "skip", "action", "not-found", "most",
    ),
    "status": (
        "next", "reachable", "switches", "task", "nothing-lost", "kept", "again", "resume",
        "unwatched", "start", "checked",
    ),
}  # fmt: skip
"""What only the server says: entries of a section, or forms of each entry in it."""


@cache
def files() -> Mapping[str, tuple[bytes, str]]:
    """Return content and type of each file by its path below the page: "static/app.js".

    static/en.js is made here, from the table of words.
    """
    paths = [*sorted((HERE / "static").rglob("*")), *sorted((HERE / "embed").glob("*"))]
    found = {
        path.relative_to(HERE).as_posix(): (path.read_bytes(), TYPES[path.suffix])
        for path in paths
        if path.is_file() and path.suffix in TYPES
    }
    return {**found, "static/en.js": (_words(), TYPES[".js"])}


def _words() -> bytes:
    spoken = {section: _spoken(section, table()[section]) for section in SPOKEN}
    return f"export default {json.dumps(spoken, separators=(',', ':'))};\n".encode()


def _spoken(section: str, entry: Any) -> Any:
    """Leave out what only the server says, from a section and from the entries in it."""
    left_out = UNSPOKEN.get(section, ())
    if not isinstance(entry, dict):
        return entry
    return {
        key: {form: text for form, text in each.items() if form not in left_out}
        if isinstance(each, dict) and section != "page"
        else each
        for key, each in entry.items()
        if key not in left_out
    }
