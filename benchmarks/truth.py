"""How true is what is shown? Every recorded sync, watched in several ways, against what happened.

Run it by `./dev bench truth [DIRECTORY]`; without one, on the excerpts in tests/data.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.replay import CAUGHT_UP, Recording, Seen, Way, load, watch
from kaspad_taskd.core.model import Health, Status
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import EtaReason

EXCERPTS = Path(__file__).parent.parent / "tests" / "data"


UNTOLD = (EtaReason.NO_TOTAL, EtaReason.CONFIRMING)
"""Of phases that can have no time left, and of the end."""


@dataclass(frozen=True)
class Truth:
    """What a watched recording showed, judged.

    Attributes:
        early: complete looks, or a completed task, while more than CAUGHT_UP blocks behind.
        falls: how often progress fell (a new epoch begins anew and is none).
        hundreds: how often 100 % was shown outside `complete`.
        delay: seconds from caught up to complete, None where it did not complete.
        stalls: how often it was called stalled.
        epochs: how often data was said to be lost.
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
    epochs: int
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


def judge(recording: Recording, looks: Sequence[Seen]) -> Truth:
    """Compare what was shown with what happened."""
    end = recording.caught_up
    early = falls = hundreds = stalls = epochs = untold = 0
    percent = 0.0
    for seen in looks:
        reading = seen.observation if isinstance(seen.observation, Reading) else None
        task = seen.task
        done = (reading is not None and reading.complete) or task.status is Status.COMPLETE
        early += done and recording.behind(seen.sample) > CAUGHT_UP
        epochs += "sync:epoch" in seen.events
        falls += task.percent < percent and "sync:epoch" not in seen.events
        percent = task.percent
        hundreds += task.percent >= 100 and task.status is not Status.COMPLETE
        stalls += "sync:health" in seen.events and task.health is Health.STALLED
        no_total = reading is not None and reading.eta_reason is EtaReason.NO_TOTAL
        untold += no_total and task.live.eta is not None
    half = errors(looks, end, 0.5)
    last = looks[-1]
    delay = last.second - end if last.task.status is Status.COMPLETE else None
    told = sum(each is not None for each in half) / len(half) if half else 0.0
    fifth = _median(errors(looks, end, 0.2))
    return Truth(
        early, falls, hundreds, delay, stalls, epochs, untold, _median(half), fifth, told, len(half)
    )  # fmt: skip


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
        ("2 s, log, restarts", Way(2, log=True, restart=7)),
        ("2 s, stopped", Way(2, stop=60)),
        ("1 s", Way(1)),
        ("0.5 s", Way(0.5)),
        ("0.25 s", Way(0.25)),
    ]


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def row(name: str, way: str, truth: Truth) -> str:
    """One line of the table."""
    return (
        f"{name:18} {way:19} {truth.early:5} {truth.falls:5} {truth.hundreds:5} "
        f"{_cell(truth.delay, '6.1f'):>6} {truth.stalls:6} {truth.epochs:6} {truth.untold:6} "
        f"{_cell(truth.half, '7.0%'):>7} {_cell(truth.fifth, '7.0%'):>7} "
        f"{truth.told:6.0%} {truth.looks:5}"
    )


HEAD = (
    f"{'recording':18} {'looks':19} early falls 100 %  delay stalls epochs untold "
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
        left = recording.caught_up - seen.second
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
                print(row(recording.name, name, judge(recording, list(watch(recording, way)))))


if __name__ == "__main__":
    main(sys.argv[1:])
