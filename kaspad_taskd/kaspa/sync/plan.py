"""The phases that a download needs, in order, with their share of the whole way.

The weights are shares of time as an ordinary host on mainnet spends it, roughly; they make the
whole bar an estimate, and its basis says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from kaspad_taskd.core.observation import PlannedPhase
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.phase import FIRST, STATE
from kaspad_taskd.kaspa.sync.reading import NodeReading

WEIGHTS: Mapping[str, float] = {
    "proof": 8,
    "headers": 20,
    "proof_or_headers": 28,
    "trusted_bodies": 3,
    "smt": 3,
    "utxo": 12,
    "state_download": 15,
    "utxoindex": 8,
    "blocks": 54,
}
"""Relative; what is not here weighs 1."""


def plan(memory: Memory, look: NodeReading, phase: str, has_log: bool) -> tuple[PlannedPhase, ...]:
    """Return the phases of this kind of download; `phase` is always among them."""
    keys = [phase if phase in FIRST else "connecting"]
    kind = memory.kind
    if kind == "proof" or phase in ("proof", "proof_or_headers"):
        keys += _headers_by_proof(look, phase)
    else:
        keys.append("headers")
    if kind in ("proof", "catchup") or phase in STATE or phase == "utxoindex":
        keys += _state(phase, has_log)
        if look.has_utxo_index or phase == "utxoindex":
            keys.append("utxoindex")
    keys += ["blocks", "confirming"]
    return tuple(PlannedPhase(key, WEIGHTS.get(key, 1)) for key in keys)


def _headers_by_proof(look: NodeReading, phase: str) -> list[str]:
    told_apart = look.header_counts is not None or phase in ("proof", "headers")
    if told_apart and phase != "proof_or_headers":
        return ["proof", "headers"]
    return ["proof_or_headers"]


def _state(phase: str, has_log: bool) -> list[str]:
    """The log tells lanes from entries; the RPC shows one download."""
    if phase == "state_download" or (not has_log and phase not in STATE):
        return ["state_download"]
    return ["trusted_bodies" if phase == "trusted_bodies" else "smt", "utxo"]
