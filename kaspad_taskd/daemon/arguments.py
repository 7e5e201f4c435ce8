"""The daemon's command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.config.settings import LOG_LEVELS, Address, parse_listen
from kaspad_taskd.version import __version__

DEMO_SPEED, FLEET_SPEED = 8.0, 2.0
"""How much faster than it was a recorded sync is played, where nobody says."""
EPILOG = """\
Without options it uses the system's places (/etc, /var/lib, /run) as root or a service account,
and the XDG places of an ordinary user. `kaspad-taskd demo` shows it at work on a recorded sync,
`kaspad-taskd restore FILE` puts a backup back; `kaspad-taskd install-service` makes it a service
where there is no package, `uninstall-service` ends that. Each has a --help of its own.
Exit codes: 0 stopped, 1 crash or no state, socket or token, 78 bad settings or a newer state.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the daemon's options."""
    made = argparse.ArgumentParser(
        "kaspad-taskd",
        description="Watches the long work of a Kaspa node host and tells the truth about it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--config", type=_path, metavar="FILE", help="the settings file")
    made.add_argument(
        "--tasks", type=_path, metavar="DIR", help="task definitions, in place of both tasks.d"
    )
    made.add_argument("--state-dir", type=_path, metavar="DIR", help="where the state is kept")
    made.add_argument("--runtime-dir", type=_path, metavar="DIR", help="where the socket is made")
    made.add_argument("--bridge", type=_listen, metavar="HOST:PORT", help='or "off"')
    made.add_argument("--log-level", choices=LOG_LEVELS, help="in place of the settings'")
    made.add_argument(
        "--check",
        action="store_true",
        help="say every fault in settings and definitions, exit with 0 or 78",
    )
    made.add_argument(
        "--preflight",
        action="store_true",
        help="say what would keep it from starting (state, rights, port), as JSON; exit 0 or 1",
    )
    made.add_argument("--version", action="version", version=f"kaspad-taskd {__version__}")
    return made


def places_of(options: argparse.Namespace) -> Places:
    """Return the places that the daemon's options, and else its environment, name."""
    return find_places(
        os.environ,
        os.geteuid(),
        config=options.config,
        tasks=options.tasks,
        state=options.state_dir,
        runtime=options.runtime_dir,
    )


def demo_parser() -> argparse.ArgumentParser:
    """The parser of `kaspad-taskd demo`."""
    made = argparse.ArgumentParser(
        "kaspad-taskd demo",
        description="Shows the daemon, or a fleet, following nodes that play a recorded real sync.",
    )
    made.add_argument(
        "--speed",
        type=_speed,
        metavar="N",
        help=f"times faster than it was ({DEMO_SPEED:g}; of a fleet {FLEET_SPEED:g})",
    )
    made.add_argument(
        "--fleet",
        action="store_true",
        help="twelve hosts, carried to a redis-server of its own; one dies, one is cut off",
    )
    return made


def restore_parser() -> argparse.ArgumentParser:
    """The parser of `kaspad-taskd restore`."""
    made = argparse.ArgumentParser(
        "kaspad-taskd restore",
        description="Checks a copy of the state and puts it in the state's place. The daemon must "
        "not run. The state before is kept beside it.",
        epilog="Exit codes: 0 restored, 1 refused: nothing was changed.",
    )
    made.add_argument("file", type=_path, metavar="FILE", help="as `kaspad-taskctl backup` made it")
    made.add_argument("--state-dir", type=_path, metavar="DIR", help="where the state is kept")
    return made


def install_parser() -> argparse.ArgumentParser:
    """The parser of `kaspad-taskd install-service`."""
    made = _service_parser(
        "install-service",
        "Makes the program of a prefix a service of this host, as the Debian package does: user, "
        "units, polkit's rule, commands, man pages, completions. Done again it changes nothing; "
        "after an update of the prefix it replaces what nobody changed.",
    )
    made.add_argument(
        "--prefix", type=_path, metavar="DIR", help="where it is installed (of this program)"
    )
    made.add_argument("--handed", action="store_true", help=argparse.SUPPRESS)
    return made


def uninstall_parser() -> argparse.ArgumentParser:
    """The parser of `kaspad-taskd uninstall-service`."""
    return _service_parser(
        "uninstall-service",
        "Stops the service and removes what install-service made. What somebody changed is left "
        "and named; settings, state, the user and the prefix stay.",
    )


def _service_parser(verb: str, description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        f"kaspad-taskd {verb}",
        description=description,
        epilog="Exit codes: 0 done, 1 refused or failed: it is finished by the next run.",
    )
    made.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    made.add_argument("--root", type=_path, default=Path("/"), help=argparse.SUPPRESS)
    made.set_defaults(verb=verb)
    return made


def _path(text: str) -> Path:
    """What clients are told has to hold in their directory, too."""
    return Path(text).absolute()


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 100:
        raise argparse.ArgumentTypeError("must be 0.1 to 100")
    return value


def _listen(text: str) -> Address | str:
    try:
        return parse_listen(text) or "off"
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None
