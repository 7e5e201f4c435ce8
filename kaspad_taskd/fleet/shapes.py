"""What comes from a host, judged before anybody sees it: of the contract's shapes, and bounded.

The schemas of kaspad_taskd/api/ say what the shapes are; here they become judges that are fast
enough for thousands of changes a second. A later version may say more: fields that are not known
pass within the bounds, words that are not known pass as texts. Who writes into Redis is another
machine, perhaps a hostile one: nothing of it is believed before it has passed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.event_schemas import event_schemas
from kaspad_taskd.api.record_schemas import INCIDENT, RECORD
from kaspad_taskd.api.schemas import COMPONENTS, FREE, TEXT, WARNING, WHOLE, listed, maybe, record
from kaspad_taskd.api.switches import SERVICE
from kaspad_taskd.base.values import MAX_DEPTH, MAX_ITEMS, MAX_TEXT, SAFE_INTEGER, kind_of, quote

Json: TypeAlias = Any
Judge: TypeAlias = Callable[[Json, str], None]
"""Lets a value pass, or raises ValueError that names the place (the second argument) and why."""

_KINDS: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = {
    "string": (str, "a string"),
    "number": ((int, float), "a number"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "object": (dict, "an object"),
    "array": (list, "a list"),
    "null": (type(None), "null"),
}
NEEDED: Final = {
    "Task": ("id", "type", "service", "status", "health"),
    "SyncProgressEvent": ("taskId", "status", "health"),
    "WatchRecord": ("taskId", "days", "since", "seconds", "incidents"),
}
"""Without these nothing can be said; what else is missing counts as unknown (older versions)."""


def _wrong(place: str, must: str) -> ValueError:
    return ValueError(f"{place} must be {must}")


def _text(value: Json, place: str) -> None:
    if type(value) is not str:
        raise _wrong(place, f"a string, not {kind_of(value)}")
    if len(value) > MAX_TEXT:
        raise _wrong(place, f"{MAX_TEXT} characters at most")


def _number(value: Json, place: str) -> None:
    if type(value) is not float and type(value) is not int:
        raise _wrong(place, f"a number, not {kind_of(value)}")
    if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        raise _wrong(place, f"{SAFE_INTEGER} at most")


def _whole(value: Json, place: str) -> None:
    if type(value) is not int:
        raise _wrong(place, f"a whole number, not {kind_of(value)}")
    _number(value, place)


def _flag(value: Json, place: str) -> None:
    if type(value) is not bool:
        raise _wrong(place, f"true or false, not {kind_of(value)}")


def _null(value: Json, place: str) -> None:
    if value is not None:
        raise _wrong(place, f"null, not {kind_of(value)}")


def bounded(value: Json, place: str, depth: int = MAX_DEPTH) -> None:
    """Let any JSON value pass that is not too long, too wide or too deep."""
    kind = type(value)
    if kind is str:
        _text(value, place)
    elif kind is int or kind is float:
        _number(value, place)
    elif kind is dict or kind is list:
        if not depth or len(value) > MAX_ITEMS:
            raise _wrong(place, f"{MAX_ITEMS} entries and {MAX_DEPTH} levels at most")
        if kind is dict:
            for name in value:
                _text(name, place)
            value = value.values()
        for each in value:
            bounded(each, place, depth - 1)


_PLAIN: Final[Mapping[str, Judge]] = {
    "string": _text,
    "number": _number,
    "integer": _whole,
    "boolean": _flag,
    "null": _null,
}


def judge(schema: Mapping[str, Any]) -> Judge:
    """Return what judges values by a JSON Schema, as far as kaspad_taskd/api/ writes such."""
    if "$ref" in schema:
        return judge(COMPONENTS[str(schema["$ref"]).rpartition("/")[2]])
    if "anyOf" in schema:
        return _any([judge(each) for each in schema["anyOf"]])
    kinds = schema.get("type", ())
    if isinstance(kinds, list):
        return _any([judge({**schema, "type": each}) for each in kinds])
    if kinds == "object":
        return _object(schema)
    if kinds == "array":
        return _list(judge(schema.get("items", {})))
    return _PLAIN.get(kinds, bounded) if kinds else bounded


def _any(judges: list[Judge]) -> Judge:
    """One of several: null, if it may be that, is tried first, for most that may be it are."""
    nullable, others = _null in judges, [each for each in judges if each is not _null]

    def decide(value: Json, place: str) -> None:
        if value is None and nullable:
            return
        for each in others[:-1]:
            try:
                each(value, place)
            except ValueError:
                continue
            return
        others[-1](value, place)

    return decide


def _list(item: Judge) -> Judge:
    def decide(value: Json, place: str) -> None:
        if type(value) is not list:
            raise _wrong(place, f"a list, not {kind_of(value)}")
        if len(value) > MAX_ITEMS:
            raise _wrong(place, f"{MAX_ITEMS} entries at most")
        for each in value:
            item(each, place)

    return decide


def _object(schema: Mapping[str, Any]) -> Judge:
    fields = {name: judge(each) for name, each in schema.get("properties", {}).items()}
    needed = NEEDED.get(str(schema.get("title")), tuple(schema.get("required", ())))

    def decide(value: Json, place: str) -> None:
        if type(value) is not dict:
            raise _wrong(place, f"an object, not {kind_of(value)}")
        if len(value) > MAX_ITEMS:
            raise _wrong(place, f"{MAX_ITEMS} entries at most")
        for name, each in value.items():
            known = fields.get(name, bounded)
            try:
                known(each, "")
            except ValueError:  # its place is named where it is needed: most are good
                known(each, f"{place}.{name if name in fields else quote(name)}".lstrip("."))
        for name in needed:
            if name not in value:
                raise ValueError(f"{place} has no {name!r}")

    return decide


task: Final = judge(COMPONENTS["Task"])
"""Judges a task's public form."""
services: Final = judge(listed("SwitchedServices", SERVICE))
"""Judges the result of `getServices`."""
warnings: Final = judge(
    record("Warnings", warnings=listed("StandingWarnings", record("StandingWarning", **WARNING)))
)
"""Judges the result of `getWarnings`."""
past_record: Final = judge(maybe(RECORD))
"""Judges the totals of a record as a fleet keeps them, or null."""
incidents: Final = judge(listed("PastIncidents", INCIDENT))
"""Judges incidents, newest first."""
_SCHEMAS: Final = event_schemas()
progress: Final = judge(_SCHEMAS["sync:progress"])
"""Judges the data of a `sync:progress`."""
PROGRESS_FIELDS: Final = frozenset(_SCHEMAS["sync:progress"]["properties"])
"""What is not metadata in it."""
_EVENTS: Final = {
    # an older version says less, and a warning has no task: what is there must be right
    name: judge({**schema, "title": "", "required": ()})
    for name, schema in _SCHEMAS.items()
}
_OTHER: Final = judge(FREE)
_FRAME: Final = judge(record("FleetEvent", seq=WHOLE, event=TEXT, data=FREE))


def event(value: Json, place: str) -> None:
    """Judge an event as `subscribe` tells it: `{seq, event, data}`."""
    _FRAME(value, place)
    event_data(value["event"], value["data"], place)


def event_data(name: str, data: Json, place: str) -> None:
    """Judge an event's data by its name; one of an unknown name need only be bounded."""
    _EVENTS.get(name, _OTHER)(data, place)
