"""The list of what `install-service` made, with hashes: all that `uninstall-service` takes away.

It is written before each change of the host, so that what is interrupted is known to the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.daemon.installing.plan import Made
from kaspad_taskd.daemon.installing.refusal import Refusal

PLACE: Final = "/var/lib/kaspad-taskd-install"
FORMAT: Final = 1


@frozen
class Record:
    """The list.

    Attributes:
        prefix: whose service it is; empty where none was ever made.
        version: of the program there.
        fingerprint: of its files; another one means that the service is to be restarted.
        enabled: whether the service was enabled and started; that is done once.
        finished: whether all of the last run was done.
        files: what is ours, by path.
        directories: those that were made, each after the one that it is in.
    """

    prefix: str = ""
    version: str = ""
    fingerprint: str = ""
    enabled: bool = False
    finished: bool = False
    files: Mapping[str, Made] = field(default_factory=dict)
    directories: tuple[str, ...] = ()


def file_of(root: Path) -> Path:
    """Return where the list is, in a host whose root is `root`."""
    return root / PLACE.lstrip("/") / "list.json"


def load(file: Path) -> Record | None:
    """Return the list, or None: nothing was made.

    Raises:
        Refusal: it cannot be read or understood.
    """
    try:
        return _record(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(
            f"{file} is not a list of this version: restore it from a backup, or move it away "
            "and remove by hand what it names"
        ) from None


def save(file: Path, record: Record) -> None:
    """Write the list; its directory is there.

    Raises:
        OSError: it could not be written; the old one stands.
    """
    write_atomically(file, (json.dumps(_table(record), indent=1) + "\n").encode(), 0o644)


def _record(table: dict[str, Any]) -> Record:
    if table["format"] != FORMAT:
        raise ValueError
    return Record(
        prefix=str(table["prefix"]),
        version=str(table["version"]),
        fingerprint=str(table["fingerprint"]),
        enabled=table["enabled"] is True,
        finished=table["finished"] is True,
        files={_path(path): _made(entry) for path, entry in table["files"].items()},
        directories=tuple(_path(path) for path in table["directories"]),
    )


def _made(entry: dict[str, Any]) -> Made:
    digests = tuple(str(each) for each in entry["sha256"])
    return Made(digests, entry["kept"] is True, entry["pending"] is True)


def _path(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise ValueError
    return text


def _table(record: Record) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "prefix": record.prefix,
        "version": record.version,
        "fingerprint": record.fingerprint,
        "enabled": record.enabled,
        "finished": record.finished,
        "files": {
            path: {"sha256": list(made.digests), "kept": made.kept, "pending": made.pending}
            for path, made in sorted(record.files.items())
        },
        "directories": list(record.directories),
    }
