"""The program that becomes the service: where it is, and whether it may."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import site
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

import kaspad_taskd
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.daemon.installing.ground import closed, doubt, hidden
from kaspad_taskd.daemon.installing.pieces import PROGRAMS
from kaspad_taskd.daemon.installing.refusal import Refusal
from kaspad_taskd.version import __version__

NAME: Final = "kaspad-taskd"
PLAIN: Final = re.compile(r"/[A-Za-z0-9._/+-]+")
"""What systemd takes in ExecStart= as it stands."""
_RUNS: Final = re.compile(rb"""(?:#!|exec' "?)(/[^\s"]*python[0-9.]*)""")
"""The interpreter of a command as pip writes it; one with a long path is called by a shell."""
_BEGIN: Final = 1024
BOOTED: Final = "/run/systemd/system"
DEB: Final = "/usr/share/kaspad-taskd/kaspad_taskd"
PATIENCE: Final = 60.0
"""Seconds for a question to a program of the system."""


@frozen
class Program:
    """What is installed in a prefix, as this process sees it.

    Attributes:
        prefix: as it was said or found: its commands are in PREFIX/bin.
        interpreter: the Python that runs them.
        libraries: where that Python looks for modules.
        package: our own directory.
    """

    prefix: Path
    interpreter: Path
    libraries: tuple[Path, ...]
    package: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that runs when a command of the prefix does."""
        venv = (self.prefix / "pyvenv.cfg").exists()
        own = [self.prefix] if venv else [self.prefix / "bin" / name for name in PROGRAMS]
        return (*own, self.interpreter, self.package, *self.libraries)

    @property
    def read(self) -> tuple[Path, ...]:
        """What pip put in place, and the service's user has to read."""
        own = (path for path in self.libraries if path.is_relative_to(self.prefix))
        return (self.prefix / "bin", self.package, *own)


def running(prefix: Path | None) -> Program:
    """Return the program that this process is; `prefix` is what its commands shall be called by.

    Raises:
        Refusal: it would not be the same when systemd starts it.
    """
    if os.environ.get("PYTHONPATH"):
        raise Refusal("PYTHONPATH is set, which the service would not have: unset it")
    mine = Path(sys.prefix)
    prefix = prefix or mine
    if prefix.resolve() != mine.resolve():
        raise Refusal(f"this is the program of {mine}: {_how(prefix)}")
    if PLAIN.fullmatch(str(prefix)) is None or ".." in prefix.parts:
        raise Refusal(f"{prefix} has letters that a unit would read otherwise: take /opt/{NAME}")
    for name in PROGRAMS:
        _hold_to_be_mine(prefix / "bin" / name, prefix)
    own = site.getusersitepackages()
    libraries = tuple(Path(each) for each in sys.path[1:] if each and each != own)
    package = Path(kaspad_taskd.__file__).parent
    return Program(prefix, Path(sys.executable), libraries, package)


def _hold_to_be_mine(program: Path, prefix: Path) -> None:
    """Hold that a command is there, and runs with the Python that this process runs with."""
    try:
        with program.open("rb") as file:
            begin = file.read(_BEGIN)
    except FileNotFoundError:
        raise Refusal(f"there is no {program}: {_how(prefix)}") from None
    found = _RUNS.search(begin)
    mine = Path(sys.executable).parent.resolve()
    if found is None or Path(os.fsdecode(found[1])).parent.resolve() != mine:
        raise Refusal(f"{program} is run by another Python than {mine}'s: {_how(prefix)}")


def _how(prefix: Path) -> str:
    return (
        f"in a checkout, python3 -m venv {prefix} && {prefix}/bin/pip install ., then "
        f"{prefix}/bin/{NAME} install-service"
    )


def look_over(program: Program, root: Path, owner: int) -> None:
    """Hold that what root and systemd will run is root's alone, and can be run by the service.

    Raises:
        Refusal: with the place and the cure.
    """
    for path in (program.prefix, program.interpreter, program.package):
        directory = hidden(path) if path.is_relative_to(root) and root == Path("/") else None
        if directory is not None:
            raise Refusal(
                f"{path} is below {directory}, which the service's sandbox hides: install it in "
                f"/opt/{NAME}"
            )
    try:
        why = doubt(program.files, owner, root) or closed(program.read, root)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
    if why is not None:
        raise Refusal(why)


def need_host(root: Path) -> None:
    """Hold that this host runs systemd and has no package of ours.

    Raises:
        Refusal: with the cure.
    """
    if (root / DEB.lstrip("/")).exists() or _known_to_dpkg(root):
        raise Refusal(
            "Debian's package of kaspad-taskd is installed, and brings the service itself: use "
            "that, or apt remove kaspad-taskd first"
        )
    if root == Path("/") and not Path(BOOTED).is_dir():
        raise Refusal(
            "systemd does not run here: start kaspad-taskd with what does (man kaspad-taskd)"
        )
    for tool, package in (("systemctl", "systemd"), ("systemd-sysusers", "systemd-sysusers")):
        if shutil.which(tool) is None:
            raise Refusal(f"{tool} is not installed: it comes with {package}")


def _known_to_dpkg(root: Path) -> bool:
    """Whether dpkg has the package, or was interrupted with it."""
    status = root / "var/lib/dpkg"
    if shutil.which("dpkg-query") is None or not status.is_dir():
        return False
    command = ["dpkg-query", f"--admindir={status}", "-W", "-f", "${db:Status-Status}", NAME]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal(f"dpkg-query does not tell whether the package is there: {error}") from None
    return done.returncode == 0 and done.stdout.strip() not in ("", "not-installed", "config-files")


def fingerprint() -> str:
    """Return a word that changes with every file of the program that pip puts in place."""
    try:
        told = metadata.distribution(NAME).read_text("RECORD") or ""
    except metadata.PackageNotFoundError:
        told = ""
    return hashlib.sha256(f"{__version__}\n{told}".encode()).hexdigest()


def missing_extras() -> list[str]:
    """Return the libraries of the extras that are not installed: `asyncpg`."""
    try:
        required = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return []
    extras = [each for each in required if "extra ==" in each]
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in extras}
    return sorted(name for name in names if importlib.util.find_spec(name) is None)
