"""Which files the settings stand in: one, and over it, in order of name, those of a directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.reading import is_null, os_problem, read_toml, shown

SUFFIX: Final = b".toml"


def settings_files(places: Places) -> tuple[list[Path], list[Fault]]:
    """Return the files that there are, the lowest first, and why there may be more. Blocks.

    The order of the drop-ins is that of the bytes of their names, in every locale. Names that begin
    with a dot (an editor's) or do not end in `.toml` are left alone. A settings file that was named
    on the command line is among them even if it is not there.
    """
    found = [places.settings] if places.told or not _is_absent(places.settings) else []
    directory = places.drop_ins
    try:
        names = sorted(os.listdir(os.fsencode(directory)))  # noqa: PTH208 - bytes
    except FileNotFoundError as error:
        if not directory.is_symlink():  # nobody meant there to be one
            return found, []
        return found, [Fault("", os_problem(directory, error), shown(directory))]
    except OSError as error:
        return found, [Fault("", os_problem(directory, error), shown(directory))]
    good = (name for name in names if name.endswith(SUFFIX) and not name.startswith(b"."))
    return [*found, *(directory / os.fsdecode(name) for name in good)], []


def read_files(places: Places) -> tuple[list[tuple[str, dict[str, Any]]], list[Fault]]:
    """Return file and table of each, the lowest first, and what cannot be read. Blocks.

    A link to /dev/null is an empty file.
    """
    files, faults = settings_files(places)
    layers = []
    for path in files:
        data = {} if is_null(path) else read_toml(path)
        if isinstance(data, Fault):
            faults.append(data)
        else:
            layers.append((shown(path), data))
    return layers, faults


def _is_absent(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:  # reading it will tell
        return False
    return False
