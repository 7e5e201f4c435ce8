"""One user's own daemon, under a real `systemctl --user`: only on a throw-away machine.

KASPAD_TASKD_UNITS=1 ./dev test tests/system/test_user_unit.py      (as root; it makes a user)
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/operations.md"
UNIT = "kaspad-taskd.service"
PATIENCE = 60.0

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        os.environ.get("KASPAD_TASKD_UNITS") != "1" or not Path("/run/systemd/system").is_dir(),
        reason="it makes a user: only as root under systemd, with KASPAD_TASKD_UNITS=1",
    ),
]


class User:
    """A user who lingers: there is a manager without a login."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        try:
            pwd.getpwnam(name)
        except KeyError:
            subprocess.run(["useradd", "--create-home", name], check=True)
        known = pwd.getpwnam(name)
        self.home = Path(known.pw_dir)
        self.runtime = Path("/run/user") / str(known.pw_uid)
        self.state = self.home / ".local/state/kaspad-taskd"
        subprocess.run(["loginctl", "enable-linger", name], check=True)
        config = self.home / ".config/kaspad-taskd"
        self.run("mkdir", "-p", str(config / "tasks.d"))
        self.settings = config / "kaspad-taskd.toml"
        self.settings.write_text(f'[bridge]\nlisten = "127.0.0.1:{port}"\n')
        for _ in until("the user's manager"):
            if (self.runtime / "systemd/private").exists():
                break

    def install(self) -> None:
        """Link this environment's programs where the unit expects a virtual environment's."""
        programs, units = self.home / ".local/bin", self.home / ".config/systemd/user"
        self.run("mkdir", "-p", str(programs), str(units))
        for name in ("kaspad-taskd", "kaspad-taskctl"):
            (programs / name).unlink(missing_ok=True)
            (programs / name).symlink_to(Path(sys.executable).parent / name)
        shutil.copy(ROOT / "packaging/systemd/user" / UNIT, units)
        self.run("systemctl", "--user", "daemon-reload")

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command as this user."""
        env = {"HOME": str(self.home), "USER": self.name, "XDG_RUNTIME_DIR": str(self.runtime),
               "PATH": f"{self.home}/.local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
               **{key: os.environ[key] for key in os.environ if "PIP_" in key}}  # fmt: skip
        words = ["runuser", "-u", self.name, "--", "env", *(f"{key}={env[key]}" for key in env)]
        done = subprocess.run([*words, *command], capture_output=True, text=True, cwd="/")
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ctl(self, *words: str) -> str:
        return self.run(
            "kaspad-taskctl", "--socket", f"{self.runtime}/kaspad-taskd/rpc.sock", *words
        )

    def shown(self, name: str) -> str:
        return self.run("systemctl", "--user", "show", "-p", name, "--value", UNIT).strip()


def until(what: str) -> Iterator[None]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    made = User("taskd-user", 3099)
    made.install()
    yield made
    made.run("systemctl", "--user", "stop", UNIT, check=False)


def test_it_lives_in_the_users_own_places(user: User) -> None:
    """READY, a status, its own files 0600; a task goes on over a restart."""
    user.run("systemctl", "--user", "start", UNIT)
    assert user.shown("ActiveState") == "active"
    user.ctl("register", "report", "work")
    user.ctl("report", "work", "--progress", "42")
    user.run("systemctl", "--user", "restart", UNIT)
    assert json.loads(user.ctl("status", "work", "--json"))["progress"] == 42
    assert (user.state.stat().st_mode & 0o077, user.state.owner()) == (0, user.name)
    for _ in until("a status line that names the work"):
        if "work" in user.shown("StatusText"):
            break


def test_a_reload_is_seen(user: User) -> None:
    """`systemctl --user reload` takes a new definition over."""
    user.run("systemctl", "--user", "start", UNIT)
    file = user.home / ".config/kaspad-taskd/tasks.d/extra.toml"
    file.write_text('type = "report"\nservice = "extra"\n')
    user.run("systemctl", "--user", "reload", UNIT)
    for _ in until("the new task"):
        if "extra" in user.ctl("list", "--ids").split():
            break


def test_its_journal_has_fields(user: User) -> None:
    """The user's entries can be asked for by task."""
    user.run("systemctl", "--user", "start", UNIT)
    user.ctl("register", "report", "told")
    for _ in until("the entry"):
        command = ["journalctl", "-o", "json", f"_SYSTEMD_USER_UNIT={UNIT}", "TASK=report-told"]
        found = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
        if found:
            break
    assert json.loads(found[0])["SYSLOG_IDENTIFIER"] == "kaspad-taskd"


def test_bad_settings_wait_for_the_user(user: User) -> None:
    """Exit 78, no restart; the log names the key."""
    user.run("systemctl", "--user", "stop", UNIT)
    good = user.settings.read_text()
    user.settings.write_text('log_level = "loud"\n')
    user.run("systemctl", "--user", "start", UNIT, check=False)
    assert user.shown("ExecMainStatus") == "78"
    assert user.shown("NRestarts") == "0"
    user.settings.write_text(good)
    user.run("systemctl", "--user", "start", UNIT)
    assert user.shown("ActiveState") == "active"


@pytest.mark.timeout(300)
def test_the_documented_install_works() -> None:
    """Its block in docs/operations.md, word for word, by a user in a copy of the sources."""
    user = User("taskd-pip", 3098)
    sources = user.home / "kaspad-taskd"
    shutil.copytree(
        ROOT, sources, ignore=shutil.ignore_patterns(".git", ".venv", ".cache", "third-party"),
        dirs_exist_ok=True,
    )  # fmt: skip
    subprocess.run(["chown", "-R", user.name, str(sources)], check=True)
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [each for each in blocks if "pip install" in each]
    done = user.run(
        "bash", "-c", f"exec 2>&1; set -eu; cd {sources}; {block}\necho installed", check=False
    )
    if "No matching distribution" in done:
        pytest.skip("no package index can be reached")
    assert done.endswith("installed\n"), done
    assert user.shown("ActiveState") == "active"
    assert user.run("systemctl", "--user", "is-enabled", UNIT) == "enabled\n"
    found = json.loads(user.run("kaspad-taskctl", "doctor", "--json", check=False))
    assert [each for each in found if each["level"] == "fault"] == []
    assert user.state.exists()
    user.run("systemctl", "--user", "disable", "--now", UNIT)
