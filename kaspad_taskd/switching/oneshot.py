"""Root's helper: points one service to one node, and restarts it. Started by systemd, for nobody.

    kaspad-taskd-switch SERVICE:local | SERVICE:public

What to write and whom to restart stands in the settings, which only root can change (in a user's
own systemd: only that user). The daemon chooses a name, and has no say in anything else.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kaspad_taskd.base import files
from kaspad_taskd.config.drop_ins import settings_files
from kaspad_taskd.config.places import FIRST_USER, Places, find_places
from kaspad_taskd.config.settings import load_settings
from kaspad_taskd.config.switched import Compose, SwitchedService, Unit
from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching import noting
from kaspad_taskd.switching.codes import Exit
from kaspad_taskd.switching.endpoint import Endpoints, render, variables
from kaspad_taskd.switching.trust import DOCKER, doubt, readers

_INSTANCE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):(local|public)")
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HELD: Final = ("HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


class Refusal(Exception):
    """It ends here, with this code; the sentence says why and what to do."""

    def __init__(self, code: Exit, why: str) -> None:
        super().__init__(why)
        self.code = code


def main(argv: Sequence[str] | None = None) -> int:
    """Do what systemd asked for; returns the exit code (`codes.Exit`)."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        switch(given, find_places(os.environ, os.geteuid()), os.geteuid())
    except Refusal as refusal:
        print(f"kaspad-taskd-switch: {refusal}", file=sys.stderr)
        return refusal.code
    return Exit.DONE


def switch(given: Sequence[str], places: Places, uid: int) -> None:
    """Write the endpoint file of the service that is named, then restart it.

    Raises:
        Refusal: it was not done. Only `NOT_RESTARTED` leaves something changed: the file.
    """
    named = _INSTANCE.fullmatch(given[0]) if len(given) == 1 else None
    if named is None:
        raise Refusal(Exit.BAD_NAME, "say SERVICE:local or SERVICE:public")
    service, side = named[1], Side(named[2])
    settings = _trusted(places, uid)
    declared = _declared(service, places, uid)
    values = variables(declared, side)
    endpoints = Endpoints(places.endpoints)
    file, note = endpoints.path(service), endpoints.note(service)
    content = render(service, side, values).encode()
    with _alone(places.endpoints / f".{service}.lock"):
        if isinstance(declared.runs_as, Unit):
            _write(file, content, settings)
            forget, restart = unit_commands(declared.runs_as, user=uid >= FIRST_USER)
            note.unlink(missing_ok=True)
            _run(forget, {}, must=False)
            _run(restart, {})
            if side is Side.LOCAL:
                _note(note, declared.runs_as, values.values(), settings, uid)
        else:
            override = places.endpoints / f"{service}.compose.json"
            _write(override, overriding(declared.runs_as, values).encode(), settings)
            _write(file, content, settings)  # last: it says where the service points
            _run(compose_command(declared.runs_as, override), values)


def _trusted(places: Places, uid: int) -> list[Path]:
    """The files of the settings, if it is their owner alone who can say what they say."""
    if os.path.lexists(places.drop_ins):  # an empty one, too: whoever can fill it, or take away
        _trust(places.drop_ins, uid, None, Exit.UNTRUSTED)
    found, _ = settings_files(places)  # what is wrong with the directory, reading them tells
    for each in found or [places.settings]:
        _trust(each, uid, None, Exit.UNTRUSTED)
    return found


def _note(
    path: Path, unit: Unit, values: Iterable[str], settings: Sequence[Path], uid: int
) -> None:
    """Leave beside the endpoint file what is seen of the unit's connections; never fails."""
    system = noting.System()
    if uid >= FIRST_USER:
        own = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{uid}"))
        system = noting.System(units=own / "systemd" / "units", user=True)
    with suppress(OSError, Refusal):
        found = noting.look(unit.name, values, system)
        if found is not None:
            _write(path, found.text().encode(), settings)


def _declared(service: str, places: Places, uid: int) -> SwitchedService:
    """What the settings say of a service."""
    settings = load_settings(places)
    if isinstance(settings, list):
        raise Refusal(Exit.BAD_SETTINGS, "; ".join(map(str, settings[:3])))
    declared = settings.services.get(service)
    if declared is None:
        read = ", ".join(settings.files)
        raise Refusal(Exit.UNDECLARED, f"there is no [services.{service}] in {read}")
    if isinstance(declared.runs_as, Compose):
        beside = declared.runs_as.file.parent / ".env"  # compose reads it without being asked
        for each in (declared.runs_as.file, *([beside] if os.path.lexists(beside) else [])):
            _trust(each, uid, DOCKER, Exit.UNTRUSTED)
    return declared


def _trust(path: Path, uid: int, docker: Path | None, code: Exit) -> None:
    try:
        why = doubt(path, uid, docker)
    except OSError as error:
        why = f"{path}: {error.strerror}"
    if why is not None:
        raise Refusal(code, why)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait for a helper of the same service, which its unit's time bounds. Ours alone to open."""
    try:
        lock.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Refusal(Exit.UNWRITABLE, f"{lock}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(file: Path, data: bytes, settings: Sequence[Path]) -> None:
    """Write a file that those can read who can read all files of the settings."""
    try:
        group, mode = readers(settings)
        fresh = files.begin(file, 0o600)
        try:
            fresh.write_bytes(data)
            os.chown(fresh, -1, group)
            fresh.chmod(mode)
            files.publish(fresh, file)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Refusal(Exit.UNWRITABLE, f"{file}: {error.strerror}") from None


def unit_commands(unit: Unit, *, user: bool) -> tuple[list[str], list[str]]:
    """Return the commands that restart a unit, however often it has failed before."""
    systemctl = ["systemctl", *(["--user"] if user else []), "--no-ask-password"]
    return [*systemctl, "reset-failed", "--", unit.name], [*systemctl, "restart", "--", unit.name]


def compose_command(compose: Compose, override: Path) -> list[str]:
    """Return the command that starts a service of a project anew where its endpoint has changed."""
    of = ["docker", "compose", "-p", compose.project, "-f", str(compose.file), "-f", str(override)]
    return [*of, "up", "-d", "--no-deps", compose.service]


def overriding(compose: Compose, values: Mapping[str, str]) -> str:
    """Return our override file: variables of one container; JSON is YAML.

    Compose fills in `$NAME`, so a dollar is two. YAML does not know how JSON escapes an emoji.
    """
    environment = {name: value.replace("$", "$$") for name, value in values.items()}
    document = {"services": {compose.service: {"environment": environment}}}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _run(command: Sequence[str], values: Mapping[str, str], *, must: bool = True) -> None:
    """Run a program; its words go to the journal. `values` are for `${NAME}` of compose files."""
    held = {name: os.environ[name] for name in _HELD if name in os.environ}
    environment = {**values, **held, "PATH": PATH, "LC_ALL": "C"}
    quiet = None if must else subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stderr=quiet, check=False
        )
        why = f"{command[0]} ended with {done.returncode}"
        good = done.returncode == 0
    except OSError as error:
        why, good = f"{command[0]} cannot be run: {error.strerror}", False
    if must and not good:
        raise Refusal(Exit.NOT_RESTARTED, f"{why}: {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main())
