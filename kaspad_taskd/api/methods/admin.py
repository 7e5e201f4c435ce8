"""What may be asked of the daemon itself."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import FREE, TEXT, TEXTS, WHOLE, record
from kaspad_taskd.core.model import Status
from kaspad_taskd.version import __version__

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]


def methods(api: Api) -> list[Method]:
    """The methods of this page."""
    return [*_files(api), *_daemon(api)]


def _files(api: Api) -> list[Method]:
    def listing(_caller: Caller, _given: Given) -> Json:
        return api.definitions.listing()

    async def reload(_caller: Caller, _given: Given) -> Json:
        return await api.definitions.reload()

    async def backup(_caller: Caller, _given: Given) -> Json:
        path = api.host.backup_path()
        try:
            await api.engine.store.backup(path)
        except Exception as error:
            raise ApiError.of("store-unavailable", str(error)) from None
        return {"path": path}

    faults = {"type": "array", "items": FREE}
    return [
        Method("listDefinitions", "Every definition and how its file is.", listing, (), faults),
        Method("reload", "Read settings and definitions anew.", answering(reload), (),
               record(added=TEXTS, changed=TEXTS, removed=TEXTS, faults=faults,
                      needRestart=TEXTS), changes=True, local=True,
               errors=("store-unavailable",)),
        Method("backup", "Write a consistent copy of the state.", answering(backup), (),
               record(path=TEXT), changes=True, local=True, errors=("store-unavailable",)),
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
            "tasks": number,
            "warnings": len(api.engine.warnings.open()),
            **api.host.info(),
        }

    def shutdown(_caller: Caller, _given: Given) -> Json:
        watched = sum(task.status is Status.IN_PROGRESS for task in api.engine.tasks())
        api.host.stop()
        return {"success": True, "tasksCleaned": watched}

    pong = record(pong={"const": True}, version=TEXT, seq=WHOLE)
    return [
        Method("ping", "Whether anybody is there.", ping, (), pong),
        Method("getInfo", "The daemon: version, store, doors, files.", info, (), FREE),
        Method("shutdown", "Stop the daemon; every task goes on at its next start.", shutdown, (),
               record(success={"const": True}, tasksCleaned=WHOLE), changes=True, local=True),
    ]  # fmt: skip
