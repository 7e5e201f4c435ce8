"""When a service leaves a local node that is lost, stalled or behind, and when it comes back.

Pure: how the node stands and for how long somebody has seen it so, the service's switches, what a
look at the public node saw; what is to be done now, or why nothing is, out.

Only time that somebody saw counts (`core.standing`), for a fallback as for a return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.ageing import DAY
from kaspad_taskd.core.observation import Scalar
from kaspad_taskd.core.standing import Count, NodeView, Standing
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState

Facts = Mapping[str, Scalar]

BY: Final = "fallback"
"""Who caused such a switch."""
FRESH: Final = 90_000
"""Ms for which a look at the public node is one just before."""
RETRY: Final = 60_000
"""Ms between two looks at a public node to which a service could not go."""
QUIET: Final = 120_000
"""Ms without anything new after which nobody knows whether the network goes on."""


class PublicState(StrEnum):
    """What a look at the public node saw."""

    GOOD = "good"  # it was asked: in sync, and going on
    OPEN = "open"  # it takes connections; more it does not tell
    UNKNOWN = "unknown"  # its address is the service's own affair
    SILENT = "silent"  # it takes none
    NOT_SYNCED = "not-synced"
    WRONG_NETWORK = "wrong-network"
    OWN_LIMIT = "own-limit"  # kaspad-taskd itself may open no more files; nobody was asked

    @property
    def bad(self) -> bool:
        """Whether no service should go there."""
        return self not in (PublicState.GOOD, PublicState.OPEN, PublicState.UNKNOWN)


@frozen
class PublicLook:
    """A look at the public node, `age` ms ago; `facts` for its sentence."""

    state: PublicState
    facts: Facts = field(default_factory=dict)
    age: int = 0


@frozen
class Rules:
    """What the settings say of a service.

    Attributes:
        public: whether it falls back.
        auto: whether it is switched by anybody but people.
        fallback_after: ms.
        return_after: ms.
        flips: switches of this kind in any 24 hours; the last leads to public.
    """

    public: bool = False
    auto: bool = True
    fallback_after: int = 600_000
    return_after: int = 1_800_000
    flips: int = 4


@frozen
class Situation:
    """How a service is now.

    Attributes:
        points: where its endpoint file points; None: it cannot be read.
        node: how its local node stands, and for how long.
        switches: its own, newest first.
        rested: ms since the newest of them has ended.
        used: switches of this kind within the last 24 hours, however they ended.
        held: whether people alone switch it.
        public: the newest look at the public node, or None.
    """

    points: Side | None
    node: Count
    switches: Sequence[Switch] = ()
    rested: int = DAY
    used: int = 0
    held: bool = False
    public: PublicLook | None = None


class Act(StrEnum):
    """What is to be done now."""

    STAY = "stay"
    LOOK = "look"  # at the public node
    FALL = "fall"
    RETURN = "return"


class Why(StrEnum):
    """Why a service that might go stays. Values may be added, none changes its meaning."""

    HELD = "held"
    MANUAL = "manual"  # auto = false
    BY_PERSON = "by-person"  # on the public node, and not by a fallback
    WAITING = "waiting"  # its time is not up
    LOOKING = "looking"  # the public node is being looked at
    SWITCHING = "switching"
    UNDO_FAILED = "undo-failed"  # its last switch left it with neither node
    NODE_UNKNOWN = "node-unknown"  # nobody knows how the local node is
    UNREADABLE = "unreadable"  # nobody knows where it points
    FLIPS = "flips"  # as often as it may within a day
    STANDS_STILL = "network-stands-still"  # nothing shows that the network goes on
    PUBLIC_SILENT = "public-silent"
    PUBLIC_NOT_SYNCED = "public-not-synced"
    PUBLIC_WRONG_NETWORK = "public-wrong-network"
    OWN_LIMIT = "own-limit"

    @property
    def stuck(self) -> bool:
        """Whether it stays though its time is up, so that somebody should know."""
        return self in _STUCK


_STUCK: Final = frozenset(
    {Why.FLIPS, Why.STANDS_STILL, Why.PUBLIC_SILENT, Why.PUBLIC_NOT_SYNCED,
     Why.PUBLIC_WRONG_NETWORK, Why.OWN_LIMIT, Why.HELD, Why.MANUAL}
)  # fmt: skip
_PUBLIC: Final = {
    PublicState.SILENT: Why.PUBLIC_SILENT,
    PublicState.NOT_SYNCED: Why.PUBLIC_NOT_SYNCED,
    PublicState.WRONG_NETWORK: Why.PUBLIC_WRONG_NETWORK,
    PublicState.OWN_LIMIT: Why.OWN_LIMIT,
}


@frozen
class Verdict:
    """What is to be done with a service, or why nothing is; `left`: ms until its time is up."""

    act: Act = Act.STAY
    why: Why | None = None
    facts: Facts = field(default_factory=dict)
    left: int | None = None


NOTHING: Final = Verdict()
"""It is where it should be."""


def decide(rules: Rules, now: Situation) -> Verdict:
    """Return what is to be done with a service now."""
    if not rules.public:
        return NOTHING
    if now.switches and not now.switches[0].state.ended:
        return Verdict(why=Why.SWITCHING)
    if now.points is None:
        return Verdict(why=Why.UNREADABLE)
    fell = fallen(now.switches) is not None
    if now.points is Side.PUBLIC and not fell:
        return Verdict(why=Why.BY_PERSON)
    falls = now.points is Side.LOCAL
    if now.node.standing is (Standing.OK if falls else Standing.BAD):
        return NOTHING
    if now.node.standing is Standing.UNKNOWN:
        return Verdict(why=Why.NODE_UNKNOWN)
    barred = _barred(rules, now)
    if barred is not None:
        return Verdict(why=barred)
    return _falls(rules, now) if falls else _returns(rules, now)


def _barred(rules: Rules, now: Situation) -> Why | None:
    """What keeps it from going either way, whatever the node does."""
    if now.held:
        return Why.HELD
    if not rules.auto:
        return Why.MANUAL
    failed = now.switches and now.switches[0].state is SwitchState.FAILED
    return Why.UNDO_FAILED if failed else None


def _falls(rules: Rules, now: Situation) -> Verdict:
    left = rules.fallback_after - min(now.node.span, now.rested)
    if left > 0:
        return Verdict(why=Why.WAITING, left=left)
    if now.used >= rules.flips:
        return Verdict(why=Why.FLIPS, facts={"flips": rules.flips})
    public = now.public
    if public is None or public.age > (RETRY if public.state.bad else FRESH):
        return Verdict(Act.LOOK, Why.LOOKING if public is None else _no(now.node, public))
    no = _no(now.node, public)
    return Verdict(Act.FALL) if no is None else Verdict(why=no, facts=public.facts)


def _no(node: Count, public: PublicLook) -> Why | None:
    """Why it cannot go to the public node, or None."""
    if public.state.bad:
        return _PUBLIC[public.state]
    going = node.quiet is not None and node.quiet <= QUIET
    proven = public.state is PublicState.GOOD or going
    return Why.STANDS_STILL if node.view.still and not proven else None


def _returns(rules: Rules, now: Situation) -> Verdict:
    left = rules.return_after - min(now.node.span, now.rested)
    if left > 0:
        return Verdict(why=Why.WAITING, left=left)
    if now.used + 2 > rules.flips:  # one has to be left that leads to public
        return Verdict(why=Why.FLIPS, facts={"flips": rules.flips})
    return Verdict(Act.RETURN)


def fallen(switches: Sequence[Switch]) -> Switch | None:
    """Return the fallback that brought a service to the public node, None: none did.

    What a person has done since counts: their switch, and their turning round of one of ours.
    `switches`: its own, newest first.
    """
    for each in switches:
        if each.state is SwitchState.DONE:
            return each if each.by == BY and each.to is Side.PUBLIC else None
        if each.state is SwitchState.UNDONE and each.reason is SwitchReason.CANCELLED:
            return None
        if each.state is SwitchState.FAILED:
            return None
    return None


def because(node: NodeView) -> dict[str, Scalar]:
    """Return how a node stands that a service leaves, or comes back to, for the switch's record."""
    known: dict[str, Scalar | None] = {
        "health": str(node.health),
        "reason": None if node.reason is None else str(node.reason),
        "behind": node.behind,
        "since": node.since,
    }
    return {key: value for key, value in known.items() if value is not None}
