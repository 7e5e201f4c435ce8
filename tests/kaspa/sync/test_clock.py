"""A wrong clock is told by witnesses that agree, and no single one holds anything back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.sync.hints import Aside
from kaspad_taskd.kaspa.sync.memory import Memory, Passed
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock
from kaspad_taskd.kaspa.sync.story import Story
from tests.kaspa.sync.host import OLD, Host, rare
from tests.kaspa.sync.node import NOW, TIP, completes, following, offsets, run

LOOKS = 20


def looks(age: float, pace: float = 2.0, **other: Any) -> list[NodeReading]:
    return [following(n * pace, age, **other) for n in range(LOOKS)]


def said(given: list[NodeReading], aside: Aside | None = None) -> tuple[Reason | None, object]:
    last = run(given, aside)[-1]
    return last.reason, dict(last.params)


@given(
    st.floats(61, 100_000) | st.floats(-130, -61),
    st.sampled_from(["peers", "reference"]),
    st.sampled_from([0.5, 2.0, 10.0]),
    st.booleans(),
)
def test_two_witnesses_of_a_wrong_clock_are_never_ready(
    off: float, second: str, pace: float, synced: bool
) -> None:
    """The age that stands at a node that follows, and the peers or a reference beside it."""
    told = offsets(off) if second == "peers" else ()
    seen = looks(off, pace, peer_clocks=told, is_synced=synced)
    readings = run(seen, reference=5 if second == "reference" else None)
    told_so = [each for each in readings if each.reason is Reason.CLOCK_SKEW]
    assert told_so
    assert all(not each.complete or not each.settled for each in readings)
    assert told_so[-1].behind is None
    assert abs(float(told_so[-1].params["skew"]) - abs(off)) <= 2
    assert told_so[-1].params["way"] == ("ahead" if off > 0 else "behind")


@pytest.mark.parametrize(
    ("age", "other"),
    [
        (0.5, {}),
        (0.5, {"peer_clocks": offsets(300)}),
        (0.5, {"peer_clocks": offsets(-300)}),
        (0.5, {"peer_clocks": offsets(300, connected=900_000)}),
        (20, {"peer_clocks": offsets(300, connected=900_000)}),
        (0.5, {"peer_clocks": offsets(300, peers=1)}),
        (58, {}),
        (-20, {}),
    ],
)
def test_one_witness_alone_holds_back_no_node_at_the_tip(age: float, other: dict[str, Any]) -> None:
    """Offsets of old handshakes least of all: the clock was put right since."""
    assert completes(looks(age, **other))


def test_an_old_offset_that_a_standing_age_confirms_is_of_now() -> None:
    """A clock that went wrong before the peers came, and still is."""
    seen = looks(300, peer_clocks=offsets(300, connected=900_000), is_synced=True)
    assert said(seen) == (Reason.CLOCK_SKEW, {"skew": 300, "way": "ahead"})


def test_peers_that_disagree_say_nothing() -> None:
    """Two peers, one of whose clocks is wrong; of three the middle one is believed."""
    two = (PeerClock(120_000, 1_000), PeerClock(3, 1_000))
    assert said(looks(120, peer_clocks=two))[0] is not Reason.CLOCK_SKEW
    three = (*two, PeerClock(119_000, 1_000))
    assert said(looks(120, peer_clocks=three))[0] is Reason.CLOCK_SKEW


def test_a_block_too_far_ahead_is_proof_alone() -> None:
    """Kaspad takes none more than 132 s ahead of its clock: ours is ten minutes slow."""
    seen = looks(-240)
    assert not completes(seen)
    assert said(seen) == (Reason.CLOCK_SKEW, {"skew": 240, "way": "behind"})


def test_a_clock_that_is_put_right_is_not_accused_any_more() -> None:
    """The peers' offsets stay as they were at the handshake; the age tells that all is well."""
    wrong = [following(n * 2, 300, peer_clocks=offsets(300)) for n in range(10)]
    right = [following(n * 2, 0.5, peer_clocks=offsets(300)) for n in range(10, 30)]
    assert said(wrong)[0] is Reason.CLOCK_SKEW
    last = run([*wrong, *right])[-1]
    assert (last.reason, last.complete, last.settled) == (None, True, True)
    assert last.hints == ()


def test_a_wrong_clock_makes_no_numbers() -> None:
    """No lag, no tip, no share, no time left; a reference tells the tip without any clock."""
    seen = looks(300, peer_clocks=offsets(300), is_synced=False)
    last = run(seen)[-1]
    assert (last.behind, last.target, last.shown) == (None, None, None)
    assert "lagSeconds" not in last.metadata
    assert last.metadata["clockOffSeconds"] == 300
    score = seen[-1].virtual_daa_score
    assert run(seen, Aside(reference=score))[-1].shown == (score, score)


def test_the_clock_is_named_before_what_it_causes() -> None:
    """Not the peers, not the port, while the log says that blocks come from the future."""
    last = run(looks(300, peer_clocks=offsets(300), is_synced=False))[-1]
    assert [hint.code for hint in last.hints] == ["clock-skew"]


def test_a_lasting_witness_without_a_second_is_a_hint() -> None:
    """61 s at the tip for ever: it never completes, and it says what may be why."""
    last = run(looks(61, is_synced=True))[-1]
    assert (last.complete, last.reason) == (False, None)
    assert [(hint.code, hint.params["way"]) for hint in last.hints] == [("clock-skew", "ahead")]


def test_who_stays_behind_on_a_slow_line_is_not_told_to_mend_its_clock() -> None:
    """Fresh handshakes say that the clock is right, or a reference that blocks are missing."""
    seen = looks(90, is_synced=True)
    assert [hint.code for hint in run(seen)[-1].hints] == ["clock-skew"]
    told = [replace(each, peer_clocks=offsets(0.2)) for each in seen]
    assert run(told)[-1].hints == ()
    assert run(seen, reference=900)[-1].hints == ()
    assert run(seen, reference=5)[-1].reason is Reason.CLOCK_SKEW


def test_a_node_that_is_late_is_late() -> None:
    """Its newest block grows younger as it catches up: that is no clock."""
    seen = [following(n * 2, 90 - n, 900 - 10 * n) for n in range(LOOKS)]
    assert run(seen)[-1].hints == ()
    assert not completes(seen)


def test_a_remote_nodes_clock_is_its_own() -> None:
    """What its peers told of it is carried over to ours by what its answers say."""
    seen = [
        replace(each, server_time_ms=each.at_ms - 200_000)
        for each in looks(200, peer_clocks=offsets(0))
    ]
    assert said(seen) == (Reason.CLOCK_SKEW, {"skew": 200, "way": "ahead"})


def test_a_log_that_tells_of_blocks_from_the_future_is_heard() -> None:
    """The host is slow by minutes: the node drops each peer at its first block, and has none."""
    told = Memory(story=Story(future_blocks=3, future_ms=NOW - 5_000))
    alone = [following(n * 2, 700, peers=0, is_synced=False) for n in range(3)]
    last = run(alone, memory=told)[-1]
    assert last.reason is Reason.CLOCK_SKEW
    assert last.params == {"least": 132, "way": "behind"}  # by how much more nothing tells
    assert "is 132 s behind or more" in words.note(last.reason, last.params)
    long_ago = Memory(story=Story(future_blocks=3, future_ms=NOW - 3_000_000))
    assert run(alone, memory=long_ago)[-1].reason is Reason.NO_PEERS


@pytest.mark.parametrize("off", [-600, -200, -140])
@pytest.mark.parametrize("peers", [1, 2, 8])
def test_what_is_known_as_a_least_is_no_measure_beside_one(off: int, peers: int) -> None:
    """Blocks that the log refuses say "132 s or more"; how much the peers say."""
    told = Memory(story=Story(future_blocks=3, future_ms=NOW - 5_000))
    seen = [
        following(n * 2, 700, peers=peers, peer_clocks=offsets(off, peers), is_synced=False)
        for n in range(3)
    ]
    last = run(seen, memory=told)[-1]
    assert last.reason is Reason.CLOCK_SKEW
    assert last.params == {"skew": -off, "way": "behind"}


# -- a clock that goes wrong beside a node that was in sync


@pytest.mark.parametrize("pace", [2.0, 10.0, 30.0, 120.0])
@pytest.mark.parametrize("ahead", [90.0, 300.0, 86_400.0])
def test_a_clock_that_goes_wrong_is_told_by_the_node_that_was_in_sync(
    ahead: float, pace: float
) -> None:
    """An age that stands, and that could not have grown so: its score lacks nothing since."""
    host = Host(pace=pace, other=OLD)
    host.look(10)
    host.ahead = ahead
    last = host.look(2 if pace >= 15 else 20)
    assert (last.reason, last.behind, last.complete) == (Reason.CLOCK_SKEW, None, False)
    assert last.following is not None
    assert last.following.clock_off is True
    assert abs(float(last.params["skew"]) - ahead) <= 2


def test_it_stays_told_for_as_long_as_the_age_stands_there_and_no_longer() -> None:
    """Hours later, when nobody knows any more how it was before; a clock put right is right."""
    host = Host(other=OLD)
    host.look(10)
    host.ahead = 300.0
    assert host.look(150).reason is Reason.CLOCK_SKEW
    host.ahead = 0.0
    last = host.look(4)
    assert (last.reason, last.complete, last.hints) == (None, True, ())
    assert host.memory.off is None


def test_a_node_that_fell_behind_is_not_excused_by_the_clock() -> None:
    """Its line was cut for 5 min, and from then on it stays so late: its score lacks them."""
    host = Host(other=OLD)
    host.look(10)
    host.age, host.behind = 300.0, 3_000
    last = host.look(10)
    assert (last.reason, last.behind) == (None, 300.0)
    assert [hint.code for hint in last.hints] == ["clock-skew"]  # one witness: perhaps


def test_one_witness_alone_is_not_known_and_ages_count() -> None:
    """Whoever never saw it in sync cannot tell a slow line from a clock: a hint, no more."""
    host = Host(ahead=300.0, other=OLD)
    last = host.look(20)
    assert (last.reason, last.behind) == (None, 300.5)
    assert last.following is not None
    assert last.following.clock_off is None
    assert [hint.code for hint in last.hints] == ["clock-skew"]


def test_newcomers_are_believed_before_the_record() -> None:
    """They say that the clock is right: then the node is late, however that came."""
    host = Host(other={"peer_clocks": offsets(0.1, connected=20)})
    host.look(10)
    host.ahead = 300.0
    last = host.look(10)
    assert (last.reason, last.behind, last.hints) == (None, 300.5, ())
    assert last.following is not None
    assert last.following.clock_off is False


@pytest.mark.parametrize("connected", [45.0, 300.0, 590.0])
def test_who_told_the_time_before_says_nothing_of_now(connected: float) -> None:
    """There is always a peer that came in the last ten minutes, and before the clock was set."""
    host = Host(other={"peer_clocks": offsets(0.1, connected=connected)})
    host.look(10)
    host.ahead = 300.0
    for second in range(0, 120, 30):
        host.other = {"peer_clocks": offsets(0.1, connected=connected + second + 30)}
        last = host.look()
    assert (last.reason, last.behind) == (Reason.CLOCK_SKEW, None)
    host.other = {"peer_clocks": offsets(300.1, connected=10)}  # others come
    assert host.look().reason is Reason.CLOCK_SKEW


def test_a_host_that_slept_has_a_node_that_is_late() -> None:
    """Its age grew by more than steady time, which stood still; but it falls again."""
    host = Host(other=OLD)
    host.look(10)
    host.ahead = 28_800.0  # the wall clock went on, and is right
    for caught_up in range(0, 28_800, 1_200):
        host.age, host.behind = 0.5 - caught_up, -10 * caught_up
        assert host.look().reason is not Reason.CLOCK_SKEW
    host.age, host.behind = 0.5 - 28_800, -288_000
    last = host.look(4)
    assert (last.reason, last.complete, last.hints) == (None, True, ())


def test_a_reading_of_before_a_boot_is_no_witness() -> None:
    """Steady time begins anew; the memory that was kept over it says nothing."""
    host = Host(other=OLD)
    host.look(10)
    host.memory = replace(host.memory, passed=Passed(10**12, TIP, 500))
    host.ahead = 300.0
    assert host.look().reason is not Reason.CLOCK_SKEW


@pytest.mark.parametrize("pace", [2.0, 10.0, 30.0])
@pytest.mark.parametrize("interval", [1.0, 5.0, 12.0])
@pytest.mark.parametrize("seed", range(2))
def test_on_a_network_whose_blocks_are_rare_a_wrong_clock_is_told_too(
    interval: float, pace: float, seed: int
) -> None:
    """Its age grows between two blocks; just after one it is what the peers say, 300 s."""
    off = run(rare(interval, 300.0, seed, 60, pace))
    told = [each for each in off if each.reason is Reason.CLOCK_SKEW]
    assert told
    assert all(not each.complete for each in off)
    assert all(abs(float(each.params["skew"]) - 300) <= 3 * interval for each in told)
    good = run(rare(interval, 0.0, seed, 60, pace))
    assert all(each.reason is not Reason.CLOCK_SKEW and not each.hints for each in good)
