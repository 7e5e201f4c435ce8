"""The record of a switch: a service on its way to the local or the public node, and how it ended.

How it goes on is decided in `switching.plan`; what each step does is done in `switching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from enum import StrEnum
from typing import Any, TypeAlias

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.observation import Json, Scalar

Facts: TypeAlias = Mapping[str, Scalar]
"""What the sentence of a step or a reason is filled with; never a value of a variable."""


class Side(StrEnum):
    """Which node a service uses."""

    LOCAL = "local"
    PUBLIC = "public"

    @property
    def other(self) -> Side:
        """The other one."""
        return Side.PUBLIC if self is Side.LOCAL else Side.LOCAL


class SwitchState(StrEnum):
    """Where a switch is. `failed`: its undo failed too, so the service may be down."""

    RUNNING = "running"
    UNDOING = "undoing"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing follows any more."""
        return self in (SwitchState.DONE, SwitchState.UNDONE, SwitchState.FAILED)


class StepKey(StrEnum):
    """The steps of a switch, and of its undo."""

    CHECK = "check"
    ENDPOINT = "endpoint"
    RESTART = "restart"
    VERIFY = "verify"
    UNDO_ENDPOINT = "undo-endpoint"
    UNDO_RESTART = "undo-restart"


FORWARD = (StepKey.CHECK, StepKey.ENDPOINT, StepKey.RESTART, StepKey.VERIFY)
BACKWARD = (StepKey.UNDO_ENDPOINT, StepKey.UNDO_RESTART)


class StepState(StrEnum):
    """Where a step is."""

    NEXT = "next"
    CURRENT = "current"
    DONE = "done"
    FAILED = "failed"


class SwitchReason(StrEnum):
    """Why a switch, or one of its steps, did not succeed. Values may be added, none changes."""

    UNDECLARED = "undeclared"  # the settings do not name the service any more
    NODE_UNREACHABLE = "node-unreachable"
    NODE_NOT_SYNCED = "node-not-synced"
    NODE_WRONG_NETWORK = "node-wrong-network"
    ENDPOINT_CLOSED = "endpoint-closed"  # an address in `env` takes no WebSocket
    BORSH_CLOSED = "borsh-closed"  # the same, and it is a node's port for services
    CHECKPOINT_MISSING = "checkpoint-missing"  # the local node lacks the block it goes on from
    CHECKPOINT_UNKNOWN = "checkpoint-unknown"  # its database did not tell which
    CHECKPOINT_UNCHECKED = "checkpoint-unchecked"  # no database is named; stops no switch
    UNIT_MISSING = "unit-missing"
    UNIT_MASKED = "unit-masked"
    ENDPOINT_OVERRIDDEN = "endpoint-overridden"  # another value wins over it; stops no switch
    ENDPOINT_UNUSED = "endpoint-unused"  # the unit does not read the endpoint file
    HELPER_MISSING = "helper-missing"  # kaspad-taskd-switch@.service is not installed
    NO_RIGHTS = "no-rights"  # polkit refuses: its rule is not there
    NO_POLKIT = "no-polkit"
    NO_SYSTEMD = "no-systemd"
    SETTINGS_REFUSED = "settings-refused"  # root's helper does not trust or understand them
    ENDPOINT_UNWRITABLE = "endpoint-unwritable"
    RESTART_FAILED = "restart-failed"
    RESTART_TIMEOUT = "restart-timeout"
    NO_ANSWER = "no-answer"
    SERVICE_DIED = "service-died"
    UNIT_CONDITION = "unit-condition"  # it was not started: a condition of its unit is not met
    UNIT_KILLED = "unit-killed"  # a signal ended it
    UNIT_OUT_OF_MEMORY = "unit-out-of-memory"  # the kernel ended it for its memory
    SERVICE_WRONG_NETWORK = "service-wrong-network"
    SERVICE_REFUSED = "service-refused"  # its checker's answer cannot become success
    CHECKER_MISSING = "checker-missing"  # the task that `verify` names is not there
    NODE_LOST = "node-lost"  # ready when checked, not any more when verified
    OWN_LIMIT = "own-limit"  # kaspad-taskd itself may open no more files; nobody was asked
    CANCELLED = "cancelled"
    NOT_SAVED = "not-saved"  # the daemon's own disk takes no record of it
    FAULT = "fault"  # a fault of ours; the log has the incident


@frozen
class SwitchStep:
    """One step: `facts` fill its sentence, that of `reason` where it failed."""

    key: StepKey
    state: StepState = StepState.NEXT
    started_at: Moment | None = None
    ended_at: Moment | None = None
    reason: SwitchReason | None = None
    facts: Facts = field(default_factory=dict)


@frozen
class Switch:
    """One switch of one service.

    Attributes:
        id: 1, 2, ... over all services.
        service: its name in the settings.
        to: where it shall run.
        back: where its undo brings it, or None: it was there already, so there is no way back.
        started_at: moment of the first step.
        by: "user", "node-sync" or "fallback".
        task_id: the node-sync that caused it, or None.
        cause: `seq` of that task's completion, or None.
        steps: in order; those of the undo are added when it begins.
        reason: why it did not succeed: of the first step that failed, or the cancel.
        facts: of that reason.
        away: ms from the restart until it was seen to work again, there or back; None: not yet.
        because: how the local node stood that it leaves or comes back to, of a fallback.
    """

    id: int
    service: str
    to: Side
    back: Side | None
    started_at: Moment
    by: str = "user"
    task_id: str | None = None
    cause: int | None = None
    state: SwitchState = SwitchState.RUNNING
    steps: tuple[SwitchStep, ...] = ()
    ended_at: Moment | None = None
    reason: SwitchReason | None = None
    facts: Facts = field(default_factory=dict)
    away: int | None = None
    because: Facts = field(default_factory=dict)

    @property
    def current(self) -> SwitchStep | None:
        """The step that it is at, or None where it has ended."""
        return next((each for each in self.steps if each.state is StepState.CURRENT), None)


def document(switch: Switch) -> dict[str, Json]:
    """Return a switch as JSON, moments in ms."""
    shown = {each.name: getattr(switch, each.name) for each in fields(Switch)}
    steps = [
        {each.name: getattr(step, each.name) for each in fields(SwitchStep)}
        for step in switch.steps
    ]
    return {**shown, "facts": dict(switch.facts), "because": dict(switch.because),
            "steps": [{**step, "facts": dict(step["facts"])} for step in steps]}  # fmt: skip


def switch_of(given: Mapping[str, Json]) -> Switch:
    """Return the switch of a document; what this version does not know is ignored.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the document is damaged.
    """
    back = given.get("back")
    return replace(
        Switch(**_known(Switch, given)),
        to=Side(given["to"]),
        back=None if back is None else Side(back),
        state=SwitchState(given["state"]),
        reason=_reason(given.get("reason")),
        steps=tuple([_step(each) for each in given["steps"]]),
    )


def _step(given: Mapping[str, Json]) -> SwitchStep:
    return replace(
        SwitchStep(**_known(SwitchStep, given)),
        key=StepKey(given["key"]),
        state=StepState(given["state"]),
        reason=_reason(given.get("reason")),
    )


def _known(kind: type[Any], given: Mapping[str, Json]) -> dict[str, Any]:
    return {each.name: given[each.name] for each in fields(kind) if each.name in given}


def _reason(word: str | None) -> SwitchReason | None:
    """A reason of a later version is read as a fault of its own."""
    if word is None:
        return None
    try:
        return SwitchReason(word)
    except ValueError:
        return SwitchReason.FAULT
