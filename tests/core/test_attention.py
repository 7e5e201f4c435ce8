"""What of a service needs somebody: judged from what is seen, gone when it is seen no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.core.attention import (
    STEADY,
    UNUSED,
    Attention,
    AttentionCode,
    Known,
    Override,
    Proof,
    ServiceState,
    Sight,
    judge,
    see,
)
from kaspad_taskd.core.model import Health
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.switching import plan
from kaspad_taskd.words.service import BROKEN

NOW = 1_795_000_000_000
UP = Sight(NOW, ServiceState.RUNNING, NOW - 60_000, "one")
LOCAL, PUBLIC = Side.LOCAL, Side.PUBLIC


def done() -> Switch:
    switch = plan.begin(1, "kasia", LOCAL, PUBLIC, NOW - 90_000)
    for _ in range(4):
        switch = plan.passed(switch, NOW - 80_000)
    return switch


def failed() -> Switch:
    """A switch whose undo failed too."""
    switch = plan.begin(1, "kasia", LOCAL, PUBLIC, NOW - 90_000)
    for _ in range(3):
        switch = plan.passed(switch, NOW - 85_000)
    for _ in range(2):
        if not switch.state.ended:
            switch = plan.failed(switch, NOW - 80_000, SwitchReason.NO_ANSWER, touched=True)
    assert switch.state is SwitchState.FAILED
    return switch


def code(
    sight: Sight, last: Switch | None = None, points: Side = PUBLIC, before: Known | None = None
) -> AttentionCode | None:
    found = judge("kasia", see(before, sight), points, last, None)
    return None if found is None else found.code


DOWN = {
    AttentionCode.DOWN: replace(UP, state=ServiceState.FAILED, result="exit-code"),
    AttentionCode.UNIT_MASKED: replace(UP, state=ServiceState.MASKED),
    AttentionCode.UNIT_MISSING: replace(UP, state=ServiceState.MISSING),
    AttentionCode.UNIT_CONDITION: replace(UP, state=ServiceState.DOWN, condition=True),
    AttentionCode.UNIT_KILLED: replace(
        UP, state=ServiceState.FAILED, result="signal", ended_by="SIGKILL"
    ),
    AttentionCode.UNIT_OUT_OF_MEMORY: replace(
        UP, state=ServiceState.FAILED, result="oom-kill", ended_by="SIGKILL"
    ),
}


@pytest.mark.parametrize("expected", DOWN)
@pytest.mark.parametrize("last", [done, failed])
def test_what_does_not_run_after_a_switch_is_told_with_its_cause(expected, last) -> None:  # type: ignore[no-untyped-def]
    """Whether the switch succeeded or not: it should run."""
    assert code(DOWN[expected], last()) is expected


def test_who_stopped_and_disabled_a_unit_means_it_so() -> None:
    """Also who never had it switched; but what a failed switch left down is told."""
    stopped = replace(UP, state=ServiceState.DOWN)
    assert code(stopped) is None
    assert code(replace(stopped, enabled=False), done()) is None
    assert code(replace(stopped, enabled=False), failed()) is AttentionCode.DOWN
    assert code(replace(stopped, enabled=True), done()) is AttentionCode.DOWN
    assert code(replace(stopped, enabled=None), done()) is AttentionCode.DOWN


def test_a_unit_that_systemd_calls_failed_is_told_without_any_switch() -> None:
    """It is declared, and it does not work."""
    assert code(replace(UP, state=ServiceState.FAILED, result="exit-code")) is AttentionCode.DOWN


def test_the_cure_ends_it() -> None:
    """As soon as it is seen to work: by what `verify` names, else by its unit."""
    assert code(UP, failed()) is None
    assert code(replace(UP, answers=True), failed()) is None
    assert code(replace(UP, answers=False), failed()) is AttentionCode.UNDO_FAILED
    container = Sight(NOW)
    assert code(container, failed()) is AttentionCode.UNDO_FAILED
    assert code(replace(container, answers=True), failed()) is None


def test_nothing_is_judged_during_a_switch() -> None:
    """What stood stands, what did not does not begin."""
    running = plan.begin(1, "kasia", LOCAL, PUBLIC, NOW)
    gone = see(None, replace(UP, state=ServiceState.DOWN))
    stood = Attention("kasia", AttentionCode.DOWN, {}, NOW - 5)
    assert judge("kasia", gone, PUBLIC, running, stood) is stood
    assert judge("kasia", gone, PUBLIC, running, None) is None


def test_since_is_kept_while_it_is_the_same() -> None:
    """From systemd's own moment on, where it tells one."""
    known = see(None, DOWN[AttentionCode.DOWN])
    first = judge("kasia", known, PUBLIC, done(), None)
    assert first is not None
    assert first.since == UP.since
    later = see(known, replace(DOWN[AttentionCode.DOWN], at=NOW + 30_000, since=NOW + 10))
    again = judge("kasia", later, PUBLIC, done(), first)
    assert again is not None
    assert again.since == first.since


def test_a_unit_that_ends_again_and_again_is_told_until_it_stays_up() -> None:
    """Though each look may find it running."""
    known = see(None, UP)
    known = see(known, replace(UP, at=NOW + 30_000, process="two", restarts=1))
    found = judge("kasia", known, LOCAL, done(), None)
    assert found is not None
    assert (found.code, found.params["restarts"]) == (AttentionCode.CRASH_LOOP, 1)
    steady = replace(known.sight, at=known.sight.at + STEADY - 1)
    assert judge("kasia", see(known, steady), LOCAL, done(), found) is not None
    steady = replace(steady, at=steady.at + 1)
    assert judge("kasia", see(known, steady), LOCAL, done(), found) is None


def test_a_service_that_uses_another_node_is_told() -> None:
    """At once where something wins over its file, else after a while without connections."""
    won = replace(UP, override=Override("KASPA_URL", "/etc/default/kasia"))
    assert code(won, done(), LOCAL) is AttentionCode.NOT_USED
    assert code(won, done(), PUBLIC) is None
    assert code(replace(won, connections=2), done(), LOCAL) is None  # seen is seen
    noted = replace(won, noted=Proof("noted", 1, "127.0.0.1:17110", NOW, NOW))
    assert code(noted, done(), LOCAL) is None  # the unit was changed since this process began
    none = replace(UP, connections=0, address="127.0.0.1:17110")
    known = see(None, none)
    assert code(replace(none, at=NOW + UNUSED - 1), done(), LOCAL, known) is None
    assert code(replace(none, at=NOW + UNUSED), done(), LOCAL, known) is AttentionCode.NOT_USED
    anew = replace(none, at=NOW + UNUSED, process="two")
    assert code(anew, done(), LOCAL, known) is None


def test_a_lost_node_is_told_of_who_runs_on_it() -> None:
    """Of nobody else."""
    lost = replace(UP, node=False)
    assert code(lost, done(), LOCAL) is AttentionCode.NODE_LOST
    assert code(lost, done(), PUBLIC) is None


def test_a_proof_is_as_old_as_its_connections() -> None:
    """It begins anew with another process, and is gone with the last connection."""
    seen = replace(UP, connections=3, address="127.0.0.1:17110")
    known = see(None, seen)
    later = see(known, replace(seen, at=NOW + 30_000, connections=2))
    assert later.proof is not None
    assert (later.proof.since, later.proof.at, later.proof.count) == (NOW, NOW + 30_000, 2)
    anew = see(later, replace(seen, at=NOW + 60_000, process="two"))
    assert anew.proof is not None
    assert anew.proof.since == NOW + 60_000
    assert see(anew, replace(seen, at=NOW + 90_000, connections=0)).proof is None
    assert see(anew, replace(seen, at=NOW + 90_000, connections=None)).proof is None


def test_all_agree_on_what_does_not_work() -> None:
    """The client's words and the alert rules know nothing of this room: they are held to it."""
    broken = {each.value for each in AttentionCode if each.broken}
    assert set(BROKEN) == broken
    rules = Path(__file__).parents[2] / "packaging/monitoring/kaspad-taskd.rules.yml"
    served = "|".join(each.value for each in AttentionCode if not each.broken)
    assert rules.read_text().count(f'"{served}"') == 2


@pytest.mark.parametrize(
    ("health", "expected"),
    [(Health.BEHIND, AttentionCode.NODE_BEHIND), (Health.STALLED, AttentionCode.NODE_STALLED),
     (Health.UNREACHABLE, AttentionCode.NODE_LOST), (Health.OK, None), (Health.UNKNOWN, None)],
)  # fmt: skip
def test_a_node_that_is_bad_is_told_of_who_runs_on_it(
    health: Health, expected: AttentionCode | None
) -> None:
    """Since when its task has it so; of who runs on the public one nobody is told."""
    answers = health is not Health.UNREACHABLE
    bad = replace(UP, node=answers, node_health=health, node_since=NOW - 5_000)
    found = judge("kasia", see(None, bad), LOCAL, done(), None)
    assert (found and found.code) is expected
    assert found is None or (found.since, found.code.broken) == (NOW - 5_000, False)
    assert judge("kasia", see(None, bad), PUBLIC, done(), None) is None
