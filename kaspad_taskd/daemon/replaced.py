"""Whether the program's own files are still those that it was started from.

An upgrade of Python, of a library, or of the package on a host where nothing restarts services,
leaves the old program running, with libraries that are gone from the disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import kaspad_taskd

_PACKAGE = Path(kaspad_taskd.__file__).parent
WATCHED: tuple[Path, ...] = (Path(os.path.realpath(sys.executable)), _PACKAGE / "version.py")
"""The interpreter, and a file that each version of ours has anew."""


class Replaced:
    """Remembers the files as they are now; looks again when asked.

    Args:
        watched: files.
        python: what a start runs; where it leads to another interpreter, that one is told
            (`python3` of the next Debian, beside the old one).
        libraries: returns the first file of each library that is loaded; those are watched from
            when they are first seen.
    """

    def __init__(
        self,
        watched: tuple[Path, ...] = WATCHED,
        python: str = sys.executable,
        libraries: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        self._python, self._libraries = python, libraries or loaded
        self._runs = os.path.realpath(python)
        self._known = {path: _identity(path) for path in watched}
        self._add()

    def look(self) -> Path | None:
        """Return the first file that is another one now.

        One that is not there is perhaps being replaced, or was removed with the package: neither
        is mended by a restart now.
        """
        leads = os.path.realpath(self._python)
        if leads != self._runs and os.path.exists(leads):  # noqa: PTH110 - as text
            return Path(leads)
        for path, known in self._known.items():
            found = _identity(path)
            if found is not None and known is not None and found != known:
                return path
        self._add()
        return None

    def _add(self) -> None:
        for each in self._libraries():
            path = Path(each)
            if path not in self._known:
                self._known[path] = _identity(path)


def loaded() -> Iterator[str]:
    """The first file of each library that is loaded, but for Python's own and ours."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        ours = name in sys.stdlib_module_names or name == _PACKAGE.name
        if file and not ours and "." not in name and not name.startswith("__"):
            yield file


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
