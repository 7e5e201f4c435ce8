"""systemd's one line."""

from __future__ import annotations

from typing import Any

from kaspad_taskd.words.status_line import status_line
from tests.fakes.golden import golden_task, golden_tasks


def running(service: str, **fields: Any) -> dict[str, Any]:
    return {**golden_task("kaspa-node"), "service": service, **fields}


def test_status_line_of_the_contract() -> None:
    """Counts, then names with percent and time left, as contract section 6 shows it."""
    node = running("kaspa-node", progress=45.29, progressBasis="exact")
    other = running("x", progress=0, progressBasis="unknown", estimatedTimeRemaining=None)
    assert status_line([node, other]) == ("2 running: kaspa-node 45.2 % (1 hour 20 min), x")


def test_status_line_says_trouble_first() -> None:
    """What systemctl may cut off at the window's edge is never the trouble."""
    assert status_line(golden_tasks()).startswith(
        "1 failed, 6 running, 2 waiting, 1 paused, 1 complete, 1 stopped: "
        "kasia-indexer unreachable, lonely stalled, failed-job failed, "
        "kaspa-node 71 % (1 hour 20 min), explorer-db 58 % (25 minutes), and 2 more"
    )


def test_status_line_names_at_most_five() -> None:
    """The line stays short with any number of tasks."""
    line = status_line([running(f"n{i}") for i in range(500)])
    assert line.count("%") == 5
    assert line.endswith("and 495 more")


def test_status_line_without_tasks_and_with_a_full_disk() -> None:
    """Nothing to watch is said; that nothing is saved comes before all."""
    assert status_line([]) == "nothing is watched yet"
    assert status_line([], "disk full") == "cannot save: disk full; nothing is watched yet"


def test_status_line_tells_services_in_need_before_tasks() -> None:
    """By name as far as there are few: nobody has to type `switch` to hear of them."""
    down, lost = ("kasia-indexer", "down"), ("k", "node-lost")
    assert status_line([], services=[down, lost]) == (
        "kasia-indexer down; k its node does not answer; nothing is watched yet"
    )
    assert status_line([], services=[down] * 4) == (
        "4 services need attention; nothing is watched yet"
    )
    assert status_line([], services=[("new", "of-a-later-version")]).startswith(
        "new of-a-later-version; "
    )


def test_status_line_counts_others_without_naming_them() -> None:
    """Of 10,000 tasks a few have names: the line is that of all of them, one by one."""
    named = [running(f"n{i}") for i in range(6)]
    others = [
        ({"status": "in-progress", "health": "ok", "watch": "none"}, 40),
        ({"status": "cancelled", "health": "unknown", "watch": "none"}, 3),
    ]
    each = [task for task, n in others for _ in range(n)]
    assert status_line(named, others=others) == status_line([*named, *each])
    assert status_line(named[:2], others=others).endswith("and 40 more")
    assert status_line([], others=others).startswith("40 running, 3 stopped")
