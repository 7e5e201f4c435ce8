"""`./dev soak`: live under load and harm for as long as asked, then say what held.

`./dev soak garbage --help`: garbage alone, as much as asked. `./dev soak fleet --help`: 50 relays.

Exits 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from kaspad_taskd.base.durations import parse_duration
from tests.fakes.patience import PATIENCE
from tests.soak import fuzz
from tests.soak.disk import disk
from tests.soak.eyes import SHUT
from tests.soak.lives import Lives
from tests.soak.promises import Promises


def main() -> int:
    """Run it."""
    # an installation has bytecode; without, the page's libraries are compiled for its first guest
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if sys.argv[1:2] == ["garbage"]:
        return fuzz.main(sys.argv[2:])
    if sys.argv[1:2] == ["fleet"]:
        from tests.soak import fleet

        return fleet.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    add = parser.add_argument
    add("--for", dest="span", default="1min", metavar="D", help="how long: 1min, 1h (1min)")
    add("--seed", type=int, default=None, help="of the dice; without it another one each time")
    add("--keep", action="store_true", help="leave the daemon's log and state where they are")
    options = parser.parse_args()
    seconds = parse_duration(options.span)
    if seconds is None:
        parser.error(f'--for: "{options.span}" is no duration; write "1min" or "1h"')
    seed = random.randrange(10**6) if options.seed is None else options.seed
    place = Path(tempfile.mkdtemp(prefix="kaspad-taskd-soak-"))
    print(f"for {options.span}, --seed {seed}, in {place}", flush=True)
    broken = asyncio.run(soak(place, seconds, seed))
    if not options.keep and not broken:
        import shutil

        shutil.rmtree(place)
    return 1 if broken else 0


async def soak(place: Path, seconds: float, seed: int, *, measured: bool = True) -> list[str]:
    """Live for so many seconds; prints the list of promises, returns what was broken.

    `measured`: the rate of the log and the time of an answer count; not on a machine that is busy
    with other things, or for a minute alone.
    """
    promises, began = Promises(), time.monotonic()
    with disk(place) as own:
        patience = SHUT if measured else PATIENCE
        lives = Lives(place, own, promises, random.Random(seed), patience)
        await lives.go(seconds)
    if measured:
        lives.judge_log()
    harms = ", ".join(f"{name} {count}" for name, count in sorted(lives.harms.items()))
    print(f"{time.monotonic() - began:.0f} s, {lives.lives} lives; {harms}")
    print(promises.table())
    return [account for one in promises.all() for account in one.accounts]


if __name__ == "__main__":
    sys.exit(main())
