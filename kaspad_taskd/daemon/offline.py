"""What the daemon's program does without becoming the daemon: check its files, restore a state."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd import words
from kaspad_taskd.base.clock import Clock, iso
from kaspad_taskd.base.tables import Fault, key_path
from kaspad_taskd.bridge.keys import weakness
from kaspad_taskd.client import SYSTEM_SOCKET
from kaspad_taskd.client.unit import started_by
from kaspad_taskd.client.wire import own_socket
from kaspad_taskd.config.layers import Layers, read_layers
from kaspad_taskd.config.places import FIRST_USER, Places, find_places
from kaspad_taskd.config.reading import shown
from kaspad_taskd.config.settings import Settings, doubtful, look_over
from kaspad_taskd.config.switched import Compose
from kaspad_taskd.daemon.codes import BAD_SETTINGS, CRASHED, OK
from kaspad_taskd.probes import TYPES, add
from kaspad_taskd.probes.node.node_sync import crossed_ports
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.restoring import Restored, restore


def check(places: Places) -> int:
    """Say every fault of settings and definitions; returns the exit code."""
    settings, faults = look_over(places)
    if settings is not None:
        faults += add(settings.probes, settings.source("probes"))
    layers = read_layers(places, TYPES)
    faults += layers.faults
    if settings is not None:
        faults += unnamed(layers, settings)
    for fault in faults:
        print(fault)
    if faults or settings is None:
        print(f"{len(faults)} fault{'s'[: len(faults) != 1]}", file=sys.stderr)
        return BAD_SETTINGS
    missing = [*_not_there(_named_by(settings)), *missing_in(layers)]
    for warning in (*missing, *_weak(settings), *doubtful(settings), *crossed(layers)):
        print(f"warning: {warning}")
    print(_verdict(layers, settings, len(missing)))
    return OK


def _verdict(layers: Layers, settings: Settings, missing: int) -> str:
    count = len(layers.definitions)
    read = f"settings {', '.join(settings.files)}" if settings.files else "no settings file"
    what = f"{count} definition{'s'[: count != 1]}, {read}"
    if missing:
        return f"without faults, and not complete ({missing} missing): {what}"
    return f"good: {what}"


Named: TypeAlias = tuple[str, str | Path, str | None]
"""The key that names a file, the file, and where the key stands."""


def _named_by(settings: Settings) -> Iterator[Named]:
    """The files that the settings name."""
    bridge, source = settings.bridge, settings.source
    if bridge.listen is not None and bridge.token_file is not None:
        yield "bridge.token_file", bridge.token_file, source("bridge", "token_file")
    for name, file in settings.databases.items():
        key = f"{key_path('databases', name)}.dsn_file"
        yield key, file, source("databases", name, "dsn_file")
    for name, service in settings.services.items():
        if isinstance(service.runs_as, Compose):
            key = f"{key_path('services', name)}.compose.file"
            yield key, service.runs_as.file, source("services", name, "compose", "file")


def _named_in(layers: Layers) -> Iterator[Named]:
    """The files that definitions name; a node's log is not: it is made when the node starts."""
    for source in layers.sources.values():
        found = source.definition
        if found is None:
            continue
        for key, spelt in (("ca", "ca"), ("clientCert", "client_cert")):
            if isinstance(file := found.checker.get(key), str):
                yield f"checker.{spelt}", file, source.file
        headers = found.checker.get("headers")
        for name, file in headers.items() if isinstance(headers, Mapping) else ():
            yield key_path("checker.headers", name), str(file), source.file
        command = found.checker.get("command")
        if isinstance(command, list) and command:
            yield "checker.command", str(command[0]), source.file
        if found.on_complete is not None:
            yield "on_complete.command", found.on_complete.command[0], source.file


def missing_in(layers: Layers) -> Iterator[Fault]:
    """Files that definitions name and that are surely not there."""
    return _not_there(_named_in(layers))


def _not_there(named: Iterable[Named]) -> Iterator[Fault]:
    """Of these, what is surely not there: of what we may not look at, nothing is known."""
    for key, file, source in named:
        try:
            if Path(file).is_absolute():
                os.stat(file)  # noqa: PTH116 - Path.exists would hide why not
        except (FileNotFoundError, NotADirectoryError):
            says = f"{shown(Path(file))} is not there: make it, or name another one"
            vital = "; the daemon does not start without it" if key == "bridge.token_file" else ""
            yield Fault(key, says + vital, source)
        except (OSError, ValueError):
            continue


def _weak(settings: Settings) -> Iterator[Fault]:
    """A token that works and can be guessed."""
    file = settings.bridge.token_file
    weak = None if file is None else weakness(file)
    if weak is not None:
        yield Fault("bridge.token_file", weak, settings.source("bridge", "token_file"))


def unnamed(layers: Layers, settings: Settings) -> Iterator[Fault]:
    """Databases that definitions ask for and the settings do not name."""
    for source in layers.sources.values():
        checker = {} if source.definition is None else source.definition.checker
        name = checker.get("dsn")
        if name is not None and name not in settings.databases:
            yield Fault("checker.dsn", f"the settings have no [databases.{name}]", source.file)


def crossed(layers: Layers) -> Iterator[Fault]:
    """Nodes that are asked in a protocol that their ports do not speak, as far as is known."""
    for source in layers.sources.values():
        checker = {} if source.definition is None else source.definition.checker
        for key, problem in crossed_ports(checker):
            yield Fault(f"checker.{key}", problem, source.file)


def put_back(options: argparse.Namespace) -> int:
    """Put a copy of the state in its place, say what to do next; returns the exit code."""
    places = find_places(os.environ, os.geteuid(), state=options.state_dir)
    try:
        restored = restore(options.file, places.state / "state.db", Clock().now())
    except StoreError as error:
        print(f"kaspad-taskd: {error}; nothing was changed", file=sys.stderr)
        return CRASHED
    for line in _said(restored, options):
        print(line)
    return OK


def _said(restored: Restored, options: argparse.Namespace) -> list[str]:
    tasks = f"{restored.tasks} task{'s'[: restored.tasks != 1]}"
    last = "" if restored.last is None else f", the last event {iso(restored.last)}"
    before = f"kept: {restored.before}" if restored.before else "there was none"
    return [
        f"restored: {tasks}{last}, from {options.file}",
        f"the state before: {before}",
        f"next: {_next(options)}",
    ]


def _next(options: argparse.Namespace) -> str:
    if options.state_dir is not None:
        return f"kaspad-taskd --state-dir {options.state_dir}"
    by = started_by(SYSTEM_SOCKET if os.geteuid() < FIRST_USER else own_socket())
    return words.say(f"manager.{by}.start").removeprefix("sudo ")
