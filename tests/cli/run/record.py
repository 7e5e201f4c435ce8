r"""Makes a recording of a real tool for the corpus: a developer's tool.

    python tests/cli/run/record.py git-clone --tool git --version 2.39.5 --size /tmp/x -- \
        git clone --progress file:///tmp/repo /tmp/x

runs the command with both streams on pipes and standard input empty, and writes
tests/data/run/git-clone.jsonl (tests/cli/run/corpus.py says what is in it).
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.cli.run.corpus import DATA, Read, Recording, dump

CHUNK = 65536


def measured(path: str | None) -> int | None:
    """Return the bytes in a file, or in all files below a folder; None: nothing to measure."""
    if path is None:
        return None
    total = 0
    for folder, _, names in os.walk(path) if Path(path).is_dir() else [("", [], [path])]:
        for name in names:
            try:
                total += Path(folder, name).stat().st_size
            except OSError:  # removed meanwhile, or not there yet
                continue
    return total


def _hears_sigint() -> None:
    """What a shell runs in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def record(
    argv: list[str], size: str | None = None, sends: tuple[int, float] | None = None
) -> tuple[list[Read], int]:
    """Return what a command writes and how it ends; `sends`: a signal, and after how long."""
    began = time.monotonic()
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    reads: list[Read] = []
    with (
        subprocess.Popen(  # type: ignore[call-overload]
            argv, **pipes, env=env, bufsize=0, preexec_fn=_hears_sigint
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        for stream, pipe in ((1, process.stdout), (2, process.stderr)):
            selector.register(pipe, selectors.EVENT_READ, stream)
        last = None  # a child that outlives it may keep the pipes
        while selector.get_map() and (last is None or time.monotonic() < last):
            if last is None and process.poll() is not None:
                last = time.monotonic() + 1
            if sends and time.monotonic() - began >= sends[1]:
                process.send_signal(sends[0])
                sends = None
            for key, _ in selector.select(0.02):
                data = os.read(key.fd, CHUNK)
                if data:
                    at = time.monotonic() - began
                    reads.append(Read(at, key.data, data, measured(size)))
                else:
                    selector.unregister(key.fileobj)
    return reads, process.returncode


def thinned(reads: list[Read], most: int) -> list[Read]:
    """Return about so many reads: the first, the last, and others evenly between."""
    if len(reads) <= most:
        return reads
    edge = most // 3
    middle = reads[edge:-edge]
    step = -(-len(middle) // edge)
    return reads[:edge] + middle[::step] + reads[-edge:]


def main() -> None:
    """Make one recording, and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--tool", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--debian", default="12")
    parser.add_argument("--as", dest="chosen", help="what `run --as` is to say")
    parser.add_argument("--size", help="what grows while it works: its size is the truth")
    parser.add_argument("--whole", type=int, help="the size at the end, where it is cut short")
    parser.add_argument("--most", type=int, default=150, help="reads that are kept")
    parser.add_argument("--send", help="INT@1.5: a signal, and after how many seconds")
    parser.add_argument("--shown", help="the command line as it is to be kept")
    parser.add_argument("argv", nargs="+")
    given = parser.parse_args()
    sends = None
    if given.send:
        name, _, after = given.send.partition("@")
        sends = (signal.Signals[f"SIG{name}"].value, float(after))
    reads, code = record(given.argv, given.size, sends)
    argv = given.shown.split() if given.shown else given.argv
    head = {"tool": given.tool, "version": given.version, "debian": given.debian, "argv": argv}
    head["code"] = code
    if given.chosen:
        head["as"] = given.chosen
    if given.size:
        head["whole"] = given.whole or measured(given.size)
    kept = thinned(reads, given.most)
    if len(kept) < len(reads):
        head["thinned"] = len(reads)
    text = dump(Recording(given.name, head, kept))
    DATA.mkdir(exist_ok=True)
    (DATA / f"{given.name}.jsonl").write_text(text, encoding="ascii")
    print(f"{given.name}: {len(reads)} reads, {len(text)} bytes, exit code {code}")


if __name__ == "__main__":
    main()
