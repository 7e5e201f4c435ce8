"""The program `kaspad-taskd-hub`: shows a fleet that relays have carried to Redis or Valkey."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

from kaspad_taskd.base.streams import hold_streams
from kaspad_taskd.config import beside
from kaspad_taskd.config.beside import Places
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.systemd.journal import begin_log, complain
from kaspad_taskd.systemd.notify import Notifier, pulse

NAME: Final = "kaspad-taskd-hub"
OK, CRASHED, BAD_SETTINGS, INTERRUPTED = 0, 1, 78, 130
EPILOG: Final = """\
Exit codes: 0 stopped, 1 no state, token or library, 78 bad settings. Of --once: 0 all hosts are
well, 7 one is not, or is not known to be, 1 Redis cannot be read.
"""

log = logging.getLogger(NAME)


def parser() -> argparse.ArgumentParser:
    """The parser of the hub's options."""
    made = beside.parser(
        NAME, "Shows the hosts of a fleet, as their relays carried it to Redis or Valkey.", EPILOG
    )
    made.add_argument(
        "--once",
        action="store_true",
        help="look once, print the hosts with their verdicts (5 s, or 15 where one is silent)",
    )
    made.add_argument("--json", action="store_true", help="with --once: as one JSON object")
    check = "say every fault in the settings and of the servers, exit with 0 or 78"
    beside.add_running(made, check)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until it is stopped, or look once; returns the exit code."""
    hold_streams()
    options = parser().parse_args(argv)
    places = beside.places_of(options, os.environ, os.geteuid(), NAME, "fleet.toml")
    settings = load(places.settings, Part.HUB)
    if not isinstance(settings, Settings):
        for fault in settings:
            print(fault) if options.check else complain(fault, NAME)
        return BAD_SETTINGS
    try:
        if options.check:
            from kaspad_taskd.fleet.hub.checking import check

            return asyncio.run(check(places.settings, settings))
        if options.once:
            return _once(settings, as_json=options.json)
        begin_log(options.log_level, name=NAME)
        return _live(places, settings)
    except ImportError as fault:
        complain(beside.not_installed(fault), NAME)
        return CRASHED


def _once(settings: Settings, *, as_json: bool) -> int:
    from kaspad_taskd.fleet.hub.once import once

    logging.basicConfig(level=logging.ERROR)
    try:
        return asyncio.run(once(settings, as_json=as_json))
    except KeyboardInterrupt:
        return INTERRUPTED


def _live(places: Places, settings: Settings) -> int:
    from kaspad_taskd.bridge.keys import CannotOpenError
    from kaspad_taskd.fleet.hub.house import House

    systemd, beat = Notifier(), pulse(os.environ, os.getpid())
    try:
        beside.make_state(places, os.environ)
        asyncio.run(House(settings, places.state, systemd, beat).run())
    except (OSError, CannotOpenError) as fault:
        log.error("%s", fault)
        return CRASHED
    systemd.close()
    log.info("stopped")
    logging.shutdown()
    return OK


if __name__ == "__main__":
    sys.exit(main())
