"""A state that is being changed: copied where it is touched, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kaspad_taskd.notify import matching, troubles
from kaspad_taskd.notify.change import Change, Gone, News, Subject, What
from kaspad_taskd.notify.model import Item, Kind, Moment, Rule, Scalar
from kaspad_taskd.notify.state import KEPT, WAITING, Desk, Present, Standing, State

CLOCKS_AGREE = 2_000
"""Milliseconds by which two readings of one clock may differ and still agree."""


SILENT = 120_000
"""Milliseconds after which the daemon's silence is a trouble; it began with the silence."""
ABSENT = SILENT + 60_000
"""Milliseconds without a call after which a silence may have been two."""


def who(gone: str) -> str:
    """Return of whom a trouble is that consists in somebody's silence, as in `Item`."""
    return {Gone.AWAY: "host"}.get(Gone(gone), gone)


class OpenDesk:
    """A desk that is being changed."""

    def __init__(self, rule: Rule, desk: Desk) -> None:
        self.rule = rule
        self.troubles = dict(desk.troubles)
        self.items = list(desk.items)
        self.opened, self.held, self.dropped = desk.opened, desk.held, desk.dropped

    def close(self) -> Desk:
        """Return it as it is."""
        return Desk(self.troubles, tuple(self.items), self.opened, self.held, self.dropped)

    def tell(self, item: Item) -> None:
        """Keep what is to be told."""
        if len(self.items) < WAITING:
            self.items.append(item)
        else:
            self.dropped += 1

    def keep(self, one: Standing) -> None:
        """Keep a trouble."""
        if one.of in self.troubles or len(self.troubles) < KEPT:
            self.troubles[one.of] = one
        else:
            self.dropped += 1

    def settle(self, one: Standing, recovers: bool = True, at: Moment | None = None) -> None:
        """Forget a trouble that has ended, and keep what is still to be told of it."""
        self.troubles.pop(one.of, None)
        last = troubles.last_item(one, self.rule, one.ended if at is None else at, recovers)
        if last is not None:
            self.tell(last)

    def fit(self) -> None:
        """Forget what those of the rule do not want to be told any more."""
        self.items = [each for each in self.items if each.kind in self.rule.on]
        self.troubles = {
            of: one
            for of, one in self.troubles.items()
            if matching.wants(self.rule, Kind.TROUBLE, Subject(of, one.name, one.labels))
        }

    def change(self, change: Change, own: Moment) -> None:
        """Let something become of a trouble."""
        one = self.troubles.get(change.about.of)
        if one is not None and troubles.over(one, self.rule, own):
            self.settle(one)
            one = None
        if one is not None:
            self._known(one, change, own)
        elif change.what is What.BAD:
            begun = troubles.begin(change.about, change.code, change.params, change.at, own)
            self.keep(begun)

    def _known(self, one: Standing, change: Change, own: Moment) -> None:
        match change.what:
            case What.BAD:
                self.troubles[one.of] = troubles.bad(one, change, own)
            case What.WELL:
                self.troubles[one.of] = troubles.well(one, change.at, own)
            case What.VAGUE:
                self.troubles[one.of] = troubles.lost(one, change.at, own)
            case What.CLOSED if one.well is None:
                self.settle(troubles.stopped(one, own), recovers=False, at=change.at)
            case What.GONE:
                del self.troubles[one.of]


class Draft:
    """A state that is being changed.

    Args:
        state: as it was.
        rules: those of now; desks of others are gone, new ones are told of what is bad now.
        now: this moment, by the clock of the caller.
    """

    def __init__(self, state: State, rules: Sequence[Rule], now: Moment) -> None:
        self._state = state
        self.rules = {rule.name: rule for rule in rules}
        own = now + state.offset
        self.offset = state.offset + max(0, state.now - own)
        self.given = now
        self.now = now + self.offset
        self.last, self.silent, self.contact = state.last, state.silent, state.contact
        self.gone = state.gone
        alone = self.now - state.now > ABSENT  # nobody was there to hear whether it was one
        if alone and self.silent is not None and who(state.gone) not in state.present:
            self.silent = self.now
        self.drift, self.skew = state.drift, state.skew
        self.number = state.number
        self._present: dict[str, Present] | None = None
        self._relapses: dict[str, str] | None = None
        self._disks: dict[str, str] | None = None
        self._open: dict[str, OpenDesk] = {}
        for name in self.rules.keys() - state.desks.keys():
            self._adopt(self.rules[name])

    def close(self) -> State:
        """Return the state as it is now."""
        before = self._state
        desks = before.desks
        if self._open or desks.keys() != self.rules.keys():
            desks = {
                name: self._open[name].close() if name in self._open else before.desks[name]
                for name in self.rules
            }
        return replace(
            before,
            number=self.number,
            now=self.now,
            offset=self.offset,
            last=self.last,
            drift=self.drift,
            skew=self.skew,
            silent=self.silent,
            gone=self.gone,
            contact=self.contact,
            present=self.present,
            relapses=self.relapses,
            disks=self.disks,
            desks=desks,
        )

    # -- what is known

    @property
    def present(self) -> Mapping[str, Present]:
        """What is bad now."""
        return self._state.present if self._present is None else self._present

    @property
    def relapses(self) -> Mapping[str, str]:
        """Which tasks sync again, and why."""
        return self._state.relapses if self._relapses is None else self._relapses

    @property
    def disks(self) -> Mapping[str, str]:
        """Of which tasks the disk is measured."""
        return self._state.disks if self._disks is None else self._disks

    def desk(self, name: str) -> OpenDesk:
        """Return the desk of a rule, to be changed."""
        known = self._open.get(name)
        if known is None:
            before = self._state.desks.get(name, Desk())
            known = self._open[name] = OpenDesk(self.rules[name], before)
        return known

    def _troubles(self, name: str) -> Mapping[str, Standing]:
        known = self._open.get(name)
        return known.troubles if known is not None else self._state.desks[name].troubles

    def wanting(self, kind: Kind, about: Subject) -> Iterator[OpenDesk]:
        """Yield the desks of those who want to be told of this."""
        for name, rule in self.rules.items():
            if matching.wants(rule, kind, about):
                yield self.desk(name)

    @property
    def deaf(self) -> str | None:
        """Of whom alone is known how he is, as in `Item`: he does not answer. None: of all."""
        return None if self.silent is None else who(self.gone)

    # -- changing

    def relapse(self, task: str, because: str | None) -> None:
        """Note why a task syncs again; None: it does not."""
        if self.relapses.get(task) == because:
            return
        if self._relapses is None:
            self._relapses = dict(self._state.relapses)
        if because is None:
            del self._relapses[task]
        elif len(self._relapses) < KEPT:
            self._relapses[task] = because

    def disk(self, task: str, service: str | None) -> None:
        """Note that the disk of a task is measured; None: it is not."""
        if self.disks.get(task) == service:
            return
        if self._disks is None:
            self._disks = dict(self._state.disks)
        if service is None:
            del self._disks[task]
        elif len(self._disks) < WAITING:
            self._disks[task] = service

    def apply(self, change: Change) -> None:
        """Let something become of a trouble, for all who want to hear of it."""
        own = self.own(change.at)
        of = change.about.of
        if change.what is What.BAD:
            self._stands(change, own)
            for desk in self.wanting(Kind.TROUBLE, change.about):
                desk.change(change, own)
            return
        if of in self.present:
            self._stands(change, own)
        for name in self.rules:
            if of in self._troubles(name):
                self.desk(name).change(change, own)

    def tell(self, news: News) -> None:
        """Keep what is told as it is, for all who want to hear of it."""
        for desk in self.wanting(news.item.kind, news.about):
            desk.tell(news.item)

    def known(self) -> set[str]:
        """Return what any rule knows of, or is bad now."""
        return {*self.present}.union(*(self._troubles(name) for name in self.rules))

    def refresh(self, of: str, code: str, params: Mapping[str, Scalar]) -> None:
        """Take over newer figures of a trouble that is there, if it is `code` still."""
        known = self.present.get(of)
        if known is None or known.since is None or known.code != code:
            return
        newer = {**known.params, **params}
        if newer != known.params:
            about = Subject(known.of, known.name, known.labels)
            self.apply(Change(What.BAD, about, known.began, code, newer))

    def _stands(self, change: Change, own: Moment) -> None:
        if self._present is None:
            self._present = dict(self._state.present)
        of = change.about.of
        before = self._present.pop(of, None)
        if change.what in (What.BAD, What.VAGUE):
            self._present[of] = _present(before, change, own)
            if len(self._present) > KEPT:
                del self._present[of]

    def fit(self) -> None:
        """Let each desk be one of its rule as it is now: of nothing else, and of all of that."""
        for name, rule in self.rules.items():
            self.desk(name).fit()
            self._adopt(rule)

    def _adopt(self, rule: Rule) -> None:
        """A rule that is new is told of what is bad already."""
        desk = self.desk(rule.name)
        for one in self.present.values():
            about = Subject(one.of, one.name, one.labels)
            if one.of in desk.troubles or not matching.wants(rule, Kind.TROUBLE, about):
                continue
            if one.since is not None:
                desk.keep(troubles.begin(about, one.code, one.params, one.began, one.since))

    # -- clocks

    @property
    def seen(self) -> Moment:
        """Until when it was known what is so, told."""
        unseen = self.now - (self._state.now if self.silent is None else self.contact)
        return self.given - self.skew - unseen

    def own(self, told: Moment) -> Moment:
        """Return a moment of the daemon's clock as one of ours, never later than now."""
        return self.now - max(0, self.given - (told + self.skew))

    def heard(self, told: Moment, live: bool) -> None:
        """Note what the daemon's clock says.

        Args:
            told: the time of an event.
            live: whether it is of now, and not of when something was.
        """
        back = self.last is not None and told < self.last - CLOCKS_AGREE
        behind = self.given - told
        sure = live or behind < self.drift - CLOCKS_AGREE  # nothing is told before it is so
        if sure and abs(behind - self.drift) > CLOCKS_AGREE:
            self.drift = behind
        if sure:
            self.skew = self.drift
        elif back:
            self.skew = max(self.skew, behind)
        if self.last is None or told > self.last or back:
            self.last = told


def _present(before: Present | None, change: Change, own: Moment) -> Present:
    about = change.about
    if change.what is What.VAGUE and before is not None:
        return replace(before, since=None)
    stands = before is not None and before.since is not None
    began, since = (
        (before.began, before.since) if before is not None and stands else (change.at, own)
    )
    return Present(about.of, about.name, about.labels, change.code, change.params, began, since)
