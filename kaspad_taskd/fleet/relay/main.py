"""The program `kaspad-taskd-relay`: carries what a daemon tells into a fleet's Redis or Valkey."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.libraries import cause
from kaspad_taskd.base.streams import hold_streams
from kaspad_taskd.config.places import find_places
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.systemd.journal import begin_log, complain
from kaspad_taskd.systemd.notify import Notifier, pulse
from kaspad_taskd.version import __version__

NAME: Final = "kaspad-taskd-relay"
OK, CRASHED, BAD_SETTINGS = 0, 1, 78
LEVELS: Final = ("debug", "info", "warning", "error")
EPILOG: Final = """\
Exit codes: 0 stopped, 1 no state or no library, 78 bad settings or another relay of this host.
"""

log = logging.getLogger(NAME)


@frozen
class Places:
    """Where the relay's things are.

    Attributes:
        settings: `fleet.toml`.
        state: the directory of the state.
        socket: the daemon's `watch.sock`.
    """

    settings: Path
    state: Path
    socket: Path


def parser() -> argparse.ArgumentParser:
    """The parser of the relay's options."""
    made = argparse.ArgumentParser(
        NAME,
        description="Carries what kaspad-taskd sees to a fleet's Redis or Valkey.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", type=_path, metavar="FILE", help="the settings file")
    made.add_argument("--state-dir", type=_path, metavar="DIR", help="where the state is kept")
    made.add_argument("--socket", type=_path, metavar="PATH", help="watch.sock of the daemon")
    made.add_argument("--log-level", choices=LEVELS, default="info", help="(info)")
    made.add_argument(
        "--check",
        action="store_true",
        help="say every fault in the settings and of the server, exit with 0 or 78",
    )
    made.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    return made


def _path(text: str) -> Path:
    return Path(text).absolute()


def places_of(options: argparse.Namespace, env: Mapping[str, str], uid: int) -> Places:
    """Return the places that the options, systemd, and else the user name."""
    given = env.get("STATE_DIRECTORY")
    # directories that systemd gives are this program's own, none of the daemon's
    mine = {name: text for name, text in env.items() if not name.endswith("_DIRECTORY")}
    taskd = find_places(mine, uid if given is None else 0)
    return Places(
        options.config or taskd.settings.with_name("fleet.toml"),
        options.state_dir or Path((given or "").split(":")[0] or taskd.state.with_name(NAME)),
        options.socket or taskd.runtime / "watch.sock",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Carry until it is stopped; returns the exit code."""
    hold_streams()
    options = parser().parse_args(argv)
    places = places_of(options, os.environ, os.geteuid())
    settings = load(places.settings, Part.RELAY)
    if not isinstance(settings, Settings):
        for fault in settings:
            print(fault) if options.check else complain(fault, NAME)
        return BAD_SETTINGS
    try:
        if options.check:
            from kaspad_taskd.fleet.relay.checking import check

            return check(places.settings, settings)
        begin_log(options.log_level, name=NAME)
        return _live(places, settings)
    except ImportError as fault:
        library = cause(fault).get("library")
        if library is None:
            raise
        complain(f'the library "{library}" is not installed: apt install python3-{library}', NAME)
        return CRASHED


def _live(places: Places, settings: Settings) -> int:
    from kaspad_taskd.fleet.relay.house import House
    from kaspad_taskd.fleet.relay.session import Rival

    systemd = Notifier()
    try:
        if "STATE_DIRECTORY" not in os.environ:
            places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        log.error("%s", fault)
        return CRASHED
    beat = pulse(os.environ, os.getpid())
    house = House(settings, places.state, places.socket, systemd, beat)
    signal.signal(signal.SIGTERM, lambda *_: house.stop())
    signal.signal(signal.SIGINT, lambda *_: house.stop())
    try:
        house.run()
    except Rival as rival:
        log.error("%s", rival)
        return BAD_SETTINGS
    systemd.close()
    log.info("stopped")
    logging.shutdown()
    return OK


if __name__ == "__main__":
    sys.exit(main())
