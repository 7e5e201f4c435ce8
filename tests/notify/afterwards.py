"""What had to be told, judged afterwards from all that happened: no state, no steps, no ticks.

Troubles are found on the whole timeline, and what was told is held against each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from kaspad_taskd.notify.model import Item, Kind, Rule
from tests.notify.world import BAD, ZONE, Happened, Heard, World

Span = tuple[int, int]
FOREVER = 1 << 60


@dataclass
class Trouble:
    """All that belongs together of what was bad with one task, for one rule."""

    of: str
    wall: int
    spans: list[Span] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # of what counts as another time
    graver: list[int] = field(default_factory=list)
    end: str = "open"  # "well", "gone", "closed"
    ended: int = FOREVER
    ended_wall: int = 0

    def bad(self, at: int) -> bool:
        """Whether it was bad then."""
        return any(begins <= at <= ends for begins, ends in self.spans)

    def lasted(self, at: int = FOREVER) -> int:
        """For how long it had been bad by then."""
        return sum(max(0, min(ends, at) - begins) for begins, ends in self.spans)

    def ripe(self, after: int) -> list[Span]:
        """When it was bad and had been so for long enough."""
        found, before = [], 0
        for begins, ends in self.spans:
            ripe = begins + max(0, after - before)
            if ripe < ends:
                found.append((ripe, ends))
            before += ends - begins
        return found


def judge(world: World) -> None:
    """Hold all that was told against all that happened.

    Raises:
        AssertionError: something was told that was not so, or was not told.
    """
    world.happened = sorted([*world.happened, *world.inferred], key=lambda each: each.at)
    ids = [heard.message.id for heard in world.heard]
    assert len(set(ids)) == len(ids)
    for rule in world.rules:
        heard = [each for each in world.heard if each.message.rule == rule.name]
        _judge_rule(world, rule, heard)


def _judge_rule(world: World, rule: Rule, heard: list[Heard]) -> None:
    told: dict[tuple[str, int | None], list[tuple[int, Item]]] = defaultdict(list)
    for each in heard:
        for item in each.message.items:
            told[item.of, item.began].append((each.at, item))
    nights = _nights(world) if rule.quiet else []
    for each in heard:
        if not all(item.kind in (Kind.ERROR, Kind.SWITCH) for item in each.message.items):
            assert not any(begins <= each.at < ends for begins, ends in nights)
    _judge_gathering(world, rule, heard)
    able = _without(_without([(0, FOREVER)], world.notifier), world.daemon)
    awake = _without(able, nights)
    known: set[tuple[str, int | None]] = set()
    for trouble in _troubles(world, rule, heard):
        own = (f"task:{trouble.of}", trouble.wall)
        known.add(own)
        items = [each for each in told[own] if each[1].kind in (Kind.TROUBLE, Kind.RECOVERED)]
        _judge_trouble(world, rule, trouble, items, awake)
    for key, items in told.items():
        kinds = {item.kind for _, item in items}
        if key[0] != "daemon" and kinds & {Kind.TROUBLE, Kind.RECOVERED}:
            assert key in known, (key, items)
    _judge_once(world, rule, told, able)
    _judge_daemon(world, rule, heard)


def _judge_trouble(
    world: World, rule: Rule, trouble: Trouble, items: list[tuple[int, Item]], awake: list[Span]
) -> None:
    after, gather = round(rule.after * 1000), round(rule.gather * 1000)
    now = [(at, one) for at, one in items if one.kind is Kind.TROUBLE and one.ended is None]
    past = [(at, one) for at, one in items if one.kind is Kind.TROUBLE and one.ended is not None]
    well = [(at, one) for at, one in items if one.kind is Kind.RECOVERED]
    for at, one in now:
        assert trouble.bad(at), (trouble, at)
        assert trouble.lasted(at) >= after
        assert one.count == sum(start <= at for start in trouble.starts)
        assert one.again is (at != now[0][0])
    for (first, _), (second, _) in pairwise(now):
        graver = any(first <= at <= second for at in trouble.graver)
        assert graver or (rule.repeat is not None and second - first >= rule.repeat * 1000)
    for at, one in past:
        assert (len(past), now, well) == (1, [], [])
        assert trouble.lasted() >= after
        assert trouble.end in ("well", "closed", "lost")
        assert one.ended == trouble.ended_wall
        assert at >= trouble.ended + (0 if trouble.end == "closed" else after)
    for at, one in well:
        assert len(well) == 1
        assert now
        assert trouble.end == "well"
        assert one.ended == trouble.ended_wall
        assert at >= trouble.ended + after
    if trouble.lasted() >= after and trouble.end != "gone":
        assert now or past, trouble
    if now and trouble.end == "well":
        assert well, trouble
    _judge_haste(world, rule, trouble, [at for at, _ in now], awake, after, gather)


def _judge_haste(
    world: World, rule: Rule, trouble: Trouble, now: list[int], awake: list[Span],
    after: int, gather: int,
) -> None:  # fmt: skip
    """Who could be told was told: the first time, again after `repeat`, and of what is graver."""
    ripe = _both(trouble.ripe(after), awake)
    waits = _both(ripe, [(0, now[0] if now else FOREVER)])
    for at, following in zip(now, [*now[1:], FOREVER], strict=False):
        graver = [each for each in trouble.graver if at < each <= following]
        again = at + round(rule.repeat * 1000) if rule.repeat is not None else FOREVER
        waits += _both(ripe, [(min([*graver, again]), following)])
    for begins, ends in waits:
        cuts = [begins, *(at for at in world.kills if begins < at < ends), min(ends, world.now)]
        for one, other in pairwise(cuts):
            assert other - one <= gather + 1, (trouble, now, one, other)


def _judge_once(
    world: World,
    rule: Rule,
    told: dict[tuple[str, int | None], list[tuple[int, Item]]],
    able: list[Span],
) -> None:
    """What is told as it is was told once; what failed at once, by night too."""
    wanted = {"sync:error": Kind.ERROR, "sync:complete": Kind.COMPLETE}
    for each in world.happened:
        kind = wanted.get(each.name)
        items = [
            (at, item) for at, item in told[f"task:{each.task}", each.wall] if item.kind is kind
        ]
        assert len(items) == (kind is not None)
        if kind is Kind.ERROR:
            for begins, ends in _both(able, [(each.at, items[0][0])]):
                cuts = [begins, *(at for at in world.kills if begins < at < ends), ends]
                longest = max(b - a for a, b in pairwise(cuts))
                assert longest <= rule.gather * 1000 + 1
    told_once = sum(item.kind in wanted.values() for items in told.values() for _, item in items)
    assert told_once == sum(each.name in wanted for each in world.happened)


def _judge_gathering(world: World, rule: Rule, heard: list[Heard]) -> None:
    """What comes within `gather` comes together."""
    if rule.quiet is not None:
        return
    for one, other in pairwise(heard):
        if not any(one.at <= at <= other.at for at in world.kills):
            assert other.at - one.at >= rule.gather * 1000


def _judge_daemon(world: World, rule: Rule, heard: list[Heard]) -> None:
    """The daemon's silence is told while it lasts, and its end only of what was told."""
    stands: set[int | None] = set()
    for each in heard:
        for item in each.message.items:
            if item.of != "daemon":
                continue
            if item.kind is Kind.RECOVERED:
                assert item.began in stands
                stands.remove(item.began)
            elif item.ended is None:
                # who was away does not see it come back and stop again
                assert any(a <= each.at <= b for a, b in world.daemon)
                assert any(min(b, each.at) - a >= 120_000 for a, b in world.daemon)
                stands.add(item.began)
            else:
                assert item.began not in stands
                assert item.began is not None
                assert item.ended - item.began >= max(120_000, rule.after * 1000)


def _troubles(world: World, rule: Rule, heard: list[Heard]) -> list[Trouble]:
    after = round(rule.after * 1000)
    past = {
        (item.of, item.began, item.ended)
        for each in heard
        for item in each.message.items
        if item.kind is Kind.TROUBLE
    }
    return [
        trouble
        for task in world.tasks
        for trouble in _of_task(
            task, [each for each in world.happened if each.task == task], after, world.now, past
        )
    ]


def _of_task(
    task: str, happened: list[Happened], after: int, end: int, past: Set[object]
) -> list[Trouble]:
    found: list[Trouble] = []
    states = _states(happened)
    for place, (at, wall, state, graver) in enumerate(states):
        until = states[place + 1][0] if place + 1 < len(states) else end
        if state != "bad":
            continue
        before = _before(states[:place])
        last = found[-1] if found else None
        joined = last is not None and before is not None and (
            before == FOREVER or at - before < after
        )  # fmt: skip
        if last is not None and before == FOREVER and last.lasted() >= after:
            # of what nobody knew for long was told that it had been so
            told = (f"task:{task}", last.wall, last.ended_wall) in past
            joined = not (last.end == "lost" and at - last.ended >= after and told)
        if last is None or not joined:
            last = Trouble(task, wall, starts=[at])
            found.append(last)
        elif before != FOREVER:
            last.starts.append(at)
        last.spans.append((at, until))
        if graver:
            last.graver.append(at)
        for known in (True, False):  # where it was told that nobody knows, that was its end
            last.end, last.ended, last.ended_wall = _end(states[place + 1 :], after, known)
            if (f"task:{task}", last.wall, last.ended_wall) in past:
                break
    return found


def _before(states: list[tuple[int, int, str, bool]]) -> int | None:
    """Since when it had been well; FOREVER: it had not; None: it was another trouble, or none."""
    well: int | None = FOREVER
    for at, _, state, _ in reversed(states):
        if state == "gone":
            return None
        if state == "closed" and (well == FOREVER or not _was_well(states, at)):
            return None
        if state == "bad":
            return well
        if state == "well":
            well = at
    return None


def _was_well(states: list[tuple[int, int, str, bool]], at: int) -> bool:
    for _, _, state, _ in reversed([each for each in states if each[0] < at]):
        if state in ("bad", "gone"):
            return False
        if state == "well":
            return True
    return False


def _end(states: list[tuple[int, int, str, bool]], after: int, known: bool) -> tuple[str, int, int]:
    """How a bad time ended, if nothing bad came after it in time."""
    well: tuple[int, int] | None = None
    lost: tuple[int, int] | None = None
    for at, wall, state, _ in states:
        if well is not None and at - well[0] >= after:
            break
        if known and lost is not None and at - lost[0] >= after:
            return "lost", *lost
        if state == "gone":
            return "gone", at, wall
        if state == "closed" and well is None:
            return "closed", at, wall
        if state == "bad":
            return ("open", FOREVER, 0) if lost is None else ("lost", *lost)
        if state == "vague" and well is None:
            lost = lost or (at, wall)
        if state == "well" and well is None:
            well = (at, wall)
    if well is not None:
        return "well", *well
    return ("open", FOREVER, 0) if lost is None else ("lost", *lost)


def _states(happened: list[Happened]) -> list[tuple[int, int, str, bool]]:
    """What was so from when on: bad, well, vague, gone or closed; and whether it became graver."""
    found = []
    relapse, code = False, ""
    for each in happened:
        state, graver = "", False
        if each.name == "sync:health":
            if each.value == "lost":
                found.append((each.at, each.wall, "vague", False))
                continue
            bad = each.value in BAD or (relapse and each.value == "ok")
            state = "bad" if bad else "well" if each.value == "ok" else "" if relapse else "vague"
            code = ("relapse" if each.value == "ok" else each.value) if bad else code
        elif each.name == "sync:start":
            relapse = each.value == "relapse"
            state, graver = ("bad", code != "relapse") if relapse else ("gone", False)
            code = "relapse" if relapse else ""
        elif each.name == "sync:complete":
            state, relapse = "" if each.value == "unheard" else "well", False
        else:
            state, relapse = ("closed" if each.name == "sync:error" else "gone"), False
        if state:
            found.append((each.at, each.wall, state, graver))
    return found


def _nights(world: World) -> list[Span]:
    """When people sleep: from 23:00 to 07:00."""
    day = datetime.fromtimestamp(world.began / 1000, ZONE).date() - timedelta(days=2)
    found: list[Span] = []
    while not found or found[-1][1] < world.now:
        found.append((_at(day, 23), _at(day + timedelta(days=1), 7)))
        day += timedelta(days=1)
    return found


def _at(day: date, hour: int) -> int:
    return round(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).timestamp() * 1000)


def _both(some: list[Span], others: list[Span]) -> list[Span]:
    return [
        (max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) < min(b, d)
    ]  # fmt: skip


def _without(some: list[Span], others: list[Span]) -> list[Span]:
    for begins, ends in others:
        some = _both(some, [(0, begins), (ends, FOREVER)])
    return some
