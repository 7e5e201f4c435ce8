"""The Debian package: built, examined, and lived with in booted machines of both Debians."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab import machine

ROOT = Path(__file__).parents[2]
INSIDE = (
    "install_service", "installed", "installed_sandbox", "units", "installed_faults",
    "installed_life",
)  # fmt: skip
"""The tests that run in the machine, in this order: tests/system/test_NAME.py. The first one before
the package is there, the second one brings it."""
BUILDING = (
    "build-essential", "debhelper", "dh-python", "pybuild-plugin-pyproject", "python3-all",
    "python3-hatchling",
)  # fmt: skip
LATER = ("postgresql", "python3-asyncpg", "python3-pip-whl")
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

pytestmark = [pytest.mark.system, pytest.mark.timeout(2400)]


unable: list[str] = []
"""Why this host has no such machine, once one was tried: the next ones take as long to fail."""


def build(to: Path, umask: int = 0o022) -> Path:
    command = [str(ROOT / "dev"), "deb", str(to)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, umask=umask)
    assert done.returncode == 0, done.stderr
    (made,) = to.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("dh") is None or shutil.which("scdoc") is None:
        pytest.skip("debhelper and scdoc are not installed (apt build-dep .)")
    made = build(tmp_path_factory.mktemp("deb"))
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made.parent)]
    subprocess.run(wheel, cwd=ROOT, capture_output=True, check=True)
    return made


@pytest.fixture
def obstacle() -> None:
    why = machine.obstacle()
    if why is not None:
        pytest.skip(why)


def test_two_builds_are_identical(package: Path, tmp_path: Path) -> None:
    """Bit for bit, in another place, at another time, with another mask."""
    # the build's alone: a machine is being made meanwhile
    again = build(tmp_path / "elsewhere", umask=0o077)
    assert again.read_bytes() == package.read_bytes()


def tried(
    suite: str, package: Path, command: str, more: tuple[str, ...] = (), patience: float = 1500
) -> machine.Ended:
    if unable:
        pytest.skip(unable[0])
    binds = {package.parent: "/debs", ROOT: "/src", Path(pytest.__file__).parents[1]: "/python"}
    try:
        root = machine.make(suite, package, include=more, later=LATER)
        env = {"KASPAD_TASKD_LAB": "1"}
        return machine.run(root, command, binds=binds, env=env, patience=patience)
    except machine.CannotBootError as why:
        unable.append(str(why))
        pytest.skip(unable[0])


def good(ended: machine.Ended) -> None:
    print(ended.said)
    assert ended.status == 0, f"{ended.said}\n{ended.journal[-20000:]}"


def pytest_of(files: Iterable[Path], *options: str, env: str = "") -> str:
    options = ("-q", "-c", "/dev/null", "--rootdir=/src", "--confcutdir=/src/tests/system",
               "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--tb=short", "-o",
               "asyncio_mode=auto", "--import-mode=importlib", *options,
               "-W", "ignore::pytest.PytestUnknownMarkWarning")  # fmt: skip
    words = ["python3", "-c", PYTEST, *options, *(f"/src/{path}" for path in files)]
    return f"{env} {shlex.join(words)}"


def switching() -> str:
    """Services that are switched; the stand-ins for a host need what the daemon is made of."""
    return pytest_of([Path("tests/system/test_switching_units.py")], "-rAs", env=OURS)


def own_tests() -> str:
    """The tests of the rooms, but for those whose library is compiled for this Python alone."""
    found = (path for room in ROOMS for path in sorted((ROOT / "tests" / room).rglob("test_*.py")))
    files = [path.relative_to(ROOT) for path in found if "hypothesis" not in path.read_text()]
    return pytest_of(files, env=OURS)


def composed() -> str:
    """Root's compose command, read by Debian's own compose; the older Debian has none."""
    tests = pytest_of([Path("tests/switching/test_compose.py")], "-rAs", env=OURS)
    return f"docker compose version && {tests}"


def life() -> str:
    """Everything that is tried inside, in order; all of it even if something fails."""
    files = [Path(f"tests/system/test_{name}.py") for name in INSIDE]
    first, rest = files[:2], files[2:]
    return (
        f"( set +e; {pytest_of(first, '-rAs')}; a=$?; {own_tests()}; b=$?; "
        f"{pytest_of(rest, '-rAs')} && [ $a$b = 00 ] )"
    )


@pytest.fixture(scope="module", autouse=True)
def switched(
    request: pytest.FixtureRequest, package: Path
) -> Iterator[Future[machine.Ended] | None]:
    """What came of the machine in which services are switched: it mostly waits, beside others."""
    named = test_it_switches_services_on_debian_12.__name__
    if named not in {item.name for item in request.session.items} or machine.obstacle():
        yield None
        return
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(tried, "bookworm", package, switching(), patience=2000)


@pytest.mark.usefixtures("obstacle")
def test_it_lives_on_debian_12(package: Path) -> None:
    """Installed, used, broken, upgraded, purged: all of test_installed*.py and test_units.py."""
    good(tried("bookworm", package, life()))


@pytest.mark.usefixtures("obstacle")
def test_it_lives_on_debian_13(package: Path) -> None:
    """The same file; lintian, autopkgtest and compose, all Debian's own, find it good as well."""
    lintian = "lintian --allow-root --pedantic --fail-on error,warning,info /debs/*.deb"
    # it copies its sources, and knows that this machine may be changed only by being told
    own = (
        "mkdir /tmp/tree && cp -r /src/debian /src/packaging /tmp/tree && autopkgtest "
        "--no-built-binaries --ignore-restrictions=isolation-machine /debs/*.deb /tmp/tree/ -- null"
    )
    command = f"{lintian} && {life()} && {composed()} && {own}"
    good(tried("trixie", package, command, CHECKING))


@pytest.mark.long
@pytest.mark.usefixtures("obstacle")
def test_it_lives_on_debian_testing(package: Path) -> None:
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
        f"{built}; export KASPAD_TASKD_DEBS=/tmp/debs; {life()}; a=$?; {versions}; "
        f"{composed()} && {lintian} && [ $a = 0 ]"
    )
    good(tried("testing", package, command, (*CHECKING, *BUILDING)))


@pytest.mark.usefixtures("obstacle")
def test_it_switches_services_on_debian_12(switched: Future[machine.Ended]) -> None:
    """By root's helper, with polkit's leave: each fault ends on the public node as before."""
    good(switched.result())
