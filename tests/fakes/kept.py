"""Tasks that are complete and kept watch on, at the moment of the golden files."""

from __future__ import annotations

from typing import Any

from tests.fakes.golden import golden_task

BEHIND: dict[str, Any] = {
    "health": "behind", "healthSince": "2026-11-23T09:12:00.000Z", "behind": 790.0,
    "reason": "no-peers", "note": "It has no peers.",
}  # fmt: skip
LOST: dict[str, Any] = {
    "health": "unreachable", "healthSince": "2026-11-23T14:06:00.000Z", "reason": "refused",
    "note": "127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere.",
}  # fmt: skip
STILL: dict[str, Any] = {
    "health": "stalled", "healthSince": "2026-11-23T14:11:00.000Z",
    "lastMoved": "2026-11-23T14:06:00.000Z", "reason": "network-stands-still",
    "note": "It has all that its peers have, but the newest block is old:"
    " it, or the network, makes no blocks.",
}  # fmt: skip
PAUSED: dict[str, Any] = {
    "watch": "paused", "health": "unknown", "healthSince": "2026-11-23T13:00:00.000Z",
}  # fmt: skip


def watched(service: str = "kaspa-node", **fields: Any) -> dict[str, Any]:
    """A task that completed on 22 Nov and is kept watch on, looked at 12 s ago."""
    return {
        **golden_task("kaspa-node"), "service": service, "status": "complete", "watch": "on",
        "health": "ok", "healthSince": "2026-11-22T15:32:00.000Z", "reason": None, "note": None,
        "hints": [], "phases": [], "progress": 100.0, "progressBasis": "exact", "behind": None,
        "startedAt": "2026-11-22T11:02:00.000Z", "completedAt": "2026-11-22T15:32:00.000Z",
        "lastChecked": "2026-11-23T14:11:57.000Z",
        "nextCheck": "2026-11-23T14:12:27.000Z", "watchInterval": 30_000, "id": service,
        "estimatedTimeRemaining": 0, "etaReason": None, "syncRate": None,
        "actions": ["pause", "retry", "check"], **fields,
    }  # fmt: skip


FIRST = {"health": "unknown", "healthSince": "2026-11-23T14:12:00.000Z"}
UNSEEN = {"health": "unknown", "healthSince": "2026-11-23T14:00:00.000Z"}
CLOCK = {"health": "unknown", "reason": "clock-skew", "healthSince": "2026-11-23T14:00:00.000Z"}

WATCHED: dict[str, dict[str, Any]] = {
    "kept-ok": watched("kept-ok"),
    "kept-behind": watched("kept-behind", **BEHIND),
    "kept-stalled": watched("kept-stalled", **STILL),
    "kept-unreachable": watched("kept-unreachable", **LOST),
    "kept-paused": watched("kept-paused", actions=["start", "retry"], **PAUSED),
    "kept-first-look": watched("kept-first-look", **FIRST),
    "kept-unseen": watched("kept-unseen", **UNSEEN),
    "kept-clock": watched("kept-clock", **CLOCK),
    "kept-again": watched("kept-again", healthSince="2026-11-23T10:00:00.000Z"),
    "kept-lapsed": watched("kept-lapsed", **{**BEHIND, "type": "http-json", "behind": None}),
    "kept-http": watched("kept-http", type="http-json"),
    "kept-switching": watched("kept-switching", switching={"n": 1, "doing": "x: step 1 of 4"}),
}
"""One of each kind, by what the page's golden file calls it."""
