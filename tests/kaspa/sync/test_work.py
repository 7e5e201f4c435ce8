"""What moves a node's task, and what does not, whatever else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.model import Health
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync.reading import NodeReading
from tests.kaspa.sync.node import NOW, following, run, watched

YEARS = 5 * 365 * 86_400


def late(second: float, **other: Any) -> NodeReading:
    """A node half an hour behind that gets nowhere."""
    at = NOW + round(second * 1000)
    still: dict[str, Any] = {
        "virtual_daa_score": 129_980_000, "sink_daa_score": 129_980_000, "is_synced": False,
        "sink_timestamp": NOW - 2_040_000, "past_median_time": NOW - 2_172_000,
        "header_counts": 5_000, "body_counts": 5_000, "at_ms": at,
    }  # fmt: skip
    return following(second, **(still | other))


def fresh(second: float, **other: Any) -> NodeReading:
    """A node with nothing but the genesis block, downloading from one peer."""
    begun = NOW - YEARS * 1000
    nothing: dict[str, Any] = {
        "block_count": 0, "header_count": 0, "virtual_daa_score": 1_312_860, "sink_daa_score": 0,
        "sink_timestamp": begun, "past_median_time": begun, "is_synced": False, "header_counts": 0,
        "ibd_peers": 1, "peers": 1, "ibd_peer": "one",
    }  # fmt: skip
    return following(second, **(nothing | other))


def healths(looks: list[NodeReading], **given: Any) -> list[Health]:
    return [task.health for task in watched(looks, **given)]


@pytest.mark.parametrize("pace", [0.5, 1.0, 2.0, 3.0])
def test_peers_that_begin_and_end_bring_nothing_forward(pace: float) -> None:
    """One of eight begins a download every other second, and some kB come: that is no work."""
    looks = []
    for n in range(round(120 / pace)):
        turn = int(n * pace // 2)
        looks.append(
            late(
                n * pace, ibd_peers=turn % 2, ibd_peer=f"p{turn}" if turn % 2 else "",
                p2p_rx_bytes=1_000_000 + 40_000 * turn,
            )
        )  # fmt: skip
    assert healths(looks, stall_after=10.0)[-1] is Health.STALLED
    shown = run(looks)
    assert {each.phase for each in shown} <= {"connecting", "negotiating"}


@given(st.lists(st.integers(0, 6_000), min_size=30, max_size=30))
def test_gossip_is_no_movement(rates: list[int]) -> None:
    """The peer that it downloads from is frozen, eight others talk: some kB a second."""
    sums = [sum(rates[:n]) for n in range(len(rates))]
    looks = [late(0, ibd_peers=1, ibd_peer="x", header_count=1_205_000)]
    looks += [
        late(10.0 * n, ibd_peers=1, ibd_peer="x", header_count=1_210_000,
             p2p_rx_bytes=1_000_000 + 10 * total)
        for n, total in enumerate(sums, 1)
    ]  # fmt: skip
    assert healths(looks)[-1] is Health.STALLED
    assert run(looks)[-1].reason is Reason.PEER_SILENT


@pytest.mark.parametrize("late_s", [900, 3_600, 80_000])
def test_whoever_is_hours_behind_fetches_no_proof(late_s: int) -> None:
    """What eight peers tell of transactions is no download, however much, and no proof."""
    looks = [
        replace(late(n * 2), sink_timestamp=NOW + n * 2000 - late_s * 1000, ibd_peers=1,
                ibd_peer="one", p2p_rx_bytes=1_000_000 + 60_000 * n)
        for n in range(60)
    ]  # fmt: skip
    assert {each.phase for each in run(looks)} <= {"negotiating", "connecting"}
    assert healths(looks)[-1] is Health.STALLED


def test_peer_after_peer_that_goes_silent_is_counted() -> None:
    """Each is given up after two minutes; how many there were is said."""
    looks = [
        late(10.0 * n, ibd_peers=1, ibd_peer=f"p{n // 12}", p2p_rx_bytes=40_000 * n)
        for n in range(50)
    ]
    last = run(looks)[-1]
    assert (last.reason, last.params) == (Reason.PEER_SILENT, {"count": 4})


def proof(second: float, rate: float, **other: Any) -> NodeReading:
    return fresh(second, p2p_rx_bytes=1_000 + round(rate * second), **other)


def test_a_proof_moves_by_what_its_peer_sends() -> None:
    """25 kB a second from the peer that it downloads from are work; a frozen peer's are none."""
    looks = [proof(5.0 * n, 25_000) for n in range(40)]
    assert run(looks)[-1].phase == "proof"
    assert set(healths(looks)) == {Health.OK}
    frozen = [replace(proof(5.0 * n, 25_000), p2p_rx_bytes=looks[-1].p2p_rx_bytes)
              for n in range(40, 70)]  # fmt: skip
    assert healths([*looks, *frozen])[-1] is Health.STALLED


def staged(begin: float, first: int, looks: int = 8, **other: Any) -> list[NodeReading]:
    return [
        proof(begin + 10.0 * n, 25_000, **{"header_counts": first + 5_000 * n, **other})
        for n in range(looks)
    ]


def test_staged_headers_that_a_lost_peer_took_along_are_an_epoch() -> None:
    """Seen without a log and without a restart: nobody is downloaded from, then somebody is."""
    looks = staged(0, 3_000)
    assert run(looks)[-1].phase == "headers"
    gone = proof(80, 25_000, header_counts=38_000, ibd_peers=0, ibd_peer="")
    readings = run([*looks, gone])
    assert readings[-1].epoch == "headers-lost"
    again = [proof(90 + 10.0 * n, 25_000, header_counts=38_000) for n in range(6)]
    anew = staged(150, 41_000)
    after = run([*looks, gone, *again, *anew])
    assert [each.epoch for each in after if each.epoch] == ["headers-lost"]
    assert after[-7].phase == "headers"
    position, start = after[-1].position, after[-1].start
    assert position is not None
    assert start is not None
    assert position - start <= 38_000
    assert set(healths([*looks, gone, *again, *anew])) == {Health.OK}


def test_a_peer_that_takes_over_at_once_is_another_download_too() -> None:
    """No look falls between the two: the identity tells."""
    looks = staged(0, 3_000)
    other = proof(80, 25_000, header_counts=38_000, ibd_peer="two")
    assert run([*looks, other])[-1].epoch == "headers-lost"


def test_a_peer_that_connects_anew_between_two_looks_is_another_download() -> None:
    """Its identity stays, as with --connect; how long it has been connected tells."""
    looks = [
        replace(each, ibd_connected_ms=5_000 + 10_000 * n)
        for n, each in enumerate(staged(0, 3_000))
    ]
    assert {each.epoch for each in run(looks)} == {None}
    goes_on = proof(80, 25_000, header_counts=43_000, ibd_connected_ms=85_000)
    assert run([*looks, goes_on])[-1].epoch is None
    anew = proof(80, 25_000, header_counts=38_000, ibd_connected_ms=4_000)
    assert run([*looks, anew])[-1].epoch == "headers-lost"


def test_a_proof_after_a_lost_staging_is_not_called_stalled() -> None:
    """Bytes come in at full speed, and no header for minutes."""
    looks = [
        *staged(0, 3_000),
        proof(80, 25_000, header_counts=38_000, ibd_peers=0, ibd_peer=""),
        *(proof(90 + 5.0 * n, 25_000, header_counts=38_000, ibd_peer="two") for n in range(60)),
    ]
    assert set(healths(looks)) == {Health.OK}
    assert run(looks)[-1].phase == "proof"


noises = st.fixed_dictionaries(
    {
        "peers": st.integers(1, 8),
        "ibd_peers": st.integers(0, 1),
        "ibd_peer": st.sampled_from(["", "a", "b"]),
        "is_synced": st.booleans(),
        "pruning_point": st.sampled_from(["pp", "qq"]),
        "difficulty": st.none() | st.floats(1, 2),
        "disk_write_bytes": st.none() | st.integers(0, 10**9),
        "peer_versions": st.sampled_from([(), ("/kaspad:2.1.0/",)]),
    }
)


@given(st.lists(noises, min_size=24, max_size=24), st.sampled_from([500, 6_000]), st.booleans())
def test_whatever_else_changes_a_node_that_gets_nowhere_is_stalled(
    noise: list[dict[str, Any]], gossip: int, ahead: bool
) -> None:
    """Peers, downloads that begin and end, pruning points, disk, gossip: none of it is work."""
    looks = []
    for n, each in enumerate(noise):
        rx = 1_000_000 + 5 * n * min(gossip, 66 * 10)
        header_count = 1_205_000 if ahead else 1_200_000
        looks.append(late(5.0 * n, **each, p2p_rx_bytes=rx, header_count=header_count))
    assert healths(looks, stall_after=60.0)[-1] is Health.STALLED
