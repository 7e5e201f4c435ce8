"""Text from anywhere, made fit for a terminal: no control characters, a known width in cells."""

from __future__ import annotations

_NARROW = frozenset("▸·‖✓✗–…█▉▊▋▌▍▎▏▒░")  # noqa: RUF001 - an en dash, meant
_LONGEST = 300
_MARKS = 2  # combining characters in a row; more would run over the lines above and below


def safe(value: object, limit: int = _LONGEST) -> str:
    """Return one line of visible text, at most `limit` characters.

    Line ends become spaces; control, format (bidi overrides, zero width), private and unassigned
    characters become "?" or vanish where they have no width of their own.
    """
    text = value if isinstance(value, str) else str(value)
    if not (text.isprintable() and (text.isascii() or _drawn(text))):
        text = _visible(text[: 4 * limit])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _drawn(text: str) -> bool:
    """Whether all beyond ASCII is what we draw ourselves: this spares loading unicodedata."""
    return _NARROW.issuperset(char for char in text if not char.isascii())


def _visible(text: str) -> str:
    try:
        from unicodedata import category
    except (ImportError, OSError):  # a daemon without a file left: what has no doubt is shown
        return "".join(char if _plain(char) else "?" for char in text)
    kept: list[str] = []
    marks = 0
    for char in text:
        kind = category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks:
            # variation selectors would change the width of the character before
            if kept and marks <= _MARKS and not "\ufe00" <= char <= "\ufe0f":
                kept.append(char)
        elif char in "\t\n\r" or kind in ("Zl", "Zp", "Zs"):
            kept.append(" ")
        elif kind in ("Cc", "Cs", "Co", "Cn"):
            kept.append("?")
        elif kind != "Cf":
            kept.append(char)
    return "".join(kept)


def _plain(char: str) -> bool:
    return char.isalnum() or char in _NARROW or (char.isascii() and char.isprintable())


def width(text: str) -> int:
    """Return how many cells of a terminal a safe text takes."""
    if text.isascii() or _drawn(text):
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    from unicodedata import category, east_asian_width

    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def cut(text: str, cells: int, more: str = "…") -> str:
    """Return the text, at most `cells` cells of it; `more` (one cell) stands for the rest."""
    if width(text) <= cells:
        return text
    if cells > 0 and (text.isascii() or _drawn(text)):
        return text[: cells - 1] + more
    room = cells - 1
    end = 0
    for end, char in enumerate(text):  # noqa: B007 - the place where the room ends
        room -= _cells(char)
        if room < 0:
            break
    return text[:end] + more if cells > 0 else ""


def fit(text: str, cells: int, right: bool = False, more: str = "…") -> str:
    """Return the text cut or padded to exactly `cells` cells, to the left or to the right."""
    text = cut(text, cells, more)
    pad = " " * (cells - width(text))
    return pad + text if right else text + pad
