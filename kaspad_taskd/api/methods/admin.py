"""What may be asked of the daemon itself."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.listed import answer
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import (
    FAULT,
    FLAG,
    FREE,
    MAYBE_TEXT,
    MOMENT,
    NUMBER,
    ORIGIN,
    TEXT,
    TEXTS,
    WHOLE,
    YES,
    listed,
    maybe,
    record,
    some,
    word,
)
from kaspad_taskd.api.switches import STANDING, standing_shape
from kaspad_taskd.core.model import Status
from kaspad_taskd.version import __version__

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]


_FAULTS = listed("DefinitionFaults", FAULT)
_LISTED = record(
    "ListedDefinition",
    id=MAYBE_TEXT,
    type=MAYBE_TEXT,
    origin=ORIGIN,
    directory=MAYBE_TEXT,
    file=MAYBE_TEXT,
    state=word("DefinitionState", ["ok", "masked", "faulty", "last-good"]),
    faults=_FAULTS,
)
_COUNTS = {"title": "CountsByStatus", "type": "object", "additionalProperties": WHOLE}
INFO = some(
    "DaemonInfo",
    ["version", "seq", "journal", "tasks"],
    version=TEXT,
    seq=WHOLE,
    journal=TEXT,
    tasks=record("TaskCounts", total=WHOLE, byStatus=_COUNTS),
    warnings=WHOLE,
    attentions=listed("StandingAttentions", STANDING),
    host=TEXT,
    pid=WHOLE,
    startedAt=MOMENT,
    uptime=NUMBER,
    store=some(
        "StoreInfo",
        ["durable"],
        path=TEXT,
        durable=FLAG,
        problem=MAYBE_TEXT,
        size=WHOLE,
    ),
    socket=TEXT,
    watchSocket=TEXT,
    bridge=maybe(FREE),
    settingsFile=TEXT,
    settingsFiles=TEXTS,
    definitionDirs=TEXTS,
    connections=WHOLE,
    python=TEXT,
)
"""What `getInfo` answers; there may be more."""


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    return [*_files(api), *_daemon(api)]


def _files(api: Api) -> list[Method]:
    def listing(_caller: Caller, _given: Given) -> Json:
        return answer(len(api.engine.tasks()), api.definitions.listing)

    async def reload(_caller: Caller, _given: Given) -> Json:
        return await api.definitions.reload()

    async def backup(_caller: Caller, _given: Given) -> Json:
        path = api.host.backup_path()
        try:
            await api.engine.store.backup(path)
        except Exception as error:
            raise ApiError.of("store-unavailable", str(error)) from None
        await api.engine.commit(backup=api.engine.now())  # where the disk takes nothing, it is made
        return {"path": path}

    return [
        Method("listDefinitions", "Every definition and how its file is.", listing, (),
               listed("ListedDefinitions", _LISTED)),
        Method("reload", "Read settings and definitions anew.", answering(reload), (),
               record("Reloaded", added=TEXTS, changed=TEXTS, removed=TEXTS, settings=TEXTS,
                      faults=_FAULTS, needRestart=TEXTS), changes=True, local=True,
               errors=("store-unavailable",)),
        Method("backup", "Write a consistent copy of the state.", answering(backup), (),
               record("BackupFile", path=TEXT), changes=True, local=True,
               errors=("store-unavailable",)),
    ]  # fmt: skip


def _daemon(api: Api) -> list[Method]:
    def ping(_caller: Caller, _given: Given) -> Json:
        return {"pong": True, "version": __version__, "seq": api.engine.seq}

    def info(_caller: Caller, _given: Given) -> Json:
        tasks = api.engine.tasks()
        counts = {each.value: 0 for each in Status}
        for task in tasks:
            counts[task.status.value] += 1
        number = {"total": len(tasks), "byStatus": counts}
        return {
            "version": __version__,
            "seq": api.engine.seq,
            "journal": api.engine.journal,
            "tasks": number,
            "warnings": len(api.engine.warnings.open()),
            "attentions": list(map(standing_shape, api.engine.attentions.open())),
            **api.host.info(),
        }

    def shutdown(_caller: Caller, _given: Given) -> Json:
        watched = sum(task.watched for task in api.engine.tasks())
        api.host.stop()
        return {"success": True, "tasksCleaned": watched}

    async def new_token(_caller: Caller, _given: Given) -> Json:
        return {"success": True, "tokenFile": await api.host.new_token()}

    pong = record("Pong", pong=YES, version=TEXT, seq=WHOLE)
    return [
        Method("ping", "Whether anybody is there.", ping, (), pong),
        Method("getInfo", "The daemon: version, store, doors, files.", info, (), INFO),
        Method("newToken", "Make a new token for the bridge: every browser is locked at once.",
               answering(new_token), (), record("TokenMade", success=YES, tokenFile=TEXT),
               changes=True, local=True, errors=("not-allowed", "store-unavailable")),
        Method("shutdown", "Stop the daemon; every task goes on at its next start.", shutdown, (),
               record("ShuttingDown", success=YES, tasksCleaned=WHOLE), changes=True, local=True),
    ]  # fmt: skip
