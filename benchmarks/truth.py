"""How true is what is shown? Every recorded sync, watched in several ways, against what happened.

Run it by `./dev bench truth [DIRECTORY]`; without one, on the excerpts in tests/data.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.happened import EPOCHS, Happened, fits, happened
from benchmarks.replay import CAUGHT_UP, PATIENCE_S, Recording, Seen, Way, load, watch
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import EtaReason, Reason

EXCERPTS = Path(__file__).parent.parent / "tests" / "data"


UNTOLD = (EtaReason.NO_TOTAL, EtaReason.CONFIRMING)
"""Of phases that can have no time left, and of the end."""
GRACE_S = 15.0
"""Movement is told over so many seconds, so that a standstill may be seen so much later."""
WRONG_S = 30.0


@dataclass(frozen=True)
class Truth:
    """What a watched recording showed, judged.

    Attributes:
        early: complete looks that count, or a completed task, while more than CAUGHT_UP blocks
            behind, or with a download still to come.
        falls: how often progress fell (a new epoch begins anew and is none).
        hundreds: how often 100 % was shown outside `complete`.
        delay: seconds from caught up to complete, None where it did not complete.
        stalls: how often it was called stalled, or still was, though what is done had advanced.
        missed: how often nothing advanced for longer than `stall_after`, and nothing was said.
        epochs: by how much the times at which data was said to be lost differ from the true ones.
        phase: how often a phase was shown for more than 30 s that the log tells otherwise.
        untold: times left shown in phases that have no total.
        half, fifth: median error of the time left over the last half and fifth of the way.
        told: share of the looks of the last half that showed a time left, of those in phases that
            can have one.
        looks: how many those were.
    """

    early: int
    falls: int
    hundreds: int
    delay: float | None
    stalls: int
    missed: int
    epochs: int
    phase: int
    untold: int
    half: float | None
    fifth: float | None
    told: float
    looks: int


def errors(looks: Iterable[Seen], end: float, share: float) -> list[float | None]:
    """Relative errors of the time left over the last `share` of the way; None: none was shown.

    Looks in a phase that can have no time left count neither way.
    """
    begin = end * (1 - share)
    found: list[float | None] = []
    for seen in looks:
        reading = seen.observation
        if not isinstance(reading, Reading) or reading.eta_reason in UNTOLD:
            continue
        if begin <= seen.second < end:
            eta = seen.task.live.eta
            left = end - seen.second
            found.append(None if eta is None else abs(eta - left) / left)
    return found


def _median(found: Sequence[float | None]) -> float | None:
    told = [each for each in found if each is not None]
    return median(told) if told else None


@dataclass
class Count:
    """Wrong things counted, look by look, against what happened."""

    recording: Recording
    truth: Happened
    pace: float
    early: int = 0
    falls: int = 0
    hundreds: int = 0
    stalls: int = 0
    missed: int = 0
    epochs: int = 0
    phase: int = 0
    untold: int = 0
    percent: float = 0.0
    silent: bool = False
    wrong_since: float | None = None
    last: Seen | None = None

    def take(self, seen: Seen) -> None:
        """Count one more look."""
        task = seen.task
        reading = seen.observation if isinstance(seen.observation, Reading) else None
        if self.last is not None and self.last.task.status is Status.COMPLETE:
            self.percent = 0.0
        done = task.status is Status.COMPLETE or (
            reading is not None and reading.complete and reading.settled
        )
        behind = 0 if reading is None else self.recording.behind(seen.sample)
        self.early += done and (behind > CAUGHT_UP or self.truth.pass_to_come(seen.second))
        self.epochs += "sync:epoch" in seen.events
        self.falls += task.percent < self.percent and "sync:epoch" not in seen.events
        self.percent = task.percent
        self.hundreds += task.percent >= 100 and task.status is not Status.COMPLETE
        no_total = reading is not None and reading.eta_reason is EtaReason.NO_TOTAL
        self.untold += no_total and task.live.eta is not None
        self._stalls(seen)
        self._phase(seen, reading)
        self.last = seen

    def _stalls(self, seen: Seen) -> None:
        if "error" not in seen.sample and self.recording.behind(seen.sample) <= CAUGHT_UP:
            self.silent = False
            return  # at the tip it stands as the network does: either word is true
        stood = self.truth.stood(seen.second)
        stalled = seen.task.health is Health.STALLED
        was = self.last is not None and self.last.task.health is Health.STALLED
        # Two looks after the first step forward it may not be said any more.
        moving = stood <= self.pace and self.truth.stood(seen.second - 2 * self.pace) <= self.pace
        early = not was and stood < PATIENCE_S - GRACE_S - 2 * self.pace
        self.stalls += stalled and (moving or early)
        quiet = seen.task.health is Health.OK and seen.task.status is Status.IN_PROGRESS
        told = seen.task.reason is Reason.CRASH_LOOP  # it dies before patience could end
        silent = quiet and not told and stood > PATIENCE_S + GRACE_S + 2 * self.pace
        self.missed += silent and not self.silent
        self.silent = silent or (self.silent and stood > PATIENCE_S)

    def _phase(self, seen: Seen, reading: Reading | None) -> None:
        if not self.recording.logs or reading is None:
            self.wrong_since = None
            return
        if fits(seen.task.phase, *self.truth.stage(seen.second)):
            self.wrong_since = None
        elif self.wrong_since is None:
            self.wrong_since = seen.second
        elif seen.second - self.wrong_since > WRONG_S:
            self.phase += 1
            self.wrong_since = float("inf")


def judge(recording: Recording, looks: Sequence[Seen], pace: float) -> Truth:
    """Compare what was shown, at this pace, with what happened."""
    count = Count(recording, happened(recording), pace)
    for seen in looks:
        count.take(seen)
    end = recording.way if recording.caught_up is not None else 0.0  # no end, no truth
    half = errors(looks, end, 0.5)
    done = next((seen.second for seen in looks if seen.task.status is Status.COMPLETE), None)
    caught_up = recording.caught_up
    return Truth(
        early=count.early,
        falls=count.falls,
        hundreds=count.hundreds,
        delay=None if done is None or caught_up is None else done - caught_up,
        stalls=count.stalls,
        missed=count.missed,
        epochs=abs(count.epochs - EPOCHS.get(recording.name, 0)),
        phase=count.phase,
        untold=count.untold,
        half=_median(half),
        fifth=_median(errors(looks, end, 0.2)),
        told=sum(each is not None for each in half) / len(half) if half else 0.0,
        looks=len(half),
    )


def ways() -> list[tuple[str, Way]]:
    """The ways in which each recording is watched, with a name for the table."""
    return [
        ("10 s", Way(10)),
        ("10 s, log", Way(10, log=True)),
        ("10 s, reference", Way(10, reference=True)),
        ("10 s, restarts", Way(10, restart=3)),
        ("10 s, stopped", Way(10, stop=60)),
        ("5 s", Way(5)),
        ("3 s", Way(3)),
        ("2 s", Way(2)),
        ("2 s, log", Way(2, log=True)),
        ("2 s, reference", Way(2, reference=True)),
        ("2 s, log, restarts", Way(2, log=True, restart=7)),
        ("2 s, stopped", Way(2, stop=60)),
        ("1 s", Way(1)),
        ("0.5 s", Way(0.5)),
        ("0.25 s", Way(0.25)),
        ("2 s, gossip", Way(2, gossip=True)),
        ("10 s, gossip", Way(10, gossip=True)),
    ]


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def row(name: str, way: str, truth: Truth) -> str:
    """One line of the table."""
    return (
        f"{name:24} {way:19} {truth.early:5} {truth.falls:5} {truth.hundreds:5} "
        f"{_cell(truth.delay, '6.1f'):>6} {truth.stalls:6} {truth.missed:6} {truth.epochs:6} "
        f"{truth.phase:5} {truth.untold:6} "
        f"{_cell(truth.half, '7.0%'):>7} {_cell(truth.fifth, '7.0%'):>7} "
        f"{truth.told:6.0%} {truth.looks:5}"
    )


HEAD = (
    f"{'recording':24} {'looks':19} early falls 100 %  delay stalls missed epochs phase untold "
    "   half   fifth   told looks"
)


def recordings(directory: Path) -> list[Recording]:
    """All recordings in a directory, by name."""
    return [load(path) for path in sorted(directory.glob("ibd-*.jsonl*"))]


def trace(recording: Recording, way: Way) -> None:
    """Print every look: for finding out why a number is as it is."""
    for seen in watch(recording, way):
        task, live = seen.task, seen.task.live
        reading = seen.observation if isinstance(seen.observation, Reading) else Reading()
        left = recording.way - seen.second
        print(
            f"{seen.second:7.1f} {task.percent:5.1f} {task.phase!s:14} pass {task.pass_number} "
            f"{reading.position!s:>8} of {reading.target!s:>8} "
            f"rate {_cell(live.rate, '.1f')} left {left:.0f} eta {_cell(live.eta, '.0f')} "
            f"{live.eta_reason} {task.reason} {[hint.code for hint in live.hints]} "
            f"behind {reading.behind} {seen.events}"
        )


def main(argv: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench truth", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=EXCERPTS)
    parser.add_argument("--data", dest="directory", type=Path)
    parser.add_argument(
        "--trace", metavar="NAME:WAY", help="every look of one, e.g. ibd-rust-sync:2 s"
    )
    options = parser.parse_args(argv)
    found = recordings(options.directory or options.data)
    if options.trace:
        name, _, way = options.trace.partition(":")
        trace(next(each for each in found if each.name == name), dict(ways())[way])
        return
    print(HEAD)
    for recording in found:
        for name, way in ways():
            if not way.log or recording.logs:
                looks = list(watch(recording, replace(way, again=True)))
                print(row(recording.name, name, judge(recording, looks, way.pace)))


if __name__ == "__main__":
    main(sys.argv[1:])
