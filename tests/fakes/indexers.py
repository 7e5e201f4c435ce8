"""Twins of the indexers, over real sockets, with logs as they write them.

Each goes through the states of STATES: before it is ready its port is closed, as the real ones'.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

from kaspad_taskd.kaspa import protocol_pb2 as pb
from tests.fakes.node import GrpcNode
from tests.fakes.patience import elapse
from tests.fakes.website import Reply, Website

STATES = (
    "start", "migrating", "waiting", "catching-up", "synced", "node-lost", "crash-loop",
)  # fmt: skip
TIP = 102_253_066
BEHIND = 180_000
"""Blocks: five hours of mainnet."""


class ScoredNode(GrpcNode):
    """A node whose virtual is at `score`, which it takes `slow` seconds to tell; blocks by hash."""

    score = TIP
    slow = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.blocks: dict[str, int] = {}

    def _build(self, method: str, request: pb.KaspadRequest) -> pb.KaspadResponse:
        if method == "getBlock" and request.getBlockRequest.hash in self.blocks:
            daa = self.blocks[request.getBlockRequest.hash]
            header = {"timestamp": 1_738_706_345_528, "daaScore": daa, "blueScore": daa}
            body = {"block": {"header": header}}
            return pb.KaspadResponse(id=request.id, getBlockResponse=body)
        answer = super()._build(method, request)
        if method == "getBlockDagInfo":
            if self.slow:
                elapse(self.slow)
            answer.getBlockDagInfoResponse.virtualDaaScore = self.score
        return answer


class Twin(Website):
    """An indexer: `await twin.enter(state)`; `behind` is how many blocks it lacks."""

    lines: ClassVar[dict[str, str]] = {}

    def __init__(self, log: Path | None = None) -> None:
        super().__init__()
        self.log = log
        self.behind = BEHIND
        self.node_lost = False
        self.up = False
        if log is not None:
            log.write_text("started\n")

    async def reserve(self) -> None:
        """Get a port, and close it again."""
        await self.start()
        await self.stop()

    async def enter(self, state: str) -> None:
        up = state in ("catching-up", "synced", "node-lost")
        if self.up and not up:
            await self.stop()
        elif up and not self.up:
            await self.start()
        self.up = up
        self.behind = 3 if state == "synced" else BEHIND
        self.node_lost = state == "node-lost"
        self.say(state)

    def say(self, state: str) -> None:
        """Write what it writes in a state, if anything."""
        if self.log is not None and state in self.lines:
            with self.log.open("a") as log:
                log.write(self.lines[state])

    async def stop(self) -> None:
        await super().stop()
        self.up = False


def block(daa: int) -> dict[str, Any]:
    at = int(time.time() * 1000) - (TIP - daa) * 100
    return {"hash": "ab" * 32, "timestamp": at, "dateTime": "2025-02-04T21:59:05.528Z",
            "daaScore": daa, "blueScore": daa - 1_600_000}  # fmt: skip


SKI_AT = "\x1b[90m[\x1b[0m2026-11-29T10:00:00.000Z \x1b[32mINFO \x1b[0m\x1b[90m]\x1b[0m "
SKI_START = f"\n{'*' * 20} Simply Kaspa Indexer {'*' * 20}\n{SKI_AT}simply-kaspa-indexer v2.3.1\n"
SKI_CONNECTED = f"{SKI_AT}Connected to PostgreSQL postgres://postgres:@127.0.0.1/postgres\n"


NAME, VERSION = "simply-kaspa-indexer", "v2.3.1"
IMPORTER = {"enabled": True, "completed": False, "utxosImported": 5_000}


class SimplyKaspa(Twin):
    """simply-kaspa-indexer v2.3.1, as the real one answered and logged on a simnet."""

    lines: ClassVar = {
        "start": SKI_START,
        "migrating": f"{SKI_AT}\nALTER TABLE x;\nUpgrading schema from v20 to v21. ^\n",
        "waiting": f"{SKI_AT}\x1b[32mSchema upgrade completed successfully\x1b[0m\n"
        f"{SKI_AT}Schema v23 is up to date\n{SKI_AT}Kaspad 2.1.0 is NOT synced\n",
        "catching-up": f"{SKI_AT}Connected to Kaspad ws://127.0.0.1:17110, version: 2.1.0,"
        f" network: mainnet\n{SKI_AT}Starting from block_checkpoint {'ab' * 32}\n"
        f"{SKI_AT}Starting web server listener on localhost:8500, api path: /api\n",
        "node-down": f"{SKI_AT}Kaspad connection failed: wRPC -> WebSocket -> WebSocket error: IO"
        " error: Connection refused (os error 111)\n",
        "pool-timed-out": f"{SKI_AT}Failed to select database details: PoolTimedOut\n",
        "database-down": "\nthread 'tokio-rt-worker' (6) panicked at"
        " indexer/src/transactions/process_transactions.rs:192:93:\nInsert transactions FAILED:"
        " pool timed out while waiting for an open connection\nstack backtrace:\n"
        "\nthread 'tokio-rt-worker' (7) panicked at"
        " indexer/src/blocks/process_blocks.rs:106:90:\nInsert blocks FAILED: pool timed out while"
        f" waiting for an open connection\n{SKI_START}\nthread 'main' (8) panicked at"
        " indexer/src/main.rs:57:91:\nDatabase connection FAILED: PoolTimedOut\n",
        "outdated": f"{SKI_START}{SKI_CONNECTED}\nthread 'main' (9) panicked at"
        " database/src/client.rs:161:29:\n\nALTER TABLE x;\nFound outdated schema v22. Set flag"
        " '-u' to upgrade, or apply manually ^\n",
        "broken": f"{SKI_AT}\nUpgrading schema from v22 to v23. ^\n\nthread 'main' (9) panicked at"
        " indexer/src/main.rs:63:54:\nUnable to create schema: Database(PgDatabaseError {"
        ' severity: Error, code: "42P07", message: "relation \\"blocks_transactions_dedup\\"'
        ' already exists" })\n',
        "crash-loop": "\nthread 'main' (9) panicked at indexer/src/main.rs:142:14:\n"
        "Failed to fetch checkpoint block from kaspad. The block may have been pruned\n" * 3,
    }

    def __init__(self, log: Path | None = None, vcp: bool = True) -> None:
        super().__init__(log)
        self.vcp = vcp
        self.synced: bool | None = True
        self.uptime = 60_000
        self.fresh = False  # no component has had a block since its start
        self.importing = False  # 1.x alone does that
        self.saved = 600  # blocks below its position that its checkpoint is: a minute of its work
        self.replies = {
            "/api/health": lambda _: self._health(),
            "/api/metrics": lambda _: Reply(self._metrics()),
        }

    @property
    def position(self) -> int:
        return TIP - self.behind

    def _health(self) -> Reply:
        late = self.behind >= 6_000
        down = late or self.node_lost or not self.synced or not self.vcp
        details = [
            {"name": "process.memory_free", "status": "WARN", "reason": "Free memory: 0.2 GB"},
            {"name": "block_checkpoint", "status": "UP", "reason": "1m 2s behind"},
            {"name": "vcp_checkpoint", "status": "UP" if self.vcp else "DOWN", "reason": "x"},
            {"name": "component.db_pruner", "status": "UP", "reason": "Disabled"},
        ]
        info = {"name": NAME, "version": VERSION, "commitId": "abc", "uptime": "1m"}
        lost = {"status": "DOWN", "error": "secret: connection refused (os error 111)"}
        node = {"status": "UP", "isSynced": self.synced, "serverVersion": "2.1.0",
                "networkId": "mainnet", "virtualDaaScore": TIP}  # fmt: skip
        body = {
            "status": "DOWN" if down else "WARN",
            "lastUpdated": 1,
            "indexer": {"status": "DOWN" if down else "WARN", "info": info, "details": details},
            "kaspad": lost if self.node_lost else node,
        }
        return Reply(body, 503 if down else 200)

    def _metrics(self) -> dict[str, Any]:
        here = None if self.fresh else block(self.position)
        checkpoint = {"origin": "Blocks", "block": block(self.position - self.saved)}
        chain = {"enabled": self.vcp, "onlyBlocks": False, "lastBlock": here if self.vcp else None}
        return {
            "name": NAME,
            "version": VERSION,
            "commitId": "abc",
            "settings": {"cli_args": {"databaseUrl": "secret"}, "net_bps": 10,
                         "block_checkpoint": "ab"},
            "process": {"cpuUsedPercent": 5.1, "uptime": self.uptime},
            "queues": {"blocks": 0, "blocksCapacity": 1000},
            "blockCheckpoint": checkpoint,
            "vcpCheckpoint": checkpoint if self.vcp else {"block": None},
            "components": {
                **({"utxoImporter": IMPORTER} if self.importing else {}),
                "blockFetcher": {"lastBlock": here and block(self.position + 2)},
                "blockProcessor": {"lastBlock": here and block(self.position + 1)},
                "transactionProcessor": {"enabled": True, "lastBlock": here},
                "virtualChainProcessor": chain,
                "dbPruner": {"enabled": False},
            },
            "database": {"databaseName": "postgres", "tables": []},
        }  # fmt: skip


class Kasia(Twin):
    """kasia-indexer: up before its node is, its newest block at the tip while gaps are open."""

    lines: ClassVar = {
        "migrating": "INFO Start migrating v0 to v1\n",
        "waiting": "INFO Migrating v0 to v1 finished, setting db version to 1\n",
        "catching-up": "INFO \x1b[3mgap_count\x1b[0m\x1b[2m=\x1b[0m2 Found gaps to fill\n"
        "INFO Started gap filling tasks self.gaps_filling_in_progress=2\n",
        "synced": "INFO Gap filling finished successfully self.gaps_filling_in_progress=0\n",
        "disconnected": "INFO Handling RPC disconnection event\n"
        'INFO Disconnected from Some("ws://127.0.0.1:17110")\n',
        "reconnected": 'INFO Connected to Some("ws://127.0.0.1:17110")\n'
        "INFO Successfully connected to RPC client\n"
        "INFO New block gap added self.gaps_filling_in_progress=1\n",
        "crash-loop": "thread 'main' panicked at indexer/src/main.rs:1:\nboom\n" * 3,
    }

    def __init__(self, node: ScoredNode, log: Path | None = None) -> None:
        super().__init__(log)
        self.node = node
        self.begun = True
        self.blocks = 10
        self.replies = {"/metrics": lambda _: Reply(self._metrics())}

    def _metrics(self) -> dict[str, Any]:
        accepting = f"{self.behind:064x}"
        self.node.blocks[accepting] = TIP - self.behind
        self.blocks += 1
        counts = dict.fromkeys(
            ("handshakes_by_sender", "uniq_handshakes_by_receiver", "payments_by_sender",
             "uniq_payments_by_receiver", "contextual_messages", "unknown_sender_entries",
             "resolved_senders", "pruned_blocks"), 0,
        )  # fmt: skip
        return {
            **counts,
            "blocks_processed": self.blocks,
            "latest_block": "cd" * 32,
            "latest_accepting_block": accepting if self.begun else "0" * 64,
        }


class KWebserver(Twin):
    """K-webserver 0.1.18: always healthy."""

    def __init__(self) -> None:
        super().__init__()
        self.network = "mainnet"
        self.database_down = False  # its health waits 30 s for it, and says only this
        self.replies = {
            "/health": lambda _: Reply(b"", 408) if self.database_down else Reply(self._health())
        }

    def _health(self) -> dict[str, Any]:
        return {"status": "healthy", "service": "K-webserver", "version": "0.1.18",
                "network": self.network}  # fmt: skip
