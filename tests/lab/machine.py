"""A throw-away Debian with a real systemd: mmdebstrap makes it once, systemd-nspawn boots it.

    python -m tests.lab.machine bookworm --deb dist/kaspad-taskd_0.1.0_all.deb -- COMMAND...

What a boot changes lies in memory and is gone afterwards. The machine has no network but its
loopback: what it installs was fetched when it was made. Root, mmdebstrap and systemd-container are
needed; the host need not run systemd, a privileged container will do.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

ROOTS = Path(__file__).parents[2] / ".cache" / "lab"
"""Where machines are kept between runs; one that is not wanted any more may be deleted."""
ARCHIVE = "http://deb.debian.org/debian"
BASE = (
    "systemd-sysv", "libpam-systemd", "libnss-systemd", "dbus", "polkitd", "passwd", "procps",
    "mount", "python3",
)  # fmt: skip
"""What a minimal Debian host has, for us."""
MAKING, BOOTING = 400.0, 180.0
"""Seconds that making a machine, and its boot, may take."""

_FETCH = """
set -e
cp "$DEB" "$1/tmp/own.deb"
chroot "$1" apt-get -qq -y --no-install-recommends --download-only install /tmp/own.deb $LATER
echo 'APT::Install-Recommends "false";' >"$1/etc/apt/apt.conf.d/00lab"
printf '%s\n' '127.0.0.1 localhost lab' '::1 localhost' >"$1/etc/hosts"
rm "$1/tmp/own.deb"
"""

_BOOT = Path(__file__).with_name("boot.sh")

_UNIT = """
[Unit]
Description=What is tried here
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=exec
ExecStart=/bin/sh /lab/command
StandardOutput=append:/lab/said
StandardError=append:/lab/said
"""

_COMMAND = """
cd /lab
touch begun
export HOME=/root USER=root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive {variables}
( {command} )
echo $? >status
journalctl -b --no-pager -o short-precise >journal
"""


class CannotBootError(Exception):
    """This host lets no machine be made or booted; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status, what it said, and the machine's journal."""

    status: int
    said: str
    journal: str


def obstacle() -> str | None:
    """Return why this host cannot have such a machine, as far as that can be seen beforehand."""
    missing = [
        each for each in ("mmdebstrap", "systemd-nspawn", "unshare") if not shutil.which(each)
    ]
    if os.geteuid() != 0:
        return "a booted machine needs root"
    if missing:
        return f"not installed: {', '.join(missing)} (apt install mmdebstrap systemd-container)"
    tried = _quietly(
        "unshare", "--mount", "--pid", "--fork", "mount", "-t", "cgroup2", "lab", "/mnt"
    )
    return None if tried.returncode == 0 else f"no namespaces or control groups: {tried.stdout}"


def make(suite: str, deb: Path, *, include: Sequence[str] = (), later: Sequence[str] = ()) -> Path:
    """Return the root of a machine, made if it is not there.

    Args:
        suite: "bookworm", "trixie", "testing".
        deb: a package whose dependencies are fetched for it.
        include: packages that are installed besides the BASE.
        later: packages that are fetched, to be installed by a command.

    Raises:
        CannotBootError: with the end of what was said.
    """
    depends = _quietly("dpkg-deb", "-f", str(deb), "Depends", "Recommends").stdout
    wanted = json.dumps([suite, *BASE, *include, "later", *later, depends, _FETCH])
    key = hashlib.sha256(wanted.encode()).hexdigest()
    root = ROOTS / f"{suite}-{key[:12]}"
    ROOTS.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not root.exists():
            _build(suite, root, deb, ",".join((*BASE, *include)), " ".join(later))
    return root


def _build(suite: str, root: Path, deb: Path, include: str, later: str) -> None:
    sources = [f"deb {ARCHIVE} {suite} main", f"deb {ARCHIVE} {suite}-updates main",
               f"deb {ARCHIVE}-security {suite}-security main"]  # fmt: skip
    new = root.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as hook:
        hook.write(_FETCH)
        hook.flush()
        done = _quietly(
            *("mmdebstrap", "--mode=root", "--variant=apt", f"--include={include}"),
            *('--aptopt=Acquire::Languages "none"', "--skip=cleanup/apt"),
            '--aptopt=Acquire::Check-Valid-Until "false"',  # a mirror may stand still for weeks
            *(f'--customize-hook=sh {hook.name} "$1"', suite, str(new), *sources),
            env={
                **os.environ,
                "DEB": str(deb),
                "LATER": later,
                "DEBIAN_FRONTEND": "noninteractive",
            },
            patience=MAKING,
        )
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise CannotBootError(f"mmdebstrap: {' '.join(done.stdout.splitlines()[-8:])}")
    new.rename(root)


def run(
    root: Path, command: str, *, binds: Mapping[Path, str], env: Mapping[str, str], patience: float
) -> Ended:
    """Boot a machine, run a shell command in it as root, and end it.

    Args:
        root: as `make` returned it.
        command: for a shell; its directory is /lab, whose files are gone with the machine.
        binds: what the machine sees of the host, read-only, and where.
        env: variables of the command.
        patience: seconds for all of it.

    Raises:
        CannotBootError: the machine never came to the command.
    """
    with _shared(command, env) as shared:
        words = _nspawn(shared, binds)
        at = {"SHARED": str(shared / "lab"), "LAYERS": str(shared / "layers"), "ROOT": str(root),
              "NAME": shared.name, "BOOTING": f"{BOOTING:g}"}  # fmt: skip
        done = _quietly(
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("sh", str(_BOOT), *words),
            env={**os.environ, **at, "SYSTEMD_NSPAWN_LOCK": "0"},
            patience=patience,
        )
        lab = shared / "lab"
        if not (lab / "begun").exists():
            raise CannotBootError(f"no boot: {' '.join(done.stdout.splitlines()[-8:])}")
        status = _text(lab / "status")
        return Ended(int(status or 124), _text(lab / "said"), _text(lab / "journal"))


@contextlib.contextmanager
def _shared(command: str, env: Mapping[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        place = Path(name)
        (place / "layers").mkdir()
        (place / "lab").mkdir()
        (place / "lab/lab.service").write_text(_UNIT)
        variables = shlex.join(f"{key}={value}" for key, value in env.items())
        text = _COMMAND.format(command=command, variables=variables)
        (place / "lab/command").write_text(text)
        yield place


def _nspawn(shared: Path, binds: Mapping[Path, str]) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no",
        "--private-network", "--resolv-conf=off", "--link-journal=no", "--timezone=off",
        "--console=read-only", "--suppress-sync=yes", "--hostname=lab", "--machine=lab",
        "--system-call-filter=bpf",  # IPAddressDeny= and, with this kind of groups, DevicePolicy=
        f"--directory={shared}/layers/root", f"--bind={shared}/lab:/lab",
        *(f"--bind-ro={host}:{place}" for host, place in binds.items()),
    ]  # fmt: skip


def _quietly(
    *words: str, env: Mapping[str, str] | None = None, patience: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a program; what it says, on either stream, is in the result."""
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env=env, timeout=patience, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(words, 124, f"{said}\nnot over after {patience:g} s")


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def main() -> int:
    """Run the command of the command line; returns its exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("suite")
    options.add_argument("--deb", type=Path, required=True)
    options.add_argument("command", nargs="+")
    given = options.parse_args()
    binds = {given.deb.resolve().parent: "/debs"}
    root = make(given.suite, given.deb)
    ended = run(root, shlex.join(given.command), binds=binds, env={}, patience=600.0)
    sys.stdout.write(ended.said)
    return ended.status


if __name__ == "__main__":
    sys.exit(main())
