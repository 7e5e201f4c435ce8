"""The disk of the state: a small one of its own, which can be filled, where we may mount one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = 64
"""MiB."""


class Disk:
    """A directory for the state.

    Attributes:
        path: of it.
        own: whether it is a file system of its own: only then it can be filled.
    """

    def __init__(self, path: Path, *, own: bool) -> None:
        self.path = path
        self.own = own
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 12))

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def disk(place: Path) -> Iterator[Disk]:
    """A tmpfs where root may mount one, else a directory that is never filled."""
    path = place / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", str(path)]
    own = os.geteuid() == 0 and shutil.which("mount") is not None
    own = own and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(path, own=own)
    finally:
        if own:
            subprocess.run(["umount", "-l", str(path)], check=True)
