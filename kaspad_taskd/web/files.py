"""The files beside the page, read once: scripts, styles, what wizards embed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from kaspad_taskd.words.table import entry

HERE = Path(__file__).parent
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
}
"""Content types by ending; files of other endings are not served."""
SPOKEN = (
    "unknown", "type", "running", "idle", "done", "headline", "attention", "last-seen", "reason",
    "hint", "phase", "step", "position", "eta", "epoch", "waiting", "time", "percent", "months",
    "page", "status", "report", "work", "kept",
)  # fmt: skip
"""Sections of the table of words that the scripts need."""
UNSPOKEN = (
    "reason.refused", "reason.timeout", "reason.stream-closed", "reason.name-unknown",
    "reason.library-missing", "reason.silent-report",  # no look gives them as hints
    "reason.run-lost",
    "type.*.short", "reason.*.brief", "phase.*.short", "phase.*.sentence", "status.[!p]*",
    "headline.complete", "headline.error", "headline.left-ready", "headline.unusable",
    "attention.unreachable", "attention.stalled", "attention.error",
    "page.about", "page.version", "page.details", "page.more", "page.back", "page.steps",
    "page.record", "page.history", "page.took", "page.status", "page.field", "page.happened",
    "page.earlier", "page.nothing-happened", "page.folded", "page.tasks", "page.others",
    "page.filter", "page.empty", "page.strip", "page.skip", "page.action", "page.not-found",
    "page.most", "page.chart.[!p]*", "page.chart.progress", "page.headline.not-found",
    "page.headline.locked", "page.link.static", "page.stop.keep", "page.stop.stop",
    "page.unlock.[!wf]*", "page.unlock.why", "page.unlock.where",
    "page.service", "report.[!hep]*", "report.event", "report.explain",
    "kept.watch", "kept.line", "kept.event", "kept.checked", "kept.because",
    "attention.disk", "step.line", "step.began", "waiting.[!n]*", "page.warnings",
    "page.folded-behind", "page.past.[!p]*", "page.hold.hold", "page.link.foreign",
    "page.link.lost", "page.fleet",
    "position.no-total", "position.so-far", "time.complete", "time.minute-second", "percent.tilde",
    "reason.credentials", "reason.wrong-network", "reason.wrong-program", "reason.own-limit",
)  # fmt: skip
"""What of these only the server says, as patterns of keys."""

REMARKS = re.compile(
    r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n|(?<=[;{},)\]]) // .*$|^ +|^\n", re.MULTILINE
)
"""What of our scripts only people read: remarks, and the space before a line."""
ENDS = re.compile(r"(?<=[;{,(\[])\n")
"""Ends of lines that end no statement."""
SPACES = re.compile(r" (=>|[!=]==|=|&&|\|\||\?\?|[?:<*+]) |(?<=\{) | (?=[{}])")
"""Space around what needs none; no text in our scripts has such a thing in it."""


@cache
def files() -> Mapping[str, tuple[bytes, str]]:
    """Return content and type of each file by its path below the page: "static/app.js".

    static/en.js is made here, from the table of words.
    """
    paths = [*sorted((HERE / "static").rglob("*")), *sorted((HERE / "embed").glob("*"))]
    found = {
        path.relative_to(HERE).as_posix(): (_content(path), TYPES[path.suffix])
        for path in paths
        if path.is_file() and path.suffix in TYPES
    }
    return {**found, "static/en.js": (_words(), TYPES[".js"])}


def _content(path: Path) -> bytes:
    """What is sent: others' files as they are, our scripts without what browsers skip anyway."""
    data = path.read_bytes()
    if path.suffix != ".js" or path.parent != HERE / "static":
        return data
    return SPACES.sub(r"\1", ENDS.sub("", REMARKS.sub("", data.decode()))).encode()


def _words() -> bytes:
    spoken = _spoken({section: entry(section) for section in SPOKEN}, "")
    return f"export default {json.dumps(spoken, separators=(',', ':'))};\n".encode()


def _spoken(found: Any, key: str) -> Any:
    """Leave out what only the server says, from an entry of the table and all below it."""
    if not isinstance(found, dict):
        return found
    below = {name: f"{key}.{name}".removeprefix(".") for name in found}
    return {name: _spoken(found[name], full) for name, full in below.items() if _is_spoken(full)}


def _is_spoken(key: str) -> bool:
    section, _, rest = key.partition(".")
    if section == "reason" and rest:  # its note comes with the task; only hints are said here
        hint = entry("hint").get(rest.partition(".")[0])
        if hint is None or "says" in hint:
            return False
    return not any(fnmatchcase(key, pattern) for pattern in UNSPOKEN)
