"""What tests of probes do: read a checker, take looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, cast

from kaspad_taskd.base.tables import Fault, Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Observation
from kaspad_taskd.probes import TYPES, Checker, Means, Probe, open_probe
from tests.fakes.patience import PATIENCE


class Looking(Protocol):
    """A probe that looks at something, and so always sees something."""

    async def observe(self, memory: Mapping[str, Any]) -> Observation:
        """Ask once."""

    async def close(self) -> None:
        """Let go of what is open."""


def read(
    kind: str, data: Mapping[str, Any], style: Literal["toml", "json"] = "toml", service: str = "s"
) -> tuple[Checker, list[Fault]]:
    """Read a checker; every key must have been asked for."""
    faults: list[Fault] = []
    table = Table(data, faults, "checker" if style == "toml" else "config", style)
    checker = TYPES[kind].parse(table, service)
    table.done()
    return checker, faults


def said(
    kind: str, data: Mapping[str, Any], style: Literal["toml", "json"] = "toml", service: str = "s"
) -> str:
    """All faults as one text."""
    return "; ".join(f"{each.key}: {each.problem}" for each in read(kind, data, style, service)[1])


def made(
    kind: str,
    data: Mapping[str, Any],
    means: Means | None = None,
    timeout: float = PATIENCE,
    service: str = "s",
) -> Looking:
    """The probe of a checker without faults."""
    checker, faults = read(kind, data, service=service)
    assert faults == []
    definition = Definition(
        "t", kind, service, timeout=timeout, checker=checker.config, endpoint=checker.endpoint
    )
    probe = open_probe(definition, means)
    return cast(Looking, probe)


async def look(probe: Probe, memory: Mapping[str, Any] | None = None) -> Any:
    """One look, and the end of the probe."""
    try:
        return await probe.observe(memory or {})
    finally:
        await probe.close()
