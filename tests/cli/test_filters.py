"""`list` narrowed: by name or pattern, status, type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.cli.options import parse
from kaspad_taskd.cli.quick import options_of
from tests.cli.conftest import Ran
from tests.fakes.golden import golden_task, golden_tasks
from tests.fakes.taskd import ScriptedTaskd, answering

Ctl = Callable[..., Ran]


def services(wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [task["service"] for task in golden_tasks() if wanted(task)]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("kaspa-node", lambda t: t["service"] == "kaspa-node"),
        ("node-sync-kaspa-node lonely", lambda t: t["service"] in ("kaspa-node", "lonely")),
        ("kas*", lambda t: t["service"].startswith("kas")),
        ("node-sync-*", lambda t: t["type"] == "node-sync"),
        ("*-node lonely", lambda t: t["service"].endswith("-node") or t["service"] == "lonely"),
        ("--status paused", lambda t: t["status"] == "paused"),
        ("--status paused --status pending", lambda t: t["status"] in ("paused", "pending")),
        ("--status paused,pending", lambda t: t["status"] in ("paused", "pending")),
        ("--failed", lambda t: t["status"] == "error"),
        ("--failed --status cancelled", lambda t: t["status"] in ("error", "cancelled")),
        ("--type node-sync", lambda t: t["type"] == "node-sync"),
        ("--type node-sync,report", lambda t: t["type"] in ("node-sync", "report")),
        ("--type node-sync --status complete", lambda _t: False),
        ("k* --type node-sync", lambda t: t["service"] == "kaspa-node"),
        ("nobody*", lambda _t: False),
    ],
)
def test_a_list_is_narrowed(ctl: Ctl, words: str, wanted: Callable[[Any], bool]) -> None:
    """By each kind of word; the same tasks to each way of showing them, none is no failure."""
    code, out, err = ctl("list", "--json", *words.split())
    assert (code, err) == (0, "")
    assert [task["service"] for task in json.loads(out)] == services(wanted)
    ids = [task["id"] for task in golden_tasks() if wanted(task)]
    assert ctl("ls", *words.split(), "--ids")[:2] == (0, "".join(f"{each}\n" for each in ids))
    code, out, _err = ctl("list", *words.split())
    shown = [line for line in out.splitlines() if line.startswith(tuple("▸!·‖✓✗–"))]  # noqa: RUF001
    assert code == 0
    assert len(shown) >= len(ids)
    assert bool(ids) != (out == "There is no such task.\n")


def test_a_name_of_no_task_is_a_failure(ctl: Ctl) -> None:
    """A typing error is not an empty list."""
    code, out, err = ctl("list", "kaspa-nod")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: there is no task kaspa-nod\n  Known: ")


@pytest.mark.parametrize("words", ["--status failed", "--status=", "--type ,"])
def test_a_word_that_is_none_is_a_wrong_command_line(ctl: Ctl, words: str) -> None:
    """With the words that there are."""
    code, out, err = ctl("list", *words.split())
    assert (code, out) == (2, "")
    assert "failed" not in words or "there are pending, in-progress, paused, " in err


def test_one_of_two_of_a_service_is_told_by_its_id(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Though the other one is not shown: what stands there can be typed."""
    twin = {**golden_task("failed-job"), "service": "kaspa-node"}
    taskd.answers.update(answering([golden_task("kaspa-node"), twin]))
    out = ctl("list", "--failed")[1]
    assert out.splitlines()[1].split()[1] == "command-failed-job"
    assert out.splitlines()[-1] == "  kaspad-taskctl status command-failed-job"
    (told,) = json.loads(ctl("list", "--failed", "--json")[1])
    assert told == twin


def test_the_short_way_means_the_same() -> None:
    """A plain list is understood without argparse."""
    for argv in (["list"], ["ls"], ["ps", "--json"]):
        quick = options_of(argv)
        assert quick is not None
        assert vars(quick) == vars(parse(argv))
    assert options_of(["list", "x"]) is options_of(["list", "--failed"]) is None
