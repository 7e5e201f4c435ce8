"""What a probe tells of why is what it decided from: complete is that all of it holds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core.observation import Reading, deciding
from kaspad_taskd.probes.indexers.memory import Memory
from kaspad_taskd.probes.indexers.view import View
from kaspad_taskd.probes.indexers.view import judge as judge_indexer
from kaspad_taskd.probes.migrations import TOOLS
from kaspad_taskd.probes.migrations.judge import judge as judge_migration
from kaspad_taskd.probes.migrations.seen import Backend, Record, Server
from kaspad_taskd.probes.migrations.whose import Wanted
from kaspad_taskd.probes.said import Said, judge

numbers = st.none() | st.sampled_from([0.0, 5.0, 99.0, 100.0])
yes = st.booleans()


def agrees(seen: object) -> None:
    assert isinstance(seen, Reading)
    assert seen.conditions
    assert seen.complete == all(each.holds for each in seen.conditions)
    assert deciding(seen) == seen.conditions


@given(st.builds(Said, numbers, numbers, numbers, st.none() | yes), yes)
def test_of_numbers_that_are_said(said: Said, good: bool) -> None:
    """Its own word, else its count, else its percent; and an answer of a service that is up."""
    agrees(judge(said, good, None))


@settings(max_examples=200)
@given(
    st.builds(View, numbers, st.just(1), numbers, synced=st.none() | yes, busy=yes, tells_gaps=yes),
    st.builds(Memory, gaps=st.none() | st.sampled_from([0, 3]), lost=yes),
)
def test_of_an_indexer(view: View, memory: Memory) -> None:
    """Where it is, where its node is, that this is synced, that nothing older is missing."""
    agrees(judge_indexer(view, memory, 5.0, 10_000))


@given(yes, st.lists(st.builds(Backend, st.integers(1, 9), hidden=yes), max_size=2))
def test_of_a_migration(reached: bool, backends: list[Backend]) -> None:
    """The version is there, nobody works on it, and that could be seen."""
    busy = [Backend(3, locks=True)] if reached else []
    for working in ([], busy):
        server = Server(backends=(*backends, *working))
        agrees(judge_migration(Wanted(TOOLS["sqlx"], "2"), server, Record("2", reached), {}))


def test_a_count_says_how_much_is_missing() -> None:
    """Each condition has what was found and what it is held against."""
    seen = judge(Said(done=3, total=9), True, None)
    assert isinstance(seen, Reading)
    assert [(each.key, each.value, each.limit) for each in seen.conditions] == [
        ("good-answer", None, None),
        ("all-done", 3, 9),
    ]
