"""What one look at a watched service brought back: a Reading, Unreachable or Refused.

Probes make these, `core.transition.step` judges them. Nothing here knows how they were got.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.reason import EtaReason, Reason

Json: TypeAlias = Any
"""A value that JSON can say: None, bool, int, float, str, list or dict of these."""

Scalar: TypeAlias = bool | int | float | str


@frozen
class Hint:
    """A likely cause with a cure: a code of the closed list and what its sentence needs."""

    code: str
    params: Mapping[str, Scalar] = field(default_factory=dict)


@frozen
class PlannedPhase:
    """A phase that this pass needs, and its share of the whole way (weights are relative)."""

    key: str
    weight: float = 1.0


@frozen
class Leg:
    """Work that lies ahead in one phase: `amount` units at that phase's own rate."""

    phase: str
    amount: float


@frozen
class Route:
    """What lies ahead, where one rate does not tell it: the legs of this pass, then what grew.

    Attributes:
        legs: this pass, in order; each is walked at the rate of its phase.
        backlog: units beyond this pass that exist already.
        round: the phases that every further unit has to go through (a node: headers, blocks).
        rates: units a second by phase, as the probe measured them itself; used for phases that
            the task's own window has no rate of.
        pause: seconds before each further round in which nothing moves.
        near: the end is reached so many units before the target (a node that follows is no nearer).
    """

    legs: tuple[Leg, ...]
    backlog: float = 0.0
    round: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    pause: float = 0.0
    near: float = 0.0


@frozen
class Condition:
    """One of the things that all have to hold for a look to be complete, or to count as proof.

    Attributes:
        key: which, of the probe's own closed list; its sentence is in `words`.
        holds: whether it does.
        value: what was found, None where nothing tells it.
        limit: what it is held against, None where it is a matter of yes or no.
    """

    key: str
    holds: bool
    value: Scalar | None = None
    limit: Scalar | None = None


@frozen
class Done:
    """How much of the phase under way is done, as movement is told from.

    Attributes:
        counter: which counter this is; values of different ones are never compared, so work that
            really begins anew (staged headers after a loss) is counted under a name of its own.
        value: grows with the work.
    """

    counter: str
    value: float


@frozen
class Disk:
    """The file system that holds what is watched, as `core.runway` knows it.

    Attributes:
        free: bytes that may still be written, None where it cannot be seen.
        total: its bytes, None likewise.
        growth: bytes a second that it fills, 0 where it does not, None where that is not known.
        seconds: until it is full at that growth, None where that is not known well enough.
        inodes: files that may still be made, where these are what runs out.
        low: nothing is left, or little, and that becomes less.
        nearly: that was so, or all but.
    """

    free: int | None = None
    total: int | None = None
    growth: float | None = None
    seconds: float | None = None
    inodes: int | None = None
    low: bool = False
    nearly: bool = False


@frozen
class Following:
    """What keeping watch has to know of one that follows something without an end.

    Attributes:
        newest: a name of the newest that it has: the same at two looks, and nothing came.
        score: where that is, or None.
        pace: by how much the score of all others rises a second.
        joined: others are there, and what comes is what they have just made: no download.
        lacks: seconds of their work that it lacks while it downloads, by scores alone; None where
            it downloads nothing, or nothing tells.
        clock_off: whether this host's clock is known to be wrong, so that no age says anything;
            None where nothing tells: it is then as it was.
    """

    newest: str
    score: float | None = None
    pace: float = 0.0
    joined: bool = False
    lacks: float | None = None
    clock_off: bool | None = False


@frozen
class Reading:
    """An answer.

    Attributes:
        complete: this look says that the work is done.
        settled: complete looks up to this one prove it. False: so many of them would not yet (they
            lie within what may be a pause), however few confirmations are asked for.
        phase: key of the current phase, of `plan`; None where there are no phases.
        plan: the phases that this pass needs, in order.
        pass_number: 1, 2, ...: the network moved on meanwhile and the rest is fetched.
        position: where the work is, absolute (a node: DAA score), or None.
        start: the position at which the current phase began.
        target: where the work has to get, absolute; None where no total is known.
        drift: the target's own speed, units a second (a node's: 10).
        unit: what is counted: "blocks", "headers", "rows".
        basis: "exact", "estimated" or "unknown": how far position and target can be trusted.
        floor: a share of the current phase (0 to 1) known by other means, for a phase whose
            position does not tell (a log's percent); position and target are then shown, not used.
        route: for the time left, where position, target and one rate do not suffice.
        behind: seconds that the service is behind the present, or None.
        done: what movement is told from, where that is not the position in this phase.
        at_work: the witness of a phase that has no done: whether work was seen since the last
            look; None where nothing can show it.
        epoch: why data was lost since the last look (a closed word, `db-reset`...), else None.
        eta_reason: why there is no time left in this phase, where there can be none.
        reason: something to say about a service that does answer (`no-peers`), else None.
        params: what the sentence of `reason` needs.
        hints: likely causes of what is wrong, with a cure.
        conditions: what `complete` and `settled` were made of, for who asks why: all of them hold
            exactly where both are so.
        shown: the current and target block as the wizard shows them, where these differ from
            position and target.
        following: for keeping watch; None where a standstill means nothing.
        metadata: named facts for people and programs; numbers, booleans, short strings.
        memory: what the probe wants back at its next look (JSON, at most 4 KiB).
        disk: where its data is, None where nobody looked.
    """

    complete: bool = False
    settled: bool = True
    phase: str | None = None
    plan: tuple[PlannedPhase, ...] = ()
    pass_number: int = 1
    position: float | None = None
    start: float | None = None
    target: float | None = None
    drift: float = 0.0
    unit: str | None = None
    basis: str = "unknown"
    floor: float | None = None
    route: Route | None = None
    behind: float | None = None
    done: Done | None = None
    at_work: bool | None = None
    epoch: str | None = None
    eta_reason: EtaReason | None = None
    reason: Reason | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    shown: tuple[float, float] | None = None
    following: Following | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    memory: Mapping[str, Json] = field(default_factory=dict)
    disk: Disk | None = None


def deciding(reading: Reading) -> tuple[Condition, ...]:
    """Return the conditions that decided on a reading: they hold together as it says.

    A probe that tells none, or such as did not decide, is known by its word alone.
    """
    proven = reading.complete and reading.settled
    if reading.conditions and proven == all(each.holds for each in reading.conditions):
        return reading.conditions
    word = Condition("says-complete", reading.complete)
    return (word,) if reading.settled else (word, Condition("settled", False))


@frozen
class Unreachable:
    """No usable answer: refused, timed out, ended, busy. Health, never failure.

    `memory` None leaves the probe's memory as it was; `disk` is as a Reading's.
    """

    reason: Reason
    params: Mapping[str, Scalar] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    memory: Mapping[str, Json] | None = None
    disk: Disk | None = None


@frozen
class Refused:
    """An answer that cannot become success: another network, credentials rejected, a failure.

    `metadata` None leaves the facts as they were.
    """

    reason: Reason
    params: Mapping[str, Scalar] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    metadata: Mapping[str, Scalar] | None = None


Observation: TypeAlias = Reading | Unreachable | Refused
