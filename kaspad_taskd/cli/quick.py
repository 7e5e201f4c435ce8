"""The shortest way to the options of `list` and `status`, which prompts and monitors run often.

argparse alone takes a sixth of their time. What is not plain here is left to it; what is plain
means the same to both (a test compares them).
"""

from __future__ import annotations

from types import SimpleNamespace

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULTS = {"socket": None, "json": False, "color": "auto", "ascii": False, "timeout": None}
ALIASES = {"ls": "list", "ps": "list", "rm": "remove"}
"""Verbs by the names that they have elsewhere."""
_FLAGS = {"--json": "json", "--ascii": "ascii"}


def options_of(argv: Sequence[str]) -> SimpleNamespace | None:
    """Return the options, or None: argparse has to look at this."""
    found = SimpleNamespace(verb="", **DEFAULTS)
    words = []
    rest = iter(argv)
    for word in rest:
        if word in _FLAGS:
            setattr(found, _FLAGS[word], True)
        elif word == "--socket":
            found.socket = next(rest, "-")
            if found.socket.startswith("-"):
                return None
        elif word.startswith("-") or " " in word or not word:
            return None
        else:
            words.append(word)
    return _named(found, words)


def _named(found: SimpleNamespace, words: Sequence[str]) -> SimpleNamespace | None:
    if not words:
        return found
    found.verb, *names = words
    found.verb = ALIASES.get(found.verb, found.verb)
    if found.verb == "list" and not names:
        found.names, found.status, found.type = [], None, None
        found.failed = found.ids = False
        return found
    if found.verb == "status" and len(names) < 2:
        found.task = names[0] if names else None
        return found
    return None
