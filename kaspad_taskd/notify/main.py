"""The program `kaspad-taskd-notify`: tells people, or says what is wrong with its settings."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from kaspad_taskd.base.streams import hold_streams
from kaspad_taskd.config import beside
from kaspad_taskd.config.beside import Places
from kaspad_taskd.notify.checking import check
from kaspad_taskd.notify.house import House
from kaspad_taskd.notify.settings import Settings, load
from kaspad_taskd.notify.store import Held, Newer, Store, Unwritable
from kaspad_taskd.systemd.journal import begin_log, complain
from kaspad_taskd.systemd.notify import Notifier, pulse

NAME: Final = "kaspad-taskd-notify"
OK, CRASHED, HELD, BAD_SETTINGS = 0, 1, 75, 78
EPILOG: Final = """\
Exit codes: 0 stopped, 1 no state, 75 another notifier has it, 78 bad settings or a newer state.
`kaspad-taskctl notify` shows what was told and what waits, `kaspad-taskctl notify test` sends a
message on trial.
"""

log = logging.getLogger(NAME)


def parser() -> argparse.ArgumentParser:
    """The parser of the notifier's options."""
    description = "Tells people what kaspad-taskd sees: by ntfy, mail, Matrix and so on."
    made = beside.parser(NAME, description, EPILOG)
    check = "say every fault in the settings and their files, exit with 0 or 78"
    beside.add_following(made, check)
    return made


def places_of(options: argparse.Namespace, env: Mapping[str, str], uid: int) -> Places:
    """Return the places that the options, systemd, and else the user name."""
    return beside.places_of(options, env, uid, NAME, "notify.toml")


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
        beside.make_state(places, os.environ)
        house = House(
            places, settings, Store(places.state), systemd, pulse(os.environ, os.getpid())
        )
    except ImportError as fault:
        log.error("%s", beside.not_installed(fault))
        return CRASHED
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
