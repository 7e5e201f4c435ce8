"""Upgrade, downgrade, remove, reinstall, purge, inside a machine that has the package."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import (
    ETC,
    PROGRAM,
    STATE,
    TASKS,
    UNIT,
    apt,
    ask,
    call,
    deb,
    inside,
    journal,
    older,
    run,
    shown,
    systemctl,
    until,
    until_shown,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

OLD = "0.0.9"
SETTINGS = ETC / "kaspad-taskd.toml"


@pytest.fixture(scope="module")
def old_deb(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same package as it would have been before: its version, and whose the secrets were."""
    return older(deb(), OLD, tmp_path_factory.mktemp("old"), as_it_was)


def as_it_was(tree: Path) -> None:
    """What a package brought then."""
    for path, pattern, value in (
        (
            tree / f"{PROGRAM.relative_to('/')}/kaspad_taskd/version.py",
            r'__version__ = ".*"',
            f'__version__ = "{OLD}"',
        ),
        (
            next(tree.glob("**/tmpfiles.d/kaspad-taskd.conf")),
            "0750 root kaspad-taskd",
            "0500 kaspad-taskd root",
        ),
        (
            next(tree.glob("**/system/kaspad-taskd.service")),
            "Environment=CONFIGURATION_DIRECTORY=.*",
            "ConfigurationDirectory=kaspad-taskd",
        ),
    ):
        path.write_text(re.sub(pattern, value, path.read_text()))
    with_conffiles(tree)


def with_conffiles(tree: Path) -> None:
    """Let a package bring files in /etc of which dpkg asks what becomes of them, as it once did."""
    etc = tree / ETC.relative_to("/")
    shutil.rmtree(etc)
    shutil.copytree(f"/src{ETC}", etc)
    settings = etc / SETTINGS.name
    settings.write_text(f"# As it was then.\n{settings.read_text()}")
    files = (path.relative_to(tree) for path in sorted(etc.rglob("*")) if path.is_file())
    (tree / "DEBIAN/conffiles").write_text("".join(f"/{path}\n" for path in files))


@pytest.fixture
def on_old(old_deb: str) -> None:
    """The old version, fresh, with two tasks that run."""
    run("dpkg", "--purge", "kaspad-taskd")
    apt("install", old_deb)
    assert call("getInfo")["version"] == OLD
    call("registerTask", type="report", service="import")
    call("reportTask", taskId="report-import", progress=42)
    (TASKS / "file.toml").write_text('type = "report"\nservice = "file"\n')
    systemctl("reload", UNIT)
    until_shown("file", status="in-progress")


def known() -> dict[str, Any]:
    """Of each task what must outlive everything."""
    tasks = call("getAllTasks")
    kept = ("status", "progress", "createdAt", "attempt", "origin")
    return {task["id"]: {key: task[key] for key in kept} for task in tasks}


@pytest.mark.usefixtures("on_old")
def test_an_upgrade_loses_no_task() -> None:
    """The new code runs, each task is as it was, no event is missing, changed settings stay."""
    SETTINGS.write_text(SETTINGS.read_text() + '\n[databases.x]\ndsn_file = "/x"\n')
    (TASKS / "README").write_text("mine\n")
    at, kept = SETTINGS.stat().st_ino, SETTINGS.read_bytes()
    before, events = known(), call("getEvents")["events"]
    assert before["report-import"]["progress"] == 42
    apt("install", deb())
    assert call("getInfo")["version"] != OLD
    assert known() == before
    assert call("getEvents")["events"][: len(events)] == events
    assert (SETTINGS.stat().st_ino, SETTINGS.read_bytes()) == (at, kept)
    assert call("getInfo")["settingsFiles"] == [str(SETTINGS)]
    assert obsolete() == [str(SETTINGS)]
    assert examples_left() == ["README.dpkg-bak"]
    (SETTINGS.with_name(f"{SETTINGS.name}.d") / "over.toml").write_text('log_level = "warning"\n')
    assert call("reload")["settings"] == ["log_level"]
    apt("install", "--reinstall", deb())
    assert SETTINGS.read_bytes() == kept


def obsolete() -> list[str]:
    """The files in /etc that dpkg knows of the package; each is one that it brings no more."""
    known = run("dpkg-query", "-W", "-f", "${Conffiles}", "kaspad-taskd").split("\n")
    held = [line.split() for line in known if line.strip()]
    assert all(words[2:] == ["obsolete"] for words in held), held
    return [words[0] for words in held]


def examples_left() -> list[str]:
    """What is in tasks.d besides definitions."""
    return sorted(path.name for path in TASKS.iterdir() if path.suffix != ".toml")


HELD = {
    "db.dsn": ("kaspad-taskd", "root", 0o400, "root:kaspad-taskd 640"),
    "token": ("kaspad-taskd", "kaspad-taskd", 0o600, "root:kaspad-taskd 640"),
    "sub/header": ("kaspad-taskd", "root", 0o600, "root:kaspad-taskd 640"),
    "anybody": ("root", "root", 0o644, "root:root 644"),
    "group": ("root", "kaspad-taskd", 0o640, "root:kaspad-taskd 640"),
    "its-own": ("kaspad-taskd", "kaspad-taskd", 0o640, "kaspad-taskd:kaspad-taskd 640"),
    "roots": ("root", "root", 0o600, "root:root 600"),
    "pgpass": ("kaspad-taskd", "kaspad-taskd", 0o600, "kaspad-taskd:kaspad-taskd 600"),
}
"""Files of secrets: whose they were, with which mode; and as they are after the upgrade."""


def with_secrets() -> str:
    """Fill secrets/; returns the bridge's token, which settings name as they do a DSN."""
    secrets, token = ETC / "secrets", "0123456789abcdef0123456789abcdef"
    (secrets / "sub").mkdir(0o700)
    shutil.chown(secrets / "sub", "kaspad-taskd")
    for name, (user, group, mode, _) in HELD.items():
        other = {"token": token, "pgpass": "127.0.0.1:9:x:x:guess"}
        text = other.get(name, "postgresql://x:y@127.0.0.1:9/x?host=::1")
        (secrets / name).write_text(f"{text}\n")
        shutil.chown(secrets / name, user, group)
        (secrets / name).chmod(mode)
    (secrets / "link").symlink_to("/etc/hostname")
    run("chown", "-h", "kaspad-taskd", str(secrets / "link"))
    (ETC / "kaspad-taskd.toml").write_text(
        f'[bridge]\ntoken_file = "{secrets}/token"\n[databases.x]\ndsn_file = "{secrets}/db.dsn"\n'
    )
    (TASKS / "db.toml").write_text(
        'type = "database-migration"\nservice = "db"\ninterval = "1s"\n[checker]\n'
        'dsn = "x"\ntool = "sql"\nquery = "SELECT 1"\n'
    )
    (TASKS / "web.toml").write_text(
        'type = "http-json"\nservice = "web"\ninterval = "1s"\n[checker]\n'
        'url = "http://127.0.0.1:9/"\nprogress = "p"\n'
        f'headers = {{ X-Key = "{secrets}/sub/header" }}\n'
    )
    return token


@pytest.mark.usefixtures("on_old")
def test_an_upgrade_gives_secrets_to_root_and_the_daemon_reads_them() -> None:
    """What only their owner could read is named; DSN, token and header go on being used."""
    token, secrets = with_secrets(), ETC / "secrets"
    systemctl("restart", UNIT)
    said = apt("install", deb())
    shown_as = run("stat", "-c", "%n %U:%G %a", *(str(secrets / name) for name in HELD))
    assert shown_as.splitlines() == [f"{secrets / name} {held[3]}" for name, held in HELD.items()]
    assert run("stat", "-c", "%U:%G %a", str(secrets), str(secrets / "sub")).split("\n")[:2] == [
        "root:kaspad-taskd 750"] * 2  # fmt: skip
    named = sorted(re.findall(rf"kaspad-taskd: {secrets}/(\S+) is now root:kaspad-taskd", said))
    assert named == ["db.dsn", "sub", "sub/header", "token"]
    assert Path("/etc/hostname").owner() == "root"
    asked = urllib.request.Request("http://127.0.0.1:3080/metrics")
    asked.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200
    until_shown("web", reason="refused")
    until_shown("db", reason="refused" if has_asyncpg() else "library-missing")
    assert "is now root" not in apt("install", "--reinstall", deb())


def has_asyncpg() -> bool:
    return "ok installed" in run(
        "dpkg-query", "-W", "-f", "${Status}", "python3-asyncpg", check=False
    )


@contextmanager
def asking(failures: list[str]) -> Iterator[None]:
    """Somebody who asks all the time; what fails is told."""
    over = threading.Event()

    def ask_on() -> None:
        while not over.wait(0.005):
            try:
                ask("ping")
            except OSError as error:
                failures.append(repr(error))

    thread = threading.Thread(target=ask_on)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("on_old")
def test_with_the_socket_unit_an_upgrade_refuses_nobody() -> None:
    """The socket stays open with systemd, and who comes meanwhile waits for the new daemon."""
    systemctl("stop", UNIT)
    systemctl("enable", "--now", "kaspad-taskd.socket")
    before = known()
    failures: list[str] = []
    with asking(failures):
        apt("install", deb())
    assert failures == []
    assert known() == before
    assert call("getInfo")["version"] != OLD


@pytest.mark.usefixtures("on_old")
def test_a_service_that_was_switched_off_stays_off() -> None:
    """Disabled and stopped by the administrator: an upgrade starts nothing."""
    systemctl("disable", "--now", UNIT)
    at, kept = SETTINGS.stat().st_ino, SETTINGS.read_bytes()
    apt("install", deb())
    # settings that nobody has changed stay as well
    assert (SETTINGS.stat().st_ino, SETTINGS.read_bytes()) == (at, kept)
    assert (obsolete(), examples_left()) == ([str(SETTINGS)], [])
    assert shown("ActiveState") == "inactive"
    assert systemctl("is-enabled", UNIT, check=False).strip() == "disabled"


@pytest.mark.usefixtures("on_old")
def test_a_library_that_is_upgraded_is_used_after_a_restart() -> None:
    """As needrestart does it: replaced below the process, which goes on; then started anew."""
    before = known()
    apt("install", "--reinstall", "python3-aiohttp", "python3-jinja2")
    assert known() == before
    systemctl("restart", UNIT)
    assert known() == before


def test_an_older_daemon_refuses_a_newer_state(old_deb: str) -> None:
    """It says so and what to do, changes nothing, and the newer one goes on."""
    apt("install", deb())
    systemctl("stop", UNIT)
    with closing(sqlite3.connect(STATE / "state.db")) as db:
        (steps,) = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {steps + 1}")
    run("apt-get", "-y", "-q", "--allow-downgrades", "install", old_deb, check=False)
    for _ in until("it says why"):
        if "newer" in journal(10):
            break
    print(journal(10))
    for _ in until("it waits for somebody"):
        if shown("ActiveState") == "failed":
            break
    assert (shown("ExecMainStatus"), shown("NRestarts")) == ("78", "0")
    told = " ".join(run("kaspad-taskctl", "doctor", check=False).split())
    assert "The last start failed" in told
    assert f"✗ schema {STATE}/state.db has schema {steps + 1}" in told
    systemctl("stop", UNIT)
    with closing(sqlite3.connect(STATE / "state.db")) as db:
        db.execute(f"PRAGMA user_version = {steps}")
    apt("install", deb())
    assert call("ping")["pong"] is True


@pytest.mark.usefixtures("on_old")
def test_removed_and_installed_again_it_goes_on() -> None:
    """Removing keeps state and settings; nothing of the program is left."""
    systemctl("stop", UNIT)
    systemctl("enable", "--now", "kaspad-taskd.socket", "kaspad-taskd-backup.timer")
    before = known()
    apt("remove", "kaspad-taskd")
    left = systemctl("list-units", "--all", "kaspad-taskd*", "--no-legend").splitlines()
    # links of what was enabled stay, as Debian's tools leave them; nothing is loaded or listens
    assert [line for line in left if "not-found inactive dead" not in line] == []
    assert not PROGRAM.exists()
    assert not Path("/run/kaspad-taskd").exists()
    assert (STATE / "state.db").exists()
    assert SETTINGS.exists()
    apt("install", deb())
    assert known() == before


def test_purged_it_leaves_its_user_and_nothing_else() -> None:
    """No file has its name but copies that were asked for; no file in /etc but the users' lists."""
    (ETC / "secrets/one.dsn").write_text("postgresql://")
    apt("purge", "kaspad-taskd")
    found = subprocess.run(
        ["find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/var/cache/apt", ")",
         "-prune", "-o", "-iname", "*kaspad*", "-print"],
        capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    ours = ("/tmp/", "/src/", "/var/lib/kaspad-taskd-backup")  # copies that somebody asked for
    assert [path for path in found if not path.startswith(ours)] == []
    named = run(
        "grep", "-rl", "kaspad", "/etc", "/var/lib/systemd", "/var/lib/dpkg", check=False
    ).split()
    users = {
        f"/etc/{name}" for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
    }
    assert {path.rstrip("-") for path in named} <= users
