"""What is told of many hosts: each has a state of its own, together they have a message. Pure.

Of each host the rules (rules.py) know what they know of the one daemon elsewhere: what is in
trouble there, what its clock shows, whether it is heard. What they make of it waits here for all:
what comes together is one message, of three hundred hosts as of one. Where a host has more to tell
than others, each of those has its turn first.

    fleet = first(series)
    fleet = put(fleet, name, rules.hear_all(fleet.of(name), rules_of(rules, name), events, now))
    fleet, messages = tick(fleet, rules, now, zone)
    due(fleet, rules)

The member "" is what carries the fleet; its silence is told once, and nobody else's then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.notify import gathering, matching, rules, texts
from kaspad_taskd.notify.draft import Draft
from kaspad_taskd.notify.model import ITEMS, Item, Message, Moment, Rule
from kaspad_taskd.notify.state import Desk, State, decode

ENGINE: Final = ""
"""The member that is no host."""
EACH: Final = 20
"""Things of one host in a message in which others have something to tell; the rest is counted."""


@frozen
class Fleet:
    """All that is remembered of a fleet.

    Attributes:
        series: with a number it is the id of a message.
        number: of the last message.
        members: states by the host's name, and that of what carries them.
        stirring: those among them with something to tell, or about to have.
    """

    series: str
    number: int
    members: Mapping[str, State]
    stirring: frozenset[str]

    def of(self, name: str) -> State:
        """Return the state of a host, a new one where nothing is known of it."""
        known = self.members.get(name)
        return State(self.series) if known is None else known


def fleet_of(series: str, number: int, members: Mapping[str, State]) -> Fleet:
    """Return a fleet with these members."""
    whole = {ENGINE: State(series), **members}
    return Fleet(series, number, whole, frozenset(n for n, each in whole.items() if _stirs(each)))


def revived(kept: Mapping[str, Any], now: Moment) -> State:
    """Return the state of a member of a life that begins, as `rules.encode` made JSON of it.

    `now`: the last moment of the life before, which was that of all its members.

    Raises:
        ValueError: it is none, or of another version.
    """
    state = decode(kept, shared=False)
    return replace(state, now=max(state.now, now + state.offset))


def put(fleet: Fleet, states: Mapping[str, State | None]) -> Fleet:
    """Return a fleet in which these members are so; None: it is forgotten."""
    members = {**fleet.members, **{n: each for n, each in states.items() if each is not None}}
    gone = [name for name, each in states.items() if each is None]
    for name in gone:
        members.pop(name, None)
    stirs = {n for n, each in states.items() if each is not None and (_stirs(each) or not n)}
    return replace(fleet, members=members, stirring=(fleet.stirring - states.keys()) | stirs)


def rules_of(given: Sequence[Rule], name: str) -> tuple[Rule, ...]:
    """Return the rules of those who want to hear of a host; of the engine all have a desk."""
    return tuple(rule for rule in given if not name or matching.is_of(rule, name))


def tick(
    fleet: Fleet,
    given: Sequence[Rule],
    now: Moment,
    zone: tzinfo,
    host: str = "",
    page_url: str = "",
    wall: Moment | None = None,
) -> tuple[Fleet, tuple[Message, ...]]:
    """Return the fleet as time passes, and what is to be told now: a message a rule at most.

    Args:
        fleet: as it was.
        given: the rules of now.
        now: this moment.
        zone: where people live.
        host: how the notifier's own host is called, for what is of none of them.
        page_url: where the page of the fleet is, "" for no links.
        wall: what clocks show, where somebody has set them meanwhile; None: `now`.
    """
    shown = now if wall is None else wall
    drafts = {
        name: Draft(fleet.of(name), rules_of(given, name), now)
        for name in sorted({ENGINE, *fleet.stirring})
    }
    for draft in drafts.values():
        rules.tell_silence(draft)
    messages: list[Message] = []
    for rule in given:
        items, left = _items(drafts, rule, shown, zone)
        if items:
            number = fleet.number + len(messages) + 1
            said = texts.say_items(items, shown, zone, host, page_url, left)
            made = rules.message(f"{fleet.series}-{number}", rule, shown, items, said, left)
            messages.append(made)
    after = put(fleet, {name: draft.close() for name, draft in drafts.items()})
    return replace(after, number=fleet.number + len(messages)), tuple(messages)


def _items(
    drafts: Mapping[str, Draft], rule: Rule, shown: Moment, zone: tzinfo
) -> tuple[list[Item], int]:
    """What is to be told to those of a rule, in the order in which it is told; and what is not."""
    names, parts = [], []
    for name, draft in drafts.items():
        if rule.name in draft.rules:
            desk = draft.desk(rule.name)
            gathering.settle(desk, draft.now, draft.deaf)
            names.append(name)
            parts.append(gathering.Part(desk, draft.now, draft.deaf))
    engine = drafts[ENGINE]
    told = gathering.take(engine.desk(rule.name), parts, shown, engine.now, zone)
    return ordered(
        [replace(item, host=name) for item in items]
        for name, items in zip(names, told, strict=bool(told))
    )


def ordered(told: Iterable[Sequence[Item]]) -> tuple[list[Item], int]:
    """Return the things that hosts tell, so that each has its turn; and how many are left out.

    The gravest first; among those that are as grave first one of each host, then the next.
    """
    each = [items for items in told if items]
    most = EACH if len(each) > 1 else ITEMS
    turns = [(gathering.GRAVEST[item.kind], turn, item.began or 0, at, item)
             for at, items in enumerate(each)
             for turn, item in enumerate(items[:most])]  # fmt: skip
    turns.sort(key=lambda one: one[:4])
    return [one[-1] for one in turns], sum(len(items[most:]) for items in each)


def due(fleet: Fleet, given: Sequence[Rule], ahead: int = 0) -> Moment | None:
    """Return when `tick` has something to do, if nothing happens before; None: then not at all.

    Args:
        fleet: as it is.
        given: the rules of now.
        ahead: what clocks on the wall are ahead of the caller's.
    """
    engine = fleet.of(ENGINE)
    stirring = [fleet.members[name] for name in fleet.stirring]
    moments = [rules.silence_due(each) for each in stirring]
    for rule in given:
        window = engine.desks.get(rule.name, Desk())
        first = [at for each in stirring if (at := rules.louder(each, rule)) is not None]
        urgent = any(
            gathering.urgent(each.desks[rule.name]) for each in stirring if rule.name in each.desks
        )
        loud = min(first, default=None)
        moments.append(gathering.next_moment(window, rule, engine.offset, loud, urgent, ahead))
    return min((each for each in moments if each is not None), default=None)


def _stirs(state: State) -> bool:
    """Whether it has something to tell, or may have as time passes."""
    if rules.silence_due(state) is not None:
        return True
    return any(desk.troubles or desk.items or desk.dropped for desk in state.desks.values())
