"""Whether a program was killed for want of memory, by the files of both kinds of control groups."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from kaspad_taskd.base.memory import Watch, own_group

SECOND = "0::/system.slice/kaspad-taskd.service\n"
FIRST = "9:pids:/x\n4:memory:/system.slice/kaspad-taskd.service\n0::/\n"
UNIT = "system.slice/kaspad-taskd.service"


def host(place: Path, own: str, kills: str, limit: str) -> Path:
    """Files as the kernel has them; returns the one that says which group is ours."""
    first = own == FIRST
    group = place / "memory" / UNIT if first else place / UNIT
    group.mkdir(parents=True)
    (group / ("memory.oom_control" if first else "memory.events")).write_text(kills)
    (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(limit)
    (place / "own").write_text(own)
    return place / "own"


@pytest.mark.parametrize(
    ("own", "kills", "limit"),
    [
        (SECOND, "low 0\nhigh 0\nmax 7\noom 1\noom_kill {0}\noom_group_kill 0\n", "1073741824\n"),
        (FIRST, "oom_kill_disable 0\nunder_oom 0\noom_kill {0}\n", "1073741824\n"),
    ],
)
def test_a_kill_is_known_by_what_was_counted(
    tmp_path: Path, own: str, kills: str, limit: str
) -> None:
    """More than before, and SIGKILL: it wanted memory. As many: somebody else killed it."""
    group = own_group(host(tmp_path, own, kills.format(2), limit), tmp_path)
    assert group is not None
    assert (group.killed(), group.most()) == (2, 1 << 30)
    watched = Watch(group, group.killed())
    assert watched.starved(-signal.SIGKILL) is False
    group.kills.write_text(kills.format(3))
    assert watched.starved(-signal.SIGKILL) is True
    assert not watched.starved(-signal.SIGTERM)
    assert not watched.starved(1)


@pytest.mark.parametrize(("own", "limit"), [(SECOND, "max\n"), (FIRST, "9223372036854771712\n")])
def test_no_limit_is_none(tmp_path: Path, own: str, limit: str) -> None:
    """As each kind writes it."""
    group = own_group(host(tmp_path, own, "oom_kill 0\n", limit), tmp_path)
    assert group is not None
    assert group.most() is None


def test_where_nobody_counts_nothing_is_known(tmp_path: Path) -> None:
    """No group, no file, or one without the count."""
    (tmp_path / "own").write_text("0::/\n")
    assert own_group(tmp_path / "own", tmp_path) is None
    assert own_group(tmp_path / "none", tmp_path) is None
    assert Watch(None, None).starved(-signal.SIGKILL) is None
    group = own_group(host(tmp_path, SECOND, "low 0\n", "max\n"), tmp_path)
    assert group is not None
    assert group.killed() is None
