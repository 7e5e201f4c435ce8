"""The program `kaspad-taskd`: the daemon, its check, its restore, its demo, its installing."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from kaspad_taskd import words
from kaspad_taskd.base.streams import hold_streams, let_go
from kaspad_taskd.config.places import Places
from kaspad_taskd.daemon.arguments import (
    DEMO_SPEED,
    FLEET_SPEED,
    demo_parser,
    install_parser,
    parser,
    places_of,
    restore_parser,
    uninstall_parser,
)
from kaspad_taskd.daemon.codes import CRASHED
from kaspad_taskd.daemon.starts import Starts
from kaspad_taskd.systemd.journal import complain

PIPE_CLOSED = 141
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon, its check or its demo; returns the exit code."""
    hold_streams()
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # where no daemon runs that takes it as its order to stop
        return INTERRUPTED
    except ImportError as error:
        _not_loaded(error)
        return CRASHED
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
    # what needs libraries is imported here: one that does not load is said in a sentence
    if given[:1] == ["demo"]:
        return _demo(demo_parser().parse_args(given[1:]))
    if given[:1] == ["restore"]:
        from kaspad_taskd.daemon.offline import put_back

        return put_back(restore_parser().parse_args(given[1:]))
    if given[:1] == ["install-service"]:
        from kaspad_taskd.daemon.installing.verbs import install

        return install(install_parser().parse_args(given[1:]))
    if given[:1] == ["uninstall-service"]:
        from kaspad_taskd.daemon.installing.verbs import uninstall

        return uninstall(uninstall_parser().parse_args(given[1:]))
    options = parser().parse_args(given)
    places = places_of(options)
    if options.check:
        from kaspad_taskd.daemon.offline import check

        return check(places)
    if options.preflight:
        from kaspad_taskd.daemon.preflight import preflight

        return preflight(places, options.bridge)
    return _daemon(places, options)


def _demo(options: argparse.Namespace) -> int:
    if options.fleet:
        from kaspad_taskd.demo import fleet

        return fleet.show(options.speed or FLEET_SPEED)
    from kaspad_taskd.demo.show import show

    return show(options.speed or DEMO_SPEED)


def _daemon(places: Places, options: argparse.Namespace) -> int:
    starts = Starts(places.runtime)
    starts.begin()
    gc.disable()  # what is being loaded stays; `live` goes on with collecting
    try:
        from kaspad_taskd.daemon.life import live
    except ImportError as error:  # the next start may find it
        said = _not_loaded(error)
        starts.failed(CRASHED, [said])
        return CRASHED
    try:
        return live(places, options, starts)
    finally:
        gc.freeze()  # all of it goes with the process: it is not searched before


def _not_loaded(error: ImportError) -> str:
    said = words.say("start.library", problem=str(error))
    complain(said)
    return said


if __name__ == "__main__":
    sys.exit(main())
