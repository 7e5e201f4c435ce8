"""The bridge with nothing behind it but an engine and a store in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaspad_taskd.api.catalog import catalog
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.definitions import DefinitionDesk
from kaspad_taskd.api.wire import Shapes
from kaspad_taskd.base.clock import Clock
from kaspad_taskd.base.descriptors import allow_files
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.listening import open_door
from kaspad_taskd.bridge.own_site import OwnSite
from kaspad_taskd.bridge.server import BridgeServer
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import DEFAULTS, Address, Bridge
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.follow import Board
from kaspad_taskd.engine.monitor import Monitors
from kaspad_taskd.engine.roster import Roster
from kaspad_taskd.probes import TYPES
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.switcher import Switcher


class Nothing:
    """The daemon, the mirror, the page: nobody asks them here."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_more: {}


def make_bridge(place: Path) -> tuple[Engine, BridgeServer, str]:
    """Return an engine that has begun, its bridge, which does not serve yet, and its URL."""
    allow_files(4096)
    clock, nothing = Clock(), Nothing()
    store = MemoryStore(clock.now)
    engine = Engine(store, clock.now)
    engine.begin(store.open())
    board = Board(engine)
    roster = Roster(engine, nothing)
    monitors = Monitors(engine, lambda _definition: None)
    places = Places(place / "none.toml", None, place, place, place)
    desk = DefinitionDesk(places, TYPES, engine, roster, DEFAULTS, lambda _settings: None)
    shapes = Shapes(monitors.due_in, lambda _task: None, clock.now)
    switcher = Switcher(engine, {}, nothing)
    api = Api(engine, board, roster, monitors, shapes, desk, nothing, switcher)
    settings = Bridge(Address("127.0.0.1", 0))
    opened = open_door(settings, place)
    site = OwnSite(api, catalog(api), opened.token_file, page=nothing, counts=Counts())
    bridge = BridgeServer(site, settings, opened, files=dict)
    return engine, bridge, opened.url
