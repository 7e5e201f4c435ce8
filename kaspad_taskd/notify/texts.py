"""What a message says: a title of one line, a text, a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from kaspad_taskd.notify.model import Item, Moment

TITLE = 120
"""Characters that a title has at most."""
TEXT = 999
"""Likewise, a text."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says.

    Attributes:
        title: one line.
        text: a line a thing.
        link: where to look, or None.
    """

    title: str
    text: str
    link: str | None


def say_items(
    items: Sequence[Item], _now: Moment, _zone: tzinfo, _host: str = "", page_url: str = ""
) -> Said:
    """Return what is said of several things, the gravest first."""
    title = f"{items[0].name or items[0].of}: {items[0].code}"[:TITLE]
    return Said(title, title, f"{page_url.rstrip('/')}/" if page_url else None)
