"""The directories of definitions, the higher over the lower, and what changed since last time.

A file of the same name in the higher directory replaces the lower one whole; a link to /dev/null
masks it. What cannot be read changes nothing: the last good definition stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.cycles import find_cycle
from kaspad_taskd.config.definitions import ID, ID_WORDS, ProbeType, parse_definition
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.reading import is_null, os_problem, read_toml, shown
from kaspad_taskd.core.model import Definition, Origin

SUFFIX: Final = ".toml"


class SourceState(StrEnum):
    """What became of a definition file."""

    GOOD = "good"
    BAD = "bad"
    MASKED = "masked"


@frozen
class Source:
    """A definition file: what it says, or why it cannot be used.

    Attributes:
        id: the task's, by the file's name.
        file: its path.
        origin: the directory's.
        state: good, bad or masked.
        definition: what it says, where it is good.
        faults: what is wrong, where it is bad.
    """

    id: str
    file: str
    origin: Origin
    state: SourceState
    definition: Definition | None = None
    faults: tuple[Fault, ...] = ()


@frozen
class Layers:
    """All definition files as they count now.

    Attributes:
        sources: the file that counts for each id.
        unreadable: why a directory cannot be read, by the origin of what it holds.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    unreadable: Mapping[Origin, Fault] = field(default_factory=dict)

    @property
    def definitions(self) -> dict[str, Definition]:
        """The good ones, by id."""
        found = {source.id: source.definition for source in self.sources.values()}
        return {id_: definition for id_, definition in found.items() if definition is not None}

    @property
    def faults(self) -> list[Fault]:
        """All that is wrong, directories first."""
        of_files = (fault for source in self.sources.values() for fault in source.faults)
        return [*self.unreadable.values(), *of_files]


@frozen
class Diff:
    """What a reload has to do; equal definitions are in none of these. Sorted by id."""

    added: tuple[Definition, ...] = ()
    changed: tuple[Definition, ...] = ()
    removed: tuple[str, ...] = ()


def read_layers(
    places: Places,
    types: Mapping[str, ProbeType],
    known: Mapping[str, Definition] | None = None,
) -> Layers:
    """Read the directories. Blocks.

    Args:
        places: where they are.
        types: the types of task by name.
        known: what the daemon watches now, registered ones included: a file that closes a cycle
            with these is bad.
    """
    sources: dict[str, Source] = {}
    unreadable: dict[Origin, Fault] = {}
    for origin, directory in _directories(places):
        try:
            # What the higher directory has counts; it came first.
            named = places.vendor_tasks is None
            sources = read_directory(directory, types, origin, named=named) | sources
        except OSError as error:
            unreadable[origin] = Fault("", os_problem(directory, error), shown(directory))
            # It might replace or mask any file below it.
            break
    return _without_cycles(Layers(dict(sorted(sources.items())), unreadable), known or {})


def read_directory(
    directory: Path, types: Mapping[str, ProbeType], origin: Origin, *, named: bool = False
) -> dict[str, Source]:
    """Return the definition files of one directory by id; none where there is no directory.

    Names that begin with a dot (an editor's) or do not end in `.toml` are left alone.

    Args:
        directory: to read.
        types: the types of task by name.
        origin: who writes there.
        named: somebody named it (`--tasks`), so it must exist: a typing error removes no tasks.

    Raises:
        OSError: the directory cannot be read.
    """
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        if named or directory.is_symlink():  # somebody meant there to be one
            raise
        return {}
    paths = [directory / name for name in names if _is_definition(name)]
    sources = [_read_source(path, types, origin) for path in paths]
    return {source.id: source for source in sources}


def diff(known: Mapping[str, Definition], layers: Layers) -> Diff:
    """Return what changes when the layers take the place of what is known.

    Registered tasks stay, unless a file takes them over. Of a file that is bad, and of a directory
    that cannot be read, what is known stays.
    """
    new = layers.definitions
    added = tuple(new[id_] for id_ in sorted(new.keys() - known.keys()))
    changed = tuple(new[id_] for id_ in sorted(new.keys() & known.keys()) if new[id_] != known[id_])
    gone = (id_ for id_, old in known.items() if id_ not in new and _is_gone(old, layers))
    return Diff(added, changed, tuple(sorted(gone)))


def _is_gone(old: Definition, layers: Layers) -> bool:
    source = layers.sources.get(old.id)
    if source is not None:
        return source.state is SourceState.MASKED and old.origin is not Origin.API
    if old.origin is Origin.VENDOR:
        return not layers.unreadable
    return old.origin is Origin.ADMIN and Origin.ADMIN not in layers.unreadable


def definition_dirs(places: Places) -> dict[Origin, str]:
    """Return what a person calls the places of the files, by who writes there."""
    return {origin: shown(path.absolute()) for origin, path in _directories(places)}


def _directories(places: Places) -> list[tuple[Origin, Path]]:
    """The directories, the highest first."""
    found = [(Origin.ADMIN, places.admin_tasks)]
    if places.vendor_tasks is not None:
        found.append((Origin.VENDOR, places.vendor_tasks))
    return found


def _is_definition(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def _read_source(path: Path, types: Mapping[str, ProbeType], origin: Origin) -> Source:
    name = shown(path)
    source = Source(Path(name).stem, name, origin, SourceState.BAD)
    if is_null(path):
        return replace(source, state=SourceState.MASKED)
    badly = () if ID.fullmatch(path.stem) else (Fault("", f"the name {ID_WORDS}; rename it", name),)
    data = read_toml(path)
    if isinstance(data, Fault):
        return replace(source, faults=(*badly, data))
    try:
        found = parse_definition(data, types, origin=origin, style="toml", id=path.stem, file=name)
    except (ImportError, OSError) as error:  # a type is loaded with its first definition
        found = [Fault("type", f"cannot be loaded, restart kaspad-taskd: {error}", name)]
    if isinstance(found, list) or badly:
        return replace(source, faults=(*badly, *(found if isinstance(found, list) else ())))
    return replace(source, state=SourceState.GOOD, definition=found)


def _without_cycles(layers: Layers, known: Mapping[str, Definition]) -> Layers:
    """Make the files bad whose `after` closes a cycle; what is known takes their place."""
    sources = dict(layers.sources)
    while True:
        current = Layers(sources, layers.unreadable)
        new = current.definitions
        staying = {id_: old for id_, old in known.items() if not _is_gone(old, current)}
        cycle = find_cycle({id_: each.after for id_, each in {**staying, **new}.items()})
        ours = [id_ for id_ in cycle if id_ in new]
        # Who waited before is not to blame, where somebody else came into the ring.
        closing = [id_ for id_ in ours if new[id_] != known.get(id_)] or ours
        if not closing:
            return current
        for id_ in closing:
            source = sources[id_]
            fault = Fault("after", cycle_problem(cycle), source.file)
            sources[id_] = replace(source, state=SourceState.BAD, definition=None, faults=(fault,))


def cycle_problem(cycle: tuple[str, ...]) -> str:
    """Return what is wrong with `after` where these tasks wait for each other."""
    return f"{' waits for '.join((*cycle, cycle[0]))}: none of them would ever start"
