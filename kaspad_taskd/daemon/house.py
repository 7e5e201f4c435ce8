"""The hallway: builds every room, runs them in one TaskGroup, and shuts the doors behind it."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, cast

from kaspad_taskd import words
from kaspad_taskd.api.catalog import catalog
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.definitions import DefinitionDesk
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.feed import Feed
from kaspad_taskd.api.reading import for_readers
from kaspad_taskd.api.wire import Shapes
from kaspad_taskd.base import descriptors
from kaspad_taskd.base.clock import Clock, iso
from kaspad_taskd.base.files import size_of
from kaspad_taskd.base.places import most_of
from kaspad_taskd.base.tables import Fault
from kaspad_taskd.bridge.counts import CountedStore, Counts
from kaspad_taskd.bridge.opening import BridgeDoor, own
from kaspad_taskd.config.layers import definition_dirs
from kaspad_taskd.config.mirror import Mirror
from kaspad_taskd.config.places import FIRST_USER, Places
from kaspad_taskd.config.settings import Address, Settings, doubtful
from kaspad_taskd.core.model import Definition, Origin
from kaspad_taskd.core.record import Loaded
from kaspad_taskd.daemon.garbage import made_to_stay
from kaspad_taskd.daemon.housekeeping import Housekeeping
from kaspad_taskd.daemon.mirroring import MirrorKeeper
from kaspad_taskd.daemon.overview import Overview
from kaspad_taskd.daemon.own_sockets import own_sockets
from kaspad_taskd.daemon.quiet import be_sparing
from kaspad_taskd.daemon.repaired import StoreWatch
from kaspad_taskd.engine.ageing import Ageing
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.engine.errors import NotDurable
from kaspad_taskd.engine.follow import Board
from kaspad_taskd.engine.monitor import PLACES, Monitors
from kaspad_taskd.engine.ports import Probe, Store
from kaspad_taskd.engine.reactions import Reactions
from kaspad_taskd.engine.roster import Roster
from kaspad_taskd.probes import TYPES, Means, open_probe
from kaspad_taskd.rpc.server import CONNECTIONS, RpcServer
from kaspad_taskd.store.sqlite import SqliteStore
from kaspad_taskd.switching.declared import switched_by
from kaspad_taskd.switching.hands import Hands
from kaspad_taskd.switching.later import HandsLater
from kaspad_taskd.switching.ready import Announcer
from kaspad_taskd.switching.switcher import Switcher
from kaspad_taskd.systemd.heart import Heart
from kaspad_taskd.systemd.notify import Notifier, pulse
from kaspad_taskd.systemd.sockets import passed, take
from kaspad_taskd.systemd.story import Story
from kaspad_taskd.words.status_line import status_line

_log = logging.getLogger("kaspad_taskd")

MIRRORED = "mirror"
"""The cursor of a state that knows all that the mirror knew: from then on the mirror follows."""
READERS = "kaspad-taskd-read"
"""The group of those who may look and change nothing."""
READERS_AT_ONCE = 256
"""Connections of theirs at once."""
HELD_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "HOME", "TZ")
"""What commands get of our environment."""


class Daemon:
    """One daemon: its rooms, from start to stop."""

    def __init__(
        self,
        places: Places,
        settings: Settings,
        *,
        level: str | None,
        listen: Address | Literal["off"] | None = None,
        clock: Clock | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._places = places
        self._on_ready = on_ready
        self._listen = settings.bridge
        if listen is not None:  # the command line's word
            self._listen = replace(settings.bridge, listen=None if listen == "off" else listen)
        descriptors.allow_files(descriptors.WANTED)
        doors = 2 if self._listen.listen is None else 3
        share = descriptors.share(doors)
        self._connections = min(CONNECTIONS, most_of(share))
        self._settings = settings
        self._level = level
        self._databases = dict(settings.databases)
        self._clock = clock or Clock()
        self._began = time.monotonic()
        self._started_at = self._clock.now()
        self._stopping = asyncio.Event()
        self._asked_to_stop = False
        self._notifier = Notifier()
        self._store = SqliteStore(
            places.state / "state.db", self._clock.now, self._notifier.extend_timeout
        )
        self._counts = Counts()
        counted = cast(Store, CountedStore(self._store, self._counts.commit))
        self._engine = Engine(counted, self._clock.now)
        self._store_watch = StoreWatch(self._engine, self._store)
        self._board = Board(self._engine)
        dirs = definition_dirs(places)
        self._mirror = MirrorKeeper(Mirror(places.mirror, TYPES, dirs[Origin.ADMIN]))
        self._roster = Roster(self._engine, self._mirror, dirs)
        self._ageing = Ageing(self._engine, self._roster, self._clock)
        self._housekeeping = Housekeeping(
            self._engine, self._board, self._ageing, self._store_watch, self._clock,
            places.runtime / "rpc.sock", lambda: self._notifier.status(self._status()),
            self._register, lambda: self._settings.backup_max_age,
        )  # fmt: skip
        self._monitors = Monitors(
            self._engine, self._open_probe, places=min(PLACES, max(4, share // 4)), crowded=lambda
            more: descriptors.is_crowded(descriptors.limit() - doors * share - more),
        )  # fmt: skip
        self._desk = DefinitionDesk(
            places, TYPES, self._engine, self._roster, settings, self._take_settings
        )
        self._services = dict(settings.services)
        hands = HandsLater(places.endpoints, self._hands)
        self._switcher = Switcher(self._engine, self._services, hands)
        self._shapes = Shapes(
            self._monitors.due_in, self._status_of, self._clock.now,
            lambda definition: switched_by(definition, self._services), dirs,
        )  # fmt: skip
        self._overview = Overview(self._engine, self._shapes.task)
        self._api = Api(
            self._engine, self._board, self._roster, self._monitors, self._shapes, self._desk, self,
            self._switcher,
        )  # fmt: skip
        self._methods = catalog(self._api)
        self._bridge: BridgeDoor | None = None
        feed = Feed(self._api)
        given = take(passed(os.environ, os.getpid()))
        sockets = own_sockets(places.runtime, given)
        self._own_sockets = lambda: sockets
        self._server = RpcServer(
            self._methods,
            feed,
            path=places.runtime / "rpc.sock",
            limit=self._connections,
            passed=given,
        )
        self._watch = RpcServer(
            for_readers(self._methods),
            feed,
            path=places.runtime / "watch.sock",
            group=READERS,
            limit=min(READERS_AT_ONCE, self._connections),
        )

    # -- what the API asks of the daemon itself

    def info(self) -> dict[str, Any]:
        """What `getInfo` answers of the daemon."""
        places = self._places
        path = places.state / "state.db"
        directories = [places.vendor_tasks, places.admin_tasks]
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "startedAt": iso(self._started_at),
            "uptime": round(time.monotonic() - self._began, 1),
            "store": {
                "path": str(path),
                "durable": self._engine.problem is None,
                "problem": self._engine.problem,
                "size": size_of(path, path.with_name(f"{path.name}-wal")),
            },
            "socket": str(places.runtime / "rpc.sock"),
            "watchSocket": str(places.runtime / "watch.sock"),
            "bridge": self._bridge and self._bridge.info(),
            "settingsFile": str(places.settings),
            "settingsFiles": list(self._settings.files),
            "definitionDirs": [str(each) for each in directories if each is not None],
            "connections": self._server.connections,
            "python": platform.python_version(),
        }

    def stop(self) -> None:
        """Stop soon, with exit code 0."""
        self._asked_to_stop = True
        self._stopping.set()

    def backup_path(self) -> str:
        """Where the next backup goes: beside the state, by its time."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")  # two in a second are two
        return str(self._places.state / f"backup-{stamp}.db")

    async def new_token(self) -> str:
        """Make another token for the bridge; where it stands. Raises ApiError."""
        if self._bridge is None:
            raise ApiError.of("not-allowed", words.say("answer.no-bridge"))
        return await self._bridge.new_token()

    # -- the life of it

    async def run(self) -> None:
        """Start, run until told to stop, stop.

        Raises:
            StoreError, NotDurable, CannotListenError, CannotOpenError: it cannot start.
        """
        be_sparing(asyncio.get_running_loop())
        with made_to_stay():
            loaded = self._store.open()
        try:
            with made_to_stay():
                await self._begin(loaded)
            if self._listen.listen is not None:
                # it may ask a name server; before the other door, so that who finds that finds this
                state = self._places.state
                if loaded.problem is not None and not (state / "bridge.token").exists():
                    state = self._places.runtime  # it takes no token: this one is for this run
                self._bridge = await asyncio.to_thread(
                    BridgeDoor, self._listen, state, self._connections, self._engine.warnings
                )
            self._listen_to_signals()  # before anybody can find us, and tell us to stop
            await self._server.start()
            await self._watch.start()
            await self._serve(loaded.cursors)
        finally:
            await asyncio.gather(self._server.stop(), self._watch.stop(), self._close_bridge())
            await self._mirror.close()
            await self._store.close()
            self._notifier.close()

    async def _begin(self, loaded: Loaded) -> None:
        """Take over what the store has loaded; from then on looks are due."""
        self._engine.begin(loaded)
        self._overview.begin()
        self._roster.begin()
        self._engine.warnings.clear("restart-needed")  # this is the restart
        self._ageing.begin(loaded)
        Story(self._engine)
        self._store_watch.begin(loaded)
        await self._register(loaded)
        self._mirror.align(self._engine.tasks())
        self._monitors.begin()

    async def _register(self, loaded: Loaded) -> None:
        """Bring the tasks in line with copies and files; a store that cannot write has its own."""
        if MIRRORED not in loaded.cursors and self._engine.problem is None:
            await self._rebuild()
        await self._first_reload()

    async def _rebuild(self) -> None:
        """Register what the mirror knows: this state is new, perhaps in the place of a lost one."""
        definitions, faults = await asyncio.to_thread(self._mirror.read)
        for fault in faults:
            _log.error("%s", fault)
        lost = [each for each in definitions.values() if self._engine.get(each.id) is None]
        await self._roster.reload(lost)
        await self._engine.durable(self._engine.commit(cursors={MIRRORED: self._engine.seq}))
        if lost:
            _log.warning("registered tasks rebuilt from their copies: %d", len(lost))

    async def _first_reload(self) -> None:
        try:
            answer = await self._desk.reload()
        except NotDurable as error:
            _log.error("definitions are as they were: %s", error)
            return
        for said, key in (("settings changed: %s", "settings"),
                          ("takes effect at a restart: %s", "needRestart")):  # fmt: skip
            if answer[key]:
                _log.info(said, ", ".join(answer[key]))
        for fault in answer["faults"]:
            _log.error("%s", Fault(fault["key"], fault["problem"], fault["file"]))

    async def _close_bridge(self) -> None:
        if self._bridge is not None:
            await self._bridge.stop("shutdown" if self._asked_to_stop else "signal")

    async def _serve(self, cursors: Any) -> None:
        reactions = Reactions(self._engine, self._board, self._roster, cursors, _environment)
        announcer = Announcer(self._engine, self._board, cursors, self._switcher)
        heart = Heart(self._store.answered, self._monitors.overdue, self._notifier.watchdog)
        every = pulse(os.environ, os.getpid())
        async with asyncio.TaskGroup() as rooms:
            running = [
                rooms.create_task(self._monitors.run(), name="monitors"),
                rooms.create_task(reactions.run(), name="reactions"),
                rooms.create_task(self._switcher.run(), name="switches"),
                rooms.create_task(announcer.run(), name="node-ready"),
                rooms.create_task(self._housekeeping.run(), name="housekeeping"),
                rooms.create_task(self._mirror.run(), name="mirror"),
            ]
            if every is not None:
                running.append(rooms.create_task(heart.run(every), name="heart"))
            if self._bridge is not None:
                serving = self._bridge.serve(own(self._api, self._methods, self._counts))
                running.append(rooms.create_task(serving, name="bridge"))
            asyncio.get_running_loop().add_signal_handler(
                signal.SIGHUP, lambda: running.append(rooms.create_task(self._reload()))
            )
            status = self._status()
            self._notifier.ready(status)
            self._on_ready()
            _log.info("ready: %s; %s", status, self._places.runtime)
            await self._stopping.wait()
            self._notifier.stopping("stopping")
            self._mirror.end()
            self._server.refuse()
            self._watch.refuse()
            if self._bridge is not None:
                self._bridge.refuse()
            for room in running:
                room.cancel()
        self._ageing.keep()
        await asyncio.gather(*self._engine.flush(all_of_it=True))
        _log.info("stopped; every task goes on at the next start")

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)

    async def _reload(self) -> None:
        self._notifier.reloading()
        await self._first_reload()
        self._notifier.ready(self._status())

    # -- between the rooms

    def _open_probe(self, definition: Definition) -> Probe | None:
        probe = self._make_probe(definition)
        return probe and self._counts.probe(definition.id, probe)

    def _make_probe(self, definition: Definition) -> Probe | None:
        allow = self._desk.allow(definition)
        means = Means(allow, self._clock.wall, self._databases, self._own_sockets)
        return open_probe(definition, means)

    def _hands(self) -> Hands:
        from kaspad_taskd.switching.acting import open_hands

        return open_hands(
            self._places.endpoints, self._databases, self._engine, self._make_probe,
            user=os.geteuid() >= FIRST_USER,
        )  # fmt: skip

    def _status_of(self, task_id: str) -> str | None:
        task = self._engine.get(task_id)
        return None if task is None else task.status.value

    def _status(self) -> str:
        shown, others = self._overview.told()
        standing = len(self._engine.warnings.open())
        bridge = None if self._bridge is None else self._bridge.brief
        services = [(each.service, each.code.value) for each in self._engine.attentions.open()]
        return status_line(shown, self._engine.problem, standing, bridge, services, others)

    def _take_settings(self, settings: Settings) -> None:
        self._settings = settings
        self._housekeeping.see_backup()
        logging.getLogger().setLevel((self._level or settings.log_level).upper())
        self._databases.clear()  # probes hold it: they take the new file at their next connect
        self._databases.update(settings.databases)
        self._services.clear()
        self._services.update(settings.services)
        _warn(settings)


def _warn(settings: Settings) -> None:
    for doubt in doubtful(settings):
        _log.warning("%s", doubt)


def _environment() -> dict[str, str]:
    return {key: os.environ[key] for key in HELD_ENVIRONMENT if key in os.environ}
