"""Is this host's clock right? What a look tells of it, judged from all witnesses together.

A node takes no block that is more than 132 s ahead of its clock, and ages are counted by ours, so
a wrong clock makes a node at the tip look late, and a late one look young. No single witness
suffices: a peer's clock may be wrong itself, its offset is taken once at the handshake and stays as
it was when a clock is put right, and an age that stands may be that of a slow line. A node that was
in sync a moment ago is a witness itself: its age cannot have grown by more than its score lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.base.middle import median
from kaspad_taskd.kaspa.sync.memory import Mark, Passed
from kaspad_taskd.kaspa.sync.position import AWAITED, Position, network_pace
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock

FUTURE_S = 132.0
"""kaspad takes no block further ahead of its clock: one that is further ahead of ours is proof."""
YOUNG_MS = 600_000
"""Age of a handshake up to which its offset is of now."""
ALIKE_S = 5.0
"""Witnesses that are this close say the same."""
FEW_PEERS = 3
"""From so many on, the median of their offsets is believed; fewer must all say the same."""
STANDING_MS = 8_000
"""An age that stands for so long, with every look further, is a node that follows the tip."""
CLOSE_MS = 2_000
"""Looks so close may fall between two blocks."""
STANDS_S = 2.5
"""By so much an age may vary and still stand: blocks come unevenly."""
APART_MS = 15_000
"""Two looks so far apart show as much as many that lie in between."""
RARE = 0.05
"""Blocks a second, fewer of which tell nothing of an age that stands."""
RECORD_MS = 600_000
"""For so long it tells of now that a node was in sync: the network's pace is not exactly known."""
SAME_BLOCKS = 30
"""A reference so close has the same score: both are asked within a second or two."""


@frozen
class Clock:
    """The verdict on the clock that ages are counted by.

    Attributes:
        off: seconds that it is ahead (behind: negative), as the witnesses agree; None: it is good,
            or nobody knows.
        good: a witness says that it is right to within `max_lag`, and no two say otherwise.
        suspect: seconds off by the one witness that lasts, where no second one is there.
        witnesses: who says how much, in seconds ahead, by name.
        denied: peers that came since the node was in sync last say that it is right.
    """

    off: float | None = None
    good: bool = False
    suspect: float | None = None
    witnesses: tuple[tuple[str, float], ...] = ()
    denied: bool = False


@frozen
class Record:
    """What was known of a node and of the clock before this look.

    Attributes:
        passed: the newest look at which the node was in sync.
        steady: this look's moment, ms, of the same clock as that one's: one that nobody sets.
        off: ms that the clock is ahead, as witnesses agreed before.
    """

    passed: Passed | None = None
    steady: int = 0
    off: int | None = None


_NONE = Record()


def agreed(clock: Clock, before: int | None) -> int | None:
    """Return by how many ms the clock is known to be ahead, from now on.

    No block is younger than that, so the least that was seen is nearest to the truth.
    """
    if clock.off is None:
        return None if clock.good or clock.denied else before
    off = round(clock.off * 1000)
    still = before is not None and "before" in dict(clock.witnesses)
    return min(before or 0, off, key=abs) if still else off


def verdict(
    look: NodeReading,
    where: Position,
    marks: Sequence[Mark],
    max_lag: float,
    refused_blocks: bool = False,
    record: Record = _NONE,
) -> Clock:
    """Return what all witnesses of a look say together.

    Args:
        look: the node's answers.
        where: the same, understood.
        marks: recent looks of this node, this one last.
        max_lag: seconds off from which a clock is called wrong.
        refused_blocks: the node's log has just told of blocks too far in its future.
        record: what was known before.
    """
    if where.dated and where.age < -FUTURE_S:
        return Clock(where.age, witnesses=(("future-block", where.age),))
    pace = max(RARE, network_pace(look, where))
    standing = _standing(marks, pace)
    newcomers = _newcomers(look, record)
    denied = newcomers is not None and abs(newcomers) <= max_lag
    before = since = None
    if not denied:
        before = _as_before(record, look, where, ALIKE_S + 2 * AWAITED / pace)
        since = _recorded(record, where, pace, max_lag)
    if before is not None and standing is None:
        return Clock(before, witnesses=(("before", before),))
    said = {
        "standing-age": standing,
        "peers": _offsets(look, standing, ALIKE_S + 1 / pace),
        "reference": _reference(where),
        "record": since,
        "before": before,
    }
    found = {name: off for name, off in said.items() if off is not None}
    if refused_blocks:
        found["refused-blocks"] = -FUTURE_S
    told = _together(found, max_lag, _far_from_reference(where))
    return replace(told, denied=denied and told.off is None)


def _far_from_reference(where: Position) -> bool:
    """Whether a reference is ahead by about what the age says: then the node is late indeed."""
    if not where.exact or where.pos is None or where.tip is None:
        return False
    return where.tip - where.pos > max(SAME_BLOCKS, where.age / 2 * where.bps)


def _together(found: dict[str, float], max_lag: float, late: bool) -> Clock:
    says = tuple(found.items())
    ahead = [off for off in found.values() if off > max_lag]
    behind = [off for off in found.values() if off < -max_lag]
    agreeing = max(ahead, behind, key=len)
    if len(agreeing) > 1:
        measures = [off for off in agreeing if off != -FUTURE_S]  # refused blocks tell a least
        return Clock(median(measures or agreeing), witnesses=says)
    standing = found.get("standing-age")
    lasting = found.get("refused-blocks", standing)
    suspect = lasting if lasting is not None and abs(lasting) > max_lag else None
    if suspect is not None and (late or _contradicted(found, suspect, max_lag)):
        suspect = None
    good = standing is not None and abs(standing) <= max_lag
    return Clock(None, good, suspect, says)


def _contradicted(found: dict[str, float], suspect: float, max_lag: float) -> bool:
    """Whether peers that have just told the time say that the clock is right: the line is slow."""
    told = found.get("peers")
    return told is not None and abs(told) <= max_lag and abs(told - suspect) > ALIKE_S


def _standing(marks: Sequence[Mark], pace: float) -> float | None:
    """The age of the newest block, where it stands on a node that follows the tip.

    Where blocks are rare it grows in between, and is least just after one.
    """
    if len(marks) > 2 and marks[-1].at - marks[-2].at >= APART_MS:
        marks = marks[-2:]
    elif len(marks) < 3 or marks[-1].at - marks[0].at < STANDING_MS:
        return None
    ages = [each.age for each in marks if each.age is not None]
    if len(ages) < len(marks) or any(each.ibd for each in marks):
        return None
    varies = max(ages) - min(ages)
    if varies > max(STANDS_S, AWAITED / pace) * 1000 or not _rises(marks):
        return None
    if not all(_follows(one, other, AWAITED / pace) for one, other in pairwise(marks)):
        return None
    return (median(ages) if varies <= STANDS_S * 1000 else min(ages)) / 1000


def _rises(marks: Sequence[Mark]) -> bool:
    first, last = marks[0].pos, marks[-1].pos
    return first is not None and last is not None and last > first


def _follows(one: Mark, other: Mark, awaited: float) -> bool:
    """Whether a block came between two looks; between two that are close none need have come."""
    if one.pos is None or other.pos is None:
        return False
    close = max(CLOSE_MS, awaited * 1000)
    return other.pos > one.pos or (other.pos == one.pos and other.at - one.at < close)


def _recorded(record: Record, where: Position, pace: float, max_lag: float) -> float | None:
    """What the age is beyond what it can be: as when it was in sync, and what its score lacks.

    A clock that is right by this witness is not thereby known to be so: a host that slept, too,
    lets the age grow by more than steady time.
    """
    passed = record.passed
    if passed is None or where.pos is None or not where.dated or where.pos < passed.pos:
        return None
    span = (record.steady - passed.steady) / 1000
    if not 0 < span <= RECORD_MS / 1000 or pace * span < AWAITED:
        return None
    lacks = max(0.0, span - (where.pos - passed.pos) / pace)
    off = where.age - (passed.age / 1000 + lacks)
    return off if off > max_lag else None


def _as_before(record: Record, look: NodeReading, where: Position, alike: float) -> float | None:
    """What witnesses agreed on before, while the age is so still and no download changes it."""
    if record.off is None or look.ibd_peers or not where.dated:
        return None
    off = record.off / 1000
    return off if abs(off - where.age) <= alike else None


def _offsets(look: NodeReading, standing: float | None, alike: float) -> float | None:
    """What the peers say of our clock; of old handshakes only what a standing age confirms."""
    young = [each for each in look.peer_clocks if each.connected_ms <= YOUNG_MS]
    ours = _ours(look)
    said = _agreed(young)
    if said is not None:
        return said + ours
    old = _agreed(look.peer_clocks)
    if old is None or standing is None:
        return None
    return old + ours if abs(old + ours - standing) <= alike else None


def _newcomers(look: NodeReading, record: Record) -> float | None:
    """What those peers say of our clock that told the time since the node was in sync last."""
    passed = record.passed
    since = YOUNG_MS if passed is None else min(YOUNG_MS, record.steady - passed.steady)
    said = _agreed([each for each in look.peer_clocks if each.connected_ms < since])
    return None if said is None else said + _ours(look)


def _agreed(clocks: Sequence[PeerClock]) -> float | None:
    offsets = [each.offset_ms / 1000 for each in clocks]
    if not offsets:
        return None
    if len(offsets) < FEW_PEERS and max(offsets) - min(offsets) > ALIKE_S:
        return None
    return median(offsets)


def _ours(look: NodeReading) -> float:
    """By how much our clock is ahead of the node's: 0 on one host, but for the way's time."""
    if not look.server_time_ms:
        return 0.0
    apart = (look.at_ms - look.server_time_ms) / 1000
    return apart if abs(apart) > ALIKE_S else 0.0


def _reference(where: Position) -> float | None:
    """The age of the newest block that there is: a reference has the very same score."""
    if not where.exact or where.pos is None or where.tip is None or not where.dated:
        return None
    return where.age if abs(where.tip - where.pos) <= SAME_BLOCKS else None
