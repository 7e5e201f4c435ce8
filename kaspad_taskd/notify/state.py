"""What the rules remember from one event to the next, and how it is kept as JSON.

Two clocks are in it. *Told* moments (`began`, `ended`) are the daemon's, as its events say them:
people read those. *Own* moments (`since`, `well`, `told`, `opened`) are this program's: they never
go back, over restarts too, and every span is measured by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify.change import Gone
from kaspad_taskd.notify.model import Item, Kind, Moment, Scalar

KEPT = 10_000
"""Troubles that are remembered for a rule; what comes beyond is counted, and the count is told."""
WAITING = 1_000
"""Things that wait to be told to those of a rule, likewise."""


@frozen
class Present:
    """Something that is bad now, whoever wants to know of it.

    Attributes:
        of: whom it is about, as in `Item`.
        name: of the task or service as people know it.
        labels: what patterns of a rule are held against: the task's id, the service.
        code: what is so.
        params: what its sentence is filled with.
        began: since when, told.
        since: likewise, own; None: it was bad, and whether it still is nobody knows.
    """

    of: str
    name: str
    labels: tuple[str, ...]
    code: str
    params: Mapping[str, Scalar]
    began: Moment
    since: Moment | None


@frozen
class Standing:
    """A trouble as one rule has it: all that came and went with less than `after` in between.

    Attributes:
        of: whom it is about, as in `Item`.
        name: of the task or service as people know it.
        code: what is so, or was so last.
        params: what its sentence is filled with.
        began: since when, told.
        since: when it became bad, own; None: it is not bad now, or nobody knows.
        spent: milliseconds for which it was bad before `since`.
        ended: when it became well, or nobody knew any more, told.
        well: when it became well, own.
        lost: since when nobody knows, own.
        count: how often it was bad.
        told: when it was told last, own; None: it was not.
        anew: whether it has become graver than what was told.
        labels: as of `Present`.
    """

    of: str
    name: str
    code: str
    params: Mapping[str, Scalar]
    began: Moment
    since: Moment | None = None
    spent: int = 0
    ended: Moment | None = None
    well: Moment | None = None
    lost: Moment | None = None
    count: int = 1
    told: Moment | None = None
    anew: bool = False
    labels: tuple[str, ...] = ()


@frozen
class Desk:
    """What is known and waits for those of one rule.

    Attributes:
        troubles: by `of`.
        items: what is to be told as it is, in order.
        opened: since when something waits to be told, own: `gather` counts from there.
        held: when the quiet hours end that it is in, by the clock of `tick`; None: it is in none.
        dropped: how much was not kept, for it was too much.
    """

    troubles: Mapping[str, Standing] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    opened: Moment | None = None
    held: Moment | None = None
    dropped: int = 0


@frozen
class State:
    """All that the rules remember. Nothing in it is a secret.

    Attributes:
        series: with a number it is the id of a message.
        number: of the last message.
        now: the latest own moment.
        offset: what own moments are ahead of the clock that `now` is given by.
        last: the newest time of the daemon's clock that was heard of; None: nothing was heard.
        present: what is bad now, by `of`.
        relapses: why each task that syncs again does so, by its id.
        disks: tasks in progress whose disk is measured, by id: the service.
        silent: since when the daemon does not answer, own; None: it does.
        contact: until when it was known what is so, where it does not answer, own.
        desks: by the name of the rule.
        drift: what the daemon's clock is behind the one of `now`, surely: it was set meanwhile.
        gone: who it is that does not answer, a `Gone`; it is told of unless it is BEYOND.
        skew: likewise, or the more that it seems to be where old events tell of a clock set back.
    """

    series: str
    number: int = 0
    now: Moment = 0
    offset: int = 0
    last: Moment | None = None
    present: Mapping[str, Present] = field(default_factory=dict)
    relapses: Mapping[str, str] = field(default_factory=dict)
    disks: Mapping[str, str] = field(default_factory=dict)
    silent: Moment | None = None
    contact: Moment = 0
    desks: Mapping[str, Desk] = field(default_factory=dict)
    drift: int = 0
    skew: int = 0
    gone: str = Gone.DAEMON


def first(series: str) -> State:
    """Return the state of a notifier that has never run; `series` is random and its own."""
    return State(series)


def encode(state: State) -> dict[str, Any]:
    """Return the state as JSON."""
    known = _plain(state)
    known["present"] = {of: _plain(each) for of, each in state.present.items()}
    known["desks"] = {name: _plain_desk(each) for name, each in state.desks.items()}
    return known


def decode(kept: Mapping[str, Any], shared: bool = True) -> State:
    """Return what `encode` made JSON of: the state of a life that begins.

    Its clock is the one that the daemon has by now, so what that was set by is no time that passed:
    where they share one; of another host's clock it stays known how far it is off.
    The daemon counts as silent since the last life: until `answers`, when all is heard.

    Raises:
        ValueError: it is none, or of another version.
    """
    try:
        state = State(**{**kept, "present": _present(kept), "desks": _desks(kept)})
        if shared:
            state = replace(state, offset=state.offset + state.drift, drift=0, skew=0)
        if state.silent is None:
            return replace(state, silent=state.now, contact=state.now)
        return state
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a state of the notifier: {error}") from None


def _plain(one: State | Present | Standing | Desk | Item) -> dict[str, Any]:
    return {each.name: getattr(one, each.name) for each in fields(one)}


def _plain_desk(desk: Desk) -> dict[str, Any]:
    known = _plain(desk)
    known["troubles"] = {of: _plain(each) for of, each in desk.troubles.items()}
    known["items"] = [_plain(each) for each in desk.items]
    return known


def _present(kept: Mapping[str, Any]) -> dict[str, Present]:
    return {
        key: Present(**{**each, "labels": tuple(each["labels"])})
        for key, each in kept["present"].items()
    }


def _desks(kept: Mapping[str, Any]) -> dict[str, Desk]:
    return {name: _desk(each) for name, each in kept["desks"].items()}


def _desk(kept: Mapping[str, Any]) -> Desk:
    troubles = {
        key: Standing(**{**each, "labels": tuple(each.get("labels", ()))})
        for key, each in kept["troubles"].items()
    }
    items = tuple(Item(**{**each, "kind": Kind(each["kind"])}) for each in kept["items"])
    return Desk(**{**kept, "troubles": troubles, "items": items})
