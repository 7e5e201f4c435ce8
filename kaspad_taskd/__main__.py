"""The program `kaspad-taskd`: the daemon, its check, its restore, its demo."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from kaspad_taskd.base.streams import hold_streams, let_go
from kaspad_taskd.bridge.access import CannotOpenError
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import Settings, load_settings
from kaspad_taskd.daemon.arguments import demo_parser, parser, places_of, restore_parser
from kaspad_taskd.daemon.house import Daemon
from kaspad_taskd.daemon.offline import BAD_SETTINGS, CRASHED, OK, check, put_back
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.probes import add
from kaspad_taskd.rpc.server import CannotListenError
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.systemd.journal import begin_log, complain

PIPE_CLOSED = 141
INTERRUPTED = 130

_log = logging.getLogger("kaspad_taskd")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon, its check or its demo; returns the exit code."""
    hold_streams()
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # where no daemon runs that takes it as its order to stop
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has gone
        let_go()
        return PIPE_CLOSED
    except OSError as error:
        let_go()
        what = error.filename or "its output cannot be written"
        complain(f"{what}: {error.strerror or error}")
        return CRASHED


def _main(given: list[str]) -> int:
    try:
        return _verb(given)
    except KeyboardInterrupt:
        if sys.stderr.isatty():  # a new line after its ^C
            print(file=sys.stderr)
        raise
    finally:  # --help and --version, too, are told only when they are written
        sys.stdout.flush()


def _verb(given: list[str]) -> int:
    if given[:1] == ["demo"]:
        from kaspad_taskd.demo.show import show

        return show(demo_parser().parse_args(given[1:]).speed)
    if given[:1] == ["restore"]:
        return put_back(restore_parser().parse_args(given[1:]))
    options = parser().parse_args(given)
    places = places_of(options)
    if options.check:
        return check(places)
    settings = load_settings(places)
    faults = (
        settings if isinstance(settings, list) else add(settings.probes, settings.source("probes"))
    )
    if faults or isinstance(settings, list):
        for fault in faults:
            complain(fault)
        return BAD_SETTINGS
    faulthandler.enable()
    begin_log(options.log_level or settings.log_level)
    return _run(places, settings, options)


def _run(places: Places, settings: Settings, options: argparse.Namespace) -> int:
    try:
        for directory in (places.state, places.runtime):
            _make(directory)
        asyncio.run(_live(places, settings, options))
    except (StoreError, NotDurable, CannotListenError, CannotOpenError) as error:
        complain(error)
    except OSError as error:
        where = "--state-dir and --runtime-dir name other places"
        complain(f"{error.filename}: {error.strerror}; {where}")
    except Exception:
        _log.exception("the daemon crashed; every task goes on at its next start")
    else:
        return OK
    return CRASHED


def _make(directory: Path) -> None:
    if not directory.is_dir():
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)


async def _live(places: Places, settings: Settings, options: argparse.Namespace) -> None:
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000_000)  # a full collection is housekeeping's alone
    logging.captureWarnings(True)  # libraries warn with what strangers send: not at any length
    daemon = Daemon(places, settings, level=options.log_level, listen=options.bridge)
    await daemon.run()


if __name__ == "__main__":
    sys.exit(main())
