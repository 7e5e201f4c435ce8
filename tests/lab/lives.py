"""What the package lives through in booted machines: by a process of its own, beside the tests.

    python -m tests.lab.lives DIRECTORY NAME...

It builds the packages in DIRECTORY, tells so in `package.json`, boots a machine for each name in
LIVES, and tells in NAME.json how it has ended. Machines mostly wait: who begins with them first has
them for little. In the tests' own process they would meet what is done to that: its limits, its
environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.lab import machine

ROOT = Path(__file__).parents[2]
INSIDE = (
    "install_service", "installed", "installed_sandbox", "installed_notifier", "installed_fleet",
    "units", "installed_faults", "installed_life",
)  # fmt: skip
"""The tests that run in the machine, in this order: tests/system/test_NAME.py. The first one before
the package is there, the second one brings it."""
BUILDING = (
    "build-essential", "debhelper", "dh-python", "pybuild-plugin-pyproject", "python3-all",
    "python3-hatchling",
)  # fmt: skip
LATER = (
    "apprise", "postgresql", "python3-asyncpg", "python3-pip-whl", "python3-redis", "redis-server",
    "strace",
)  # fmt: skip
CHECKING = ("lintian", "autopkgtest", "python3-orjson", "docker-cli", "docker-compose")
"""What the newer machine has besides: to judge the package, and what the older Debian lacks."""
PYTEST = """\
import contextlib, sys
with contextlib.suppress(ImportError):  # a namespace: what is in /python would be mixed with it
    import google
    google.__path__ = list(google.__path__)
sys.path[:0] = ['/python']
import typing_extensions
sys.path[:1] = ['/src']
sys.path.append('/python')
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
"""pytest is this environment's: nothing in the machine is there for the tests."""
OURS = "PYTHONPATH=/usr/share/kaspad-taskd PYTHONDONTWRITEBYTECODE=1"
"""For tests that use the package's own modules."""
ROOMS = ("bridge", "kaspa", "rpc", "systemd")
"""Rooms with libraries below them; their own tests run on Debian's, too."""
LOOK = 0.5
"""Seconds between two looks whether something was told."""


class Lives:
    """The process, for the tests.

    Args:
        to: an empty directory.
        names: of LIVES, what shall be lived through; nothing but the package without any.
    """

    def __init__(self, to: Path, names: Iterable[str]) -> None:
        self._to = to
        self._log = to / "log"
        command = [sys.executable, "-m", "tests.lab.lives", str(to), *names]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def told(self, name: str) -> dict[str, Any]:
        """What was told of the package, or of a life; waits for it, as long as the process lives.

        Raises:
            RuntimeError: it ended without a word, with what it said.
        """
        file = self._to / f"{name}.json"
        ended = False
        while not file.exists():
            if ended:
                raise RuntimeError(f"nothing was told of {name}: {self._log.read_text()[-8000:]}")
            ended = self._process.poll() is not None
            time.sleep(LOOK)
        told: dict[str, Any] = json.loads(file.read_text())
        return told

    def end(self) -> None:
        """End it, and the machines that still run."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()  # closes what it was told by, too


def build(to: Path, umask: int = 0o022) -> Path:
    """Build both packages; returns the daemon's, beside which is kaspad-taskd-fleet."""
    command = [str(ROOT / "dev"), "deb", str(to)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, umask=umask
    )
    assert done.returncode == 0, done.stderr
    (made,) = to.glob("kaspad-taskd_*.deb")
    return made


def _tried(
    suite: str, package: Path, command: str, more: tuple[str, ...] = (), patience: float = 1500
) -> machine.Ended:
    import pytest

    binds = {package.parent: "/debs", ROOT: "/src", Path(pytest.__file__).parents[1]: "/python"}
    later = LATER if suite == "bookworm" else (*LATER, "valkey-server")
    root = machine.make(suite, package, include=more, later=later)
    env = {"KASPAD_TASKD_LAB": "1"}
    return machine.run(root, command, binds=binds, env=env, patience=patience)


def _pytest_of(files: Iterable[Path], *options: str, env: str = "") -> str:
    options = ("-q", "-c", "/dev/null", "--rootdir=/src", "--confcutdir=/src/tests/system",
               "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--tb=short", "-o",
               "asyncio_mode=auto", "--import-mode=importlib", *options,
               "-W", "ignore::pytest.PytestUnknownMarkWarning")  # fmt: skip
    words = ["python3", "-c", PYTEST, *options, *(f"/src/{path}" for path in files)]
    return f"{env} {shlex.join(words)}"


def _switching() -> str:
    """Services that are switched; the stand-ins for a host need what the daemon is made of."""
    return _pytest_of([Path("tests/system/test_switching_units.py")], "-rAs", env=OURS)


def _own_tests() -> str:
    """The tests of the rooms, but for those whose library is compiled for this Python alone."""
    found = (path for room in ROOMS for path in sorted((ROOT / "tests" / room).rglob("test_*.py")))
    files = [path.relative_to(ROOT) for path in found if "hypothesis" not in path.read_text()]
    return _pytest_of(files, env=OURS)


def _composed() -> str:
    """Root's compose command, read by Debian's own compose; the older Debian has none."""
    tests = _pytest_of([Path("tests/switching/test_compose.py")], "-rAs", env=OURS)
    return f"docker compose version && {tests}"


def _life() -> str:
    """Everything that is tried inside, in order; all of it even if something fails."""
    files = [Path(f"tests/system/test_{name}.py") for name in INSIDE]
    first, rest = files[:2], files[2:]
    return (
        f"( set +e; {_pytest_of(first, '-rAs')}; a=$?; {_own_tests()}; b=$?; "
        f"{_pytest_of(rest, '-rAs')} && [ $a$b = 00 ] )"
    )


def lives_on_debian_12(package: Path) -> machine.Ended:
    """Installed, used, broken, upgraded, purged: all of INSIDE."""
    return _tried("bookworm", package, _life())


def lives_on_debian_13(package: Path) -> machine.Ended:
    """The same; lintian, autopkgtest and compose, all Debian's own, find it good as well."""
    lintian = "lintian --allow-root --pedantic --fail-on error,warning,info /debs/*.deb"
    # it copies its sources, and knows that this machine may be changed only by being told
    own = (
        "mkdir /tmp/tree && cp -r /src/debian /src/packaging /tmp/tree && autopkgtest "
        "--no-built-binaries --ignore-restrictions=isolation-machine /debs/*.deb /tmp/tree/ -- null"
    )
    command = f"{lintian} && {_life()} && {_composed()} && {own}"
    return _tried("trixie", package, command, CHECKING)


def lives_on_debian_testing(package: Path) -> machine.Ended:
    """Built there, by its own Python and debhelper; what is lived with is what was built."""
    built = (
        "mkdir -p /tmp/tree /tmp/debs && tar -C /src -c --exclude='./.*' --exclude=__pycache__ . | "
        "tar -C /tmp/tree -x && cd /tmp/tree && dpkg-buildpackage -us -uc -b >/tmp/built 2>&1 || "
        "{ tail -n 40 /tmp/built; exit 1; }; cp /tmp/*.deb /debs/*.whl /tmp/debs && cd /lab"
    )
    versions = (
        "dpkg-query -W systemd python3 polkitd python3-aiohttp python3-protobuf python3-jsonschema "
        "debhelper lintian"
    )
    lintian = "lintian --allow-root --pedantic --fail-on error,warning,info /tmp/debs/*.deb"
    command = (
        f"{built}; export KASPAD_TASKD_DEBS=/tmp/debs; {_life()}; a=$?; {versions}; "
        f"{_composed()} && {lintian} && [ $a = 0 ]"
    )
    return _tried("testing", package, command, (*CHECKING, *BUILDING))


def switches_on_debian_12(package: Path) -> machine.Ended:
    """Services are brought to a node and back by root's helper, with polkit's leave."""
    return _tried("bookworm", package, _switching(), patience=2000)


ROWS: tuple[tuple[Callable[[Path], machine.Ended], ...], ...] = (
    (lives_on_debian_12, lives_on_debian_13, lives_on_debian_testing),
    (switches_on_debian_12,),
)
"""Those of a row one after the other, the rows side by side: more would but wait for each other."""
LIVES = {life.__name__: life for row in ROWS for life in row}


def _tell(to: Path, name: str, **told: object) -> None:
    new = to / f"{name}.new"
    new.write_text(json.dumps(told))
    new.rename(to / f"{name}.json")


def _live(to: Path, package: Path, row: Sequence[str]) -> None:
    cannot = None
    for name in row:
        if cannot is None:  # else the next one would take as long to fail
            try:
                ended = LIVES[name](package)
            except machine.CannotBootError as why:
                cannot = str(why)
            else:
                _tell(to, name, status=ended.status, said=ended.said, journal=ended.journal)
                continue
        _tell(to, name, cannot=cannot)


def _end_with_who_began() -> None:
    """However the tests' process ends, our pipe from it does, and the machines with that."""
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)


def main(given: Sequence[str]) -> None:
    """Build the package and have it live through what is named."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_who_began, daemon=True).start()
    to, names = Path(given[0]), given[1:]
    package = build(to / "debs")
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(package.parent)]
    subprocess.run(wheel, cwd=ROOT, capture_output=True, check=True)
    _tell(to, "package", path=str(package))
    with ThreadPoolExecutor(len(ROWS)) as beside:
        rows = ([life.__name__ for life in row if life.__name__ in names] for row in ROWS)
        for over in [beside.submit(_live, to, package, row) for row in rows]:
            over.result()


if __name__ == "__main__":
    main(sys.argv[1:])
