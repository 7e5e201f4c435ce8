"""The program `kaspad-taskd-relay`: carries what a daemon tells into a fleet's Redis or Valkey."""

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
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.systemd.journal import begin_log, complain
from kaspad_taskd.systemd.notify import Notifier, pulse

NAME: Final = "kaspad-taskd-relay"
OK, CRASHED, BAD_SETTINGS = 0, 1, 78
EPILOG: Final = """\
Exit codes: 0 stopped, 1 no state or no library, 78 bad settings or another relay of this host.
"""

log = logging.getLogger(NAME)


def parser() -> argparse.ArgumentParser:
    """The parser of the relay's options."""
    made = beside.parser(
        NAME, "Carries what kaspad-taskd sees to a fleet's Redis or Valkey.", EPILOG
    )
    check = "say every fault in the settings and of the server, exit with 0 or 78"
    beside.add_following(made, check)
    return made


def places_of(options: argparse.Namespace, env: Mapping[str, str], uid: int) -> Places:
    """Return the places that the options, systemd, and else the user name."""
    return beside.places_of(options, env, uid, NAME, "fleet.toml")


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
        complain(beside.not_installed(fault), NAME)
        return CRASHED


def _live(places: Places, settings: Settings) -> int:
    from kaspad_taskd.fleet.relay.house import House
    from kaspad_taskd.fleet.relay.session import Rival

    systemd = Notifier()
    try:
        beside.make_state(places, os.environ)
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
