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
from kaspad_taskd.config.places import find_places
from kaspad_taskd.fleet.settings import Part, Settings, load
from kaspad_taskd.systemd.journal import complain

NAME: Final = "kaspad-taskd-hub"
CRASHED, BAD_SETTINGS, INTERRUPTED = 1, 78, 130
EPILOG: Final = """\
Exit codes: 0 all hosts are well, 7 one is not, or is not known to be, 1 Redis cannot be read or a
library is missing, 78 bad settings.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the hub's options."""
    made = beside.parser(
        NAME, "Shows the hosts of a fleet, as their relays carried it to Redis or Valkey.", EPILOG
    )
    made.add_argument(
        "--once",
        action="store_true",
        required=True,
        help="look once, print the hosts with their verdicts (5 s, or 15 where one is silent)",
    )
    made.add_argument("--json", action="store_true", help="as one JSON object")
    beside.add_version(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Look; returns the exit code."""
    hold_streams()
    options = parser().parse_args(argv)
    places = find_places(os.environ, os.geteuid())
    settings = load(options.config or places.settings.with_name("fleet.toml"), Part.HUB)
    if not isinstance(settings, Settings):
        for fault in settings:
            complain(fault, NAME)
        return BAD_SETTINGS
    logging.basicConfig(level=logging.ERROR)
    try:
        from kaspad_taskd.fleet.hub.once import once

        return asyncio.run(once(settings, as_json=options.json))
    except ImportError as fault:
        complain(beside.not_installed(fault), NAME)
        return CRASHED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
