"""What stands in a tool's command line, and amounts as tools round them. Pure."""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import number

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CLUSTER = re.compile(r"-[A-Za-z0-9#]+")


def has(argv: Sequence[str], *names: str) -> bool:
    """Return whether one of these options is given, as `-v`, in `-av`, `--long` or `--long=...`."""
    return any(_is(word, name) for word in _words(argv) for name in names)


def value(argv: Sequence[str], *names: str) -> str | None:
    """Return the last argument of these options (`-s 5`, `-ns 5`, `-s5`, `--size=5`)."""
    found = None
    words = list(_words(argv))
    for at, word in enumerate(words):
        name, equals, given = word.partition("=")
        if word in names or (_CLUSTER.fullmatch(word) and f"-{word[-1]}" in names):
            found = words[at + 1] if at + 1 < len(words) else found
        elif name in names and equals and name.startswith("--"):
            found = given
        elif word[:2] in names and not word.startswith("--"):
            found = word[2:]
    return found


def verb(argv: Sequence[str], known: Iterable[str]) -> str | None:
    """Return the first word that is one of these (`backup` of restic), or None."""
    known = frozenset(known)
    return next((word for word in argv[1:] if word in known), None)


def _words(argv: Sequence[str]) -> Iterable[str]:
    """The words of a command line up to its `--`."""
    for word in argv[1:]:
        if word == "--":
            return
        yield word


def _is(word: str, name: str) -> bool:
    if name.startswith("--"):
        return word == name or word.startswith(f"{name}=")
    return name[1:] in word[1:] if _CLUSTER.fullmatch(word) else False


_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_UNIT = re.compile(r"([KMGTPE]?)(?:i?B(?:ytes?)?|i|ytes?)?", re.IGNORECASE)


def exactly(text: str | None) -> float | None:
    """Return the bytes of an option's "40M" or "40m" (of 1,024), or None: it is no such number."""
    digits = (text or "").rstrip("kKmMgGtTpP")
    found, unit = number(digits), (text or "")[len(digits) :].upper()
    return None if found is None or unit not in _POWERS else found * 1024 ** _POWERS[unit]


def bounds(amount: str, unit: str, base: int = 1024) -> tuple[float, float] | None:
    """Return the least and the most bytes that a rounded amount stands for, or None: it is none.

    Args:
        amount: its digits: "75.0".
        unit: "MiB", "M", "kB", "B", ...
        base: of K, M, G, ...
    """
    found, known = number(amount), _UNIT.fullmatch(unit)
    if found is None or known is None:
        return None
    power = _POWERS[known[1].upper()]
    half = 0.0 if power == 0 else 10.0 ** -len(amount.partition(".")[2]) / 2
    scale = float(base**power)
    return max(0.0, found - half) * scale, (found + half) * scale
