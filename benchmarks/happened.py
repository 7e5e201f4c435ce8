"""What really happened in a recording: when it advanced, what its log says, what was to come."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.replay import CAUGHT_UP, Recording, reading_of
from kaspad_taskd.kaspa.sync.lines import understand
from kaspad_taskd.kaspa.sync.position import locate
from kaspad_taskd.kaspa.sync.story import Story, fold

COUNTED = frozenset({"proof", "trusted_bodies", "smt", "utxo"})
"""Stages of which nothing but the log counts what is done."""
STATE = frozenset({"trusted_bodies", "smt", "utxo"})
EPOCHS = {"ibd-rust-lost": 1}
"""How often more than ten minutes of blocks were lost."""
FOLLOWS = "follows"
"""At the tip, without a download."""
NO_DISTURBANCE = "caught up"


@dataclass
class _Highs:
    """The furthest of all that counts: positions, headers, headers in staging since its proof."""

    reached: dict[str, int] = field(default_factory=dict)
    base: int = 0

    def beyond(self, name: str, value: int | None) -> bool:
        if value is None or value <= self.reached.get(name, -1):
            return False
        self.reached[name] = value
        return True

    def proof_begins(self, processed: int) -> None:
        """A proof is begun anew: what was staged is lost."""
        self.base = processed
        self.reached.pop("staged", None)


@dataclass(frozen=True)
class Happened:
    """The truth of a recording.

    Attributes:
        moments: seconds of the samples.
        advanced: at each, when what is done of the phase under way last went beyond all before, or
            the node was at the tip.
        stages: at each, the phase by the log; None: no download is on.
        before: at each, the phase of the last download by the log.
        passes: seconds at which a download was on.
        disturbed: seconds at which the recording's maker did something.
    """

    moments: list[float]
    advanced: list[float]
    stages: list[str | None]
    before: list[str | None]
    passes: list[float]
    disturbed: list[float]

    def _index(self, second: float) -> int:
        return max(0, bisect_right(self.moments, second) - 1)

    def stood(self, second: float) -> float:
        """For how many seconds nothing had advanced."""
        return second - self.advanced[self._index(second)]

    def stage(self, second: float) -> tuple[str | None, str | None]:
        """The phase by the log, and of the last download."""
        index = self._index(second)
        return self.stages[index], self.before[index]

    def pass_to_come(self, second: float) -> bool:
        """Whether a download followed that nothing which was done to the node is the cause of."""
        horizon = next((at for at in self.disturbed if at > second), float("inf"))
        index = bisect_right(self.passes, second)
        return index < len(self.passes) and self.passes[index] < horizon


def happened(recording: Recording) -> Happened:
    """Return the truth of a recording."""
    rows = list(_rows(recording))
    return Happened(
        [each[0] for each in rows],
        [each[1] for each in rows],
        [each[2] for each in rows],
        [each[3] for each in rows],
        [float(each["t"]) for each in recording.samples if each.get("ibdPeers")],
        [at for at, what in recording.events if what != NO_DISTURBANCE],
    )


def _rows(recording: Recording) -> Iterator[tuple[float, float, str | None, str | None]]:
    story, read, last, before = Story(), 0, 0.0, None
    highs, processed = _Highs(), 0
    for sample in recording.samples:
        until = bisect_right(recording.logs, sample["t"], key=lambda row: row[0])
        for at, text in recording.logs[read:until]:
            line = understand(text)
            if line is None:
                continue
            proofs, counted = story.proofs, story.stage in COUNTED
            story = fold(story, line, 0)
            if story.proofs > proofs:
                highs.proof_begins(processed)
            if counted and story.done is not None:
                last = at
        read = until
        before = story.stage or before
        there = False
        if "error" not in sample:
            processed = _processed(sample, processed, highs)
            there = recording.behind(sample) <= CAUGHT_UP  # at the tip nothing is left to do
            if _advances(sample, processed, highs) or there:
                last = float(sample["t"])
        yield float(sample["t"]), last, _stage(story, there), before


def _stage(story: Story, there: bool) -> str | None:
    """The phase by the log; of headers it tells before any has come."""
    if story.stage is None and there:
        return FOLLOWS
    coming = story.stage == "headers" and story.kind != "proof" and story.done is None
    return "negotiating" if coming else story.stage


def _processed(sample: dict[str, Any], before: int, highs: _Highs) -> int:
    now = reading_of(sample).header_counts
    if now is None:
        return 0
    if now < before:  # a new process: it begins with none
        highs.base = 0
    return now


def _advances(sample: dict[str, Any], processed: int, highs: _Highs) -> bool:
    look = reading_of(sample)
    where = locate(look)
    staged = processed - highs.base if look.block_count <= 1 else None
    found = [
        highs.beyond("pos", None if where.transitional else where.pos),
        highs.beyond("headers", None if where.transitional else where.headers),
        highs.beyond("blocks", look.block_count if look.protocol == "go" else None),
        highs.beyond("headers of go", look.header_count if look.protocol == "go" else None),
        highs.beyond("staged", staged),
    ]
    return any(found)


def fits(shown: str | None, stage: str | None, before: str | None) -> bool:
    """Whether a phase that is shown is the log's own, as far as it can be known."""
    if shown is None or stage == shown:
        return True
    if shown == "state_download":
        return stage in STATE or (stage is None and before in STATE)
    if shown == "proof_or_headers":
        return stage in ("proof", "headers")
    if stage == FOLLOWS:
        return shown in ("blocks", "confirming")
    if stage is None:  # no download: what was is kept, or the node is at the tip
        return shown in ("connecting", "negotiating", "confirming", "blocks", before)
    if stage == "negotiating":
        return shown in ("connecting", before)
    return False
