"""The settings' files as a client finds them: whether it may judge them, and what does."""

from __future__ import annotations

import os

_NAME = "kaspad-taskd.toml"  # in the directory that CONFIGURATION_DIRECTORY names


def can_read(path: str) -> bool:
    """Whether there are settings, and all of them are ours to read: else others must judge."""
    directory = f"{path}.d"
    try:
        files = [f"{directory}/{name}" for name in os.listdir(directory) if _is_drop_in(name)]  # noqa: PTH208 - pathlib costs start time
    except FileNotFoundError:
        files = []
    except OSError:  # closed, or no directory: which the check will tell
        files = [directory]
    if os.path.lexists(path):
        files.append(path)
    return bool(files) and not any(map(_is_closed, files))


def _is_closed(path: str) -> bool:
    """Whether it is there and not ours to read; a link to nothing is a fault that all can see."""
    try:
        os.stat(path)  # noqa: PTH116 - as above
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(path, os.R_OK)


def _is_drop_in(name: str) -> bool:
    return name.endswith(".toml") and not name.startswith(".")


def check_command(path: str) -> list[str]:
    """The command that checks these settings: a file that is named has to be there."""
    directory, _, name = path.rpartition("/")
    if os.path.lexists(path) or name != _NAME:
        return ["kaspad-taskd", "--config", path, "--check"]
    return ["env", f"CONFIGURATION_DIRECTORY={directory}", "kaspad-taskd", "--check"]
