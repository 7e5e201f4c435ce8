"""The single checks of `doctor`, each from what the daemon or the system says to findings."""

from __future__ import annotations

import os
import stat
import time

from kaspad_taskd.cli.faults import typed
from kaspad_taskd.cli.settings_files import can_read, check_command
from kaspad_taskd.client import READERS_SOCKET, SYSTEM_SOCKET
from kaspad_taskd.client.wire import own_socket
from kaspad_taskd.version import __version__
from kaspad_taskd.words import service
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say
from kaspad_taskd.words.service import HARMLESS

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any


GOOD, WARNING, FAULT = "good", "warning", "fault"
_PATIENCE = 5.0  # seconds for a program of the system, or the bridge
_LITTLE = 256 << 20  # bytes on the disk of the state
_UNIT = "kaspad-taskd.service"
SETTINGS = "/etc/kaspad-taskd/kaspad-taskd.toml"
"""Of the system's daemon."""
_RULE = "/usr/share/polkit-1/rules.d/50-kaspad-taskd.rules"
_NOT_YET = ("node-unreachable", *HARMLESS)


class Finding:
    """What one check found.

    Attributes:
        level: GOOD, WARNING or FAULT.
        name: of the check, one word.
        text: what was found.
        cure: what to do, or None.
    """

    def __init__(self, level: str, name: str, text: str, cure: str | None = None) -> None:
        self.level = level
        self.name = name
        self.text = text
        self.cure = cure

    def as_json(self) -> dict[str, str | None]:
        """Return it for programs."""
        return {"check": self.name, "level": self.level, "text": self.text, "cure": self.cure}


def finding(level: str, check: str, key: str, **params: object) -> Finding:
    """A finding by its key below `doctor`, with its cure where it has one."""
    what = maybe(f"doctor.{key}.what", **params)
    cure = maybe(f"doctor.{key}.cure", **params)
    return Finding(level, say(f"doctor.{check}"), what or say(f"doctor.{key}", **params), cure)


def daemon(version: object, path: str, took: float) -> Finding:
    """Whether the daemon that answers is the installed one."""
    if version != __version__:
        known = {"daemon": version, "client": __version__, **typed(path)}
        return finding(WARNING, "daemon", "versions", **known)
    return finding(GOOD, "daemon", "answers", version=version, path=path, took=took)


def rights(path: str) -> Iterator[Finding]:
    """Who may use the socket, and why we may."""
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib costs start time
    except OSError:
        return
    if path.endswith("/" + READERS_SOCKET):
        yield finding(GOOD, "rights", "reader")
    elif found.st_mode & stat.S_IWOTH:
        mode = f"{found.st_mode & 0o777:o}"
        yield finding(WARNING, "rights", "mode", path=path, mode=mode, want="660")
    elif found.st_uid == os.getuid():
        yield finding(GOOD, "rights", "own-socket")
    elif os.getuid() == 0:
        yield finding(GOOD, "rights", "as-root")
    else:
        yield finding(GOOD, "rights", "in-group", group=_group(found.st_gid))


def _group(gid: int) -> str:
    from grp import getgrgid

    try:
        return getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def store(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether what happens is saved."""
    known: Mapping[str, Any] = info.get("store") or {}
    if not known:
        return
    path = known.get("path")
    if not known.get("durable") or known.get("problem"):
        yield finding(FAULT, "store", "not-durable", path=path, problem=known.get("problem"))
        return
    yield finding(GOOD, "store", "durable", path=path, size=known.get("size"))
    place = str(path).rpartition("/")[0]
    free = _free(place)
    if free is not None and free < _LITTLE:
        yield finding(WARNING, "store", "disk-low", path=path, free=free, place=place)


def standing(warnings: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """What must have been seen once and was not."""
    for one in warnings:
        if str(one.get("code")).startswith("bridge-"):  # its own check says it
            continue
        seen = say("doctor.seen", id=one.get("id"))
        cure = one.get("cure")
        yield Finding(
            WARNING, say("doctor.warning"), safe(one.get("note")), safe(cure) if cure else seen
        )


def _free(place: str) -> int | None:
    """Return the bytes left for the daemon on the disk of a directory, None where it is hidden."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def bridge(info: Mapping[str, Any], path: str = SYSTEM_SOCKET) -> Iterator[Finding]:
    """Whether browsers are answered, and whether the token is nobody else's."""
    known = info.get("bridge")
    if not isinstance(known, dict):
        yield finding(GOOD, "bridge", "bridge-off")
        return
    address = str(known.get("address"))
    if known.get("problem"):  # somebody else may answer there: he is not asked
        said = safe(known["problem"], 400)
        yield Finding(FAULT, say("doctor.bridge"), said, safe(known.get("cure") or "", 400) or None)
        return
    problem = _silence(address)
    if problem is None:
        yield finding(GOOD, "bridge", "bridge-on", address=address)
    else:
        known = {"address": address, "problem": problem, **typed(path)}
        yield finding(FAULT, "bridge", "bridge-silent", **known)
    token = known.get("tokenFile")
    if isinstance(token, str):
        yield from _token(token)


def _silence(address: str) -> str | None:
    """Return why /healthz of the bridge does not answer, None where it does."""
    from http.client import HTTPConnection, HTTPException

    asked = HTTPConnection(address, timeout=_PATIENCE)
    try:
        asked.request("GET", "/healthz")
        asked.getresponse().read(4096)
    except (OSError, HTTPException) as error:
        return safe(getattr(error, "strerror", None) or str(error) or type(error).__name__, 100)
    finally:
        asked.close()
    return None


def _token(path: str) -> Iterator[Finding]:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - pathlib costs start time
    except OSError:  # not ours to look at, which is as it should be
        return
    if mode & 0o007:
        shown = f"{mode & 0o777:o}"
        yield finding(FAULT, "token", "mode", path=path, mode=shown, want="640")
    else:
        yield finding(GOOD, "token", "token-good", path=path)


def files(listed: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Every fault of a definition file; those of the settings, as they are now, are told apart."""
    listed = [one for one in listed if one.get("id") or one.get("state") != "last-good"]
    faults = [fault for one in listed for fault in one.get("faults") or ()]
    for fault in faults:
        said = {**fault, "key": fault.get("key") or None}
        yield Finding(FAULT, say("doctor.files"), say("doctor.fault", **said), say("doctor.mended"))
    if not faults and listed:
        yield Finding(GOOD, say("doctor.files"), plural("doctor.files-good", len(listed)))
    elif not faults:
        yield finding(GOOD, "files", "no-files")


def system_clock() -> Iterator[Finding]:
    """Whether the system keeps its clock right, where systemd knows."""
    said = ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if said == "yes":
        yield finding(GOOD, "clock", "clock-synced")
    elif said == "no":
        yield finding(WARNING, "clock", "clock-unsynced")


def settings(
    path: object, cure: str = "mended", read: Sequence[str] | None = None
) -> Iterator[Finding]:
    """Whether the settings, as they are now, would let the daemon start.

    Args:
        path: their file; its drop-ins are beside it.
        cure: of a fault, by its key.
        read: the files that the daemon has read, where it says so.
    """
    if not isinstance(path, str) or not can_read(path):
        return
    said = ask(*check_command(path))
    if said is None:  # its program is elsewhere
        return
    says = say(f"doctor.{cure}", **typed(SYSTEM_SOCKET))
    found = [line for line in said.splitlines() if line.startswith(path)]  # not the definitions'
    for fault in found:
        yield Finding(FAULT, say("doctor.settings"), safe(fault, 1000), says)
    for line in said.splitlines():
        warning = line.removeprefix("warning: ")
        if line != warning and warning.startswith(path):
            yield Finding(WARNING, say("doctor.settings"), safe(warning, 1000))
    if not found:
        files = ", ".join(map(str, read or [path]))
        yield finding(GOOD, "settings", "settings-good", path=files)


def unit(path: str) -> Iterator[Finding]:
    """How the service is, where systemd runs: the system's, or this user's own."""
    if not os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - as above
        return
    if path == SYSTEM_SOCKET:
        yield from _system_unit()
    elif path == own_socket() and ask("systemctl", "--user", "is-active", _UNIT) == "active":
        yield finding(GOOD, "unit", "unit-active", state="active")
        if ask("systemctl", "--user", "is-enabled", _UNIT) == "disabled":
            yield finding(WARNING, "unit", "unit-not-enabled-user")
        if ask("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value") == "no":
            yield finding(WARNING, "unit", "unit-not-lingering")


def _system_unit() -> Iterator[Finding]:
    enabled = ask("systemctl", "is-enabled", _UNIT)
    if enabled in (None, "", "not-found"):  # the daemon was started by hand
        return
    active = ask("systemctl", "is-active", _UNIT)
    if active == "active":
        yield finding(GOOD, "unit", "unit-active", state=active)
    elif active:
        yield finding(FAULT, "unit", "unit-not-active", state=safe(active, 40))
    if enabled == "disabled":
        yield finding(WARNING, "unit", "unit-not-enabled")


def switching(services: Sequence[Mapping[str, Any]], path: str) -> Iterator[Finding]:
    """Whether the services that the settings name could be switched, as the daemon found it."""
    for one in services:
        yield from _service(one)
    if services and path == SYSTEM_SOCKET and _is_missing(_RULE):
        yield finding(FAULT, "switch", "switch-no-rule", path=_RULE)


def _service(one: Mapping[str, Any]) -> Iterator[Finding]:
    name = safe(one.get("service"), 64)
    needs, last = service.needs(one), one.get("switch") or {}
    broken = service.condition(one) == "down"
    if needs:
        level = FAULT if broken else WARNING
        yield Finding(level, say("doctor.switch"), safe(needs.get("note")), needs.get("cure"))
    elif broken:
        yield Finding(FAULT, say("doctor.switch"), safe(last.get("error")), last.get("cure"))
    told = {hint.get("note"): hint for hint in one.get("hints") or ()}  # two questions, one answer
    for hint in told.values():
        level = WARNING if hint.get("code") in _NOT_YET else FAULT
        text = say("doctor.switch-hint", service=name, note=safe(hint.get("note")))
        yield Finding(level, say("doctor.switch"), text, hint.get("cure"))
    proof = service.proof(one, time.time())
    if not told and not needs and not broken and proof:
        yield finding(
            GOOD, "switch", "switch-works", service=name, points=one["points"], proof=proof
        )
    elif not told and not needs and not broken:
        points = one.get("points") if one.get("points") != "unknown" else None
        yield finding(GOOD, "switch", "switch-good", service=name, points=points)


def _is_missing(path: str) -> bool:
    """Whether a file is surely not there; a directory that is closed to us tells nothing."""
    try:
        os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def man(installed: str = "/var/lib/dpkg/info/kaspad-taskd.list") -> Iterator[Finding]:
    """Whether the package's pages can be read, where it is a package and there is a `man`."""
    if not os.path.exists(installed):  # noqa: PTH110 - as above
        return
    found = ask("man", "-w", "kaspad-taskctl")
    if found:
        yield finding(GOOD, "man", "man-good", page="kaspad-taskctl")
    elif found is not None:
        yield finding(WARNING, "man", "man-missing")


def ask(*command: str) -> str | None:
    """Return what a program of the system says, or None: there is none, or it hangs."""
    from subprocess import DEVNULL, PIPE, SubprocessError
    from subprocess import run as run_program

    try:
        done = run_program(
            command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, timeout=_PATIENCE, check=False
        )
    except (OSError, SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()
