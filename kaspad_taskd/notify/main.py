"""The program `kaspad-taskd-notify`: tells people, or says what is wrong with its settings."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kaspad_taskd.base.streams import hold_streams
from kaspad_taskd.config.places import find_places
from kaspad_taskd.notify.checking import check
from kaspad_taskd.notify.house import House, Places
from kaspad_taskd.notify.settings import Settings, load
from kaspad_taskd.notify.store import Held, Newer, Store, Unwritable
from kaspad_taskd.systemd.journal import begin_log, complain
from kaspad_taskd.systemd.notify import Notifier, pulse
from kaspad_taskd.version import __version__

NAME: Final = "kaspad-taskd-notify"
OK, CRASHED, HELD, BAD_SETTINGS = 0, 1, 75, 78
LEVELS: Final = ("debug", "info", "warning", "error")
EPILOG: Final = """\
Exit codes: 0 stopped, 1 no state, 75 another notifier has it, 78 bad settings or a newer state.
`kaspad-taskctl notify` shows what was told and what waits, `kaspad-taskctl notify test` sends a
message on trial.
"""

log = logging.getLogger(NAME)


def parser() -> argparse.ArgumentParser:
    """The parser of the notifier's options."""
    made = argparse.ArgumentParser(
        NAME,
        description="Tells people what kaspad-taskd sees: by ntfy, mail, Matrix and so on.",
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
        help="say every fault in the settings and their files, exit with 0 or 78",
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
        options.config or taskd.settings.with_name("notify.toml"),
        options.state_dir or Path((given or "").split(":")[0] or taskd.state.with_name(NAME)),
        options.socket or taskd.runtime / "watch.sock",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Tell people until it is stopped; returns the exit code."""
    hold_streams()
    options = parser().parse_args(argv)
    places = places_of(options, os.environ, os.geteuid())
    if options.check:
        return check(places.settings)
    settings = load(places.settings)
    if not isinstance(settings, Settings):
        for fault in settings:
            complain(fault, NAME)
        return BAD_SETTINGS
    begin_log(options.log_level, name=NAME)
    return _live(places, settings)


def _live(places: Places, settings: Settings) -> int:
    systemd = Notifier()
    try:
        if "STATE_DIRECTORY" not in os.environ:
            places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        house = House(
            places, settings, Store(places.state), systemd, pulse(os.environ, os.getpid())
        )
    except (Held, Newer, Unwritable, OSError) as fault:
        log.error("%s", fault)
        return {Held: HELD, Newer: BAD_SETTINGS}.get(type(fault), CRASHED)
    signal.signal(signal.SIGTERM, lambda *_: house.stop())
    signal.signal(signal.SIGINT, lambda *_: house.stop())
    signal.signal(signal.SIGHUP, lambda *_: house.reload())
    house.run()
    systemd.close()
    log.info("stopped")
    logging.shutdown()
    return OK


if __name__ == "__main__":
    sys.exit(main())
