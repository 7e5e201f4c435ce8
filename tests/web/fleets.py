"""Fleets for the page of all hosts: rows as a hub has them."""

from __future__ import annotations

from calendar import timegm
from typing import Any

NOW = timegm((2026, 11, 23, 14, 12, 9)) * 1000
SITES = ("Wien", "Graz", "Linz")
ODD: tuple[dict[str, Any], ...] = (
    {
        "verdict": "trouble", "ill": 1,
        "said": "4 running, 1 complete: kasia-indexer unreachable, kaspa-node 71 % (1 hour 20 min)",
    },
    {"verdict": "silent", "gone": "host"},
    {"verdict": "daemon-away", "gone": "daemon"},
    {"verdict": "trouble", "fault": "tasks.x must be an object, not a string"},
    {"verdict": "unknown", "gone": "engine"},
    {"verdict": "trouble", "gap": {"after": 1200, "next": 1499}},
)  # fmt: skip


def row(number: int, **given: Any) -> dict[str, Any]:
    """A host that is well."""
    return {
        "host": f"node-{number:04}", "verdict": "ok", "since": NOW - 60_000 * (number + 1),
        "gone": None, "labels": {"site": SITES[number % 3], "role": "archive"}, "tasks": 5,
        "ill": 0, "attentions": 0, "warnings": 0, "address": "node (10.0.0.1), pid 1",
        "daemon": "1.0", "relay": "1.0", "gap": None, "fault": None,
        "said": "5 running: kaspa-node 45.1 % (1 hour 20 min), kasia-indexer 12 %", **given,
    }  # fmt: skip


def fleet(count: int) -> list[dict[str, Any]]:
    """So many hosts, of which some are not well."""
    odd = {number * 7: each for number, each in enumerate(ODD)} if count > 1 else {}
    return [row(number, **odd.get(number, {})) for number in range(count)]


def snapshot(count: int, **given: Any) -> dict[str, Any]:
    """What the page is made from."""
    return {
        "seq": 12, "journal": "0123456789abcdef", "serverTime": "2026-11-23T14:12:09.000Z",
        "host": "hub-1", "version": "1.0", "canChange": False, "unlocked": False,
        "needsToken": False, "tokenFile": "/var/lib/kaspad-taskd-hub/bridge.token",
        "definitionDir": None, "settings": "[hub] of fleet.toml", "hosts": fleet(count),
        "late": {}, "problem": None, **given,
    }  # fmt: skip
