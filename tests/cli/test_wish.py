"""What of a registration was not taken is said."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from kaspad_taskd.cli import pace
from kaspad_taskd.cli.wish import not_taken
from tests.cli.test_main import Ctl
from tests.fakes.golden import golden_task
from tests.fakes.taskd import ScriptedTaskd

KNOWN = {
    **golden_task("headers-import"), "checkInterval": 10_000, "timeout": 5000, "stallAfter": 90_000,
    "giveUpAfter": None, "after": ["a"], "autoSwitch": True,
}  # fmt: skip
INSTEAD = f"  To change it: kaspad-taskctl set {KNOWN['id']} "


def told(**wish: Any) -> list[str]:
    lines = not_taken(wish, KNOWN)
    assert not lines or lines.pop().startswith("  To change it: kaspad-taskctl ")
    return [line.removeprefix("  not taken: ") for line in lines]


def test_what_stays_otherwise_is_named_with_both() -> None:
    """In the names that options and files have, and times as people say them."""
    assert told(checkInterval="5s") == ["interval 5 s; it stays at 10 s"]
    assert told(timeout=250) == ["timeout 0.25 s; it stays at 5 s"]
    assert told(stallAfter="1min 31s") == ["stall_after 91 s; it stays at 90 s"]
    assert told(giveUpAfter="2h") == ["give_up_after 2 hours; it stays at never"]
    assert told(confirmations=3) == ["confirmations 3; it stays at 2"]
    assert told(after=["a", "b"]) == ["after a, b; it stays at a"]
    assert told(autoSwitch=False) == ["auto_switch false; it stays at true"]
    assert told(start=False) == ["start false; it stays at true"]


def test_what_is_so_already_or_was_not_asked_for_is_not_said() -> None:
    """However it was written."""
    same = {"checkInterval": "10000ms", "timeout": 5000, "stallAfter": "1min 30s", "after": ["a"]}
    assert told(**same, giveUpAfter="never", confirmations=2, autoSwitch=True) == []
    assert told(type="report", service="headers-import", config={}) == []
    assert not_taken({"timeout": "9s"}, golden_task("headers-import")) == []  # an older daemon


def test_a_files_task_is_changed_in_its_file() -> None:
    """And not removed."""
    task = {**KNOWN, "origin": "admin", "directory": "/home/me/tasks.d"}
    *_, last = not_taken({"confirmations": 3}, task)
    assert last == f"  To change it: kaspad-taskctl edit {KNOWN['id']}"


def test_the_cure_is_what_set_takes() -> None:
    """All of it in one command that a shell reads; what cannot be set is paused."""
    wish = {"checkInterval": "1min 30s", "timeout": 250, "giveUpAfter": "never", "start": False,
            "after": ["b", "c"], "autoSwitch": False, "confirmations": 3}  # fmt: skip
    pairs = "'interval=1min 30s' timeout=0.25s confirmations=3 after=b,c auto_switch=false"
    assert not_taken(wish, KNOWN)[-1] == INSTEAD + pairs
    taken = pace.wish(shlex.split(pairs))
    assert taken == {**{k: wish[k] for k in taken}, "timeout": "0.25s"}
    last = not_taken({"start": False}, KNOWN)[-1]
    assert last == f"  To change it: kaspad-taskctl pause {KNOWN['id']}"


def test_register_says_it(ctl: Ctl, taskd: ScriptedTaskd, tmp_path: Path) -> None:
    """From options and from a file; nothing where the task was made now."""
    taskd.answers["registerTask"] = {"task": KNOWN, "created": False}
    out = ctl("register", "report", "headers-import", "--interval", "5s", "--no-start")[1]
    assert out.splitlines()[1:] == [
        "  not taken: interval 5 s; it stays at 10 s",
        "  not taken: start false; it stays at true",
        INSTEAD + "interval=5s",
    ]
    file = tmp_path / "import.toml"
    file.write_text('type = "report"\nservice = "headers-import"\nstall_after = "5s"\n')
    assert "not taken: stall_after 5 s; it stays at 90 s" in ctl("register", "--file", str(file))[1]
    taskd.answers["registerTask"] = {"task": KNOWN, "created": True}
    assert "not taken" not in ctl("register", "report", "headers-import", "--interval", "5s")[1]
