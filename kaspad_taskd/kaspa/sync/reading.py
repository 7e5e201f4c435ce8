"""What one look at a node brought back, as the rules of this room judge it.

`kaspa.read.read_node` makes it. A field that a kind of node, a protocol or a failed side question
does not give is None: "no data", never zero.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from kaspad_taskd.base.frozen import frozen

Family: TypeAlias = Literal["rust", "go"]
"""Which family of node it is, told by what it answers and by its version."""


@frozen
class PeerClock:
    """What a peer's handshake told of the clocks: taken once, and never again.

    Attributes:
        offset_ms: the node's clock minus the peer's, the latency of the handshake included.
        connected_ms: how long ago that was.
    """

    offset_ms: int
    connected_ms: int


@frozen
class NodeReading:
    """The answers of one look.

    Times are milliseconds since 1970 UTC. Numbers are as the node says them, unjudged: while SMT
    and UTXO set are fetched virtual_daa_score, past_median_time and block_count are 0.

    Attributes:
        at_ms: our own wall clock when the position was told; lag is this minus a block's time.
        network: "mainnet", "testnet-10", "simnet", "devnet" (GetBlockDagInfo, without "kaspa-").
        block_count: blocks with a body, from the pruning point (GetBlockDagInfo; Go: in the store).
        header_count: headers, counted likewise (GetBlockDagInfo).
        virtual_daa_score: position of the virtual block (GetBlockDagInfo).
        past_median_time: its past median time (GetBlockDagInfo).
        pruning_point: hash of the pruning point, hex (GetBlockDagInfo).
        sink: hash of the selected tip, hex; "" from a Go node (GetBlockDagInfo).
        difficulty: None where the node says infinity or null: SMT or UTXO set are being fetched.
        is_synced: the best answer there is: GetSyncStatus, else GetServerInfo, else GetInfo.
        has_transitional_check: it came from GetSyncStatus, which is false amid SMT and UTXO set.
        peers: connected peers (GetConnectedPeerInfo).
        ibd_peers: those that blocks are being downloaded from (isIbdPeer).
        ibd_peer: identity of the peer that blocks are being downloaded from, "" for none.
        ibd_connected_ms: how long that peer has been connected, None where it does not tell.
        peer_clocks: of the connected peers, 64 at most.
        peer_versions: the peers' user agents, each once, sorted, at most 16.
        header_counts: headers processed since the node started, staging ones too (GetMetrics).
        body_counts: bodies processed since the node started (GetMetrics).
        chain_block_counts: chain blocks processed since the node started (GetMetrics).
        p2p_rx_bytes: bytes received from peers since the node started (GetMetrics).
        disk_write_bytes: bytes written since the node started; renewed every 10 s, None for the
            first 10 s of the process (GetMetrics).
        server_time_ms: the node's own clock at that moment (GetMetrics, less what passed between).
        sink_timestamp: time of the sink's header (GetBlock), None where that failed or was slow.
        sink_daa_score: DAA score of the sink's header (GetBlock).
        p2p_id: new at each start of the node (GetInfo, once a connection); None where it told none.
        system_id: stays over restarts (GetSystemInfo, once a connection); None from old nodes.
        server_version: "2.1.0" (GetServerInfo or GetInfo).
        has_utxo_index: whether it runs with --utxoindex (GetServerInfo or GetInfo).
        protocol: "rust", or "go": the old node, which has no GetSyncStatus and no metrics.
    """

    at_ms: int
    network: str
    block_count: int
    header_count: int
    virtual_daa_score: int
    past_median_time: int
    pruning_point: str
    sink: str
    difficulty: float | None = None
    is_synced: bool = False
    has_transitional_check: bool = False
    peers: int = 0
    ibd_peers: int = 0
    ibd_peer: str = ""
    ibd_connected_ms: int | None = None
    peer_clocks: tuple[PeerClock, ...] = ()
    peer_versions: tuple[str, ...] = ()
    header_counts: int | None = None
    body_counts: int | None = None
    chain_block_counts: int | None = None
    p2p_rx_bytes: int | None = None
    disk_write_bytes: int | None = None
    server_time_ms: int | None = None
    sink_timestamp: int | None = None
    sink_daa_score: int | None = None
    p2p_id: str | None = None
    system_id: str | None = None
    server_version: str | None = None
    has_utxo_index: bool | None = None
    protocol: Family = "rust"
