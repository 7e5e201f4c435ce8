"""The same line is told once a minute; none that was held back is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.repeats import AT_MOST, MINUTE, SUBJECTS, TOPICS, Repeats, counted


def test_a_line_a_second_is_one_a_minute_and_the_next_counts_the_rest() -> None:
    """The first is told at once, then each minute's first with how many there were."""
    repeats = Repeats()
    told = [(at, repeats.told("report", "a", float(at))) for at in range(150)]
    assert [each for each in told if each[1] is not None] == [(0, 0), (60, 59), (120, 59)]
    assert counted("x", 59) == "x, and 59 more"
    assert counted("x", 0) == "x"


def test_other_subjects_and_topics_are_told_of_their_own() -> None:
    """What is another change is not hidden by the first."""
    repeats = Repeats()
    asked = [("report", "a"), ("report", "b"), ("cancel", "a"), ("report", "a")]
    assert [repeats.told(*each, 0.0) for each in asked] == [0, 0, 0, None]


def test_many_subjects_are_no_flood() -> None:
    """A topic has a budget of its own, and what is beyond it is counted."""
    repeats = Repeats()
    told = [repeats.told("register", str(each), 0.0) for each in range(1000)]
    assert [each for each in told if each is not None] == [0] * AT_MOST
    assert repeats.told("register", "later", MINUTE) == 1000 - AT_MOST


@given(
    st.lists(
        st.tuples(st.integers(0, 2 * TOPICS), st.integers(0, 2 * SUBJECTS), st.integers(0, 90)),
        max_size=300,
    )
)
def test_no_line_comes_twice_a_minute_and_all_are_counted(asked: list[tuple[int, ...]]) -> None:
    """Whatever is asked: a minute between the same lines, and told plus held is what was asked."""
    repeats, now = Repeats(), 0.0
    last: dict[tuple[int, int], float] = {}
    asked_of: dict[int, int] = {}
    told_of: dict[int, int] = {}
    for topic, subject, pause in asked:
        now += pause
        asked_of[topic] = asked_of.get(topic, 0) + 1
        held = repeats.told(str(topic), str(subject), now)
        if held is not None:
            assert now - last.get((topic, subject), -MINUTE) >= MINUTE
            last[topic, subject] = now
            told_of[topic] = told_of.get(topic, 0) + 1 + held
            assert told_of[topic] <= asked_of[topic]
