"""Addresses that a message or a heartbeat is sent to by HTTP, and that a link leads to."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def http_parts(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL with a host and a port that can be; else None."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond all, brackets of no address
        return None
    return parts if good else None
