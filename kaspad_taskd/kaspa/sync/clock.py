"""Is this host's clock right? What a look tells of it, judged from all witnesses together.

A node takes no block that is more than 132 s ahead of its clock, and ages are counted by ours, so
a wrong clock makes a node at the tip look late, and a late one look young. No single witness
suffices: a peer's clock may be wrong itself, its offset is taken once at the handshake and stays as
it was when a clock is put right, and an age that stands may be a slow network's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from kaspad_taskd.kaspa.sync.memory import Mark
from kaspad_taskd.kaspa.sync.position import Position
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
SAME_BLOCKS = 30
"""A reference so close has the same score: both are asked within a second or two."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The verdict on the clock that ages are counted by.

    Attributes:
        off: seconds that it is ahead (behind: negative), as the witnesses agree; None: it is good,
            or nobody knows.
        good: a witness says that it is right to within `max_lag`, and no two say otherwise.
        suspect: seconds off by the one witness that lasts, where no second one is there.
        witnesses: who says how much, in seconds ahead, by name.
    """

    off: float | None = None
    good: bool = False
    suspect: float | None = None
    witnesses: tuple[tuple[str, float], ...] = ()


def verdict(
    look: NodeReading,
    where: Position,
    marks: Sequence[Mark],
    max_lag: float,
    refused_blocks: bool = False,
) -> Clock:
    """Return what all witnesses of a look say together.

    Args:
        look: the node's answers.
        where: the same, understood.
        marks: recent looks of this node, this one last.
        max_lag: seconds off from which a clock is called wrong.
        refused_blocks: the node's log has just told of blocks too far in its future.
    """
    if where.dated and where.age < -FUTURE_S:
        return Clock(where.age, witnesses=(("future-block", where.age),))
    standing = _standing(marks)
    told = _offsets(look, standing)
    same = _reference(where)
    found = {
        name: off
        for name, off in (("standing-age", standing), ("peers", told), ("reference", same))
        if off is not None
    }
    if refused_blocks:
        found["refused-blocks"] = -FUTURE_S
    return _together(found, max_lag, _far_from_reference(where))


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


def _standing(marks: Sequence[Mark]) -> float | None:
    """The age of the newest block, where it stands on a node that follows the tip."""
    ages = [each.age for each in marks if each.age is not None]
    if len(marks) < 3 or len(ages) < len(marks) or marks[-1].at - marks[0].at < STANDING_MS:
        return None
    if any(each.ibd for each in marks) or max(ages) - min(ages) > STANDS_S * 1000:
        return None
    going = all(_follows(one, other) for one, other in pairwise(marks))
    return median(ages) / 1000 if going else None


def _follows(one: Mark, other: Mark) -> bool:
    """Whether a block came between two looks; between two that are close none need have come."""
    if one.pos is None or other.pos is None:
        return False
    return other.pos > one.pos or (other.pos == one.pos and other.at - one.at < CLOSE_MS)


def _offsets(look: NodeReading, standing: float | None) -> float | None:
    """What the peers say of our clock; of old handshakes only what a standing age confirms."""
    young = [each for each in look.peer_clocks if each.connected_ms <= YOUNG_MS]
    ours = _ours(look)
    said = _agreed(young)
    if said is not None:
        return said + ours
    old = _agreed(look.peer_clocks)
    if old is None or standing is None:
        return None
    return old + ours if abs(old + ours - standing) <= ALIKE_S else None


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
