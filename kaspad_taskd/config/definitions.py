"""One task definition, from TOML or JSON: its header here, its checker by the type's own parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from kaspad_taskd.base.forms import Form, form_of
from kaspad_taskd.base.tables import Fault, Style, Table
from kaspad_taskd.base.values import Json, quote
from kaspad_taskd.core.model import WATCHED_TYPES, Definition, OnComplete, Origin

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
ID_WORDS: Final = "must be letters, digits, . _ or -, beginning with a letter or digit, 100 at most"
SERVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SERVICE_WORDS: Final = ID_WORDS.replace("100", "64")

JSON_NAMES: Final = {"interval": "checkInterval", "checker": "config"}
"""What JSON does not call by the camelCase of its TOML key."""
NEVER: Final = "never"

DAY: Final = 86_400.0
INTERVAL: Final = (0.25, DAY)
"""Bounds in seconds, as the following."""
TIMEOUT: Final = (0.1, 600.0)
STALL_AFTER: Final = (1.0, 30 * DAY)
GIVE_UP_AFTER: Final = (1.0, 365 * DAY)
BEHIND_AFTER: Final = (1.0, 30 * DAY)
RELAPSE_AFTER: Final = (60.0, 365 * DAY)
MAX_CONFIRMATIONS: Final = 100
MAX_AFTER: Final = 64
MAX_ARGUMENTS: Final = 64

FORBIDDEN: Final = "forbidden"
"""The kind of a fault that is one only because it came over an API."""
FILES: Final = "/etc/kaspad-taskd/tasks.d"
"""Where an administrator's definitions are, unless the daemon has been told another place."""
_FORBIDDEN: Final = "may only stand in a file: put the definition in {files}"
DEFAULTS: Final = Definition(id="", type="", service="")
"""For the values of what a definition leaves out."""


class Checker(Protocol):
    """A checked `[checker]`, as its type's parser returns it."""

    @property
    def config(self) -> Mapping[str, Json]:
        """As it is shown and kept: camelCase, defaults filled in; parsing it gives it again."""

    @property
    def endpoint(self) -> str | None:
        """What is asked, without secrets, or None."""


class ProbeType(Protocol):
    """A type of task: knows how to read its checker."""

    @property
    def parse(self) -> Callable[[Table, str], Checker | None]:
        """Reads the checker's table of a service; what is wrong is noted in the table."""


def parse_definition(
    data: object,
    types: Mapping[str, ProbeType],
    *,
    origin: Origin,
    style: Style,
    id: str | None = None,  # noqa: A002 - what everybody calls it
    file: str | None = None,
    files: str = FILES,
) -> Definition | list[Fault]:
    """Return a definition, or all that is wrong with it.

    Args:
        data: the table as it was read.
        types: the types of task by name.
        origin: who wrote it; over an API alone commands are forbidden (fault kind "forbidden").
        style: "toml" or "json".
        id: the task's; None where JSON says it (`id`), or leaves it at `<type>-<service>`.
        file: where it stands, for the faults.
        files: the directory of the administrator's definitions, for what may only stand there.
    """
    faults: list[Fault] = []
    table = Table(data, faults, style=style, file=file, names=JSON_NAMES)
    found = _read(table, types, origin, id, files)
    table.done()
    if origin is not Origin.API:  # JSON, but to become a file: what a file may say
        faults = [fault for fault in faults if fault.kind != FORBIDDEN]
    if faults or found is None:
        return faults or [Fault(table.where("checker"), "cannot be used", file)]
    return found


def change_definition(definition: Definition, data: object) -> Definition | list[Fault]:
    """Return a definition with other pace, patience or order, or all that is wrong with them.

    What it watches, and whom it asks, is not judged again: it was taken once and stays.

    Args:
        definition: a sound one.
        data: keys as JSON spells them; what is missing or null stays as it is.
    """
    faults: list[Fault] = []
    table = Table(data, faults, style="json", names=JSON_NAMES)
    header = _header(table, definition.type)
    _no_self_wait(table, definition.id, header["after"])
    table.done()
    given = {key: value for key, value in header.items() if table.peek(key) is not None}
    return faults or replace(definition, **given)


def definition_form(types: Mapping[str, ProbeType], kind: str) -> Form:
    """Return the keys of a definition of one type that comes over an API, `checker`'s among them.

    They are those that reading one asks for, so nothing is said here that is not read.
    """

    def read(table: Table) -> None:
        _read(table, types, Origin.API, None)

    return form_of(read, {"type": kind}, JSON_NAMES)


def _read(
    table: Table,
    types: Mapping[str, ProbeType],
    origin: Origin,
    id: str | None,  # noqa: A002 - as above
    files: str = FILES,
) -> Definition | None:
    """Return what a table says, to be used where no fault was noted; None without a checker."""
    kind = table.string("type", choices=sorted(types))
    service = table.string("service", pattern=SERVICE, must=SERVICE_WORDS)
    task_id = id or _id(table) or f"{kind}-{service}"
    checker = _checker(table, types.get(kind), service)
    header = _header(table, kind)
    on_complete = _on_complete(table)
    if origin is Origin.API:
        _forbid_commands(table, kind, _FORBIDDEN.format(files=files))
    _no_self_wait(table, task_id, header["after"])
    if checker is None:
        return None
    return Definition(
        id=task_id,
        type=kind,
        service=service,
        checker=dict(checker.config),
        endpoint=checker.endpoint,
        on_complete=on_complete,
        origin=origin,
        **header,
    )


def _id(table: Table) -> str | None:
    """The id that JSON gives; of a file it is the name, and the key is unknown there."""
    if table.style == "toml":
        return None
    return table.string("id", None, pattern=ID, must=ID_WORDS)


def _checker(table: Table, probe_type: ProbeType | None, service: str) -> Checker | None:
    if probe_type is None:  # the fault is the type; nobody can judge what is in here
        table.raw("checker")
        return None
    return probe_type.parse(table.table("checker"), service)


def _header(table: Table, kind: str) -> dict[str, Any]:
    """Return pace, patience and order, by the fields of Definition."""
    return {
        "interval": table.duration("interval", DEFAULTS.interval, *INTERVAL),
        "timeout": table.duration("timeout", DEFAULTS.timeout, *TIMEOUT),
        "confirmations": table.integer(
            "confirmations", DEFAULTS.confirmations, 1, MAX_CONFIRMATIONS
        ),
        "stall_after": table.duration("stall_after", DEFAULTS.stall_after, *STALL_AFTER),
        "give_up_after": _give_up_after(table),
        "after": _after(table),
        "start": table.boolean("start", DEFAULTS.start),
        "auto_switch": table.boolean("auto_switch", DEFAULTS.auto_switch),
        "keep_watching": _keep_watching(table, kind),
        "watch_interval": table.duration("watch_interval", DEFAULTS.watch_interval, *INTERVAL),
        "behind_after": table.duration("behind_after", DEFAULTS.behind_after, *BEHIND_AFTER),
        "relapse_after": table.duration("relapse_after", DEFAULTS.relapse_after, *RELAPSE_AFTER),
    }


def _keep_watching(table: Table, kind: str) -> bool:
    wanted = table.boolean("keep_watching", None)
    if wanted and kind == "report":
        table.fault("keep_watching", "must be false: a report comes by itself, nobody looks")
    return kind in WATCHED_TYPES if wanted is None else wanted


def _give_up_after(table: Table) -> float | None:
    if table.peek("give_up_after") == NEVER:
        table.string("give_up_after")
        return None
    return table.duration("give_up_after", None, *GIVE_UP_AFTER)


def _after(table: Table) -> tuple[str, ...]:
    after = table.strings("after", (), MAX_AFTER)
    strange = [other for other in after if not ID.fullmatch(other)]
    table.fault_each("after", (f"{quote(other)} is no id of a task" for other in strange))
    return tuple(dict.fromkeys(after))


def _no_self_wait(table: Table, task_id: str, after: tuple[str, ...]) -> None:
    if task_id in after:
        table.fault_each("after", ["a task cannot wait for itself"])


def _on_complete(table: Table) -> OnComplete | None:
    if table.peek("on_complete") is None:
        return None
    on_complete = table.table("on_complete")
    command = on_complete.strings("command", maximum=MAX_ARGUMENTS)
    if not command or not command[0]:
        on_complete.fault("command", 'must begin with a program: ["/usr/local/bin/notify", "{id}"]')
    return OnComplete(command)


def _forbid_commands(table: Table, kind: str, says: str) -> None:
    if kind == "command":
        table.fault("type", f"command {says}", FORBIDDEN)
    if table.peek("on_complete") is not None:
        table.fault("on_complete", f"a command {says}", FORBIDDEN)
