"""`kaspad-taskctl run`: what comes through it a second, and how long a short command takes with it.

Run it by `./dev bench run`. Each is measured in turns beside the same without it; on a busy machine
only the ratios within one run count, and those of throughput need a free CPU for the third process.
A stream is so long that Python's start, which the short commands measure, is no part of it. No
daemon is there but where it is named.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import kaspad_taskd
from benchmarks.process import daemon

TASKCTL = str(Path(sys.executable).parent / "kaspad-taskctl")
SHORT = ("sleep", "0.01")
IMPORTS = "import socket,json,signal,selectors,pty"


def timed(line: str, environment: dict[str, str]) -> float:
    """Seconds of a shell's line."""
    began = time.perf_counter()
    subprocess.run(("sh", "-c", line), check=True, env=environment, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def beside(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    """The medians of both, and of the ratios of those that followed each other."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return (
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(one / other for one, other in pairs),
    )


def throughput(size: int, rounds: int, environment: dict[str, str]) -> None:
    """Print MB/s through `run` and through a bare pipe; and through others that stand between."""
    flood, work = f"head -c {size} /dev/zero", f"head -c {size // 8} /dev/urandom"
    for name, command, line, much in (
        ("a command at work", work, f"{TASKCTL} run -- {work}", size // 8),
        ("  read by a tool", work, f"{TASKCTL} run --as percent:x -- {work}", size // 8),
        ("  both in one pipe", work, f"{TASKCTL} run -- {work} 2>&1", size // 8),
        ("as fast as memory", flood, f"{TASKCTL} run -- {flood}", size),
        ("  read by a tool", flood, f"{TASKCTL} run --as percent:x -- {flood}", size),
        ("  cat in place of us", flood, f"{flood} | cat", size),
        ("  pv in place of us", flood, f"{flood} | pv -q", size),
    ):
        if "pv" in line and shutil.which("pv") is None:
            continue
        ours, theirs, ratio = beside(
            lambda line=line: timed(f"{line} | cat >/dev/null", environment),  # type: ignore[misc]
            lambda command=command: timed(f"{command} | cat >/dev/null", environment),  # type: ignore[misc]
            rounds,
        )
        goal = "  >= 0.9" if TASKCTL in line else ""
        mega = much / 1e6
        print(f"{name:34}{mega / ours:8.0f} MB/s{mega / theirs:8.0f} bare{1 / ratio:8.2f}{goal}")


def short(rounds: int, environment: dict[str, str], name: str, options: str) -> None:
    """Print ms of a command of 10 ms with `run`, and beside Python's imports and the same."""
    words = " ".join(SHORT)
    ours, theirs, ratio = beside(
        lambda: timed(f"exec {TASKCTL} run {options} -- {words}", environment),
        lambda: timed(f"{sys.executable} -c '{IMPORTS}'; exec {words}", environment),
        rounds,
    )
    print(f"{name:34}{ours * 1000:8.0f} ms  {theirs * 1000:8.0f} bare{ratio:8.2f}  <= 1.6")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=8_000_000_000, help="bytes of a stream")
    options = parser.parse_args(argv)
    compileall.compile_dir(Path(kaspad_taskd.__file__).parent, quiet=1)  # as an installed one is
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "XDG_STATE_HOME": directory, "XDG_RUNTIME_DIR": directory}
        print(f"{'':34}{'run':>13}{'without':>13}{'ratio':>8}  goal")
        throughput(options.size, options.rounds, environment)
        rounds = 4 * options.rounds
        short(rounds, environment, "10 ms, no daemon", "")
        place = Path(directory) / "daemon"
        place.mkdir()
        with daemon(place) as started:
            short(rounds, environment, "10 ms, told to a daemon", f"--socket {started.path}")


if __name__ == "__main__":
    main()
