"""What is put on record: a change, its outcome, and what a start finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.ageing import SureTime
from kaspad_taskd.core.fact import Event, Fact
from kaspad_taskd.core.incidents import Incident
from kaspad_taskd.core.model import Moment, Task
from kaspad_taskd.core.observation import Json
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.core.warning import StandingWarning
from kaspad_taskd.core.watch_record import Tally, WatchRecord

SWITCHES_KEPT = 256
"""The newest switches are kept, running ones always among them: one a service at a time."""


@frozen
class HistoryPoint:
    """How a task was at one time: percent, done (of the phase), units a second, health."""

    task_id: str
    at: Moment
    progress: float
    done: float | None
    rate: float | None
    health: str


@frozen
class Decision:
    """Somebody's choice, and what was known then."""

    id: int
    at: Moment
    decision: str
    context: Json


@frozen
class Change:
    """What is committed together or not at all.

    Attributes:
        put: tasks to insert or replace, whole, by id.
        remove: ids of tasks to delete, with their history.
        facts: to journal, in order; each gets the next `seq`.
        points: history to add.
        decisions: to add; their `id` is ignored, the store numbers them.
        cursors: how far a follower of the journal has come, by its name.
        switches: to insert or replace, whole, by id.
        warnings: to insert or replace, whole, by id.
        sure: the account of time, to replace.
        backup: when a backup was made, ms since 1970 UTC.
        marks: what holds of a service by its name, since when, `hold/NAME`; None: not any more.
        tallies: what was counted of what is kept watch on, to add to minutes and hours.
        records: of what is kept watch on, to insert or replace, whole, by task.
        incidents: to insert or replace, whole, by id.
        forget: tasks whose record and incidents are to be deleted.
    """

    put: tuple[Task, ...] = ()
    remove: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    points: tuple[HistoryPoint, ...] = ()
    decisions: tuple[Decision, ...] = ()
    cursors: Mapping[str, int] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()
    warnings: tuple[StandingWarning, ...] = ()
    sure: SureTime | None = None
    backup: Moment | None = None
    marks: Mapping[str, Moment | None] = field(default_factory=dict)
    tallies: tuple[Tally, ...] = ()
    records: tuple[WatchRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()
    forget: tuple[str, ...] = ()


@frozen
class Outcome:
    """What became of a change: its events and decisions (with their numbers), or a fault."""

    change: Change
    events: tuple[Event, ...] = ()
    decisions: tuple[Decision, ...] = ()
    fault: str | None = None  # a sentence: why it is not durable


@frozen
class Repair:
    """What a start had to mend: the state was damaged, or had lost what was told, or was gone.

    Attributes:
        path: of the state.
        why: what was wrong with it, in technical words.
        aside: where it is now, or None: there was none.
        tasks: how many there are after it.
        copied: how many of them the second record of statuses gave.
        events: how many were saved.
        missing: how many that were told are lost, or None: nobody knows how many.
        decisions: how many were saved.
        dropped: rows and parts of the file that could not be read.
    """

    path: str
    why: str
    aside: str | None
    tasks: int
    copied: int
    events: int
    missing: int | None
    decisions: int
    dropped: int


@frozen
class Loaded:
    """What a start finds.

    Attributes:
        tasks: in order of registration.
        seq: of the last event ever journalled, 0 for none.
        oldest: `seq` of the oldest event still kept, or seq + 1 where none is.
        cursors: of the followers that keep theirs in the store.
        repaired: what was mended, or None.
        problem: why nothing can be written (a sentence): what was loaded can be read, or None.
        switches: those kept, by id.
        warnings: those kept, by id.
        journal: the journal's identity, random hexadecimal digits: another one as soon as numbers
            that were told may be missing or mean something else.
        sure: the account of time, None: there is none yet.
        backup: when the last backup was made, or None: none is known.
        newest: when the last event kept was, ms since 1970 UTC, 0 for none.
        marks: those that hold, by name.
        records: of what is, or was, kept watch on.
        incidents: those that last.
        incident: the number of the newest incident ever, 0 for none.
    """

    tasks: tuple[Task, ...] = ()
    seq: int = 0
    oldest: int = 1
    cursors: Mapping[str, int] = field(default_factory=dict)
    repaired: Repair | None = None
    switches: tuple[Switch, ...] = ()
    warnings: tuple[StandingWarning, ...] = ()
    journal: str = ""
    problem: str | None = None
    sure: SureTime | None = None
    newest: Moment = 0
    backup: Moment | None = None
    marks: Mapping[str, Moment] = field(default_factory=dict)
    records: tuple[WatchRecord, ...] = ()
    incidents: tuple[Incident, ...] = ()
    incident: int = 0
