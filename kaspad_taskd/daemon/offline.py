"""What the daemon's program does without becoming the daemon: check its files, restore a state."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from kaspad_taskd import words
from kaspad_taskd.base.clock import Clock, iso
from kaspad_taskd.base.tables import Fault
from kaspad_taskd.bridge.keys import weakness
from kaspad_taskd.client import SYSTEM_SOCKET
from kaspad_taskd.client.unit import own_socket, started_by
from kaspad_taskd.config.layers import Layers, read_layers
from kaspad_taskd.config.places import FIRST_USER, Places, find_places
from kaspad_taskd.config.settings import Settings, look_over
from kaspad_taskd.probes import TYPES, add
from kaspad_taskd.probes.migrations import database_migration
from kaspad_taskd.probes.node.node_sync import crossed_ports
from kaspad_taskd.store.fault import StoreError
from kaspad_taskd.store.restoring import Restored, restore

OK, CRASHED, BAD_SETTINGS = 0, 1, 78
"""Exit codes (contract, section 1)."""


def check(places: Places) -> int:
    """Say every fault of settings and definitions; returns the exit code."""
    settings, faults = look_over(places)
    if settings is not None:
        faults += add(settings.probes, places.settings)
    layers = read_layers(places, TYPES)
    faults += layers.faults
    if settings is not None:
        faults += unnamed(layers, settings)
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'s'[: len(faults) != 1]}", file=sys.stderr)
        return BAD_SETTINGS
    for warning in (*_weak(settings, places), *crossed(layers)):
        print(f"warning: {warning}")
    count = len(layers.definitions)
    print(f"good: {count} definition{'s'[: count != 1]}, settings {places.settings}")
    return OK


def _weak(settings: Settings | None, places: Places) -> Iterator[Fault]:
    """A token that works and can be guessed."""
    file = None if settings is None else settings.bridge.token_file
    weak = None if file is None else weakness(file)
    if weak is not None:
        yield Fault("bridge.token_file", weak, str(places.settings))


def unnamed(layers: Layers, settings: Settings) -> Iterator[Fault]:
    """Databases that definitions ask for and the settings do not name."""
    for source in layers.sources.values():
        found = source.definition
        if found is None or found.type != database_migration.TYPE.name:
            continue
        if (name := found.checker["dsn"]) not in settings.databases:
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
