"""What is told to whom and when: pure, from the daemon's events, answers and silence to messages.

A state goes in and another one comes out; nothing is read, written, waited for or measured here.

    state = first(series)                          # once; later decode(what encode(state) gave)
    state = see(state, rules, snapshot, now)       # after the first start, and after each gap
    state = hear(state, rules, event, now)         # each event of the wire, in order, once
    state = silent(state, rules, since, now)       # while the daemon does not answer
    state = answers(state, rules, now)             # when it does, and all that was missed is heard
    state, messages = tick(state, rules, now, zone)
    due(state, rules)                              # when to tick next, if nothing happens before

`now` is a moment that never goes back within a life of the program. Between lives it may: no span
becomes longer by that, and none is waited for anew. The daemon's clock may jump at any time: how
long something lasts is told by our own one where it was heard at once, and by the times of the
events where it was heard later. What is told never depends on when `tick` was called, but for being
later.

State and messages belong together: who keeps one and not the other loses or doubles a message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from kaspad_taskd.notify import events, gathering, reading, seeing, texts
from kaspad_taskd.notify.change import Change, Gone, News, Subject, What
from kaspad_taskd.notify.draft import SILENT, Draft, who
from kaspad_taskd.notify.model import ITEMS, Item, Message, Moment, Rule
from kaspad_taskd.notify.snapshot import Asks, Snapshot, Wire
from kaspad_taskd.notify.state import State, decode, encode, first

__all__ = [
    "Asks", "Snapshot", "State", "answers", "asks", "decode", "due", "encode", "first", "fit",
    "hear", "hear_all", "learn", "see", "silent", "tick",
]  # fmt: skip


def hear(state: State, rules: Sequence[Rule], event: Wire, now: Moment) -> State:
    """Return the state after an event of the wire, `{seq, event, data}`.

    What is no event, or of a later version, changes nothing; nothing is raised.
    """
    return hear_all(state, rules, (event,), now)


def hear_all(state: State, rules: Sequence[Rule], told: Iterable[Wire], now: Moment) -> State:
    """Return the state after several events, in order: `hear`, at a cost that does not grow."""
    draft = Draft(state, rules, now)
    for event in told:
        _hear(draft, event)
    return draft.close()


def see(
    state: State,
    rules: Sequence[Rule],
    snapshot: Snapshot,
    now: Moment,
    gap: tuple[Moment | None, Collection[str]] | None = None,
) -> State:
    """Return the state after all that is so now was asked for.

    What stands and is not known begins at its own time; what no longer stands is over, since when
    the snapshot says, else now. What failed or became complete since the last event is told.

    Args:
        state: as it was.
        rules: those of now.
        snapshot: what is so.
        now: this moment.
        gap: where something is missing before events that were heard: `last` of the state before
            it, and the ids of the tasks of which there were events behind it.
    """
    draft = Draft(state, rules, now)
    before, heard = (draft.last, ()) if gap is None else gap
    seeing.everything(draft, snapshot, before, heard)
    return draft.close()


def fit(state: State, rules: Sequence[Rule], now: Moment) -> State:
    """Return the state after other settings were read: to be called whenever they were.

    What a rule does not want any more is forgotten without a word; what is bad and it did not
    want before counts for it since when it is bad.
    """
    draft = Draft(state, rules, now)
    draft.fit()
    return draft.close()


def learn(
    state: State,
    rules: Sequence[Rule],
    now: Moment,
    tasks: Iterable[Wire] = (),
    warnings: Sequence[Wire] | None = None,
) -> State:
    """Return the state after the answers to what `asks` names.

    Args:
        state: as it was.
        rules: those of now.
        now: this moment.
        tasks: results of `getTask` that are not null.
        warnings: those of `getWarnings`; None: they were not asked for.
    """
    draft = Draft(state, rules, now)
    for task in tasks:
        seeing.disk(draft, task)
    if warnings is not None:
        seeing.warnings(draft, warnings)
    return draft.close()


def tell(state: State, rules: Sequence[Rule], news: Iterable[News], now: Moment) -> State:
    """Return the state after something that no event tells has to be told as it is."""
    draft = Draft(state, rules, now)
    for each in news:
        draft.tell(each)
    return draft.close()


def asks(state: State) -> Asks:
    """Return what has to be asked for, once a minute or so, for no event tells it."""
    return Asks(tuple(state.disks), any(of.startswith("warning:") for of in state.present))


def silent(
    state: State, rules: Sequence[Rule], since: Moment, now: Moment, gone: Gone = Gone.DAEMON
) -> State:
    """Return the state while somebody does not answer; `since`: when he did last, as `now`.

    Nothing else is told meanwhile as being so: whether it still is, nobody knows.
    """
    draft = Draft(state, rules, now)
    began = min(draft.now, since + draft.offset)
    if draft.silent is None:
        draft.silent = draft.contact = began
    elif draft.silent == state.now or Gone.BEYOND == draft.gone != gone:
        draft.silent = began  # of the last life, or nobody could know: it has only begun to be so
    draft.gone = gone
    tell_silence(draft)
    return draft.close()


def answers(state: State, rules: Sequence[Rule], now: Moment) -> State:
    """Return the state after the daemon answers, and all that it had to tell is heard."""
    draft = Draft(state, rules, now)
    draft.silent = None
    for gone in (Gone.DAEMON, Gone.HOST, Gone.ENGINE):
        if gone in draft.present:
            draft.apply(Change(What.WELL, Subject(gone), now - draft.skew))
    return draft.close()


def clock(state: State, rules: Sequence[Rule], told: Moment, now: Moment) -> State:
    """Return the state after it was heard what another host's clock shows now."""
    draft = Draft(state, rules, now)
    draft.heard(told, live=True)
    return draft.close()


def tick(
    state: State,
    rules: Sequence[Rule],
    now: Moment,
    zone: tzinfo,
    host: str = "",
    page_url: str = "",
    wall: Moment | None = None,
) -> tuple[State, tuple[Message, ...]]:
    """Return the state as time passes, and what is to be told now: a message for each rule at most.

    Before the first one of a life all that happened meanwhile has to be heard, or the daemon be
    said to be silent: what was bad then would be told as being so.

    Args:
        state: as it was.
        rules: those of now.
        now: this moment.
        zone: where people live: quiet hours, times of day.
        host: how this host is called in titles, "" for not at all.
        page_url: where the page is, "" for no links.
        wall: what clocks show, where somebody has set them meanwhile; None: `now`.
    """
    draft = Draft(state, rules, now)
    shown = now if wall is None else wall
    tell_silence(draft)
    messages = []
    for rule in rules:
        desk = draft.desk(rule.name)
        gathering.settle(desk, draft.now, draft.deaf)
        part = gathering.Part(desk, draft.now, draft.deaf)
        items = [item for told in gathering.take(desk, (part,), shown, draft.now, zone)
                 for item in told]  # fmt: skip
        if items:
            draft.number += 1
            said = texts.say_items(items, shown, zone, host, page_url)
            messages.append(message(f"{state.series}-{draft.number}", rule, shown, items, said))
    return draft.close(), tuple(messages)


def due(state: State, rules: Sequence[Rule], ahead: int = 0) -> Moment | None:
    """Return when `tick` has something to do, if nothing happens before; None: then not at all.

    Args:
        state: as it is.
        rules: those of now.
        ahead: what `wall` is ahead of `now`.
    """
    moments = [silence_due(state)]
    for rule in rules:
        desk = state.desks.get(rule.name)
        if desk is not None:
            loud, urgent = louder(state, rule), gathering.urgent(desk)
            moments.append(gathering.next_moment(desk, rule, state.offset, loud, urgent, ahead))
    return min((each for each in moments if each is not None), default=None)


def silence_due(state: State) -> Moment | None:
    """Return when a silence becomes a trouble, by the clock of the caller, or None."""
    if state.silent is None or state.gone == Gone.BEYOND or who(state.gone) in state.present:
        return None
    return state.silent + SILENT - state.offset


def louder(state: State, rule: Rule) -> Moment | None:
    """Return when those of a rule are to be told something of this, by the clock of the caller."""
    desk = state.desks.get(rule.name)
    deaf = None if state.silent is None else who(state.gone)
    found = None if desk is None else gathering.loud(desk, rule, state.now, deaf)
    return None if found is None else found - state.offset


def _hear(draft: Draft, event: Wire) -> None:
    name, data = event.get("event"), event.get("data")
    if not isinstance(name, str) or not isinstance(data, Mapping):
        return
    at = reading.moment(data.get("timestamp"))
    if at is None:
        return
    live = name == "sync:progress"
    if name != "warning":  # which is written when the disk takes it, and tells when it was so first
        draft.heard(at, live)
    if live:
        seeing.progress(draft, data)
        return
    task = str(data.get("taskId"))
    for each in events.read(name, data, at, draft.relapses.get(task)):
        if isinstance(each, Change):
            draft.apply(each)
        else:
            draft.tell(each)
    _remember(draft, name, task, data)


def _remember(draft: Draft, name: str, task: str, data: Mapping[str, Any]) -> None:
    """What of a task matters for later events."""
    if name == "sync:start":
        draft.relapse(task, reading.text(data.get("because"), 40) or None)
    elif name in ("sync:complete", "sync:error", "sync:cancelled", "task:removed"):
        draft.relapse(task, None)
        draft.disk(task, None)


def tell_silence(draft: Draft) -> None:
    """Let a silence be a trouble as soon as it has lasted; one that is one may get another name."""
    since, gone = draft.silent, draft.gone
    if since is None or gone == Gone.BEYOND:
        return
    about = Subject(who(gone))
    code = gone if gone == Gone.AWAY else "silent"
    known = draft.present.get(about.of)
    if known is not None and (known.code == code or known.since is None):
        return
    if known is None and draft.now - since < SILENT:
        return
    # by our own clock: nobody has told of it
    draft.apply(Change(What.BAD, about, since - draft.offset - draft.skew, code))


def message(
    id: str,  # noqa: A002
    rule: Rule,
    now: Moment,
    items: Sequence[Item],
    said: texts.Said,
    left: int = 0,
) -> Message:
    """Return a message; `left`: how many things it tells beyond `items`."""
    kept = tuple(items[:ITEMS])
    more = len(items) - len(kept) + left
    return Message(id, rule.name, now, kept[0].kind, kept, said.title, said.text, said.link, more)
