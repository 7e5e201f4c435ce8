"""Types of task from other packages, by their entry points."""

from __future__ import annotations

from collections.abc import Container

from kaspad_taskd.base.values import quote
from kaspad_taskd.probes.probe_type import ProbeType

GROUP = "kaspad_taskd.probes"


def load(name: str, known: Container[str]) -> ProbeType:
    """Return the type that an installed package names in the group `kaspad_taskd.probes`.

    Raises:
        ValueError: there is none that can be used, or the name is taken; a sentence with the cure.
    """
    from importlib.metadata import entry_points

    if name in known:
        raise ValueError(f"the type {quote(name)} is there already")
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise ValueError(f"no installed package offers the type {quote(name)}: install it first")
    try:
        kind = found.load()
    except Exception as error:
        raise ValueError(f"the type {quote(name)} cannot be loaded: {error!r:.200}") from error
    if not isinstance(kind, ProbeType) or kind.name != name:
        raise ValueError(f"{quote(found.value)} is no ProbeType named {quote(name)}")
    return kind
