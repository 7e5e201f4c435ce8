"""Whether the program's own files are still those that it was started from.

An upgrade of Python, or of the package on a host where nothing restarts services, leaves the old
program running, with libraries that are gone from the disk.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import kaspad_taskd

_PACKAGE = Path(kaspad_taskd.__file__).parent
WATCHED: tuple[Path, ...] = (Path(os.path.realpath(sys.executable)), _PACKAGE / "version.py")
"""The interpreter, and a file that each version of ours has anew."""


class Replaced:
    """Remembers the files as they are now; looks again when asked."""

    def __init__(self, watched: tuple[Path, ...] = WATCHED) -> None:
        self._known = {path: _identity(path) for path in watched}

    def look(self) -> Path | None:
        """Return the first file that is another one now.

        One that is not there is perhaps being replaced, or was removed with the package: neither
        is mended by a restart now.
        """
        for path, known in self._known.items():
            found = _identity(path)
            if found is not None and known is not None and found != known:
                return path
        return None


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
