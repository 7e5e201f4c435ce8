"""Makes a small recording of a large one: one sample a second, only the fields that are used.

python -m benchmarks.thin IN.jsonl OUT.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

EVERY_S = 1.0
FIELDS = frozenset(
    {"t", "unix_ms", "networkName", "blockCount", "headerCount", "virtualDaaScore", "sink"}
    | {"pastMedianTime", "difficulty", "pruningPointHash", "isSynced", "syncStatus", "peers"}
    | {"ibdPeers", "sinkTimestamp", "sinkDaaScore", "error", "referenceVirtualDaaScore"}
)
METRICS = {
    "consensusMetrics": ("headerCounts", "bodyCounts", "chainBlockCounts"),
    "bandwidthMetrics": ("grpcP2pBytesRx",),
    "processMetrics": ("diskIoWriteBytes",),
}
SERVER = ("serverVersion", "hasUtxoIndex")
CHATTER = ("Accepted ", "Processed ", "GRPC, ", "Validating level ", "Received pruning point proof")


def thin(row: dict[str, Any]) -> dict[str, Any]:
    """Return a sample with the fields that the rules read; hashes are shortened."""
    kept = {key: value for key, value in row.items() if key in FIELDS}
    for key in ("sink", "pruningPointHash"):
        if key in kept:
            kept[key] = kept[key][:8]
    if metrics := row.get("metrics"):
        kept["metrics"] = {"serverTime": metrics.get("serverTime")} | {
            group: {name: values[name] for name in names if name in values}
            for group, names in METRICS.items()
            if (values := metrics.get(group))
        }
    if server := row.get("serverInfo"):
        kept["serverInfo"] = {name: server[name] for name in SERVER if name in server}
    return kept


def wanted(row: dict[str, Any], after: float) -> bool:
    """Whether a row goes into the small recording."""
    if "log" in row:
        message = row["log"].partition("] ")[2] or row["log"]
        return not message.startswith(CHATTER)
    return "event" in row or row["t"] >= after


def write(source: Path, target: Path) -> None:
    """Thin one recording."""
    after, kept = 0.0, []
    for line in source.read_text().splitlines():
        row = json.loads(line)
        if wanted(row, after):
            sample = "log" not in row and "event" not in row
            after = row["t"] + EVERY_S - 0.05 if sample else after
            kept.append(json.dumps(thin(row) if sample else row, separators=(",", ":")))
    target.write_bytes(gzip.compress("\n".join(kept).encode() + b"\n", 9, mtime=0))


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
