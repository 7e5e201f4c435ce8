"""Families of metrics, and how a scrape gets them: OpenMetrics 1.0, or Prometheus' text 0.0.4."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
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


def text(families: Iterable[Family], *, openmetrics: bool) -> str:
    """Return what a scrape gets; families without a sample are left out."""
    lines: list[str] = []
    for each in families:
        if each.samples:
            name, kind = each.name, each.kind
            if not openmetrics:
                name += _SUFFIXES.get(kind, "")
                kind = _OLD_KINDS.get(kind, kind)
            lines += [
                f"# TYPE kaspad_taskd_{name} {kind}",
                f"# HELP kaspad_taskd_{name} {each.says}",
                *each.samples,
            ]
    return "\n".join([*lines, *(["# EOF"] if openmetrics else []), ""])


def body(families: Iterable[Family], *, openmetrics: bool, packed: bool) -> bytes:
    """Return the same as bytes, perhaps compressed."""
    data = text(families, openmetrics=openmetrics).encode()
    return gzip.compress(data, compresslevel=1, mtime=0) if packed else data


def label(name: str, value: str) -> str:
    """Return a label, its value escaped."""
    shown = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{name}="{shown}"'
