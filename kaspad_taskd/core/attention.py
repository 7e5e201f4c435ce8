"""What of a service needs somebody now: seen, not remembered; gone as soon as it is seen no more.

Pure: what was seen of a service, where it shall run and how its last switch ended in; the one word
for what is wrong with it, or nothing, out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Health, Moment
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.switch import Side, StepKey, StepState, Switch, SwitchState

Facts = Mapping[str, Scalar]

STEADY: Final = 60_000
"""Milliseconds for which a unit that was restarting has to stay up before it counts as mended."""
UNUSED: Final = 300_000
"""Milliseconds without a connection after which a service is said not to use its node."""


class ServiceState(StrEnum):
    """How what runs a service is. Values may be added, none changes."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    RESTARTING = "restarting"  # it ended, and systemd is about to start it again
    DOWN = "down"
    FAILED = "failed"  # the same, and systemd says that it went wrong
    MASKED = "masked"
    MISSING = "missing"  # there is no such unit
    UNKNOWN = "unknown"  # a container, or systemd does not answer

    @property
    def off(self) -> bool:
        """Whether it is known that nothing of it runs, and that nothing is about to."""
        return self in _OFF


_OFF: Final = frozenset(
    {ServiceState.DOWN, ServiceState.FAILED, ServiceState.MASKED, ServiceState.MISSING}
)


class AttentionCode(StrEnum):
    """What is wrong with a service. Values may be added, none changes."""

    DOWN = "down"  # its unit does not run, though a switch started it or systemd calls it failed
    UNIT_MASKED = "unit-masked"  # the same, and its unit is masked
    UNIT_MISSING = "unit-missing"  # the same, and its unit is gone
    UNIT_CONDITION = "unit-condition"  # the same: a condition of its unit is not met
    UNIT_KILLED = "unit-killed"  # the same: a signal ended it
    UNIT_OUT_OF_MEMORY = "unit-out-of-memory"  # the same: the kernel ended it for its memory
    CRASH_LOOP = "crash-loop"  # it ends and is started again, again and again
    UNDO_FAILED = "undo-failed"  # worked with neither node, and has not been seen to work since
    NOT_USED = "not-used"  # it points to the local node, and is seen not to use it
    NODE_LOST = "node-lost"  # it points to the local node, which does not answer
    NODE_STALLED = "node-stalled"  # the same; it answers, and has nothing new
    NODE_BEHIND = "node-behind"  # the same; it is not in sync

    @property
    def of_node(self) -> bool:
        """Whether it is the local node that a service suffers from."""
        return self in _OF_NODE.values()

    @property
    def broken(self) -> bool:
        """Whether the service does not do its work, or is not known to."""
        return self is not AttentionCode.NOT_USED and not self.of_node


_OF_NODE: Final = {
    Health.UNREACHABLE: AttentionCode.NODE_LOST,
    Health.STALLED: AttentionCode.NODE_STALLED,
    Health.BEHIND: AttentionCode.NODE_BEHIND,
}
"""What a service suffers from whose local node is in this health."""


@frozen
class Attention:
    """One service needs somebody.

    Attributes:
        service: its name in the settings.
        code: why.
        params: what the sentences are filled with; never a value of a variable.
        since: when it was first so, ms since 1970 UTC.
    """

    service: str
    code: AttentionCode
    params: Facts = field(default_factory=dict)
    since: Moment = 0


@frozen
class Proof:
    """Why a service is known to use its node.

    Attributes:
        kind: "connections", seen now and again; "noted", seen by root's helper at the switch, and
            the same process still runs.
        count: of them.
        address: of the node, `127.0.0.1:17110`.
        since: from when on they were always there, when looked.
        at: when they were seen last.
    """

    kind: str
    count: int
    address: str
    since: Moment
    at: Moment


@frozen
class Override:
    """What wins over the endpoint file of a service: `variable` comes from `by`."""

    variable: str
    by: str


@frozen
class Sight:
    """What one look saw of a service.

    Attributes:
        at: when, ms since 1970 UTC.
        state: how what runs it is.
        since: from when on it is so, where systemd tells.
        process: another one after each start, "" where it is not known.
        restarts: how often systemd has started it again by itself.
        enabled: whether it is meant to be started at boot; None: its unit does not say.
        result: systemd's word for how it ended, "" or "success" where it went well.
        ended_by: the signal that ended it, "" for none.
        condition: whether a condition of its unit was not met.
        answers: whether what `verify` names answers; None: it was not asked, or there is none.
        connections: to the local node; None: they cannot be told from those of others.
        address: of the local node that they would go to, "" where it is not known.
        override: what wins over its endpoint file.
        noted: what root's helper has seen of this process at its switch.
        node: False: the local node does not answer; None: not known.
        node_health: how it is, `behind` where it has to sync (again); UNKNOWN: not known.
        node_since: since when that is so, or None.
        facts: what sentences are filled with: unit, how systemctl is typed.
    """

    at: Moment
    state: ServiceState = ServiceState.UNKNOWN
    since: Moment | None = None
    process: str = ""
    restarts: int = 0
    enabled: bool | None = None
    result: str = ""
    ended_by: str = ""
    condition: bool = False
    answers: bool | None = None
    connections: int | None = None
    address: str = ""
    override: Override | None = None
    noted: Proof | None = None
    node: bool | None = None
    node_health: Health = Health.UNKNOWN
    node_since: Moment | None = None
    facts: Facts = field(default_factory=dict)


@frozen
class Known:
    """What the looks so far have told of a service: the newest, and what only several can tell.

    Attributes:
        sight: the newest look.
        proof: why it is known to use the local node, or None.
        unused: since when no connection of it was seen, though that can be seen; or None.
        crashed: when it was last seen to have been started again by itself, or None.
    """

    sight: Sight
    proof: Proof | None = None
    unused: Moment | None = None
    crashed: Moment | None = None


def see(before: Known | None, sight: Sight) -> Known:
    """Return what is known after another look."""
    old = None if before is None else before.sight
    crashed = None if before is None else before.crashed
    again = old is not None and bool(old.process) and sight.restarts > old.restarts
    if again or sight.state is ServiceState.RESTARTING:
        crashed = sight.at
    elif crashed is not None and (sight.at - crashed >= STEADY or sight.state.off):
        crashed = None
    return Known(sight, _proof(before, sight), _unused(before, sight), crashed)


def _proof(before: Known | None, sight: Sight) -> Proof | None:
    if sight.connections is None:
        return sight.noted
    if sight.connections == 0:
        return None
    old = before.proof if before is not None else None
    same = (
        old is not None
        and before is not None
        and before.sight.process == sight.process
        and old.address == sight.address
    )
    since = old.since if same and old is not None else sight.at
    return Proof("connections", sight.connections, sight.address, since, sight.at)


def _unused(before: Known | None, sight: Sight) -> Moment | None:
    if sight.connections != 0 or sight.state is not ServiceState.RUNNING:
        return None
    same = before is not None and before.sight.process == sight.process
    old = before.unused if same and before is not None else None
    return sight.at if old is None else old


def judge(
    service: str, known: Known, points: Side | None, last: Switch | None, before: Attention | None
) -> Attention | None:
    """Return what of a service needs somebody, or None.

    Args:
        service: its name.
        known: what was seen of it.
        points: where its endpoint file points; None: it cannot be read.
        last: its last switch. While it goes on nothing is judged: what stood stands.
        before: what stood until now: its `since` is kept while it is the same.
    """
    if last is not None and not last.state.ended:
        return before
    found = _wrong(known, points, last)
    if found is None:
        return None
    code, facts = found
    params = {"service": service, **known.sight.facts, **facts}
    same = before is not None and before.code is code
    since = before.since if same and before is not None else _since(known, code)
    return Attention(service, code, params, since)


def _wrong(
    known: Known, points: Side | None, last: Switch | None
) -> tuple[AttentionCode, Facts] | None:
    sight = known.sight
    if sight.state.off:
        return _down(sight) if _wanted(sight, last) else None
    if known.crashed is not None:
        return AttentionCode.CRASH_LOOP, {"restarts": sight.restarts}
    if last is not None and last.state is SwitchState.FAILED and not _works(sight):
        return AttentionCode.UNDO_FAILED, {}
    if points is Side.LOCAL and sight.state in (ServiceState.RUNNING, ServiceState.UNKNOWN):
        return _unproven(known)
    return None


def _down(sight: Sight) -> tuple[AttentionCode, Facts]:
    """Why it does not run, as far as systemd knows."""
    if sight.state is ServiceState.MASKED:
        return AttentionCode.UNIT_MASKED, {}
    if sight.state is ServiceState.MISSING:
        return AttentionCode.UNIT_MISSING, {}
    if sight.condition:
        return AttentionCode.UNIT_CONDITION, {}
    if sight.result == "oom-kill":
        return AttentionCode.UNIT_OUT_OF_MEMORY, {}
    if sight.ended_by and sight.state is ServiceState.FAILED:
        return AttentionCode.UNIT_KILLED, {"signal": sight.ended_by}
    return AttentionCode.DOWN, {"result": sight.result} if sight.result else {}


def _wanted(sight: Sight, last: Switch | None) -> bool:
    """Whether it should run: a switch has started it, or systemd says that it failed.

    Who has stopped a unit and disabled it means it so, unless our last switch left it that way.
    """
    if last is not None and last.state is SwitchState.FAILED:
        return True
    if sight.state is ServiceState.FAILED:
        return True
    return last is not None and restarted(last) and sight.enabled is not False


def restarted(switch: Switch) -> bool:
    """Whether a switch got as far as to restart its service."""
    return any(
        step.key in (StepKey.RESTART, StepKey.UNDO_RESTART) and step.state is not StepState.NEXT
        for step in switch.steps
    )


def _works(sight: Sight) -> bool:
    """Whether a service whose undo failed is seen to work again."""
    return sight.answers if sight.answers is not None else sight.state is ServiceState.RUNNING


def _unproven(known: Known) -> tuple[AttentionCode, Facts] | None:
    sight = known.sight
    if sight.override is not None and known.proof is None:
        return AttentionCode.NOT_USED, {"variable": sight.override.variable,
                                        "by": sight.override.by}  # fmt: skip
    if sight.node is False:
        return AttentionCode.NODE_LOST, {}
    if sight.node_health in _OF_NODE:
        return _OF_NODE[sight.node_health], {}
    if known.unused is not None and sight.at - known.unused >= UNUSED:
        return AttentionCode.NOT_USED, {"to": sight.address}
    return None


def _since(known: Known, code: AttentionCode) -> Moment:
    sight = known.sight
    if code is AttentionCode.NOT_USED and known.unused is not None:
        return known.unused
    if code.of_node and sight.node_since is not None:
        return min(sight.node_since, sight.at)
    if sight.state.off and sight.since is not None:
        return min(sight.since, sight.at)
    return sight.at
