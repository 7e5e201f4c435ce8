"""Makes a small recording of a large one: a sample every so often, only the fields that are used.

python -m benchmarks.thin IN.jsonl OUT.jsonl.gz [SECONDS [UNTIL]]     (every 1 s, to the end)
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from pathlib import Path
from typing import Any

EVERY_S = 1.0
SHORT = {"sink": 8, "pruningPointHash": 8, "p2pId": 12, "systemId": 12}
"""Characters of hashes and ids that are kept."""
FIELDS = frozenset(
    {"t", "unix_ms", "networkName", "blockCount", "headerCount", "virtualDaaScore", "sink"}
    | {"pastMedianTime", "difficulty", "pruningPointHash", "isSynced", "syncStatus", "peers"}
    | {"ibdPeers", "sinkTimestamp", "sinkDaaScore", "error", "referenceVirtualDaaScore"}
    | {"p2pId", "systemId"}
)
METRICS = {
    "consensusMetrics": ("headerCounts", "bodyCounts", "chainBlockCounts"),
    "bandwidthMetrics": ("grpcP2pBytesRx",),
    "processMetrics": ("diskIoWriteBytes",),
}
PEER = ("timeOffset", "timeConnected", "isIbdPeer")
SERVER = ("serverVersion", "hasUtxoIndex")
CHATTER = (
    *("Accepted ", "Processed ", "GRPC, ", "Validating level ", "Received pruning point proof"),
    *("Orphaned ", "Unorphaned "),
)


def thin(row: dict[str, Any]) -> dict[str, Any]:
    """Return a sample with the fields that the rules read; hashes are shortened."""
    kept = {key: value for key, value in row.items() if key in FIELDS}
    for key, characters in SHORT.items():
        if key in kept:
            kept[key] = kept[key][:characters]
    if any("id" in peer for peer in row.get("peerInfo", ())):
        kept["peerInfo"] = [_peer(peer) for peer in row["peerInfo"]]
    if metrics := row.get("metrics"):
        kept["metrics"] = {"serverTime": metrics.get("serverTime")} | {
            group: {name: values[name] for name in names if name in values}
            for group, names in METRICS.items()
            if (values := metrics.get(group))
        }
    if server := row.get("serverInfo"):
        kept["serverInfo"] = {name: server[name] for name in SERVER if name in server}
    return kept


def _peer(told: dict[str, Any]) -> dict[str, Any]:
    known = {name: told[name] for name in PEER if name in told}
    return {"id": told["id"][: SHORT["p2pId"]]} | known


def wanted(row: dict[str, Any], after: float) -> bool:
    """Whether a row goes into the small recording."""
    if "log" in row:
        message = row["log"].partition("] ")[2] or row["log"]
        return not message.startswith(CHATTER)
    return "event" in row or row["t"] >= after


def write(source: Path, target: Path, every: float = EVERY_S, until: float = math.inf) -> None:
    """Thin one recording: a sample in so many seconds, none after `until`."""
    after, kept = 0.0, []
    for line in source.read_text().splitlines():
        row = json.loads(line)
        if row["t"] <= until and wanted(row, after):
            sample = "log" not in row and "event" not in row
            after = row["t"] + 0.95 * every if sample else after
            kept.append(json.dumps(thin(row) if sample else row, separators=(",", ":")))
    target.write_bytes(gzip.compress("\n".join(kept).encode() + b"\n", 9, mtime=0))


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:]))
