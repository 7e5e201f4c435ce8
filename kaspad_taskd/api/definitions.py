"""Definitions for the doors: an API's object read and judged, the files read anew and listed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.listed import Listed
from kaspad_taskd.base.tables import Fault, Table
from kaspad_taskd.config.allowance import Allowance, Place
from kaspad_taskd.config.changes import changed_keys, need_restart
from kaspad_taskd.config.cycles import find_cycle
from kaspad_taskd.config.definitions import Checker, change_definition, parse_definition
from kaspad_taskd.config.layers import (
    Layers,
    Source,
    SourceState,
    cycle_problem,
    definition_dirs,
    diff,
    read_layers,
)
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import Settings, load_settings
from kaspad_taskd.core.model import Definition, Origin, Task
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.roster import Roster

Json: TypeAlias = Any


class Asking(Checker, Protocol):
    """A checker that says whom it asks."""

    @property
    def asks(self) -> tuple[Place, ...]:
        """Hosts and ports that are connected to."""


class AskingType(Protocol):
    """A type of task, as far as definitions need it."""

    @property
    def parse(self) -> Callable[[Table, str], Asking]:
        """Reads the checker's table of a service."""


class DefinitionDesk:
    """Reads definitions, from objects and from files.

    Args:
        places: where settings and files are.
        types: the types of task by name.
        engine: whose tasks.
        roster: registers and removes them.
        changed: called with new settings that apply at once.
    """

    def __init__(
        self,
        places: Places,
        types: Mapping[str, AskingType],
        engine: Engine,
        roster: Roster,
        settings: Settings,
        changed: Callable[[Settings], None],
    ) -> None:
        self._places = places
        self._types = types
        self._engine = engine
        self._roster = roster
        self._settings = self._started = settings
        self._refused: list[Fault] = []
        self._changed = changed
        self._directories = definition_dirs(places)
        self.files = self._directories[Origin.ADMIN]
        self._layers = Layers()
        self._reloading = asyncio.Lock()
        self.allowance = Allowance(settings.allow_hosts, ())

    # -- from an API

    def parse(self, table: Mapping[str, Json], task_id: str | None) -> Definition:
        """The definition of an object.

        Raises:
            ApiError: forbidden, before anything else is said; invalid-definition with all faults.
        """
        given = dict(table) if task_id is None else {**table, "id": task_id}
        found = parse_definition(
            given, self._types, origin=Origin.API, style="json", files=self.files
        )
        faults = [] if isinstance(found, Definition) else found
        self._forbid(given, faults)
        if isinstance(found, Definition):
            ring = self._ring(found) if found.after else ()
            if not ring:
                return found
            faults = [Fault("after", cycle_problem(ring))]
        raise _invalid(faults)

    def changed(self, definition: Definition, given: Mapping[str, Json]) -> Definition:
        """The definition with other pace, patience or order; null keys stay as they are.

        Raises:
            ApiError: invalid-definition with all faults.
        """
        found = change_definition(definition, given)
        if not isinstance(found, Definition):
            raise _invalid(found)
        ring = self._ring(found) if found.after != definition.after else ()
        if ring:
            raise _invalid([Fault("after", cycle_problem(ring))])
        return found

    def _ring(self, definition: Definition) -> tuple[str, ...]:
        after = {task.id: task.definition.after for task in self._engine.everyone()}
        return find_cycle({**after, definition.id: definition.after})

    def _forbid(self, table: Mapping[str, Json], faults: list[Fault]) -> None:
        for fault in faults:
            if fault.kind == "forbidden":
                raise ApiError.of("forbidden", f"{fault.key}: {fault.problem}")
        kind, checker = table.get("type"), table.get("config", {})
        if not isinstance(kind, str) or kind not in self._types:
            return
        asks = self._types[kind].parse(Table(checker, [], style="json"), "").asks
        for host, port in asks:
            if not self.allowance.host(host, port):
                said = words.say("answer.host", host=host, port=port)
                raise ApiError.of("forbidden", said, directory=self.files)

    def allow(self, definition: Definition) -> Callable[[str, int], bool] | None:
        """The check of addresses for a definition's probe; None where everything is allowed."""
        if definition.origin is not Origin.API:
            return None
        if all(self.allowance.knows(*place) for place in self._asks(definition)):
            return None
        return self.allowance.address

    def _asks(self, definition: Definition) -> tuple[Place, ...]:
        table = Table(dict(definition.checker), [], style="json")
        return self._types[definition.type].parse(table, definition.service).asks

    # -- from files

    async def reload(self) -> dict[str, Json]:
        """Read settings and files anew, and make the tasks what they say.

        Raises:
            NotDurable: the store cannot write.
        """
        async with self._reloading:
            settings = await asyncio.to_thread(load_settings, self._places)
            self._refused = settings if isinstance(settings, list) else []
            taken = [] if isinstance(settings, list) else self._take(settings)
            layers = await asyncio.to_thread(read_layers, self._places, self._types, self._known())
            change = diff(self._known(), layers)  # some may have come or gone meanwhile
            self._layers = layers
            self._note_files()
            await self._roster.reload(change.added, change.changed, change.removed)
        return {
            "added": [each.id for each in change.added],
            "changed": [each.id for each in change.changed],
            "removed": list(change.removed),
            "settings": taken,
            "faults": [_fault(each) for each in (*self._refused, *layers.faults)],
            "needRestart": need_restart(self._started, self._settings),
        }

    def _known(self) -> dict[str, Definition]:
        """What is watched now, and what is on its way to be."""
        return {task.id: task.definition for task in self._engine.everyone()}

    def _take(self, new: Settings) -> list[str]:
        """Apply new settings; returns the keys that have changed."""
        old, self._settings = self._settings, new
        self._changed(new)
        return changed_keys(old, new)

    def _note_files(self) -> None:
        files = self._layers.definitions.values()
        asked = [place for each in files for place in self._asks(each)]
        self.allowance = Allowance(self._settings.allow_hosts, asked)

    def file_of(self, task_id: str) -> str | None:
        """The file that defines a task, where one does and can be read."""
        source = self._layers.sources.get(task_id)
        return None if source is None else source.file

    def listing(self) -> Listed:
        """Every definition: files as they are now, and what was registered.

        With them what of the settings was refused: those of before hold.
        """
        tasks = {task.id: task for task in self._engine.tasks()}
        sources = self._layers.sources
        rest = [task for task in tasks.values() if task.id not in sources]
        listed = [self._listed(each, tasks.get(each.id)) for each in sources.values()]
        places = {Origin.ADMIN: "admin", Origin.VENDOR: "vendor"}
        unread = [
            {"id": None, "type": None, "origin": places.get(origin, "vendor"),
             "directory": self._directories.get(origin), "file": fault.file,
             "state": "faulty", "faults": [_fault(fault)]}
            for origin, fault in self._layers.unreadable.items()
        ]  # fmt: skip
        refused = map(self._refused_settings, dict.fromkeys(fault.file for fault in self._refused))
        return Listed(
            [*listed, *rest, *unread, *refused],
            lambda each: self._registered(each) if isinstance(each, Task) else each,
        )

    def _refused_settings(self, file: str | None) -> dict[str, Json]:
        faults = [_fault(each) for each in self._refused if each.file == file]
        directory = os.path.dirname(file or "")  # noqa: PTH120 - as it is told, no path
        return {"id": None, "type": None, "origin": Origin.ADMIN.value, "directory": directory,
                "file": file, "state": "last-good", "faults": faults}  # fmt: skip

    def _listed(self, source: Source, task: Task | None) -> dict[str, Json]:
        bad = source.state is SourceState.BAD
        state = "ok" if source.state is SourceState.GOOD else "masked"
        if bad:
            state = "faulty" if task is None else "last-good"
        definition = source.definition or (task.definition if task is not None else None)
        return {
            "id": source.id,
            "type": definition and definition.type,
            "origin": source.origin.value,
            "directory": self._directories.get(source.origin),
            "file": source.file,
            "state": state,
            "faults": [_fault(each) for each in source.faults],
        }

    def _registered(self, task: Task) -> dict[str, Json]:
        known = task.definition
        ours = known.origin is Origin.API
        file = str(self._places.mirror / f"{task.id}.toml") if ours else None
        return {"id": task.id, "type": known.type, "origin": known.origin.value,
                "directory": self._directories.get(known.origin), "file": file,
                "state": "ok" if ours else "last-good", "faults": []}  # fmt: skip


def _invalid(faults: list[Fault]) -> ApiError:
    said = "; ".join(f"{each.key}: {each.problem}" if each.key else each.problem
                     for each in faults[:3])  # fmt: skip
    shown = [{"key": each.key, "problem": each.problem} for each in faults]
    says = words.say("answer.invalid-definition", faults=said)
    return ApiError.of("invalid-definition", says, faults=shown)


def _fault(fault: Fault) -> dict[str, Json]:
    return {"file": fault.file, "key": fault.key, "problem": fault.problem}
