"""What programs beside the daemon have in common: their options, and where their things are."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.libraries import cause
from kaspad_taskd.config.places import find_places
from kaspad_taskd.version import __version__

LEVELS: Final = ("debug", "info", "warning", "error")


@frozen
class Places:
    """Where the things of one that follows the daemon are.

    Attributes:
        settings: its file in the daemon's directory of settings.
        state: the directory of the state.
        socket: the daemon's `watch.sock`.
    """

    settings: Path
    state: Path
    socket: Path


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser with `--config`, which each of them has; `add_version` ends its options."""
    made = argparse.ArgumentParser(
        name,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", type=_path, metavar="FILE", help="the settings file")
    return made


def add_following(made: argparse.ArgumentParser, check: str) -> None:
    """Add all options of one that follows the daemon; `check` says what `--check` does."""
    _add_state(made)
    made.add_argument("--socket", type=_path, metavar="PATH", help="watch.sock of the daemon")
    _add_rest(made, check)


def add_running(made: argparse.ArgumentParser, check: str) -> None:
    """Add all options of one that goes on until it is stopped, and follows no daemon."""
    _add_state(made)
    _add_rest(made, check)


def _add_state(made: argparse.ArgumentParser) -> None:
    made.add_argument("--state-dir", type=_path, metavar="DIR", help="where the state is kept")


def _add_rest(made: argparse.ArgumentParser, check: str) -> None:
    made.add_argument("--log-level", choices=LEVELS, default="info", help="(info)")
    made.add_argument("--check", action="store_true", help=check)
    add_version(made)


def add_version(made: argparse.ArgumentParser) -> None:
    """Add `--version`."""
    made.add_argument("--version", action="version", version=f"{made.prog} {__version__}")


def _path(text: str) -> Path:
    return Path(text).absolute()


def places_of(
    options: argparse.Namespace, env: Mapping[str, str], uid: int, name: str, settings: str
) -> Places:
    """Return the places that the options, systemd, and else the user name.

    Args:
        options: of a parser with `add_following` or `add_running`.
        env: the environment.
        uid: of who runs it.
        name: the program's; its state has that name.
        settings: the name of its file.
    """
    given = env.get("STATE_DIRECTORY")
    # directories that systemd gives are this program's own, none of the daemon's
    mine = {key: text for key, text in env.items() if not key.endswith("_DIRECTORY")}
    taskd = find_places(mine, uid if given is None else 0)
    return Places(
        options.config or taskd.settings.with_name(settings),
        options.state_dir or Path((given or "").split(":")[0] or taskd.state.with_name(name)),
        getattr(options, "socket", None) or taskd.runtime / "watch.sock",
    )


def make_state(places: Places, env: Mapping[str, str]) -> None:
    """Make the directory of the state, which systemd has made for what it runs; raises OSError."""
    if "STATE_DIRECTORY" not in env:
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)


def not_installed(error: ImportError) -> str:
    """Return a sentence that names the library which is missing, with the cure.

    Raises:
        ImportError: that one, where no library is missing.
    """
    library = cause(error).get("library")
    if library is None:
        raise error
    return f'the library "{library}" is not installed: apt install python3-{library}'
