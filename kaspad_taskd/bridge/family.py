"""Families of metrics, and how a scrape gets them: OpenMetrics 1.0, or Prometheus' text 0.0.4."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
_GZIP: Final = 16 + zlib.MAX_WBITS
"""zlib's number for the format of gzip."""
JOINED: Final = 1000
"""Samples that are written at once."""
_OLD_KINDS: Final = {"info": "gauge", "stateset": "gauge"}
_SUFFIXES: Final = {"counter": "_total", "info": "_info"}
"""Families whose samples have another name; the old format names the family by it too."""


@dataclass(slots=True)
class Family:
    """A metric: its name without prefix, its kind, what it says, and `name-end labels value`."""

    name: str
    kind: str
    says: str
    samples: list[str] = field(default_factory=list)

    def add(self, value: float, labels: str = "", end: str | None = None) -> None:
        """Add a sample; `labels` ready to be written."""
        ending = _SUFFIXES.get(self.kind, "") if end is None else end
        shown = f"{{{labels}}}" if labels else ""
        number = repr(float(value)) if value != int(value) else str(int(value))
        self.samples.append(f"kaspad_taskd_{self.name}{ending}{shown} {number}")

    def states(self, states: Iterable[str], now: str, labels: str) -> None:
        """Add a state set: 1 for the one that is."""
        for state in states:
            self.add(state == now, f'{labels},kaspad_taskd_{self.name}="{state}"')


def wants_openmetrics(accept: str) -> bool:
    """Whether a client asks for OpenMetrics."""
    return any(
        each.split(";")[0].strip().lower() == "application/openmetrics-text"
        for each in accept.split(",")
    )


def body(families: Iterable[Family], *, openmetrics: bool, packed: bool) -> list[bytes]:
    """Return what a scrape gets, in pieces; families without a sample are left out.

    No step is long, in whichever thread: Python lets nobody else in while it joins or copies.
    """
    found = (f"{each}\n".encode() for each in _texts(families, openmetrics=openmetrics))
    return list(_packed(found)) if packed else list(found)


def _texts(families: Iterable[Family], *, openmetrics: bool) -> Iterator[str]:
    for each in families:
        if each.samples:
            name, kind = each.name, each.kind
            if not openmetrics:
                name += _SUFFIXES.get(kind, "")
                kind = _OLD_KINDS.get(kind, kind)
            yield f"# TYPE kaspad_taskd_{name} {kind}\n# HELP kaspad_taskd_{name} {each.says}"
            for start in range(0, len(each.samples), JOINED):
                yield "\n".join(each.samples[start : start + JOINED])
    if openmetrics:
        yield "# EOF"


def _packed(found: Iterable[bytes]) -> Iterator[bytes]:
    packing = zlib.compressobj(level=1, wbits=_GZIP)
    for each in found:
        yield packing.compress(each)
    yield packing.flush()


def label(name: str, value: str) -> str:
    """Return a label, its value escaped."""
    shown = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{name}="{shown}"'
