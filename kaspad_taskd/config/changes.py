"""Which keys of the settings are others now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from kaspad_taskd.base.tables import key_path
from kaspad_taskd.config.settings import Bridge, Settings
from kaspad_taskd.config.switched import Compose, SwitchedService

RESTARTED: Final = ("bridge", "probes")
"""What only a restart applies."""


def changed_keys(old: Settings, new: Settings) -> list[str]:
    """Return the keys that do not mean the same, as faults name them; sorted.

    What is written anew and means the same is not among them. A service or database that came or
    went is one key, `services.NAME`.
    """
    return sorted(set(_changed(_parts(old), _parts(new), "")))


def need_restart(started: Settings, new: Settings) -> list[str]:
    """Return what of the settings the daemon that started with these can only take at a restart."""
    return [key for key in RESTARTED if getattr(started, key) != getattr(new, key)]


def _parts(settings: Settings) -> dict[str, Any]:
    """The settings as tables, spelt as people write them, as far down as a key has a meaning."""
    tables = _fields(settings)
    tables["bridge"] = _fields(settings.bridge)
    tables["databases"] = {name: {"dsn_file": file} for name, file in settings.databases.items()}
    tables["services"] = {name: _service(each) for name, each in settings.services.items()}
    return tables


def _fields(of: Settings | Bridge | SwitchedService) -> dict[str, Any]:
    return {each.name: getattr(of, each.name) for each in fields(of) if each.compare}


def _service(service: SwitchedService) -> dict[str, Any]:
    table = _fields(service)
    runs_as = table.pop("runs_as")
    return {**table, "compose" if isinstance(runs_as, Compose) else "unit": runs_as}


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    """The keys of two tables whose values differ; tables of ours are looked into."""
    for name in old.keys() | new.keys():
        before, after, where = old.get(name), new.get(name), key_path(path, name)
        if before == after:
            continue
        variables = name in ("env", "public_env") and path.startswith("services.")
        if isinstance(before, dict) and isinstance(after, dict) and not variables:
            yield from _changed(before, after, where)
        else:
            yield where
