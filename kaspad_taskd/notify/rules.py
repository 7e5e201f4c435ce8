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

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from kaspad_taskd.notify import events, gathering, reading, seeing, texts
from kaspad_taskd.notify.change import Change, Subject, What
from kaspad_taskd.notify.draft import SILENT, Draft
from kaspad_taskd.notify.model import ITEMS, Item, Message, Moment, Rule
from kaspad_taskd.notify.snapshot import Asks, Snapshot, Wire
from kaspad_taskd.notify.state import State, decode, encode, first

__all__ = [
    "Asks", "Snapshot", "State", "answers", "asks", "decode", "due", "encode", "first", "fit",
    "hear", "hear_all", "learn", "see", "silent", "tick",
]  # fmt: skip

DAEMON = Subject("daemon")


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


def see(state: State, rules: Sequence[Rule], snapshot: Snapshot, now: Moment) -> State:
    """Return the state after all that is so now was asked for.

    What stands and is not known begins at its own time; what no longer stands is over, since when
    the snapshot says, else now. What failed or became complete since the last event is told.
    """
    draft = Draft(state, rules, now)
    seeing.everything(draft, snapshot)
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


def asks(state: State) -> Asks:
    """Return what has to be asked for, once a minute or so, for no event tells it."""
    return Asks(tuple(state.disks), any(of.startswith("warning:") for of in state.present))


def silent(state: State, rules: Sequence[Rule], since: Moment, now: Moment) -> State:
    """Return the state while the daemon does not answer; `since`: when it did last, as `now`.

    Nothing else is told meanwhile as being so: whether it still is, nobody knows.
    """
    draft = Draft(state, rules, now)
    began = min(draft.now, since + draft.offset)
    if draft.silent is None:
        draft.silent = draft.contact = began
    elif draft.silent == state.now:  # of the last life: this one has only begun to listen
        draft.silent = began
    _tell_silence(draft)
    return draft.close()


def answers(state: State, rules: Sequence[Rule], now: Moment) -> State:
    """Return the state after the daemon answers, and all that it had to tell is heard."""
    draft = Draft(state, rules, now)
    draft.silent = None
    if DAEMON.of in draft.present:
        draft.apply(Change(What.WELL, DAEMON, now - draft.skew))
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
    _tell_silence(draft)
    messages = []
    deaf = draft.silent is not None
    for rule in rules:
        desk = draft.desk(rule.name)
        gathering.settle(desk, draft.now, deaf)
        items = gathering.take(desk, shown, draft.now, zone, deaf)
        if items:
            draft.number += 1
            said = texts.say_items(items, shown, zone, host, page_url)
            messages.append(_message(f"{state.series}-{draft.number}", rule, shown, items, said))
    return draft.close(), tuple(messages)


def due(state: State, rules: Sequence[Rule], ahead: int = 0) -> Moment | None:
    """Return when `tick` has something to do, if nothing happens before; None: then not at all.

    Args:
        state: as it is.
        rules: those of now.
        ahead: what `wall` is ahead of `now`.
    """
    deaf = state.silent is not None
    moments = [
        gathering.next_moment(state.desks[rule.name], rule, state.now, state.offset, deaf, ahead)
        for rule in rules
        if rule.name in state.desks
    ]
    if deaf and DAEMON.of not in state.present:
        moments.append((state.silent or 0) + SILENT - state.offset)
    return min((each for each in moments if each is not None), default=None)


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


def _tell_silence(draft: Draft) -> None:
    since = draft.silent
    if since is None or DAEMON.of in draft.present or draft.now - since < SILENT:
        return
    # by our own clock: nobody has told of it
    draft.apply(Change(What.BAD, DAEMON, since - draft.offset - draft.skew, "silent"))


def _message(
    id: str,  # noqa: A002
    rule: Rule,
    now: Moment,
    items: Sequence[Item],
    said: texts.Said,
) -> Message:
    kept = tuple(items[:ITEMS])
    more = len(items) - len(kept)
    return Message(id, rule.name, now, kept[0].kind, kept, said.title, said.text, said.link, more)
