"""Services and switches as the wire has them, made by the real rules at one moment.

The moment is that of the golden files: 2026-11-23 14:12:09 UTC.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaspad_taskd.api.switches import service_shape, switch_shape
from kaspad_taskd.config.switched import Compose
from kaspad_taskd.core.fallback import Verdict, Why
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Side, Switch, SwitchReason
from kaspad_taskd.switching import plan
from kaspad_taskd.switching.endpoint import Pointing
from kaspad_taskd.switching.falling import State
from tests.fakes.hands import service as declared

NOW = 1_795_443_129_000
NODE = "node-sync-kaspa-node"
FILE = "/var/lib/kaspad-taskd-endpoints/kasia-indexer.env"
UNIT = "kasia-indexer.service"
DID: dict[str, dict[str, Any]] = {
    "check": {"ports": "17110", "network": "mainnet"},
    "endpoint": {"file": FILE},
    "restart": {"unit": UNIT},
    "verify": {"task": "indexer-sync-kasia-indexer"},
    "undo-endpoint": {"file": FILE},
    "undo-restart": {"unit": UNIT},
}
TOOK = {"check": 400, "endpoint": 30, "restart": 2100, "verify": 12_000,
        "undo-endpoint": 20, "undo-restart": 3000}  # fmt: skip
"""Milliseconds of each step."""
NO_ANSWER: dict[str, Any] = {"address": "127.0.0.1:3002", "within": 120, "unit": UNIT}


def switch(
    steps: int = 0, *, to: Side = Side.LOCAL, service: str = "kasia-indexer", number: int = 7,
    by_node: bool = False, ago: int = 20_000,
) -> Switch:  # fmt: skip
    """A switch after so many steps that went well; it began `ago` ms before the moment."""
    cause = {"task_id": NODE, "cause": 1041} if by_node else {}
    made = plan.begin(number, service, to, to.other, NOW - ago, **cause)  # type: ignore[arg-type]
    for _ in range(steps):
        made = on(made)
    return made


def on(made: Switch) -> Switch:
    """The switch after its next step went well."""
    at = made.current
    assert at is not None
    assert at.started_at is not None
    return plan.passed(made, at.started_at + TOOK[at.key], DID[at.key])


def no(
    made: Switch, reason: SwitchReason = SwitchReason.NO_ANSWER, took: int = 120_000, **facts: Any
) -> Switch:
    """The switch after its next step failed."""
    at = made.current
    assert at is not None
    assert at.started_at is not None
    known = {**NO_ANSWER, "service": made.service, **facts}
    return plan.failed(made, at.started_at + took, reason, known, touched=True)


def undone() -> Switch:
    """Not verified on the local node, and put back."""
    return on(on(no(switch(3, ago=200_000))))


def failed() -> Switch:
    """Not verified on the local node, and not to be restarted on the public one."""
    return no(on(no(switch(3, ago=200_000))), SwitchReason.RESTART_FAILED, 5000)


def service(
    last: Switch | None = None, points: Side | None = None, hints: tuple[Hint, ...] = (),
    name: str = "kasia-indexer", compose: bool = False, state: State | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A service as `getServices` tells it; it points where its last switch has left it."""
    where = points or _points(last)
    since = None if last is None else last.started_at
    more: dict[str, Any] = {}
    if compose:
        more = {"runs_as": Compose("kaspa", Path("/srv/kaspa/compose.yml"), name)}
    if state is not None:
        more["fallback"] = "public"
    pointing = Pointing(where, since)
    return service_shape(name, declared(**more), pointing, hints, last, NODE, fallback=state)


BEHIND: dict[str, Any] = {"health": "behind", "behind": 840.0, "since": NOW - 1_000_000}
"""How a node stands that a service leaves."""


def fallen(why: Why | None = None, left: int | None = None, **facts: Any) -> dict[str, Any]:
    """A service that a fallback brought to the public node an hour ago."""
    fell = plan.begin(
        9, "kasia-indexer", Side.PUBLIC, Side.LOCAL, NOW - 3_600_000, by="fallback", task_id=NODE,
        because=BEHIND,
    )  # fmt: skip
    for _ in range(4):
        fell = on(fell)
    verdict = Verdict(why=why, left=left, facts=facts)
    return service(fell, state=State(verdict, 1, fell))


def staying(why: Why, left: int | None = None, **facts: Any) -> dict[str, Any]:
    """A service on the local node, which is behind."""
    state = State(Verdict(why=why, left=left, facts=facts), 0, None)
    return service(switch(4, ago=90_000_000), state=state)


def _points(last: Switch | None) -> Side:
    if last is None:
        return Side.PUBLIC
    touched = any(each.key == "endpoint" and each.ended_at for each in last.steps)
    back = any(each.key == "undo-endpoint" and each.ended_at for each in last.steps)
    return last.to if touched and not back else last.to.other


BORSH = Hint("borsh-closed", {"port": 17110, "address": "127.0.0.1:17110"})
LOST = Hint("node-unreachable", {"address": "grpc://localhost:16110"})
CHECKPOINT = Hint("checkpoint-missing", {"name": "block_checkpoint"})


def wire(made: Switch) -> dict[str, Any]:
    """Its public form."""
    return switch_shape(made)
