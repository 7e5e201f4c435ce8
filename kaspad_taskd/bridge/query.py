"""What the address of a page may ask for; what it asks otherwise counts as not asked."""

from __future__ import annotations

from typing import Final

SPANS: Final = {"1h": 3_600_000, "6h": 21_600_000, "14d": 1_209_600_000}
"""Milliseconds of the charts' spans: the last is as long as half hours are kept."""


def before(text: str | None, end: int) -> int:
    """The number below which events are wanted; what is no number counts as none."""
    known = text is not None and text.isascii() and text.isdigit() and len(text) < 16
    return min(int(text), end) if known and text else end
