"""`kaspad-taskctl set`: keys as people write them, and what changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.test_main import Ctl
from tests.fakes.golden import golden_task
from tests.fakes.taskd import Error, ScriptedTaskd

TASK = {
    **golden_task("headers-import"), "checkInterval": 10_000, "timeout": 5000, "stallAfter": 90_000,
    "giveUpAfter": None, "after": ["a"], "autoSwitch": True,
}  # fmt: skip
ID = TASK["id"]


@pytest.fixture(autouse=True)
def known(taskd: ScriptedTaskd) -> None:
    taskd.answers["getTask"] = TASK
    taskd.answers["updateTask"] = lambda params: {
        "success": True, "taskId": ID,
        "task": {**TASK, "checkInterval": 20_000, "stallAfter": 300_000},
    }  # fmt: skip


def sent(taskd: ScriptedTaskd) -> Any:
    return next(params for name, params in taskd.asked if name == "updateTask")


def test_what_changed_is_said_with_what_it_was(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A line; only what was asked for is sent."""
    code, out, err = ctl("set", ID, "interval=20s", "stall_after=5min")
    assert sent(taskd) == {"taskId": ID, "checkInterval": "20s", "stallAfter": "5min"}
    assert (code, err) == (0, "")
    said = "headers-import: interval is 20 s, was 10 s, stall_after is 5 min, was 90 s"
    assert " ".join(out.split()) == said


@pytest.mark.parametrize(
    ("pair", "key", "value"),
    [
        ("stall-after=5min", "stallAfter", "5min"),
        ("stallAfter=5min", "stallAfter", "5min"),
        ("checkInterval=20s", "checkInterval", "20s"),
        ("interval=20", "checkInterval", "20"),  # no ms: the daemon asks for a unit
        ("give_up_after=never", "giveUpAfter", "never"),
        ("confirmations=3", "confirmations", 3),
        ("confirmations=many", "confirmations", "many"),
        ("auto_switch=false", "autoSwitch", False),
        ("after=a, b", "after", ["a", "b"]),
        ("after=", "after", []),
    ],
)
def test_keys_and_values(
    ctl: Ctl, taskd: ScriptedTaskd, pair: str, key: str, value: object
) -> None:
    """As files, options or JSON spell the key; the daemon judges the value."""
    assert ctl("set", ID, pair)[0] == 0
    assert sent(taskd) == {"taskId": ID, key: value}


def test_what_is_so_already_is_said(ctl: Ctl) -> None:
    """No change is no fault."""
    code, out, _err = ctl("set", ID, "timeout=5s")
    assert (code, "has that already" in out) == (0, True)


@pytest.mark.parametrize("words", [("interval",), ("=3s",), ("url=http://x",), ()])
def test_bad_usage(ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...]) -> None:
    """Exit 2, before anything is asked; what can be set is listed."""
    code, _out, err = ctl("set", ID, *words)
    assert code == 2
    assert not taskd.asked
    assert "url" not in "".join(words) or "stall_after" in err


def test_a_files_task_has_its_cure(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """What to type, in a line of its own."""
    no = Error(-32003, "x comes from a file", reason="not-allowed", file="/etc/x.toml")
    taskd.answers["updateTask"] = no
    code, _out, err = ctl("set", ID, "timeout=9s")
    assert (code, err.splitlines()[-1]) == (1, f"  kaspad-taskctl edit {ID}")
