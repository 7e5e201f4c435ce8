"""A service without the package, inside a machine: `kaspad-taskd install-service` from a prefix.

Before the package comes: the machine has Debian's libraries, a wheel, and nothing of ours.
"""

from __future__ import annotations

import json
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.installed import (
    DEBS,
    ETC,
    PROGRAM,
    SOCKET,
    STATE,
    UNIT,
    apt,
    deb,
    exposure,
    inside,
    local,
    run,
    shown,
    systemctl,
    until_shown,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

PREFIX = Path("/opt/kaspad-taskd")
PROGRAM_OF_IT = str(PREFIX / "bin/kaspad-taskd")
LIST = Path("/var/lib/kaspad-taskd-install/list.json")
UNITS = Path("/usr/local/lib/systemd/system")
SWITCH = "kaspad-taskd-switch@nothing:local.service"


@pytest.fixture(scope="module", autouse=True)
def _prefix() -> Iterator[None]:
    """As the README says, but for the network: the libraries are Debian's and the carried ones."""
    assert not PROGRAM.exists(), "it is tried before the package is there"
    needed = re.findall(r"python3-[a-z0-9.-]+", run("dpkg-deb", "-f", deb(), "Depends"))
    apt("install", *needed)
    run("python3", "-m", "venv", "--without-pip", "--system-site-packages", str(PREFIX))
    (wheel,) = DEBS.glob("kaspad_taskd-*.whl")
    options = ("install", "-q", "--no-index", "--no-deps", str(wheel))
    run(str(PREFIX / "bin/python"), f"{pip()}/pip", *options)
    (libraries,) = PREFIX.glob("lib/python3*/site-packages")
    shutil.copytree("/src/third-party", libraries, dirs_exist_ok=True)
    yield
    for place in (ETC, STATE, PREFIX, *Path("/var/lib").glob("kaspad-taskd*")):
        shutil.rmtree(place, ignore_errors=True)
    run("userdel", "kaspad-taskd", check=False)
    run("groupdel", "kaspad-taskd-read", check=False)


def pip() -> Path:
    """Debian's own pip, out of a package that the machine has fetched: python3-venv takes long."""
    (fetched,) = Path("/var/cache/apt/archives").glob("python3-pip-whl_*.deb")
    run("dpkg-deb", "-x", str(fetched), "/tmp/pip")
    (found,) = Path("/tmp/pip").rglob("pip-*.whl")
    return found


def refused(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    assert not LIST.exists()
    return done.stderr


def test_it_refuses_a_prefix_that_somebody_else_can_write() -> None:
    """One file of it, its interpreter's directory, a directory above; and nothing is made."""
    (module,) = PREFIX.glob("lib/python3*/site-packages/socketio/base_server.py")
    for path in (module, Path("/usr/lib/python3/dist-packages/jinja2"), Path("/opt")):
        mode = path.stat().st_mode & 0o7777
        path.chmod(mode | 0o002)
        assert f"{path} can be written by others: chmod go-w it" in refused(
            PROGRAM_OF_IT, "install-service"
        )
        path.chmod(mode)


def test_it_refuses_who_is_not_root() -> None:
    """With what to type."""
    as_nobody = ("runuser", "-u", "nobody", "--", PROGRAM_OF_IT, "install-service")
    assert "only root can do that: sudo" in refused(*as_nobody)


def test_another_program_lets_that_of_the_prefix_do_it() -> None:
    """What it would make is that prefix's; and it has made nothing."""
    (libraries,) = PREFIX.glob("lib/python3*/site-packages")
    words = ("-m", "kaspad_taskd", "install-service", "--prefix", str(PREFIX), "--dry-run")
    said = run("/usr/bin/python3", *words, cwd=libraries)
    assert f"would be made: {UNITS}/{UNIT}\n" in said
    assert not LIST.exists()
    assert not (UNITS / UNIT).exists()


def test_it_runs_as_with_the_package() -> None:
    """Enabled, the node of this host watched, sandboxed, its helper startable, all found."""
    said = run(PROGRAM_OF_IT, "install-service")
    assert f"made: {UNITS}/{UNIT}" in said
    assert (shown("ActiveState"), shown("UnitFileState")) == ("active", "enabled")
    assert shown("FragmentPath") == f"{UNITS}/{UNIT}"
    task = until_shown("node-sync-kaspa-node", health="unreachable")
    assert (task["origin"], task["reason"]) == ("vendor", "refused")
    assert SOCKET.group() == "kaspad-taskd"
    assert (SOCKET.parent / "watch.sock").group() == "kaspad-taskd-read"
    assert run("stat", "-c", "%U:%G %a", str(ETC / "secrets")).strip() == "root:kaspad-taskd 750"
    assert exposure() <= 1.3
    assert run("kaspad-taskd", "--check").startswith("good: 1 definition")
    assert "node-sync-kaspa-node" in run("kaspad-taskctl", "list", "--ids")
    own = ("runuser", "-u", "kaspad-taskd", "--", "systemctl", "--no-ask-password")
    assert "control process exited" in run(*own, "start", SWITCH, check=False)
    assert "nteractive authentication" in run(*own, "restart", SWITCH, check=False)
    helper = run("journalctl", "-u", SWITCH, "--no-pager")
    systemctl("reset-failed", SWITCH)
    assert f"kaspad-taskd-switch: {ETC}/kaspad-taskd.toml" in helper  # there are no settings yet
    assert "asyncpg" in said


def test_it_makes_what_the_package_holds() -> None:
    """File by file of both, but for what is Debian's own."""
    listed = (run("dpkg-deb", "-c", deb(name)) for name in ("kaspad-taskd", "kaspad-taskd-fleet"))
    held = {
        found[1]
        for found in re.findall(r"(?m)^([-l])\S+ +\S+ +\d+ +\S+ +\S+ \.(/[^ \n]+)", "".join(listed))
    }
    made = json.loads(LIST.read_text())["files"]
    files = {path for path in made if made[path]["sha256"] != ["directory"]}
    assert files == {local(path) for path in held} - {None}
    assert all(Path(path).exists() for path in files)


def test_done_again_it_changes_nothing_and_an_update_what_nobody_changed() -> None:
    """The same process runs on; after an update another one, and what somebody changed is left."""
    before = shown("MainPID")
    assert run(PROGRAM_OF_IT, "install-service").count("nothing to change") == 1
    assert shown("MainPID") == before
    (shipped,) = PREFIX.glob("lib/python3*/site-packages/kaspad_taskd/shipped/packaging")
    for name in ("systemd/kaspad-taskd.service", "tasks.d/node-sync-kaspa-node.toml"):
        (shipped / name).write_text((shipped / name).read_text() + "# newer\n")
    mine = Path("/usr/lib/kaspad-taskd/tasks.d/node-sync-kaspa-node.toml")
    mine.write_text(mine.read_text() + "# mine\n")
    said = run("kaspad-taskd", "install-service")
    assert f"replaced: {UNITS}/{UNIT}\n" in said
    assert f"left: {mine}, which somebody changed" in said
    assert shown("MainPID") not in ("0", before)
    assert (UNITS / UNIT).read_text().endswith("# newer\n")
    assert mine.read_text().endswith("# mine\n")


def test_the_package_does_not_come_beside_it() -> None:
    """It says what to type first; what runs goes on."""
    before = shown("MainPID")
    done = subprocess.run(
        ["apt-get", "-y", "-q", "install", deb()], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "kaspad-taskd uninstall-service" in done.stdout + done.stderr
    assert shown("MainPID") == before
    assert not PROGRAM.exists()


def test_uninstall_takes_away_what_was_made_and_nothing_else() -> None:
    """State, settings and user stay, as with `apt remove`; what was changed is left and named."""
    made = json.loads(LIST.read_text())["files"]
    said = run("kaspad-taskd", "uninstall-service")
    mine = "/usr/lib/kaspad-taskd/tasks.d/node-sync-kaspa-node.toml"
    assert f"left: {mine}, which somebody changed" in said
    left = {path for path in made if Path(path).exists() and not path.startswith(f"{ETC}/")}
    assert left == {mine}
    assert shown("LoadState") == "not-found"
    assert run("pgrep", "-u", "kaspad-taskd", check=False) == ""
    assert not SOCKET.parent.exists()
    assert not LIST.parent.exists()
    assert (STATE / "state.db").exists()
    assert (ETC / "tasks.d").is_dir()
    assert pwd.getpwnam("kaspad-taskd")
    assert not list(Path("/etc/systemd").rglob("*kaspad-taskd*"))
    Path(mine).unlink()
    assert "nothing is here" in run(PROGRAM_OF_IT, "uninstall-service")
