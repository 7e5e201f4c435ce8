"""The API on a house in virtual time: every request and answer is held against the description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from kaspad_taskd.api.catalog import catalog
from kaspad_taskd.api.context import Api
from kaspad_taskd.api.definitions import DefinitionDesk
from kaspad_taskd.api.errors import CODES
from kaspad_taskd.api.feed import Feed
from kaspad_taskd.api.method import Caller
from kaspad_taskd.api.wire import Shapes
from kaspad_taskd.config.layers import definition_dirs
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.settings import DEFAULTS, Settings
from kaspad_taskd.core.model import Definition
from kaspad_taskd.engine.ports import Probe
from kaspad_taskd.probes import TYPES
from kaspad_taskd.probes.general.report import ReportProbe
from kaspad_taskd.rpc.calls import Pending
from kaspad_taskd.rpc.dispatch import Dispatcher
from kaspad_taskd.store.memory import MemoryStore
from kaspad_taskd.switching.declared import switched_by
from tests.fakes.house import House
from tests.fakes.taskd_process import Refusal

STANDARD = {-32700, -32600, -32601, -32602, -32603}


@dataclass
class Host:
    """The daemon, as far as it is asked."""

    stopped: int = 0
    said: dict[str, Any] = field(default_factory=lambda: {"pid": 7, "host": "here"})

    def info(self) -> dict[str, Any]:
        return self.said

    def stop(self) -> None:
        self.stopped += 1

    def backup_path(self) -> str:
        return "/nowhere/backup.db"

    async def new_token(self) -> str:
        return "/nowhere/bridge.token"


class ApiHouse(House):
    """A house with all methods, asked through the real dispatcher."""

    def __init__(self, place: Path, settings: Settings, store: MemoryStore | None) -> None:
        self.place = place
        self.tasks_d = place / "tasks.d"
        self.tasks_d.mkdir(exist_ok=True)
        places = Places(place / "none.toml", None, self.tasks_d, place / "state", place / "run")
        super().__init__(store, directories=definition_dirs(places))
        self.host = Host()
        desk = DefinitionDesk(
            places, TYPES, self.engine, self.roster, settings, lambda _settings: None
        )
        shapes = Shapes(
            self.monitors.due_in,
            self._status_of,
            self.now,
            lambda definition: switched_by(definition, self.services),
            definition_dirs(places),
        )
        self.api = Api(
            self.engine, self.board, self.roster, self.monitors, shapes, desk, self.host,
            self.switcher,
        )  # fmt: skip
        self.methods = catalog(self.api)
        self.feed = Feed(self.api)
        self.caller = Caller("rpc", 1, 2, 3)
        self._dispatcher = Dispatcher(self.methods)
        self._slots = asyncio.Semaphore(64)
        self.document: dict[str, Any] = {}

    def _make(self, definition: Definition) -> Probe:
        return ReportProbe() if definition.type == "report" else self.probe(definition.id)

    def _status_of(self, task_id: str) -> str | None:
        task = self.engine.get(task_id)
        return None if task is None else task.status.value

    async def raw(self, method: str, params: Any) -> dict[str, Any]:
        """Return the answer as it goes over the wire."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._dispatcher.answer(json.dumps(request).encode(), self.caller)
        if isinstance(answer, Pending):
            answer = await answer.answer(self._slots)
        message: dict[str, Any] = json.loads(answer)
        return message

    async def ask(self, method: str, *args: Any, **named: Any) -> Any:
        """Return the result; raises Refusal. Both ways are held against the description."""
        params: Any = list(args) if args else named
        message = await self.raw(method, params)
        described = self.described(method)
        if "error" in message:
            self._check_error(described, message["error"])
            raise Refusal(message["error"])
        assert message.keys() == {"jsonrpc", "result", "id"}
        assert self.takes(method, params), "the description forbids what was accepted"
        self.check(described["result"]["schema"], message["result"])
        return message["result"]

    async def no(self, method: str, *args: Any, **named: Any) -> Refusal:
        """Return the refusal that must come."""
        try:
            result = await self.ask(method, *args, **named)
        except Refusal as refusal:
            return refusal
        raise AssertionError(f"{method} answered {result}")

    def described(self, method: str) -> dict[str, Any]:
        if not self.document:
            answer = self._dispatcher.answer(
                b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}', self.caller
            )
            assert isinstance(answer, bytes)
            self.document = json.loads(answer)["result"]
        if method == "rpc.discover":  # it does not describe itself
            return {"paramStructure": "either", "params": [], "result": {"schema": {}}}
        found: dict[str, Any] = next(
            each for each in self.document["methods"] if each["name"] == method
        )
        return found

    def takes(self, method: str, params: Sequence[Any] | Mapping[str, Any]) -> bool:
        """Whether the description allows these parameters."""
        described = self.described(method)
        if described["paramStructure"] == "by-position":
            body = params[0] if isinstance(params, list) else params
            return self._valid(described["params"][0]["schema"], body)
        names = [each["name"] for each in described["params"]]
        if isinstance(params, list):
            params = dict(zip(names, params, strict=False))
        assert isinstance(params, Mapping)
        known = params.keys() <= set(names)
        return known and all(
            self._valid(each["schema"], params[each["name"]])
            if params.get(each["name"]) is not None
            else not each["required"]
            for each in described["params"]
        )

    def check(self, schema: Mapping[str, Any], value: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        faults = Draft202012Validator(whole).iter_errors(value)
        assert [(fault.json_path, fault.message) for fault in faults] == []

    def _valid(self, schema: Mapping[str, Any], value: Any) -> bool:
        whole = {**schema, "components": self.document["components"]}
        return bool(Draft202012Validator(whole).is_valid(value))

    def _check_error(self, described: dict[str, Any], error: dict[str, Any]) -> None:
        assert error.keys() == {"code", "message", "data"}
        assert "Traceback" not in json.dumps(error)
        reason = error["data"]["reason"]
        if error["code"] in STANDARD:
            return
        assert CODES[reason] == error["code"]
        listed = {each["code"]: each["message"] for each in described.get("errors", [])}
        assert listed.get(error["code"]) == reason, f"{reason} is not in the description"

    async def settle(self) -> None:
        """Let everything that can go on now go on."""
        for _ in range(20):
            await asyncio.sleep(0)


@asynccontextmanager
async def api_house(
    place: Path, settings: Settings = DEFAULTS, store: MemoryStore | None = None
) -> AsyncIterator[ApiHouse]:
    """A house that runs, and is stopped in the end."""
    built = ApiHouse(place, settings, store)
    built.start()
    await built.settle()
    try:
        yield built
    finally:
        await built.stop()
