"""A fleet as lines of JSON, for `kaspad-taskctl fleet`, which starts this and knows no Redis.

A request comes as one line on standard input, an object:

    config   fleet.toml, or null for the usual places
    hosts    names, or patterns with *, ? or [...]; none: all
    longest  seconds until it is told as far as it is known, or null
    watch    whether to go on, until nobody reads any more

Each line of the answer is what is known then: `hosts`, as `kaspad-taskd-hub --once --json` has
them, `fault`, some `names` of all hosts, and where one name alone was asked for, `of`: that host's
tasks, services and warnings. Or it is `refused`, an exit code, with `said`, why.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.config import beside
from kaspad_taskd.config.places import find_places
from kaspad_taskd.fleet.settings import Part, Settings, load

Json: TypeAlias = Any

OK, CRASHED, BAD_SETTINGS, INTERRUPTED = 0, 1, 78, 130
LONGEST: Final = 2**20
"""Bytes of a request."""
PAUSE_S: Final = 0.5
"""Seconds between two lines at least; four times what a line took, where that is more."""
NAMED: Final = 20
"""Hosts that are named to who asked for one that is not there."""
QUIET_S: Final = 2.0
"""Seconds between two lines at most: who was left without a reader ends with the next."""


def main() -> int:
    """Answer a request; returns the exit code."""
    logging.basicConfig(level=logging.ERROR)
    asked = json.loads(sys.stdin.buffer.readline(LONGEST))
    settings = load(_file(asked.get("config")), Part.HUB)
    if not isinstance(settings, Settings):
        return _refuse(BAD_SETTINGS, [str(fault) for fault in settings])
    try:
        asyncio.run(_tell(settings, asked))
    except ImportError as fault:
        return _refuse(CRASHED, [beside.not_installed(fault)])
    except (KeyboardInterrupt, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the last flush complains to nobody
        return INTERRUPTED
    return OK


def _file(given: str | None) -> Path:
    """As told; else this user's own, else the system's."""
    if given is not None:
        return Path(given).absolute()
    own = find_places(os.environ, os.geteuid()).settings.with_name("fleet.toml")
    if os.access(own, os.F_OK):
        return own
    return find_places({}, 0).settings.with_name("fleet.toml")


def _refuse(code: int, said: Sequence[str]) -> int:
    _write({"refused": code, "said": said})
    return code


def _write(line: Json) -> None:
    sys.stdout.buffer.write(dumps(line) + b"\n")
    sys.stdout.buffer.flush()


async def _tell(settings: Settings, asked: Mapping[str, Json]) -> None:
    """Write a line, or one after the other."""
    from kaspad_taskd.fleet.hub.once import LONGEST_S, followed, until_known

    clock = time.monotonic
    names = asked["hosts"]
    async with followed(settings, clock) as (mirror, ticked):
        if not asked["watch"]:
            longest = asked["longest"] or LONGEST_S
            await until_known(mirror, ticked, clock, longest, lambda name: _is_meant(name, names))
            _write(_known(mirror, names, clock()))
            return
        await until_known(mirror, ticked, clock, LONGEST_S, lambda _: False)  # which there are
        while True:
            began = clock()
            _write(_known(mirror, names, began))
            await asyncio.sleep(max(PAUSE_S, 4 * (clock() - began)))
            with suppress(TimeoutError):
                await asyncio.wait_for(ticked.wait(), QUIET_S)
            ticked.clear()


def _is_meant(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, each) for each in patterns)


def _known(mirror: Any, names: Sequence[str], now: float) -> dict[str, Json]:
    """What is known of the hosts that are meant."""
    from kaspad_taskd.fleet.hub.rows import rows

    told = rows(mirror, now, time.time_ns() // 1_000_000)
    found: dict[str, Json] = {
        "hosts": [each for each in told if _is_meant(each["host"], names)],
        "fault": mirror.fault,
        "names": [each["host"] for each in told[:NAMED]],
    }
    host = mirror.hosts.get(names[0]) if len(names) == 1 else None
    if host is not None:
        found["of"] = {
            "tasks": [host.task(task_id) for task_id in host.tasks],
            "services": host.services,
            "warnings": (host.warnings or {}).get("warnings", []),
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
