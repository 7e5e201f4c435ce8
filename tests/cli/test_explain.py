"""`explain`: as judged by eye, in every state, narrow and in ASCII; and what is asked for it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from kaspad_taskd.cli.explain import page
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.words.plain import width
from tests.cli.conftest import Ran
from tests.fakes.explained import explanations
from tests.fakes.golden import check
from tests.fakes.taskd import ScriptedTaskd, answering

SAID = explanations()


pytestmark = pytest.mark.usefixtures("utc")


def written(name: str, cells: int, ascii_only: bool = False, color: str = "never") -> str:
    screen = Screen(io.StringIO(), color, ascii_only)
    screen.show(page(SAID[name], cells))
    assert isinstance(screen.out, io.StringIO)
    return screen.out.getvalue()


@pytest.mark.parametrize("name", SAID)
def test_it_looks_as_judged(name: str) -> None:
    """Nothing is open, nothing wider than the terminal but the command to be copied."""
    text = written(name, 80)
    assert "?" not in text.replace("Complete?", "").replace("Moves?", "")
    assert max(width(line) for line in text.splitlines()[:-1]) <= 80
    check(f"explain-{name}.txt", text)


def test_what_is_complete_and_watched_is_not_called_unwatched() -> None:
    """How its watch finds it is its health."""
    said = SAID["complete"]
    task = {**said["task"], "watch": "on"}
    screen = Screen(io.StringIO(), "never", False)
    screen.show(page({**said, "task": task}, 80))
    assert isinstance(screen.out, io.StringIO)
    assert "Moves?" not in screen.out.getvalue()
    assert "it is not watched now" in written("complete", 80)


def test_narrow_it_looks_as_judged() -> None:
    """The same words in 50 columns."""
    text = written("blocks", 50)
    assert max(width(line) for line in text.splitlines()[:-1]) <= 50
    check("explain-blocks-50.txt", text)
    assert "".join(text.split()) == "".join(written("blocks", 80).split())


def test_in_ascii_it_looks_as_judged() -> None:
    """Every sign has its plain form."""
    text = written("blocks", 80, ascii_only=True)
    assert text.isascii()
    check("explain-blocks-ascii.txt", text)


def test_colors_say_nothing_that_signs_do_not() -> None:
    """Taken out, the text is the same."""
    text = written("blocks", 80, color="always")
    assert "\x1b[33m" in text
    for code in ("0", "2", "32", "33", "36"):
        text = text.replace(f"\x1b[{code}m", "")
    plain = "\n".join(line.rstrip() for line in text.splitlines())
    assert plain + "\n" == written("blocks", 80)


@pytest.fixture
def asked(taskd: ScriptedTaskd) -> ScriptedTaskd:
    taskd.answers.update(answering([SAID["blocks"]["task"]]))
    taskd.answers["explainTask"] = SAID["blocks"]
    return taskd


@pytest.mark.parametrize("name", ["kaspa-node", "node-sync-kaspa-node"])
def test_a_task_is_named_by_id_or_service(
    ctl: Callable[..., Ran], asked: ScriptedTaskd, name: str
) -> None:
    """The daemon is asked by id."""
    code, out, err = ctl("explain", name)
    assert (code, err) == (0, "")
    assert "it downloads from 1 of its peers" in out
    assert ("explainTask", {"taskId": "node-sync-kaspa-node"}) in asked.asked


@pytest.mark.usefixtures("asked")
def test_json_is_the_whole(ctl: Callable[..., Ran]) -> None:
    """For a bug report: the answer unchanged, the task in it."""
    code, out, _err = ctl("explain", "kaspa-node", "--json")
    assert (code, json.loads(out)) == (0, SAID["blocks"])


def test_an_unknown_task_is_said_as_elsewhere(ctl: Callable[..., Ran]) -> None:
    """The first known ids, exit code 1; without a task, usage."""
    code, out, err = ctl("explain", "nope")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: there is no task nope\n  Known: ")
    assert ctl("explain")[0] == 2


def test_an_older_daemon_that_cannot_explain(ctl: Callable[..., Ran], asked: ScriptedTaskd) -> None:
    """A daemon of before has no such method: said, no traceback."""
    del asked.answers["explainTask"]
    code, out, err = ctl("explain", "kaspa-node")
    assert (code, out) == (1, "")
    assert err.startswith("kaspad-taskctl: ")
