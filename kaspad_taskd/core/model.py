"""What is watched and how (Definition), and the living record of it (Task).

Moments are integers: milliseconds since 1970 UTC, by the daemon's steady clock (`clock.py`). Spans
of a definition are seconds. Both classes are immutable; a change is a new object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Condition, Hint, Json, Scalar
from kaspad_taskd.core.reason import EtaReason, Reason

Moment: TypeAlias = int
"""Milliseconds since 1970-01-01 UTC."""


class Status(StrEnum):
    """The lifecycle of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    PAUSED = "paused"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def live(self) -> bool:
        """Whether the task has not ended."""
        return self in LIVE


LIVE = frozenset({Status.PENDING, Status.IN_PROGRESS, Status.PAUSED})
TERMINAL = frozenset(Status) - LIVE


class Health(StrEnum):
    """How the watched service is, apart from the lifecycle."""

    UNKNOWN = "unknown"
    OK = "ok"
    BEHIND = "behind"  # of what is kept watch on: it was in sync, and is not any more
    STALLED = "stalled"
    UNREACHABLE = "unreachable"


TROUBLE = (Health.BEHIND, Health.STALLED, Health.UNREACHABLE)
"""From bad to worse: behind, it still comes nearer; stalled, it does not; unreachable, it is of no
use to anybody, and how far behind it is nobody knows."""


class Watch(StrEnum):
    """Whether looks go on at a complete task."""

    NONE = "none"
    ON = "on"
    PAUSED = "paused"


class Origin(StrEnum):
    """Who wrote the definition: the package, a program over an API, the administrator."""

    VENDOR = "vendor"
    API = "api"
    ADMIN = "admin"


WATCHED_TYPES = frozenset({"node-sync", "indexer-sync"})
"""Types that are kept watch on unless their definition says otherwise."""


@frozen
class OnComplete:
    """A command to run, at least once, after a task has completed (no shell)."""

    command: tuple[str, ...]


@frozen
class Definition:
    """What to watch and how.

    Attributes:
        id: unique; `[A-Za-z0-9][A-Za-z0-9._-]*`, up to 100 characters.
        type: "node-sync", "report", ...: which probe reads `checker`.
        service: what is watched, in people's words; same alphabet, up to 64.
        interval: seconds from the end of a look to the next.
        timeout: seconds that a look may take.
        confirmations: complete looks in a row that make the task complete.
        stall_after: seconds without movement after which it counts as stalled.
        give_up_after: seconds without movement after which it fails, or None for never.
        after: ids of tasks that must be complete before this one starts.
        start: False keeps it pending until somebody starts it.
        keep_watching: whether looks go on when it is complete.
        watch_interval: seconds between two of these looks; never less than `interval`.
        behind_after: seconds that what is watched may be not in sync before it counts as behind.
        relapse_after: seconds of work, by scores, beyond which a new download is another attempt.
        auto_switch: whether the services of a completed node are switched to it.
        checker: the probe's own table, checked and with its defaults filled in, as it is shown.
        endpoint: what is asked, without secrets, or None.
        on_complete: what to run then, or None.
        origin: who wrote it.
    """

    id: str
    type: str
    service: str
    interval: float = 10.0
    timeout: float = 5.0
    confirmations: int = 2
    stall_after: float = 600.0
    give_up_after: float | None = None
    after: tuple[str, ...] = ()
    start: bool = True
    auto_switch: bool = True
    keep_watching: bool = False
    watch_interval: float = 30.0
    behind_after: float = 120.0
    relapse_after: float = 3600.0
    checker: Mapping[str, Json] = field(default_factory=dict)
    endpoint: str | None = None
    on_complete: OnComplete | None = None
    origin: Origin = Origin.ADMIN

    def same_work(self, other: Definition) -> bool:
        """Whether both watch the same thing (what differs is pace, patience, reactions)."""
        return (self.type, self.service, self.checker) == (other.type, other.service, other.checker)


@frozen
class Samples:
    """Readings as the estimator keeps them, oldest first: in rows, for numbers are no garbage.

    Attributes:
        moments: milliseconds of moving time since the window began: standstills hardly count.
        positions: where the work was, absolute.
    """

    moments: tuple[int, ...] = ()
    positions: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.moments)


@frozen
class Window:
    """At most 20 thinned samples of the current phase, and the last rate of each phase.

    Attributes:
        phase: whose samples these are.
        samples: oldest first.
        rates: units a second by phase key, of this epoch; the current phase's own comes first
            from the samples and stands here once it is left.
        seen_at: the last look's moment, None after a break (a restart, an unreachable service):
            what happened meanwhile then tells no rate.
        moved_at: the moment of the last sample.
        apart: ms that movements usually are apart, 0 while unknown.
        left_at: amid a break, the moment of the last look before it, None where nothing tells it.
        between: the last look found a round over, and the next one not yet moving.
        sure: the samples tell a rate: they agreed once, or became many.
    """

    phase: str | None = None
    samples: Samples = Samples()
    rates: Mapping[str, float] = field(default_factory=dict)
    seen_at: Moment | None = None
    moved_at: Moment | None = None
    apart: int = 0
    left_at: Moment | None = None
    between: bool = False
    sure: bool = False


@frozen
class Walked:
    """One leg of what lies ahead: `amount` units of a phase at `rate` a second."""

    phase: str
    amount: float
    rate: float


@frozen
class Walk:
    """How a time left was reckoned.

    Attributes:
        legs: this pass, leg by leg, those with something left to do.
        grown: units that lie beyond this pass by the time it is over.
        pace: units a second at which these go through all that they have to go through.
        drift: the target's own speed meanwhile, units a second.
        pause: seconds in which nothing moves.
    """

    legs: tuple[Walked, ...] = ()
    grown: float = 0.0
    pace: float | None = None
    drift: float = 0.0
    pause: float = 0.0

    @property
    def seconds(self) -> float:
        """The time that all of it takes."""
        first = sum([each.amount / each.rate for each in self.legs])
        rest = 0.0 if self.pace is None else self.grown / (self.pace - self.drift)
        return first + rest + self.pause


@frozen
class PhaseRecord:
    """One phase of the way, as it is shown."""

    key: str
    state: str  # done, current or next
    weight: float
    progress: float | None = None  # percent of the phase, None where it cannot be known
    basis: str = "unknown"
    started_at: Moment | None = None
    ended_at: Moment | None = None


@frozen
class Detail:
    """The current phase in numbers: done of total (None where unknown), from the phase's start."""

    done: float
    total: float | None
    unit: str | None
    basis: str


@frozen
class Epoch:
    """How often data was lost and the way began anew: number 1 is the first way."""

    number: int = 1
    since: Moment | None = None
    reason: str | None = None


@frozen
class Failure:
    """Why a task is in error: a reason with what its sentence needs, or somebody's own text."""

    reason: Reason
    params: Mapping[str, Scalar] = field(default_factory=dict)
    text: str | None = None


@frozen
class Live:
    """What the newest look brought that need not be on disk before it is shown."""

    last_checked: Moment | None = None
    last_update: Moment | None = None
    last_moved: Moment | None = None
    read_at: Moment | None = None  # the newest reading: what follows here is of then
    position: float | None = None
    target: float | None = None
    shown: tuple[float, float] | None = None
    detail: Detail | None = None
    floor: float | None = None  # the share of the phase (0 to 1), where not from `detail`
    behind: float | None = None
    rate: float | None = None
    eta: float | None = None
    eta_reason: EtaReason | None = EtaReason.NOT_RUNNING
    walk: Walk | None = None  # how `eta` was reckoned
    hints: tuple[Hint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    params: Mapping[str, Scalar] = field(default_factory=dict)
    window: Window = Window()
    memory: Mapping[str, Json] = field(default_factory=dict)
    reached: Mapping[str, float] = field(default_factory=dict)  # by counter, in this epoch
    entered: tuple[str, ...] = ()  # phases of this pass
    misses: int = 0  # unreachable looks in a row: the backoff
    refusals: int = 0  # refused looks in a row
    refused_since: Moment | None = None  # the first of them
    answered: str | None = None  # the endpoint that once gave a good answer
    patient_since: Moment | None = None  # stalling is measured from here
    persistent_since: Moment | None = None  # giving up is measured from here
    progressed_at: Moment | None = None  # the last time progress was taken
    newest: str | None = None  # on watch: the newest that it has, as of `patient_since`
    paced: tuple[float, Moment] | None = None  # on watch: a score and its moment, for the pace
    good: int = 0  # on watch: good looks in a row
    bad_since: Moment | None = None  # on watch: the first look that was none, until it is well
    clock_off: bool = False  # on watch: the clock was wrong when anything told of it last
    lost: str | None = None  # on watch: why data was lost, until the next attempt


@frozen
class Task:
    """The living record of a definition.

    `revision` grows by one with each change of a durable field (all but `live`).
    `percent` is the share of the whole way known to be done, one decimal, rounded down; it never
    falls within an attempt's epoch, and is 100 only when complete.

    What is kept watch on is complete: `watch` says whether looks go on, `watched_since` when the
    first good one was (None: there was none yet, and nothing is troubled or told).
    `because` says why this attempt began by itself, `relapsed_at` when one did so last.
    `proven`: looks made it complete, not somebody's word.
    """

    definition: Definition
    created_at: Moment
    number: int = 0  # order of registration
    status: Status = Status.PENDING
    health: Health = Health.UNKNOWN
    health_since: Moment | None = None
    reason: Reason | None = None
    waiting_for: tuple[str, ...] = ()
    percent: float = 0.0
    basis: str = "unknown"
    phase: str | None = None
    phases: tuple[PhaseRecord, ...] = ()
    pass_number: int = 1
    confirmed: int = 0
    epoch: Epoch = Epoch()
    started_at: Moment | None = None
    ended_at: Moment | None = None
    failure: Failure | None = None
    attempt: int = 1
    proven: bool = False
    watch: Watch = Watch.NONE
    watched_since: Moment | None = None
    because: str | None = None
    relapsed_at: Moment | None = None
    revision: int = 1
    live: Live = Live()

    @property
    def id(self) -> str:
        """The definition's id."""
        return self.definition.id

    @property
    def watched(self) -> bool:
        """Whether looks are taken at it: it is in progress, or complete and on watch."""
        return self.status is Status.IN_PROGRESS or self.watch is Watch.ON

    @property
    def open(self) -> bool:
        """Whether there is more to come of it: it is live, or its watch is on or paused."""
        return self.status.live or self.watch is not Watch.NONE
