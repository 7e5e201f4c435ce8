"""One start of the daemon: until it is told to stop, or a sentence why there is none."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import sys
from pathlib import Path
from typing import Final

from kaspad_taskd import words
from kaspad_taskd.bridge.access import CannotOpenError
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import Settings, load_settings
from kaspad_taskd.daemon.codes import BAD_SETTINGS, CRASHED, OK
from kaspad_taskd.daemon.house import Daemon
from kaspad_taskd.daemon.starts import Starts
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.probes import add
from kaspad_taskd.rpc.server import CannotListenError
from kaspad_taskd.store.fault import NewerError, StoreError
from kaspad_taskd.systemd.journal import begin_log, complain

GIVE_BACK: Final = 0.001
"""Seconds after which a thread that reckons beside the loop lets it go on. The loop asks for that
after each of its system calls, and an answer takes several."""

_log = logging.getLogger("kaspad_taskd")


def live(places: Places, options: argparse.Namespace, starts: Starts) -> int:
    """Start the daemon, and run it until it is told to stop; returns the exit code."""
    settings = load_settings(places)
    faults = (
        settings if isinstance(settings, list) else add(settings.probes, settings.source("probes"))
    )
    if faults or isinstance(settings, list):
        return _end(starts, BAD_SETTINGS, *map(str, faults))
    faulthandler.enable()
    begin_log(options.log_level or settings.log_level)
    return _run(places, settings, options, starts)


def _run(places: Places, settings: Settings, options: argparse.Namespace, starts: Starts) -> int:
    try:
        for directory in (places.state, places.runtime):
            _make(directory)
        asyncio.run(_live(places, settings, options, starts))
    except NewerError as error:  # no other try changes that
        return _end(starts, BAD_SETTINGS, str(error))
    except (StoreError, NotDurable, CannotListenError, CannotOpenError) as error:
        return _end(starts, CRASHED, str(error))
    except OSError as error:
        where = "--state-dir and --runtime-dir name other places"
        return _end(starts, CRASHED, f"{error.filename}: {error.strerror}; {where}")
    except Exception as error:
        what = "the daemon crashed; every task goes on at its next start"
        _log.exception(what)
        starts.failed(CRASHED, [f"{what}: {type(error).__name__}: {error}"])
        return CRASHED
    starts.over()
    return OK


def _end(starts: Starts, code: int, *said: str) -> int:
    for each in said:
        complain(each)
    starts.failed(code, said, again=code != BAD_SETTINGS)
    return code


def _make(directory: Path) -> None:
    if not directory.is_dir():
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)


async def _live(
    places: Places, settings: Settings, options: argparse.Namespace, starts: Starts
) -> None:
    words.load()
    gc.freeze()  # what is loaded stays: no collection looks at it again
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000_000)  # a full collection is housekeeping's alone
    gc.enable()
    sys.setswitchinterval(GIVE_BACK)
    logging.captureWarnings(True)  # libraries warn with what strangers send: not at any length
    daemon = Daemon(
        places, settings, level=options.log_level, listen=options.bridge, on_ready=starts.ready
    )
    await daemon.run()
