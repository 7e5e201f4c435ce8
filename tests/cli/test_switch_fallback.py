"""`switch`: services that fall back, where they are, why, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaspad_taskd.core.fallback import Why
from tests.cli.conftest import Ran
from tests.fakes.switches import fallen, service, staying, switch
from tests.fakes.taskd import ScriptedTaskd

Ctl = Callable[..., Ran]
WENT = "It went to the public node at"


def told(ctl: Ctl, taskd: ScriptedTaskd, found: dict[str, Any], *words: str) -> str:
    """What is written, in one line."""
    taskd.answers["getServices"] = [found]
    return " ".join(ctl("switch", *words)[1].split())


def test_one_that_fell_back_says_when_and_why_and_what_comes_next(
    ctl: Ctl, taskd: ScriptedTaskd
) -> None:
    """In the list, and in full."""
    for words in ((), ("kasia-indexer",)):
        out = told(ctl, taskd, fallen(), *words)
        assert WENT in out
        assert "13:12" in out
        assert "since the local node was behind by 14 min" in out
        assert "it returns after 30 min in sync." in out
    assert "until the local node is in sync again" in told(ctl, taskd, fallen())
    soon = told(ctl, taskd, fallen(Why.WAITING, 480_000))
    assert "It returns in 8 min, if the local node stays in sync." in soon


def test_one_that_stays_says_why(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """On either node; a promise that will not be kept is not made."""
    out = told(ctl, taskd, staying(Why.WAITING, 240_000))
    assert "It goes to the public node in 4 min, if the local node stays so." in out
    out = told(ctl, taskd, staying(Why.PUBLIC_SILENT, address="kaspa.example.org:443"))
    assert "the public node kaspa.example.org:443 does not answer either." in out
    out = told(ctl, taskd, fallen(Why.FLIPS, flips=4))
    assert WENT in out
    assert "it may go 4 times in 24 hours" in out
    assert "it returns" not in out
    assert "See why the node comes and goes" in out
    assert "See why the node comes and goes" in told(ctl, taskd, fallen(Why.FLIPS), "kasia-indexer")


def test_others_say_nothing_of_it(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Neither who has no fallback, nor who is where a person put it."""
    for found in (service(switch(4)), staying(Why.BY_PERSON)):
        out = told(ctl, taskd, found)
        assert "It " not in out
        assert "fallback" not in out


def test_a_dry_run_says_that_a_persons_word_stands(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Who puts it to the public node by hand keeps it there."""
    plan: dict[str, Any] = {
        **staying(Why.WAITING, 240_000), "to": "public", "possible": True, "there": False,
        "busy": False, "checks": [], "away": None, "awayAt": None,
    }  # fmt: skip
    taskd.answers["getSwitchPlan"] = plan
    out = " ".join(ctl("switch", "kasia-indexer", "public", "--dry-run")[1].split())
    assert "What you put there stays there: no fallback brings it back." in out
    assert "It goes to the public node in 4 min" in out
