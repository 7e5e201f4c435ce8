"""Looks at services: how their units are, all of them with one question to systemd."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic, time
from typing import Final

from kaspad_taskd.config.switched import Compose, SwitchedService, Unit
from kaspad_taskd.core.attention import ServiceState, Sight
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.switch import Facts, SwitchReason
from kaspad_taskd.switching import proving
from kaspad_taskd.switching.proving import Prover
from kaspad_taskd.switching.units import NoSystemd, Systemd

PROPERTIES: Final = (
    "ActiveState", "SubState", "LoadState", "UnitFileState", "Result", "ExecMainCode",
    "ExecMainStatus", "ConditionResult", "ConditionTimestampMonotonic", "InvocationID",
    "NRestarts", "StateChangeTimestampMonotonic", "Job",
)  # fmt: skip
"""What is asked of a unit: all of it systemd has in memory."""
ENDING: Final = (
    "Result", "ExecMainCode", "ExecMainStatus", "ConditionResult", "ConditionTimestampMonotonic"
)  # fmt: skip
"""What tells how a unit ended."""
BY_USER: Final[Facts] = {"systemctl": "systemctl --user", "journalctl": "journalctl --user"}
"""What is to be typed where the units are a user's own."""
_STATES: Final = {
    "active": ServiceState.RUNNING, "reloading": ServiceState.RUNNING,
    "refreshing": ServiceState.RUNNING, "activating": ServiceState.STARTING,
    "deactivating": ServiceState.STOPPING, "inactive": ServiceState.DOWN,
    "failed": ServiceState.FAILED,
}  # fmt: skip
_KILLED: Final = ("2", "3", "killed", "dumped")
_BY_SIGNAL: Final = ("signal", "core-dump")
_OFF_BY_HAND: Final = ("disabled", "masked", "masked-runtime")


class Eyes:
    """Sees services.

    Args:
        systemd: tells of their units.
        now: this moment, ms since 1970 UTC.
        prover: sees whether they use the local node.
    """

    def __init__(self, systemd: Systemd, now: Callable[[], Moment], prover: Prover) -> None:
        self._systemd = systemd
        self._now = now
        self._prover = prover

    async def look(
        self, services: Mapping[str, SwitchedService], local: Collection[str]
    ) -> Mapping[str, Sight]:
        """Return what is seen of each; never fails: what cannot be seen is unknown.

        `local`: those that point to the local node, of which it is seen whether they use it.
        """
        units = {each.runs_as.name for each in services.values() if isinstance(each.runs_as, Unit)}
        try:
            shown = await self._shown(sorted(units))
        except NoSystemd:
            shown = {}
        now = self._now()
        found = {}
        for name, declared in services.items():
            facts = whom(name, declared, user=self._systemd.user)
            runs_as = declared.runs_as
            known = shown.get(runs_as.name) if isinstance(runs_as, Unit) else None
            found[name] = Sight(now, facts=facts) if known is None else sight(known, now, facts)
        ours = {
            name: declared
            for name, declared in services.items()
            if name in local and _unit(declared) in shown
        }
        return {**found, **await self._prover.prove(ours, shown, found)}

    async def _shown(self, units: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        wanted = (*PROPERTIES, *proving.PROPERTIES)
        return await self._systemd.show_all(units, *wanted) if units else {}


def _unit(declared: SwitchedService) -> str | None:
    return declared.runs_as.name if isinstance(declared.runs_as, Unit) else None


def whom(service: str, declared: SwitchedService, *, user: bool) -> Facts:
    """What sentences about a service call it, and what runs it; `user`: a user's own systemd."""
    runs_as, by = declared.runs_as, BY_USER if user else {}
    if isinstance(runs_as, Compose):
        named = {"container": runs_as.service, "project": runs_as.project}
        return {"service": service, **named, **by}
    return {"service": service, "unit": runs_as.name, **by}


def sight(shown: Mapping[str, str], now: Moment, facts: Facts) -> Sight:
    """Return what a unit's properties tell; `now` is when they were asked for."""
    state = _state(shown)
    changed = _number(shown["StateChangeTimestampMonotonic"]) / 1e6
    checked = _number(shown["ConditionTimestampMonotonic"]) > 0
    return Sight(
        now,
        state,
        min(now, int(wall_ms(changed))) if changed else None,
        process=shown["InvocationID"],
        restarts=_number(shown["NRestarts"]),
        enabled=shown["UnitFileState"] not in _OFF_BY_HAND if shown["UnitFileState"] else None,
        result="" if shown["Result"] == "success" else shown["Result"],
        ended_by=_signal(shown),
        condition=state is ServiceState.DOWN and checked and shown["ConditionResult"] == "no",
        facts=facts,
    )


def ending(shown: Mapping[str, str]) -> tuple[SwitchReason, Facts]:
    """Return why a unit that was just started does not run, by ENDING and its ActiveState."""
    checked = _number(shown["ConditionTimestampMonotonic"]) > 0
    if shown["ActiveState"] == "inactive" and checked and shown["ConditionResult"] == "no":
        return SwitchReason.UNIT_CONDITION, {}
    if shown["Result"] == "oom-kill":
        return SwitchReason.UNIT_OUT_OF_MEMORY, {}
    killed = _signal(shown)
    if killed:
        return SwitchReason.UNIT_KILLED, {"signal": killed}
    return SwitchReason.SERVICE_DIED, {}


def _state(shown: Mapping[str, str]) -> ServiceState:
    state = _STATES.get(shown["ActiveState"], ServiceState.UNKNOWN)
    if state.off and _number(shown["Job"]):  # its start is queued: at boot, or behind another one
        return ServiceState.STARTING
    if state.off and shown["LoadState"] == "masked":
        return ServiceState.MASKED
    if state.off and shown["LoadState"] == "not-found":
        return ServiceState.MISSING
    if state is ServiceState.STARTING and shown["SubState"].startswith("auto-restart"):
        return ServiceState.RESTARTING
    return state


def _signal(shown: Mapping[str, str]) -> str:
    """The name of the signal that ended a unit, "" where none did."""
    if shown["ExecMainCode"] not in _KILLED or shown["Result"] not in _BY_SIGNAL:
        return ""
    try:
        return signal.Signals(_number(shown["ExecMainStatus"])).name
    except ValueError:
        return f"signal {_number(shown['ExecMainStatus'])}"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def now_ms() -> Moment:
    """This moment by the wall clock, ms since 1970 UTC."""
    return int(time() * 1000)


def wall_ms(at: float) -> float:
    """A moment of the monotonic clock, in seconds, by the wall clock, in ms."""
    return (time() - monotonic() + at) * 1000
