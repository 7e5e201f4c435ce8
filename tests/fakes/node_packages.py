"""Packages of npm in a folder of their own, outside the repository."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from fcntl import LOCK_EX, flock
from pathlib import Path

PATIENCE = 300


class Missing(Exception):
    """They cannot be had here; the text says why."""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time fills the folder, which is made: tests beside tests may want it, too."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def install(name: str, packages: Mapping[str, str], caches: Path | None = None) -> Path:
    """Return the folder `name` with these packages, installed at the first use.

    It is among the user's caches, or in `caches`.

    Raises:
        Missing: there is no node or npm, or it cannot install them.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed: apt install nodejs npm")
    caches = caches or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "kaspad-taskd-tests" / name
    wanted = json.dumps({"private": True, "dependencies": dict(packages)}, indent=1)
    done = folder / "done.json"
    with alone(folder):
        if not done.exists() or done.read_text() != wanted:
            (folder / "package.json").write_text(wanted)
            _run(folder)
            done.write_text(wanted)
    return folder


def _run(folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    try:
        subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"npm did not install the packages within {PATIENCE} s") from None
    except subprocess.CalledProcessError as fault:
        raise Missing(f"npm cannot install them: {fault.stderr.strip()[-300:]}") from None
