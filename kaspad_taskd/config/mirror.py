"""The mirror: registered definitions as TOML files, to be read, copied to /etc, or rebuilt from.

The state is the truth; these files follow it. Nobody's edits here are ever read back, save when the
state itself is lost. All of it blocks: call it off the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.definitions import FILES, ProbeType
from kaspad_taskd.config.layers import read_directory
from kaspad_taskd.config.writing import to_toml
from kaspad_taskd.core.model import Definition, Origin

_HEADER: Final = """\
# Registered over an API and kept in the state of kaspad-taskd. This is a copy for reading: edits
# have no effect. To own the task, copy this file to {files},
# change it there and run `kaspad-taskctl reload`.

"""


class Mirror:
    """The directory of the copies, one file a registered task."""

    def __init__(self, directory: Path, types: Mapping[str, ProbeType], files: str = FILES) -> None:
        """Keep copies in `directory`, which is made when it is needed; `files`: the originals."""
        self.directory = directory
        self._header = _HEADER.format(files=files)
        self._types = types

    def write(self, definition: Definition) -> None:
        """Write or replace the copy of a definition.

        Raises:
            OSError: it could not be written; the old copy is as it was.
        """
        data = (self._header + to_toml(definition, self._types)).encode()
        path = self._path(definition.id)
        if _content(path) == data:
            return
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomically(path, data, 0o644)

    def remove(self, task_id: str) -> None:
        """Remove the copy of a task, if there is one.

        Raises:
            OSError: it could not be removed.
        """
        self._path(task_id).unlink(missing_ok=True)

    def align(
        self, definitions: Iterable[Definition], go_on: Callable[[], bool] = lambda: True
    ) -> None:
        """Bring the copies in line with the registered definitions, after a crash between the two.

        `go_on` is asked before each copy whether there is still time. A definition whose type is
        unknown here (of a later version) keeps its copy as it is.

        Raises:
            OSError: the first that failed.
        """
        wanted = {definition.id: definition for definition in definitions}
        for definition in wanted.values():
            if not go_on():
                return
            if definition.type in self._types:
                self.write(definition)
        for path in self.directory.glob("*.toml"):
            if path.stem not in wanted:
                path.unlink(missing_ok=True)

    def read(self) -> tuple[dict[str, Definition], list[Fault]]:
        """Return the registered definitions by id, and what is wrong: for a state that is lost."""
        layer = read_directory(self.directory, self._types, Origin.API)
        faults = [fault for source in layer.values() for fault in source.faults]
        sound = {id_: source.definition for id_, source in layer.items()}
        return {id_: found for id_, found in sound.items() if found is not None}, faults

    def _path(self, task_id: str) -> Path:
        return self.directory / f"{task_id}.toml"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
