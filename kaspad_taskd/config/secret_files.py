"""A file with secrets: read within bounds, a fault where others may read it, and never quoted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeAlias

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.reading import os_problem, read_bounded, shown

MAX_BYTES: Final = 64 * 1024
_OTHERS: Final = 0o007

Lines: TypeAlias = list[tuple[int, str]]


def secret_lines(file: Path, group: str) -> tuple[Lines | None, list[Fault]]:
    """Return the lines that say something, with their numbers, and what is wrong with the file.

    What begins with `#` is a comment. Blocks.

    Args:
        file: its path.
        group: whose members may read it, for the cure.

    Returns:
        None in place of lines where it cannot be read; and the faults, which quote none of it.
    """
    faults: list[Fault] = []

    def look(status: os.stat_result) -> None:
        if status.st_mode & _OTHERS:
            cure = f"others may use it, and it has secrets: chmod o= {shown(file)}"
            faults.append(Fault("", cure, shown(file)))

    try:
        text = read_bounded(file, MAX_BYTES, look).decode("utf-8-sig")
    except OSError as error:
        return None, [*faults, Fault("", _os_problem(file, error, group), shown(file))]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return None, [*faults, Fault(f"line {line}", "is not UTF-8 text", shown(file))]
    stripped = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    return [(n, line) for n, line in stripped if line and not line.startswith("#")], faults


def _os_problem(file: Path, error: OSError, group: str) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there: make it, or name another one"
    if isinstance(error, PermissionError):
        return (
            f"may not be read by uid {os.geteuid()}: "
            f"chown root:{group} {shown(file)}; chmod 0640 {shown(file)}"
        )
    return os_problem(file, error)
