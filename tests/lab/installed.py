"""For tests inside a booted machine that has the package: plain Python, no library of ours."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

UNIT = "kaspad-taskd.service"
SOCKET = Path("/run/kaspad-taskd/rpc.sock")
STATE = Path("/var/lib/kaspad-taskd")
ETC = Path("/etc/kaspad-taskd")
TASKS = ETC / "tasks.d"
SETTINGS_D = ETC / "kaspad-taskd.toml.d"
DROP_INS = Path("/etc/systemd/system") / f"{UNIT}.d"
PROGRAM = Path("/usr/share/kaspad-taskd")
DEBS = Path(os.environ.get("KASPAD_TASKD_DEBS", "/debs"))
PATIENCE = 60.0
"""Seconds until something is given up: the machine may be slow, and is never waited for in vain."""

TRIES = 6
"""Of what has to be quick."""

WALK = """
import json, os
found, closed = [], []
def tried(path, flags):
    try:
        os.close(os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600))
    except OSError:
        return
    found.append(path)
def walk(place):
    probe = os.path.join(place, ".tried-%d" % os.getpid())
    tried(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        os.unlink(probe)
    except OSError:
        pass
    try:
        entries = list(os.scandir(place))
    except OSError:
        closed.append(place)
        return
    for each in entries:
        if each.is_dir(follow_symlinks=False):
            if place != "/proc" or not (each.name.isdigit() or each.name.endswith("self")):
                walk(each.path)
        elif each.is_file(follow_symlinks=False):
            tried(each.path, os.O_WRONLY)
"""
"""Begins a script that tries its sandbox: `walk(place)` finds what can be written there and below.

Directories that cannot even be listed are `closed`.
"""

READS = """
import json, os, sys
readable = []
def reads(place):
    for top, below, files in os.walk(place):
        if top == "/":
            below[:] = [each for each in below if each not in ("proc", "sys", "dev", "tmp", "src")]
        for each in files:
            read(os.path.join(top, each))
def read(path):
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except OSError:
        return
    readable.append(path)
reads("/")
for each in ("hub", "relay"):  # in a directory that nobody may list
    read("/etc/kaspad-taskd/fleet.d/" + each)
"""
"""Begins a script that finds what can be read: `readable`."""

inside = pytest.mark.skipif(
    os.environ.get("KASPAD_TASKD_LAB") != "1",
    reason="it changes the whole machine: only inside one that tests/system/test_package.py boots",
)


def run(*words: str, check: bool = True, **more: Any) -> str:
    """Run a program; what it says, on either stream, is returned, and shown where it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}")
    return done.stdout


def systemctl(*words: str, check: bool = True) -> str:
    return run("systemctl", "--no-pager", *words, check=check)


def exposure(unit: str = UNIT) -> float:
    """How exposed a unit is, as systemd itself counts it; said, too."""
    told = run("systemd-analyze", "security", "--no-pager", unit)
    found = re.search(r"exposure level for \S+: (\d+\.\d)", told)
    assert found is not None, told
    print(f"exposure {found[1]}")
    return float(found[1])


def shown(name: str, unit: str = UNIT) -> str:
    return systemctl("show", "-p", name, "--value", unit).strip()


def apt(*words: str) -> str:
    return run("apt-get", "-y", "-q", *words)


def deb(name: str = "kaspad-taskd") -> str:
    (found,) = DEBS.glob(f"{name}_*_all.deb")
    return str(found)


def older(package: str, version: str, place: Path, changed: Callable[[Path], None]) -> str:
    """Return a package as it would have been at an older version.

    Args:
        package: its file.
        version: of the older one.
        place: an empty directory.
        changed: what else was different, in the directory that has what it installs.
    """
    run("dpkg-deb", "-R", package, str(place / "tree"))
    control = place / "tree/DEBIAN/control"
    now = re.findall(r"(?m)^Version: (.*)", control.read_text())[0]
    text = control.read_text().replace(f"Version: {now}\n", f"Version: {version}\n")
    control.write_text(text.replace(f"(= {now})", f"(= {version})"))
    changed(place / "tree")
    made = place / "old.deb"
    run("dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", str(place / "tree"), str(made))
    return str(made)


def ask(method: str, **params: Any) -> dict[str, Any]:
    """One call on the socket; the whole answer."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(PATIENCE)
        one.connect(str(SOCKET))
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        one.sendall(json.dumps(asked).encode() + b"\n")
        answer: dict[str, Any] = json.loads(one.makefile().readline())
        return answer


def call(method: str, **params: Any) -> Any:
    answer = ask(method, **params)
    assert "result" in answer, answer
    return answer["result"]


def until(what: str, seconds: float = PATIENCE) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}\n{journal()}")


def until_shown(task_id: str, **wanted: Any) -> dict[str, Any]:
    """Return the task as soon as it has these values."""
    task: Any = None
    for _ in until(f"{task_id} with {wanted}"):
        task = call("getTask", taskId=task_id)
        if task is not None and all(task[key] == value for key, value in wanted.items()):
            break
    return dict(task)


def until_active(instead_of: int = 0) -> None:
    """And not the process that was killed a moment ago."""
    for _ in until("it is active"):
        if shown("ActiveState") == "active" and int(shown("MainPID")) not in (0, instead_of):
            return


def define(name: str, text: str) -> None:
    """Give it a task; systemd's word for the reload comes before its end."""
    (TASKS / f"{name}.toml").write_text(text)
    systemctl("reload", UNIT)
    for _ in until(f"{name} is known"):
        if call("getTask", taskId=name) is not None:
            return


def forget(*names: str) -> None:
    for name in names:
        (TASKS / f"{name}.toml").unlink(missing_ok=True)
    systemctl("reload", UNIT)


def drop_in(name: str, text: str) -> Path:
    DROP_INS.mkdir(exist_ok=True)
    path = DROP_INS / f"{name}.conf"
    path.write_text(text)
    systemctl("daemon-reload")
    return path


def take_out(path: Path) -> None:
    path.unlink()
    if not any(DROP_INS.iterdir()):
        DROP_INS.rmdir()
    systemctl("daemon-reload")


def within(bound: float, once: Callable[[], float]) -> None:
    """Hold that something takes less than `bound` seconds, as `once` measures it.

    It is done again where it took longer: a busy machine is slow now and then, a fault each time.
    """
    took: list[float] = []
    while len(took) < TRIES and (not took or took[-1] >= bound):
        took.append(once())
    print(f"took {took[-1]:.2f} s")
    assert took[-1] < bound, took


def journal(lines: int = 30) -> str:
    return run("journalctl", "-u", UNIT, "--no-pager", "-n", str(lines), check=False)


LOCAL = (
    ("/usr/bin/", "/usr/local/bin/"),
    ("/usr/lib/systemd/", "/usr/local/lib/systemd/"),
    ("/usr/lib/sysusers.d/", "/usr/local/lib/sysusers.d/"),
    ("/usr/lib/tmpfiles.d/", "/usr/local/lib/tmpfiles.d/"),
    ("/usr/share/man/", "/usr/local/share/man/"),
    ("/usr/share/doc/", "/usr/local/share/doc/"),
    ("/usr/share/bash-completion/", "/usr/local/share/bash-completion/"),
    ("/usr/share/fish/", "/usr/local/share/fish/"),
    ("/usr/share/zsh/vendor-completions/", "/usr/local/share/zsh/site-functions/"),
)
"""Where `install-service` puts what the package has; what is not named, it puts there as well."""
DEBIANS_OWN = re.compile(
    r"/usr/share/(kaspad-taskd/|python3/|doc/kaspad-taskd(-fleet)?/([^/]+\.md|changelog|copyright|NEWS)"
    r"(\.Debian)?(\.gz)?$)|/usr/share/(nodejs|lintian)/|/usr/lib/node/"
)
"""The program itself, Python's hook, the documents that each package has, and the Node package,
which npm installs elsewhere."""


def local(path: str) -> str | None:
    """The place of a file of the package where there is none; None: Debian's own."""
    if DEBIANS_OWN.match(path):
        return None
    path = path.removesuffix(".gz")
    theirs, ours = next((each for each in LOCAL if path.startswith(each[0])), ("", ""))
    return ours + path.removeprefix(theirs)
