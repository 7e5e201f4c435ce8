"""Single looks, made by hand: what no recording shows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.jsontext import dumps
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.reading import NodeReading
from kaspad_taskd.kaspa.sync.story import Story

NOW = 1_795_000_000_000
TIP = 130_000_000

AT_TIP = NodeReading(
    at_ms=NOW,
    network="mainnet",
    block_count=1_200_000,
    header_count=1_200_000,
    virtual_daa_score=TIP,
    past_median_time=NOW - 132_000,
    pruning_point="pp",
    sink="s",
    difficulty=1.0,
    is_synced=True,
    has_transitional_check=True,
    peers=8,
    header_counts=5_000,
    body_counts=5_000,
    p2p_rx_bytes=1_000_000,
    disk_write_bytes=1_000_000,
    server_time_ms=NOW,
    sink_timestamp=NOW - 1_000,
    sink_daa_score=TIP - 10,
    system_id="5ca1ab1e",
    server_version="2.1.0",
    has_utxo_index=True,
)


def behind(blocks: int, **other: object) -> NodeReading:
    """A mainnet node amid its blocks."""
    values: dict[str, object] = {
        "virtual_daa_score": TIP - blocks,
        "sink_daa_score": TIP - blocks - 1,
        "sink_timestamp": NOW - blocks * 100,
        "past_median_time": NOW - blocks * 100 - 132_000,
        "block_count": 1_200_000 - blocks,
        "is_synced": False,
        "ibd_peers": 1,
    }
    return replace(AT_TIP, **(values | other))  # type: ignore[arg-type]


def later(look: NodeReading, seconds: float, **other: object) -> NodeReading:
    at = look.at_ms + round(1000 * seconds)
    return replace(look, at_ms=at, server_time_ms=at, **other)  # type: ignore[arg-type]


def run(*looks: NodeReading, aside: Aside | None = None, memory: Memory | None = None) -> Reading:
    """Judge looks in a row, the memory through its JSON in between."""
    kept = (memory or Memory()).to_json()
    reading = Reading()
    for look in looks:
        reading = judge(look, memories.from_json(kept), aside or Aside())
        kept = dict(reading.memory)
    return reading


def test_a_node_at_the_tip_is_complete() -> None:
    """Its own word, a peer, a young sink, no download."""
    reading = run(AT_TIP)
    assert reading.complete
    assert (reading.phase, reading.reason, reading.hints) == ("confirming", None, ())
    assert reading.eta_reason is EtaReason.CONFIRMING


def test_each_condition_of_the_gate_counts() -> None:
    """Whatever one of them says no to is not complete."""
    for change in (
        {"is_synced": False},
        {"ibd_peers": 1},
        {"peers": 0},
        {"sink_timestamp": NOW - 60_000},
        {"header_count": 1_200_600},
    ):
        assert not run(replace(AT_TIP, **change)).complete, change
    assert not run(AT_TIP, aside=Aside(reference=TIP + 600)).complete
    assert run(replace(AT_TIP, peers=0, network="simnet")).complete


def test_without_the_sinks_time_the_median_tells_the_lag() -> None:
    """GetBlock may be held up by pruning."""
    assert run(replace(AT_TIP, sink_timestamp=None, sink_daa_score=None)).complete
    old = replace(AT_TIP, sink_timestamp=None, past_median_time=NOW - 200_000)
    assert not run(old).complete


def test_synced_from_its_own_word_amid_a_download_is_not_complete() -> None:
    """It says so from 11 minutes behind on."""
    assert not run(behind(6_000, is_synced=True)).complete


def blocks(*distances: int, pace: float = 10.0) -> list[NodeReading]:
    """Looks amid the blocks: at each so far behind, all at one place of the clock's."""
    return [
        later(behind(distance), index * pace, p2p_rx_bytes=1_000_000 * (index + 1))
        for index, distance in enumerate(distances)
    ]


def test_lost_data_is_an_epoch() -> None:
    """The position falls by over 10 min of blocks: the database was deleted."""
    reading = run(*blocks(50_000, 48_000, 55_000))
    assert reading.epoch == "db-reset"
    assert reading.pass_number == 1


def test_a_reorg_is_none() -> None:
    """Few blocks fewer than before."""
    assert run(*blocks(50_000, 48_000, 48_300)).epoch is None


def test_a_restarted_node_is_none() -> None:
    """Its counters begin anew, its position does not."""
    first, second = blocks(50_000, 48_000)
    again = later(second, 10, header_counts=0, body_counts=0, p2p_rx_bytes=500)
    reading = run(first, second, again)
    assert (reading.epoch, reading.phase) == (None, "blocks")


def test_a_moved_pruning_point_is_none() -> None:
    """Both counts shrink alike; the position stands."""
    first, second = blocks(50_000, 48_000)
    moved = later(second, 10, pruning_point="other", block_count=752_000, header_count=800_000)
    reading = run(first, second, moved)
    assert (reading.epoch, reading.position) == (None, TIP - 48_000)


def zeros(look: NodeReading, sink: int) -> NodeReading:
    return replace(
        look, virtual_daa_score=0, past_median_time=0, block_count=0, difficulty=None,
        sink_daa_score=sink, sink_timestamp=NOW - 40 * 3_600_000,
    )  # fmt: skip


def test_the_zeros_of_a_state_download_are_none() -> None:
    """Scores of 0 are no position, with or without the sink's header."""
    first, second = blocks(50_000, 48_000)
    for sink in (TIP - 40_000, None):
        state = zeros(later(second, 10), 0)
        reading = run(first, second, replace(state, sink_daa_score=sink))
        assert (reading.epoch, reading.phase) == (None, "state_download")


def test_staged_headers_that_are_lost_are_an_epoch() -> None:
    """The node was restarted amid a proof's headers: they and the proof begin anew."""
    fresh = replace(
        AT_TIP, block_count=0, header_count=0, virtual_daa_score=1_312_860, sink_daa_score=0,
        sink_timestamp=NOW - 5 * 365 * 86_400_000, is_synced=False, ibd_peers=1,
        past_median_time=NOW - 5 * 365 * 86_400_000, header_counts=0,
    )  # fmt: skip
    looks = [later(fresh, 10 * n, header_counts=3_000 + 5_000 * n) for n in range(4)]
    assert run(*looks).phase == "headers"
    again = later(fresh, 40, header_counts=0, p2p_rx_bytes=10)
    assert run(*looks, again).epoch == "headers-lost"


def test_a_fresh_node_has_no_invented_numbers() -> None:
    """Its sink is the genesis block: years behind means nothing."""
    fresh = replace(
        AT_TIP, block_count=0, header_count=0, virtual_daa_score=1_312_860, sink_daa_score=0,
        sink_timestamp=NOW - 5 * 365 * 86_400_000, is_synced=False, header_counts=0, ibd_peers=1,
    )  # fmt: skip
    reading = run(fresh)
    assert (reading.behind, reading.shown, reading.position) == (None, None, None)
    assert reading.eta_reason is EtaReason.NO_TOTAL
    keys = [each.key for each in reading.plan]
    assert keys == ["negotiating", "proof", "headers", "state_download", "utxoindex", "blocks",
                    "confirming"]  # fmt: skip


def test_a_catch_up_has_four_steps_and_a_fresh_node_with_a_log_eight() -> None:
    """As the page counts them; --utxoindex adds one."""
    assert len(run(*blocks(50_000, 48_000)).plan) == 4
    told = Memory(kind="proof", sure=True, phase="proof")
    plan = run(behind(50_000), memory=told, aside=Aside(has_log=True)).plan
    assert len(plan) == 8


def test_no_peers_is_said_over_any_phase() -> None:
    """With the port to open."""
    first, second = blocks(50_000, 48_000)
    reading = run(first, second, later(second, 10, peers=0, ibd_peers=0))
    assert (reading.reason, reading.phase) == (Reason.NO_PEERS, "blocks")
    assert [(hint.code, hint.params) for hint in reading.hints] == [("no-peers", {"port": 16111})]


def test_a_silent_peer_is_named_after_three_minutes() -> None:
    """Nothing moves while a download is on."""
    looks = blocks(50_000, 48_000)
    looks += [later(looks[-1], 60 * n) for n in range(1, 4)]
    assert run(*looks[:-1]).reason is None
    reading = run(*looks)
    assert reading.reason is Reason.PEER_SILENT
    assert reading.eta_reason is EtaReason.STALLED


def still(look: NodeReading, seconds: int) -> list[NodeReading]:
    return [later(look, second) for second in range(0, seconds + 1, 10)]


def pinged(looks: list[NodeReading]) -> list[NodeReading]:
    """The same, with what peers send even when no block comes."""
    return [replace(each, p2p_rx_bytes=1_000_000 + 80 * n) for n, each in enumerate(looks)]


def test_a_network_that_stands_still_is_named() -> None:
    """An old sink, peers that ping, no download, nothing newer known."""
    tip = replace(AT_TIP, sink_timestamp=NOW - 70_000)
    assert run(*pinged(still(tip, 40))).reason is None
    assert run(*pinged(still(tip, 80))).reason is Reason.NETWORK_STANDS_STILL
    ahead = Aside(reference=TIP + 2_000)
    assert run(*pinged(still(tip, 80)), aside=ahead).reason is None
    same = Aside(reference=TIP)
    assert run(*still(tip, 80), aside=same).reason is Reason.NETWORK_STANDS_STILL


def test_a_node_that_is_cut_off_is_not_blamed_on_the_network() -> None:
    """Its peers stay connected, and not a byte comes from any of them: no ping either."""
    tip = replace(AT_TIP, sink_timestamp=NOW - 70_000)
    assert run(*still(tip, 80)).reason is Reason.CUT_OFF
    alone = replace(tip, peers=1)  # it pings every 120 s: a silence of a minute says nothing yet
    assert run(*still(alone, 80)).reason is None
    assert run(*still(alone, 380)).reason is Reason.CUT_OFF


def test_a_clock_that_jumps_makes_no_standstill() -> None:
    """An hour between two looks counts as two minutes."""
    first, second = blocks(50_000, 48_000)
    assert run(first, second, later(second, 3_600)).reason is None
    assert run(first, second, later(second, -3_600)).reason is None


def test_causes_beside_the_node_are_hints() -> None:
    """Clock, disk, downloads that break off."""
    skewed = replace(AT_TIP, server_time_ms=NOW + 95_000)
    story = Story(errors=(NOW - 3, NOW - 2, NOW - 1))
    aside = Aside(free=400_000_000, unit="kaspad.service")
    reading = run(skewed, aside=aside, memory=Memory(story=story))
    assert {hint.code: dict(hint.params) for hint in reading.hints} == {
        "ibd-errors": {"count": 3, "unit": "kaspad.service"},
        "disk-full": {"free": 400_000_000},
        "clock-skew": {"skew": 95, "way": "behind"},
    }


def test_a_reference_makes_the_target_exact() -> None:
    """Without one it is the clock's, and said to be estimated."""
    looks = blocks(50_000, 48_000)
    assert run(*looks).basis == "estimated"
    reading = run(*looks, aside=Aside(reference=TIP + 77))
    assert (reading.basis, reading.target) == ("exact", TIP + 77)


def test_staged_headers_on_mainnet_have_a_careful_target() -> None:
    """The deepest pruning point there is: the share shown is at most the true one."""
    fresh = replace(
        AT_TIP, block_count=0, header_count=0, virtual_daa_score=1_312_860, sink_daa_score=0,
        sink_timestamp=NOW - 5 * 365 * 86_400_000, is_synced=False, ibd_peers=1,
    )  # fmt: skip
    looks = [later(fresh, 10 * n, header_counts=3_000 + 5_000 * n) for n in range(4)]
    reading = run(*looks)
    assert reading.start is not None
    assert (reading.target, reading.basis) == (reading.start + 1_512_000, "estimated")


counts = st.integers(0, 2**40)
readings = st.builds(
    NodeReading,
    at_ms=st.integers(NOW, NOW + 10**9),
    network=st.sampled_from(["mainnet", "testnet-10", "simnet"]),
    block_count=counts,
    header_count=counts,
    virtual_daa_score=counts,
    past_median_time=st.sampled_from([0, NOW, NOW - 10**10]),
    pruning_point=st.just("p"),
    sink=st.just("s"),
    difficulty=st.sampled_from([None, 1.0]),
    is_synced=st.booleans(),
    peers=st.integers(0, 3),
    ibd_peers=st.integers(0, 2),
    header_counts=st.none() | counts,
    body_counts=st.none() | counts,
    p2p_rx_bytes=st.none() | counts,
    disk_write_bytes=st.none() | counts,
    server_time_ms=st.none() | st.just(NOW),
    sink_timestamp=st.none() | st.integers(0, NOW + 10**9),
    sink_daa_score=st.none() | counts,
    has_utxo_index=st.sampled_from([None, True, False]),
    protocol=st.sampled_from(["rust", "go"]),
)


@given(st.lists(readings, max_size=8), st.booleans())
def test_any_answers_are_judged(looks: list[NodeReading], has_log: bool) -> None:
    """Whatever a node says: a phase of its plan, JSON that fits, no complete amid a download."""
    memory = Memory()
    for look in looks:
        reading = judge(look, memory, Aside(has_log=has_log))
        assert reading.phase in [each.key for each in reading.plan]
        assert len(dumps(reading.memory)) <= 4096
        assert not (reading.complete and (look.ibd_peers or not look.is_synced))
        assert memories.from_json(reading.memory).to_json() == reading.memory
        memory = memories.from_json(reading.memory)
