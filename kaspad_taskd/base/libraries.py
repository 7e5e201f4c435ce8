"""What it means that a library does not load: it is not installed, or was replaced under us."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

_PACKAGES: Final = {"google": "protobuf"}
"""Libraries that are installed under another name than they are imported by."""
_OURS: Final = __name__.partition(".")[0]


def cause(error: ImportError) -> dict[str, str]:
    """Return `library` (to be installed, by its package's name) or `stale`; {}: it is not told.

    A module within a library that is there (`asyncpg.protocol.protocol`), one of Python's own and
    one of ours are never missing: their files are of another Python or version than runs.
    """
    top = (error.name or "").partition(".")[0]
    if not top:
        return {}
    if top in (*sys.stdlib_module_names, _OURS):
        return {"stale": top}
    package = _PACKAGES.get(top, top).replace("_", "-")
    is_whole = isinstance(error, ModuleNotFoundError) and error.name == top and not _is_there(top)
    return {"library": package} if is_whole else {"stale": top}


def _is_there(top: str) -> bool:
    try:
        return find_spec(top) is not None
    except (ImportError, ValueError):
        return False
