"""Complete looks prove the end only over time, and only of a node that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.reading import NodeReading
from tests.kaspa.sync.node import NOW, completes, following, offsets, run, standing

paces = pytest.mark.parametrize("pace", [0.25, 0.5, 1, 2, 3, 5, 10])


def pause(age: float, behind: int) -> NodeReading:
    """Between two passes: no peer to download from, headers and blocks alike, some way behind."""
    return following(0, age, behind, ibd_peers=0)


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=30).map(sorted),
    st.floats(0, 59),
    st.sampled_from([1, 2, 3]),
)
def test_no_looks_within_a_pause_complete(
    seconds: list[float], age: float, confirmations: int
) -> None:
    """Five seconds and less, however often it is looked at: the block only grows older."""
    still = pause(age, round(10 * age))
    looks = [standing(still, second, sink_timestamp=NOW - round(1000 * age)) for second in seconds]
    assert not completes(looks, confirmations=confirmations)


@paces
def test_looks_of_a_node_that_follows_complete(pace: float) -> None:
    """After six seconds and two looks, whichever comes later."""
    looks = [following(n * pace) for n in range(60)]
    done = [n for n, each in enumerate(run(looks)) if each.complete and each.settled]
    assert done[0] * pace == pytest.approx(max(pace, 6), abs=pace)
    assert completes(looks, confirmations=1)


@paces
def test_a_node_whose_cable_was_pulled_never_completes(pace: float) -> None:
    """Its peers stay, its last block is young at first: nothing comes any more."""
    last = following(0, age=0.5)
    assert not completes([standing(last, n * pace) for n in range(round(70 / pace))])


@paces
def test_two_pauses_are_no_proof_of_following(pace: float) -> None:
    """Looks that fall into two pauses see the position rise, and the newest block younger."""
    looks = [following(0, 24, 240), following(pace * 2, 9, 90), following(pace * 4, 7, 70)]
    assert not completes(looks)


@pytest.mark.parametrize("gap", [8, 60, 600])
@pytest.mark.parametrize("first", [[0], [0, 1], [0, 2, 4]])
def test_a_gap_between_two_pauses_proves_nothing(gap: float, first: list[float]) -> None:
    """Nobody looked while a pass was under way: the ages are alike by chance."""
    one, other = pause(22, 220), following(gap, 24, 240)
    looks = [standing(one, second) for second in first]
    looks += [standing(other, gap + second) for second in (0, 0.5, 1, 2, 3, 4)]
    assert not completes(looks)


@pytest.mark.parametrize("age", [12, 30, 58])
def test_an_age_that_stands_is_the_clocks_and_completes_later(age: float) -> None:
    """A host whose clock is ahead by less than max_lag: half a minute of looks tells."""
    looks = [following(n * 2, age) for n in range(40)]
    assert completes(looks)
    assert not completes(looks[:14])


def test_a_break_begins_the_looks_anew() -> None:
    """A download in between, another node, a node started anew: what was before proves nothing."""
    for change in ({"ibd_peers": 1}, {"system_id": "other"}, {"p2p_id": "b"}):
        looks = [following(0), following(4), following(8, **change)]
        assert not any(each.settled for each in run(looks))


def slow(second: float, last: float, network: str) -> NodeReading:
    """A network with a block each 20 s, the last one at `last`."""
    at = NOW + round(second * 1000)
    block = NOW + round(last * 1000)
    return replace(
        following(0), at_ms=at, server_time_ms=at, network=network, sink_timestamp=block,
        past_median_time=block - 1_320 * 20_000,
    )  # fmt: skip


@pytest.mark.parametrize("network", ["devnet", "simnet", "testnet-10"])
def test_a_slow_network_need_not_make_a_block_meanwhile(network: str) -> None:
    """Its median time tells that blocks come slowly: not to fall behind its tip is enough."""
    looks = [slow(n * 2, -3, network) for n in range(6)]
    assert completes(looks)
    behind = [replace(each, header_count=each.header_count + 5) for each in looks]
    assert not completes(behind)
    assert not completes(looks, Aside(reference=looks[0].virtual_daa_score + 100))


@pytest.mark.parametrize(("age", "span"), [(59.97, 5.96), (59.999, 5.999), (0.3, 5.99)])
def test_a_limit_is_not_said_to_be_reached_before_it_is(age: float, span: float) -> None:
    """Its measure is rounded down: "60 s old, younger than 60 s" would contradict itself."""
    last = run([following(0, age), following(span, age)])[-1]
    told = {each.key: each for each in last.conditions}
    assert told["young-block"].holds
    assert float(told["young-block"].value or 0) < 60
    assert not told["follows"].holds
    assert float(told["follows"].value or 0) < 6


def test_a_reference_that_is_ahead_holds_it_back() -> None:
    """100 blocks are within max_lag, and more than looks of six seconds can excuse."""
    looks = [following(n * 2) for n in range(6)]
    refs = Aside(reference=looks[-1].virtual_daa_score + 200)
    assert not completes(looks, refs)


def test_a_node_that_stays_behind_on_a_slow_line_is_not_there() -> None:
    """Its peers have just said that the clock is right, or a reference is ahead: it is real."""
    looks = [following(n * 2, 20, 200) for n in range(40)]
    assert completes(looks)  # nobody says so: it may be the clock
    told = [replace(each, peer_clocks=offsets(0.1)) for each in looks]
    assert not completes(told)
    assert not any(each.settled for each in run(looks, reference=200))
