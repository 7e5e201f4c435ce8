"""Definitions written back as people write them: TOML for files, JSON for the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kaspad_taskd.base.durations import format_duration
from kaspad_taskd.base.tables import Table, camel
from kaspad_taskd.base.values import Json
from kaspad_taskd.config.definitions import JSON_NAMES, NEVER, ProbeType
from kaspad_taskd.core.model import Definition

_SPANS: Final = (
    "interval", "timeout", "stall_after", "watch_interval", "behind_after", "relapse_after",
)  # fmt: skip


def to_json(definition: Definition) -> dict[str, Json]:
    """Return the JSON that registers this definition: every key, spans in ms."""
    table = _header(definition)
    for key in _SPANS:
        table[key] = round(table[key] * 1000)
    if definition.give_up_after is not None:
        table["give_up_after"] = round(definition.give_up_after * 1000)
    table["checker"] = dict(definition.checker)
    named = {JSON_NAMES.get(key) or camel(key): value for key, value in table.items()}
    return {"id": definition.id, **named}


def to_toml(definition: Definition, types: Mapping[str, ProbeType]) -> str:
    """Return the TOML of a definition file: every key, durations as people write them.

    Args:
        definition: a sound one.
        types: has its type, whose parser knows how the checker's keys are spelt.
    """
    table = _header(definition)
    for key in _SPANS:
        table[key] = format_duration(table[key])
    if definition.give_up_after is not None:
        table["give_up_after"] = format_duration(definition.give_up_after)
    checker = Table(definition.checker, [], style="json")
    types[definition.type].parse(checker, definition.service)
    # TOML wants plain keys before tables.
    on_complete = table.pop("on_complete", None)
    table["checker"] = _no_null(checker.canonical("toml"))
    if on_complete is not None:
        table["on_complete"] = on_complete
    import tomli_w  # a start writes none

    return tomli_w.dumps(table)


def _header(definition: Definition) -> dict[str, Json]:
    """All but the checker, spelt as in TOML; the spans are still seconds."""
    table: dict[str, Json] = {
        "type": definition.type,
        "service": definition.service,
        "interval": definition.interval,
        "timeout": definition.timeout,
        "confirmations": definition.confirmations,
        "stall_after": definition.stall_after,
        "give_up_after": NEVER,
        "after": list(definition.after),
        "start": definition.start,
        "auto_switch": definition.auto_switch,
        "keep_watching": definition.keep_watching,
        "watch_interval": definition.watch_interval,
        "behind_after": definition.behind_after,
        "relapse_after": definition.relapse_after,
    }
    if definition.on_complete is not None:
        table["on_complete"] = {"command": list(definition.on_complete.command)}
    return table


def _no_null(value: Json) -> Json:
    """TOML has no null: what is null is left out, in lists and tables alike."""
    if isinstance(value, dict):
        return {key: _no_null(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_no_null(part) for part in value if part is not None]
    return value
