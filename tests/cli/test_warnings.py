"""`warnings`, and where else in the terminal one is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.fakes.taskd import ScriptedTaskd

Ctl = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("utc")


def one(number: int) -> dict[str, Any]:
    """A warning as the daemon lists it."""
    return {
        "id": number,
        "at": "2026-11-23T14:12:09.000Z",
        "code": "restart-needed",
        "params": {},
        "note": f"/usr/bin/python{number} was replaced while the daemon runs on.",
        "cure": "Restart it: sudo systemctl restart kaspad-taskd",
    }


@pytest.fixture
def warned(taskd: ScriptedTaskd) -> ScriptedTaskd:
    """A daemon with five warnings."""
    standing = [one(number) for number in range(1, 6)]
    taskd.answers["getWarnings"] = {"warnings": standing}
    taskd.answers["getInfo"] = {"host": "node-1", "version": "1.0.0", "warnings": 5}
    taskd.answers["acknowledgeWarning"] = lambda params: {
        "success": True,
        "warning": one(params["id"]),
    }
    return taskd


def test_each_has_its_cure_and_how_it_is_acknowledged(ctl: Ctl, warned: ScriptedTaskd) -> None:
    """Note, time, cure, command."""
    code, out, err = ctl("warnings")
    assert (code, err) == (0, "")
    assert out.count("sudo systemctl restart kaspad-taskd") == 5
    assert "kaspad-taskctl warnings ack 5" in out
    assert "23 Nov 14:12" in out
    assert json.loads(ctl("warnings", "--json")[1])["warnings"][0]["id"] == 1


def test_they_stand_above_the_list_and_a_task(ctl: Ctl, warned: ScriptedTaskd) -> None:
    """The newest three, and how many more there are; the exit code is the tasks'."""
    for words in ([], ["list"], ["status", "kaspa-node"]):
        code, out, _ = ctl(*words)
        assert code == 0
        assert "/usr/bin/python5" in out.splitlines()[0] or "/usr/bin/python3" in out
        assert "/usr/bin/python2 " not in out
        assert "and 2 older: kaspad-taskctl warnings" in out


def test_acknowledging_asks_the_daemon(ctl: Ctl, warned: ScriptedTaskd) -> None:
    """One by its number, or all."""
    assert ctl("warnings", "ack", "3")[0] == 0
    assert ("acknowledgeWarning", {"id": 3}) in warned.asked
    code, out, _ = ctl("warnings", "ack", "all")
    assert (code, out.count("Seen: ")) == (0, 5)
    assert warned.times("acknowledgeWarning") == 6


@pytest.mark.parametrize("words", [["ack"], ["ack", "x"], ["ack", "-1"], ["ack", "1.5"]])
def test_what_cannot_be_meant_is_said(ctl: Ctl, warned: ScriptedTaskd, words: list[str]) -> None:
    """A fault of usage, nothing is asked."""
    code, _, err = ctl("warnings", *words)
    assert (code, warned.asked) == (2, [])
    assert err


def test_none_is_said(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """So that silence means no doubt."""
    taskd.answers["getWarnings"] = {"warnings": []}
    assert ctl("warnings") == (0, "No warning stands.\n", "")
    assert ctl("warnings", "ack", "all") == (0, "No warning stands.\n", "")


def test_doctor_names_them(ctl: Ctl, warned: ScriptedTaskd) -> None:
    """As warnings, with their cures."""
    warned.answers.update(ping={"version": "1.0.0"}, listDefinitions=[], getServices=[])
    found = json.loads(ctl("doctor", "--json")[1])
    ours = [each for each in found if each["check"] == "warning"]
    assert [each["level"] for each in ours] == ["warning"] * 5
    assert ours[0]["cure"] == "Restart it: sudo systemctl restart kaspad-taskd"
