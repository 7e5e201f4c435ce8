"""Recordings of real syncs: one JSON object a line, samples (answers of a node) and log lines.

`recording.jsonl.gz` in this directory is one: a fresh rusty-kaspa 2.1.0 from its headers proof
through every phase to the tip. It was made from a longer one by
`python -m kaspad_taskd.demo.recording LONG.jsonl recording.jsonl.gz --until 345`.
"""

from __future__ import annotations

import argparse
import bisect
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kaspad_taskd.base.jsontext import dumps, loads

SHIPPED = Path(__file__).with_name("recording.jsonl.gz")


@dataclass(frozen=True)
class Recording:
    """A recorded sync.

    Attributes:
        samples: what the node answered, by time `t` (seconds since the recording began); a sample
            with `error` "unreachable" or "timeout" has no answers.
        lines: (t, text) of the node's log.
    """

    samples: tuple[Mapping[str, Any], ...]
    lines: tuple[tuple[float, str], ...]

    @property
    def duration(self) -> float:
        """Seconds until the last sample."""
        return float(self.samples[-1]["t"])

    @property
    def began_ms(self) -> float:
        """The wall clock when the recording began, ms since 1970 UTC."""
        return float(self.samples[0]["unix_ms"] - 1000 * self.samples[0]["t"])

    def at(self, t: float) -> Mapping[str, Any]:
        """Return the newest sample at `t`: the first before the beginning, the last after it."""
        return self.samples[max(0, bisect.bisect_right(self._times, t) - 1)]

    @cached_property
    def _times(self) -> list[float]:
        return [sample["t"] for sample in self.samples]

    @cached_property
    def headers(self) -> Mapping[str, Mapping[str, Any]]:
        """The samples whose sink has a known header, by its hash."""
        return {s["sink"]: s for s in self.samples if s.get("sinkTimestamp") is not None}


def load(path: Path = SHIPPED) -> Recording:
    """Read a recording, packed or not.

    Raises:
        OSError, ValueError: it cannot be read, is no recording, or has no sample.
    """
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    entries = [loads(line) for line in text.splitlines() if line.strip()]
    samples = tuple(entry for entry in entries if "unix_ms" in entry)
    if not samples:
        raise ValueError(f"{path}: no sample in it; a recording has lines with unix_ms")
    lines = tuple((float(entry["t"]), entry["log"]) for entry in entries if "log" in entry)
    return Recording(samples, lines)


def shorten(lines: Iterable[bytes], until: float) -> bytes:
    """Return a packed recording of what a node shows up to `until` seconds.

    What its maker did (`event`) and how long answers took are left out. Equal input makes equal
    output.
    """
    kept = []
    for line in lines:
        entry = loads(line)
        if entry["t"] <= until and "event" not in entry:
            kept.append(dumps({k: v for k, v in entry.items() if k not in ("rpcMs", "blockMs")}))
    return gzip.compress(b"\n".join([*kept, b""]), 9, mtime=0)


def main() -> None:
    """Make a short recording from a long one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--until", type=float, default=345.0, help="seconds (default: 345)")
    given = parser.parse_args()
    given.target.write_bytes(shorten(given.source.read_bytes().splitlines(), given.until))


if __name__ == "__main__":
    main()
