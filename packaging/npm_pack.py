"""Puts the Node package into a directory as npm packs it, and beside it the archive for npm.

    python3 packaging/npm_pack.py DIRECTORY

A build of Debian's has no npm. The archive is the same, byte for byte, wherever it is made: its
files' time is SOURCE_DATE_EPOCH. Standard library alone.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent / "npm"
ARCHIVE = "kaspad-taskd.tgz"
ALWAYS = ("package.json", "README.md")
"""What npm packs whatever the package says."""
NPM_EPOCH = 499162500
"""The time that npm gives to files."""


def files(source: Path = SOURCE) -> Iterator[str]:
    """Yield the files of the package, below `source`, in the order of their names."""
    listed = json.loads((source / "package.json").read_text(encoding="utf-8"))["files"]
    found = set(ALWAYS)
    for name in listed:
        top = source / name
        inside = top.rglob("*") if top.is_dir() else [top]
        found |= {each.relative_to(source).as_posix() for each in inside if each.is_file()}
    yield from sorted(found)


def archive(to: Path, source: Path = SOURCE) -> None:
    """Write the archive that `npm install` takes."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or NPM_EPOCH)
    with (
        to.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in files(source):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode, entry.mtime = (source / name).stat().st_size, 0o644, moment
            with (source / name).open("rb") as data:
                tar.addfile(entry, data)


def place(directory: Path, source: Path = SOURCE) -> None:
    """Put files and archive into a directory, which is made."""
    for name in files(source):
        to = directory / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, to)
        to.chmod(0o644)
    archive(directory / ARCHIVE, source)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python3 packaging/npm_pack.py DIRECTORY")
    place(Path(sys.argv[1]))
