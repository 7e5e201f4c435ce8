"""The benchmarks' runner."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import rpc
from benchmarks.__main__ import benchmarks, runs
from benchmarks.happened import fits, happened
from benchmarks.monitor_parts import WATCH, register
from benchmarks.process import PATIENCE, daemon
from benchmarks.record import SCENARIOS
from benchmarks.replay import Recording, gossiped, reading_of
from benchmarks.thin import thin
from kaspad_taskd.kaspa.sync.reading import PeerClock


def test_every_benchmark_says_in_one_line_what_it_measures() -> None:
    """The list is what there is, each with a sentence."""
    assert benchmarks()
    assert all(benchmarks().values())


def test_a_name_begins_a_run_and_the_rest_are_its_arguments() -> None:
    """Several names, each with arguments of its own."""
    words = ["rpc", "--rounds", "3", "truth"]
    assert runs(words, ["rpc", "truth"]) == [("rpc", ["--rounds", "3"]), ("truth", [])]


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    """Nothing runs by accident."""
    with pytest.raises(SystemExit, match="'rcp'; there are: rpc, truth"):
        runs(["rcp"], ["rpc", "truth"])


def test_a_ratio_is_taken_within_each_round() -> None:
    """What else the machine does changes between rounds, and is the same for both in one."""
    fast, slow = ({"c=64": rows} for rows in ([(90, 1, 1), (10, 1, 1)], [(60, 1, 1), (5, 1, 1)]))
    servers = [
        rpc.Server(name, Path(), None, found=found)  # type: ignore[arg-type]
        for name, found in ((rpc.OURS, fast), (rpc.NODE, slow))
    ]
    assert servers[0].over(servers[1], "c=64", rpc.RPS) == 1.75
    for server in servers:
        server.found["c=64, one connection"] = [(1, 1, 1)]
    rows = list(rpc.goals(servers))
    assert [row.split()[-4:] for row in rows[1:]] == [
        ["-", "1.75", ">=", "0.95"],
        ["-", "1.00", ">=", "0.75"],
    ]


def sample(t: float, score: int, headers: int = 0, **more: Any) -> dict[str, Any]:
    """A sample of a node that is 1 000 blocks behind."""
    return {
        "t": t,
        "unix_ms": round(1000 * t),
        "networkName": "kaspa-simnet",
        "blockCount": score,
        "headerCount": score + headers,
        "virtualDaaScore": score,
        "pastMedianTime": 1,
        "pruningPointHash": "ab",
        "isSynced": False,
        "syncStatus": False,
        "peers": 1,
        "ibdPeers": 1,
        "metrics": {"consensusMetrics": {"headerCounts": 7}},
        "referenceVirtualDaaScore": score + 1000,
        **more,
    }


def recording(*samples: dict[str, Any], events: list[tuple[float, str]] | None = None) -> Recording:
    times = [each["t"] for each in samples]
    return Recording("made", times, list(samples), [], 0, events or [])


def test_what_stands_is_what_goes_beyond_nothing_before() -> None:
    """The same blocks again are no step forward, headers beyond all are one, and so is the tip."""
    there = sample(4, 100, referenceVirtualDaaScore=100)
    truth = happened(
        recording(sample(0, 100), sample(1, 50), sample(2, 100), sample(3, 100, 9), there)
    )
    assert [truth.stood(second) for second in range(5)] == [0, 1, 2, 0, 0]


def test_a_download_that_follows_what_was_done_to_the_node_was_not_to_come() -> None:
    """Nobody can know of a cable that will be pulled."""
    samples = [sample(0, 100, ibdPeers=0), sample(1, 100, ibdPeers=0), sample(2, 100)]
    assert happened(recording(*samples)).pass_to_come(0.5)
    assert not happened(recording(*samples, events=[(1.5, "frozen")])).pass_to_come(0.5)
    assert happened(recording(*samples, events=[(1.5, "caught up")])).pass_to_come(0.5)


@pytest.mark.parametrize(
    ("shown", "stage", "before", "fit"),
    [
        ("headers", "headers", "headers", True),
        ("headers", "proof", "proof", False),
        ("state_download", "utxo", "utxo", True),
        ("confirming", None, "blocks", True),
        ("headers", None, "blocks", False),
        ("blocks", "negotiating", "blocks", True),
        ("connecting", "follows", "blocks", False),
    ],
)
def test_a_phase_fits_what_the_log_tells(shown: str, stage: str, before: str, fit: bool) -> None:
    """Where no log line tells of a download, what was before is kept."""
    assert fits(shown, stage, before) is fit


def test_a_sample_keeps_who_answered_and_the_clocks_of_its_peers() -> None:
    """Thinned, and read as the daemon would have."""
    peers = [
        {"id": "0123456789abcdef", "timeConnected": 5, "isIbdPeer": True, "address": "1.2.3.4:5"},
        {"id": "fedcba9876543210", "timeConnected": 6, "timeOffset": -300},
    ]
    whole = sample(1, 100, peerInfo=peers, p2pId="p" * 36, systemId="s" * 64)
    look = reading_of(thin(whole))
    assert (look.ibd_peer, look.p2p_id, look.system_id) == ("0123456789ab", "p" * 12, "s" * 12)
    assert look.peer_clocks == (PeerClock(0, 5), PeerClock(-300, 6))


def test_gossip_is_laid_over_a_node_that_has_peers() -> None:
    """Eight peers that relay ten blocks a second: 5 kB."""
    look = reading_of(gossiped(sample(1, 100), 2.0))
    assert (look.peers, look.p2p_rx_bytes) == (9, 8 * 66 * 10 * 2)
    assert gossiped(sample(1, 100, peers=0), 2.0)["peers"] == 0


def test_every_scenario_can_be_asked_for_by_its_name() -> None:
    """A word that names a benchmark would begin another run."""
    assert not set(SCENARIOS) & set(benchmarks())


def test_the_tasks_that_are_measured_move(tmp_path: Path) -> None:
    """A daemon whose own probes were left in place would cost little, and say nothing."""
    with daemon(tmp_path, WATCH, subprocess.DEVNULL) as started:
        register(started.path, 1, 0.5)
        until = time.monotonic() + PATIENCE
        while not started.call("getAllTasks")[0]["progress"]:
            assert time.monotonic() < until
            time.sleep(0.05)
