"""Tasks in every state that a card can show, as the wire has them."""

from __future__ import annotations

from typing import Any

from tests.fakes.golden import golden_task
from tests.fakes.kept import WATCHED

HOSTILE = "<img src=x onerror=alert(1)>\u202eabc\u200b" + "x" * 280


def _node(**changes: Any) -> dict[str, Any]:
    """The node of the golden tasks, in the middle of its sync, with changes."""
    return {**golden_task("kaspa-node"), "actions": ["pause", "cancel", "check"], **changes}


def _indexer(**changes: Any) -> dict[str, Any]:
    return {**golden_task("kasia-indexer"), "actions": ["pause", "cancel", "check"], **changes}


def _at(key: str, share: float | None, **changes: Any) -> dict[str, Any]:
    """The node in the phase `key`."""
    keys = ["connecting", "proof", "headers", "smt", "utxo", "utxoindex", "blocks", "confirming"]
    place = keys.index(key)
    phases = [
        {
            "key": each,
            "state": "done" if i < place else "current" if i == place else "next",
            "weight": 10,
            "progress": 100.0 if i < place else share if i == place else None,
            "basis": "exact" if i <= place and share is not None else "unknown",
            "startedAt": None,
            "endedAt": None,
        }
        for i, each in enumerate(keys)
    ]
    return _node(phase=key, phases=phases, **changes)


def _report(**changes: Any) -> dict[str, Any]:
    """A program that has reported 40 %, five minutes ago."""
    task = golden_task("headers-import")
    at = "2026-11-23T14:07:09.000Z"
    known = {"status": "in-progress", "health": "ok", "progress": 40.0, "completedAt": None,
             "healthSince": at, "lastUpdate": at, "lastMoved": at, "lastChecked": at,
             "nextCheck": None, **_no_eta("warming-up")}  # fmt: skip
    return {**task, "actions": ["pause", "cancel", "remove"], **known, **changes}


def _no_eta(reason: str) -> dict[str, Any]:
    return {"estimatedTimeRemaining": None, "etaReason": reason}


def _stalled(code: str, **params: Any) -> dict[str, Any]:
    return _node(
        health="stalled",
        lastMoved="2026-11-23T13:58:00.000Z",
        reason=code,
        note=None,
        hints=[{"code": code, "params": params}],
        **_no_eta("stalled"),
    )


def filling(code: str = "disk-runway", **params: Any) -> dict[str, Any]:
    """A node that syncs, and whose disk will be full."""
    known = {"diskFree": params["free"], "diskTotal": 2e12, "diskGrowth": params.get("rate", 1e6)}
    return _node(
        config={"url": "grpc://127.0.0.1:16110", "dataDir": "/srv/kaspa"},
        hints=[{"code": code, "params": params}], metadata={"network": "mainnet", **known},
    )  # fmt: skip


def _detail(done: float, total: float | None, unit: str) -> dict[str, Any]:
    return {"done": done, "total": total, "unit": unit, "basis": "exact"}


ENDED = {"estimatedTimeRemaining": None, "etaReason": None, "health": "unknown", "syncRate": None}

STATES: dict[str, dict[str, Any]] = {
    "not-started": golden_task("not-started"),
    "waiting": golden_task("k-indexer"),
    "waiting-for-a-failed-one": {
        **golden_task("k-indexer"),
        "note": "Waits for node-sync-kaspa-node. node-sync-kaspa-node failed; try it again.",
    },
    "first-check": golden_task("first-look"),
    "syncing": _node(),
    "catching-up": _indexer(
        health="ok", reason=None, note=None, syncRate=9.54, rateUnit="blocks/s", behind=7260.0,
        estimatedTimeRemaining=90, progressDetail=_detail(10, 4000, "blocks"),
    ),
    "migrating": golden_task("explorer-db"),
    "utxo-step": _at(
        "utxo", None, progressDetail=_detail(3310000, None, "entries"), syncRate=21400,
        rateUnit="entries/s", behind=None, **_no_eta("no-total"),
    ),
    "utxoindex-step": _at(
        "utxoindex", None, progressDetail=None, syncRate=None, rateUnit=None, behind=None,
        **_no_eta("no-total"),
    ),
    "headers-estimated": _at("headers", 12.3, progressDetail=None),
    "confirming": _at(
        "confirming", None, confirmations={"have": 1, "need": 2}, progress=99.9,
        **_no_eta("confirming"),
    ),
    "pass-3": _node(**{"pass": 3}),
    "warming-up": _node(**_no_eta("warming-up")),
    "not-catching-up": _node(syncRate=9.0, **_no_eta("not-catching-up")),
    "new-epoch": _node(
        epoch={"number": 2, "since": "2026-11-23T13:20:00.000Z", "reason": "db-reset"}
    ),
    "clock-off": _node(hints=[{"code": "clock-skew", "params": {"skew": 95, "way": "ahead"}}]),
    "stalled-no-peers": _stalled("no-peers"),
    "stalled-db-prompt": _stalled("db-prompt"),
    "stalled-disk-full": _stalled("disk-full", free=400000000),
    "unreachable-refused": _indexer(),
    "unreachable-node": _node(
        health="unreachable", reason="refused", healthSince="2026-11-23T14:05:40.000Z",
        note="127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere.",
        lastUpdate="2026-11-23T14:05:30.000Z", nextCheck="2026-11-23T14:12:17.500Z",
        **_no_eta("no-answer"),
    ),
    "unreachable-just-now": _indexer(healthSince="2026-11-23T14:12:08.600Z"),
    "stalled-from-the-start": {**_stalled("no-peers"), "lastMoved": None},
    "paused": _node(
        status="paused", healthSince="2026-11-23T13:50:00.000Z",
        lastUpdate="2026-11-23T13:49:58.000Z", **ENDED
    ),
    "paused-work": golden_task("paused-thing"),
    **WATCHED,
    "complete": _node(
        status="complete", progress=100.0, progressBasis="exact", phases=[], phase=None,
        completedAt="2026-11-22T15:32:00.000Z", startedAt="2026-11-22T11:02:00.000Z", **ENDED
    ),
    "switching": _node(
        status="complete", progress=100.0, progressBasis="exact", phases=[], phase=None,
        completedAt="2026-11-23T14:11:00.000Z", startedAt="2026-11-23T09:41:00.000Z",
        switches=["kasia-indexer", "k-indexer"],
        switching={"n": 2, "doing": "kasia-indexer: step 3 of 4, restarting"}, **ENDED
    ),
    "alike": _node(alike=True),
    "migration-idle": _node(
        type="database-migration", service="explorer-db", phases=[], phase=None,
        hints=[{"code": "migration-idle", "params": {"version": "22", "wanted": "23"}}],
        **_no_eta("no-total"),
    ),
    "disk-runway": filling(seconds=4500, free=90e9, rate=20e6, before=True),
    "disk-runway-beside": filling(seconds=5000, free=90e9, rate=18e6, before=False),
    "disk-inodes": filling(seconds=4500, free=90e9, rate=0, before=True, inodes=12000),
    "disk-full": filling("disk-full", free=500e6),
    "disk-roomy": _node(config={"dataDir": "/srv/kaspa"},
                        metadata={"diskFree": 9e11, "diskTotal": 2e12, "diskGrowth": 0}),
    "data-dir-hidden": _node(hints=[{"code": "data-dir-hidden", "params": {
        "path": "/home/kaspa/data", "home": "/home", "plain": "/home/kaspa/data"}}]),
    "report-none-yet": _report(health="unknown", lastUpdate=None, lastMoved=None),
    "report-running": _report(),
    "report-facts": _report(metadata={
        "rows": 12, "file": "utxo.bin", "ok": True, "share": 0.5, "whole": 3.0, "tiny": 0.00001,
        "tiniest": 1.5e-9, "huge": 1e20, "peers": 8, "odd": "a\u202eb",
    }),
    "report-run": _report(metadata={
        "program": "curl", "pid": 4711, "startTime": "2026-11-30T10:27:55.055Z",
        "bytes": 30_000_000,
    }),
    "command-facts": _report(type="command", metadata={"rows": 12}, status="complete"),
    "report-silent": _report(health="stalled", reason="silent-report",
                             note="Its program has stopped reporting.", **_no_eta("stalled")),
    "report-still": _report(health="stalled", reason="no-movement",
                            note="It reports, but nothing moves.", **_no_eta("stalled")),
    "done-report": golden_task("headers-import"),
    "error": golden_task("failed-job"),
    "error-wrong-network": _node(
        status="error", erroredAt="2026-11-23T12:00:00.000Z", reason="wrong-network",
        error="It is on testnet-10, the task expects mainnet.",
        hints=[{"code": "wrong-network", "params": {"expected": "mainnet"}}], **ENDED
    ),
    "cancelled": _node(status="cancelled", cancelledAt="2026-11-23T13:50:00.000Z", **ENDED),
    "hostile": _node(
        service=HOSTILE, note=HOSTILE, error=HOSTILE, type="<b>", reason="<i>", health="stalled",
        metadata={"network": HOSTILE, "peers": 1}, endpoint="grpc://" + HOSTILE,
        hints=[{"code": "<u>", "params": {"free": HOSTILE}}],
    ),
}  # fmt: skip
"""By name. All at the moment of the golden files, 2026-11-23 14:12:09 UTC."""
