"""The sandbox: what can be written from within, and the drop-ins that open it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import (
    STATE,
    UNIT,
    WALK,
    define,
    forget,
    inside,
    run,
    shown,
    systemctl,
    until,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

OWN = ("/var/lib/kaspad-taskd", "/run/kaspad-taskd", "/tmp", "/var/tmp")
"""Its state, its sockets, and a /tmp that is nobody else's."""
CLOSED = ("/dev/shm", "/dev/mqueue", "/run/lock")
EVERYWHERE = (
    WALK
    + """
walk("/")
with open("/proc/self/mountinfo") as lines:
    mounts = [line.split()[4] for line in lines]
for each in mounts:
    if not each.startswith("/proc"):
        walk(each)
told = {"found": sorted(set(found)), "closed": closed, "mounts": mounts,
        "ipc": os.readlink("/proc/self/ns/ipc")}
with open("/var/lib/kaspad-taskd/.everywhere", "w") as out:
    json.dump(told, out)
os.rename("/var/lib/kaspad-taskd/.everywhere", "/var/lib/kaspad-taskd/everywhere")
print('{"progress": 42}')
"""
)


def tried_from_within() -> dict[str, Any]:
    """What a command of a definition could open to write, wherever it is."""
    script, answer = Path("/usr/local/lib/everywhere.py"), STATE / "everywhere"
    script.write_text(EVERYWHERE)
    answer.unlink(missing_ok=True)
    define("everywhere", 'type = "command"\nservice = "everywhere"\ninterval = "1h"\n'
           f'timeout = "60s"\n[checker]\ncommand = ["/usr/bin/python3", "{script}"]\n')  # fmt: skip
    for _ in until("everything was tried"):
        if answer.exists():
            break
    forget("everywhere")
    told: dict[str, Any] = json.loads(answer.read_text())
    answer.unlink()
    script.unlink()
    return told


def test_it_writes_in_its_own_directories_and_nowhere_else() -> None:
    """Every directory and every file of the machine was tried, on every mount that it sees."""
    told = tried_from_within()
    assert len(told["mounts"]) > len(OWN)
    assert any(path.startswith(OWN[0]) for path in told["found"])
    assert [
        path for path in told["found"] if not path.startswith(tuple(f"{o}/" for o in OWN))
    ] == []
    assert {path for path in CLOSED if Path(path).exists()} <= set(told["closed"])
    assert told["ipc"] != run("readlink", "/proc/self/ns/ipc").strip()


def test_the_recipes_work_as_they_stand_in_the_drop_ins() -> None:
    """Typed by root in that directory, on a host that has no drop-in and none of the paths."""
    shipped = Path("/usr/share/doc/kaspad-taskd/examples/drop-ins")
    place = Path("/etc/systemd/system/kaspad-taskd.service.d")
    assert not place.exists()
    for name in sorted(path.name for path in shipped.iterdir()):
        text = (shipped / name).read_text()
        lines = [line.removeprefix("#").strip() for line in text.splitlines() if line[:4] == "#   "]
        assert lines, name
        run("sh", "-ec", "\n".join(lines), cwd=shipped)
        assert shown("ActiveState") == "active"
        assert (place / name).read_text() == text
        (place / name).unlink()
        place.rmdir()
    systemctl("daemon-reload")
    systemctl("restart", UNIT)
