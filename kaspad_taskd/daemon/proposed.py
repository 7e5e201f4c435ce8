"""A definition file that is not in its place yet, judged as the daemon would judge it there.

`kaspad-taskctl edit` and `register --dry-run` run this as a program of its own: the client knows
neither types nor rules. A request is one JSON object on standard input, the answer one on standard
output: `{"id", "toml", "faults": [sentence], "warnings": [sentence]}`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.config.layers import SUFFIX, Source, read_layers
from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.config.settings import Settings, look_over
from kaspad_taskd.config.writing import to_toml
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.daemon.offline import crossed, missing_in, unnamed
from kaspad_taskd.probes import TYPES, add

OWN: Final = "own"
"""Of the temporary directories, that of a file that is written here."""


def main() -> int:
    """Answer the request on standard input."""
    given = json.load(sys.stdin)
    places = _places(given)
    settings, _faults = look_over(places)
    if settings is not None:
        add(settings.probes, settings.source("probes"))
    with tempfile.TemporaryDirectory(prefix="kaspad-taskd-") as made:
        answer = _answer(given, places, settings, Path(made))
    print(json.dumps(answer))
    return 0


def _places(given: Mapping[str, Any]) -> Places:
    """Those of the daemon that was asked, else those that one of this user would have."""
    usual = find_places(os.environ, os.geteuid())
    settings, directories = given.get("settings"), given.get("directories")
    if settings is not None:
        usual = replace(usual, settings=Path(settings))
    if directories:
        vendor = Path(directories[-2]) if len(directories) > 1 else None
        usual = replace(usual, admin_tasks=Path(directories[-1]), vendor_tasks=vendor)
    return usual


def _answer(
    given: Mapping[str, Any], places: Places, settings: Settings | None, made: Path
) -> dict[str, Any]:
    if given.get("body") is None:
        return _judged(Path(given["file"]), places, settings, given.get("mirror"), made)
    found = parse_definition(given["body"], TYPES, origin=Origin.ADMIN, style="json")
    if not isinstance(found, Definition):
        return {"id": None, "toml": None, "faults": [*map(_said, found)], "warnings": []}
    own = made / OWN
    own.mkdir()
    file = own / f"{found.id}{SUFFIX}"
    file.write_text(to_toml(found, TYPES), encoding="utf-8")
    answer = _judged(file, places, settings, given.get("mirror"), made)
    return {**answer, "toml": file.read_text(encoding="utf-8")}


def _judged(
    file: Path, places: Places, settings: Settings | None, mirror: str | None, made: Path
) -> dict[str, Any]:
    """What is wrong with a file among all others, those that were registered too."""
    beside = made / "tasks.d"
    beside.mkdir()
    lowest = None if mirror is None else Path(mirror)
    _gather((lowest, places.vendor_tasks, places.admin_tasks), beside)
    _link(file, beside)
    layers = read_layers(replace(places, vendor_tasks=None, admin_tasks=beside), TYPES)
    source = layers.sources[file.stem]
    named = () if settings is None else unnamed(layers, settings)
    faults = [*source.faults, *_of(source, named)]
    warnings = _of(source, (*missing_in(layers), *crossed(layers)))
    return {
        "id": source.id,
        "toml": None,
        "faults": [*map(_said, faults)],
        "warnings": [*map(_said, warnings)],
    }


def _gather(directories: Iterable[Path | None], beside: Path) -> None:
    """Put what counts of some directories, the higher last, into one; what is closed is left."""
    for directory in directories:
        if directory is None or not os.access(directory, os.R_OK | os.X_OK):
            continue
        for path in directory.glob(f"[!.]*{SUFFIX}"):
            _link(path, beside)


def _link(path: Path, beside: Path) -> None:
    link = beside / path.name
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())


def _of(source: Source, faults: Iterable[Fault]) -> Iterator[Fault]:
    return (each for each in faults if each.file == source.file)


def _said(fault: Fault) -> str:
    return f"{fault.key}: {fault.problem}" if fault.key else fault.problem
