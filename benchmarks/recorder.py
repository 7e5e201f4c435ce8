"""Writes down what a node tells while something happens to it: samples, log lines, events."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.nodes import Network, now_ms
from benchmarks.replay import CAUGHT_UP
from tests.fakes.kaspad import Kaspad, Talk

EVERY_S = 0.5
LONGEST_S = 2.0
"""A sample that takes longer is a timeout."""
ALL_METRICS = {
    f"{group}Metrics": group != "custom"
    for group in ("process", "connection", "bandwidth", "consensus", "storage", "custom")
}
COUNTERS = {
    "nodeHeadersProcessedCount": "headerCounts",
    "nodeDependenciesProcessedCount": "depCounts",
    "nodeBodiesProcessedCount": "bodyCounts",
    "nodeTransactionsProcessedCount": "txsCounts",
    "nodeChainBlocksProcessedCount": "chainBlockCounts",
    "nodeMassProcessedCount": "massCounts",
}
BYTES = {"p2pBytesTx": "grpcP2pBytesTx", "p2pBytesRx": "grpcP2pBytesRx"}
PLACE = "/var/lib/kaspad"
"""Where the node's data are said to be."""
PEER = ("id", "timeOffset", "timeConnected", "isIbdPeer", "isOutbound")
"""wRPC JSON has other names than gRPC; a recording has gRPC's."""


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is on the wire: zeros, false and "" are not."""
    return {name: value for name, value in values.items() if value}


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return _present({new: values.get(old) for old, new in names.items()})


def _peer(told: Mapping[str, Any]) -> dict[str, Any]:
    camel = {re.sub("_(.)", lambda m: m[1].upper(), key): value for key, value in told.items()}
    address = told["address"]
    return {"address": f"{address['ip']}:{address['port']}"} | _present(
        {name: camel[name] for name in PEER}
    )


def _metrics(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "serverTime": told["serverTime"],
        "processMetrics": _present(told["processMetrics"]),
        "bandwidthMetrics": _renamed(told["bandwidthMetrics"], BYTES),
        "consensusMetrics": _renamed(told["consensusMetrics"], COUNTERS),
    }


class Recorder:
    """The rows of one recording; `offset_ms` is what the host's clock is ahead."""

    def __init__(self, network: Network, node: Kaspad, offset_ms: int = 0) -> None:
        self._network, self._node, self._offset = network, node, offset_ms
        self._talk = Talk(node)
        self._ids: dict[str, Any] = {}
        self._began = time.monotonic()
        self._tip = 0
        self._read = 0
        self.rows: list[dict[str, Any]] = []
        self.last: dict[str, Any] = {}
        self.caught_up = asyncio.Event()

    @property
    def t(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def event(self, text: str) -> None:
        """Write down what was done to the node."""
        print(f"{self.t:7.1f} {text}", flush=True)
        self.rows.append({"t": self.t, "event": text})

    async def run(self) -> None:
        """Record until cancelled."""
        self._tip = await self._network.tip()
        async with asyncio.TaskGroup() as both:
            both.create_task(self._sample_on())
            both.create_task(self._read_on())

    async def _sample_on(self) -> None:
        number = 0
        while True:
            number = max(number + 1, int(self.t / EVERY_S))
            await asyncio.sleep(number * EVERY_S - self.t)
            self.last = await self._sample()
            self.rows.append(self.last)
            behind = self.last["referenceVirtualDaaScore"] - self.last.get("virtualDaaScore", 0)
            if "error" not in self.last and behind <= CAUGHT_UP and not self.caught_up.is_set():
                self.caught_up.set()
                self.event("caught up")

    async def _sample(self) -> dict[str, Any]:
        taken: dict[str, Any] = {"t": self.t, "unix_ms": now_ms() + self._offset}
        try:
            async with asyncio.timeout(LONGEST_S):
                taken |= await self._answers()
        except TimeoutError:
            taken |= {"error": "timeout"}
            await self._anew()
        except OSError as error:
            taken |= {"error": "unreachable", "detail": str(error)[:80]}
            await self._anew()
        try:
            self._tip = await self._network.tip()
        except OSError:
            taken["referenceDown"] = True
        return taken | {"referenceVirtualDaaScore": self._tip}

    async def _anew(self) -> None:
        await self._talk.close()
        self._talk, self._ids = Talk(self._node), {}

    async def _answers(self) -> dict[str, Any]:
        ask = self._talk.ask
        if not self._ids:
            info, system = await ask("getInfo"), await ask("getSystemInfo")
            self._ids = {"p2pId": info["p2pId"], "systemId": _hex(system["systemId"])}
        dag, info = await ask("getBlockDagInfo"), await ask("getInfo")
        server, synced = await ask("getServerInfo"), await ask("getSyncStatus")
        peers = [_peer(each) for each in (await ask("getConnectedPeerInfo"))["peerInfo"]]
        metrics = await ask("getMetrics", **ALL_METRICS)
        names = ("blockCount", "headerCount", "virtualDaaScore", "pastMedianTime", "difficulty")
        return {
            "networkName": f"kaspa-{dag['network']}",
            **{name: dag[name] for name in (*names, "pruningPointHash", "sink")},
            "isSynced": info["isSynced"],
            "syncStatus": synced["isSynced"],
            "serverInfo": _present(server),
            "peers": len(peers),
            "ibdPeers": sum(each.get("isIbdPeer", False) for each in peers),
            "peerInfo": peers,
            "metrics": _metrics(metrics),
            **self._ids,
            **await self._sink(dag["sink"]),
        }

    async def _sink(self, sink: str) -> dict[str, Any]:
        try:
            block = await self._talk.ask("getBlock", hash=sink, includeTransactions=False)
        except OSError as error:
            return {"sinkTimestamp": None, "sinkDaaScore": None, "errors": {"block": str(error)}}
        header = block["block"]["header"]
        return {"sinkTimestamp": header["timestamp"], "sinkDaaScore": header["daaScore"]}

    async def _read_on(self) -> None:
        while True:
            self._read_log()
            await asyncio.sleep(0.1)

    def _read_log(self) -> None:
        with self._node.log.open("rb") as log:
            log.seek(self._read)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        text = whole.decode(errors="replace").replace(str(self._node.place), PLACE)
        lines = text.splitlines()
        self.rows += [{"t": self.t, "log": line} for line in lines if line]

    async def heard(self, pattern: str, longest: float = 400.0) -> re.Match[str]:
        """Wait for a log line from now on; returns its match."""
        seen = len(self.rows)
        async with asyncio.timeout(longest):
            while True:
                for row in self.rows[seen:]:
                    if found := re.search(pattern, row.get("log", "")):
                        return found
                seen = len(self.rows)
                await asyncio.sleep(0.1)

    def write(self, path: Path) -> None:
        """Write the recording, sorted by time."""
        rows = sorted(self.rows, key=lambda row: float(row["t"]))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    async def close(self) -> None:
        with suppress(OSError):
            await self._talk.close()


def _hex(told: object) -> str:
    """A system id as gRPC says it; wRPC JSON tells its bytes."""
    return bytes(told).hex() if isinstance(told, list) else str(told or "")
