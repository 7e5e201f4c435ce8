"""Which tasks a page shows, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.web.listing import CARDS_OF_MANY, ROWS, listing, slim
from kaspad_taskd.web.view import state, view
from kaspad_taskd.words.task import troubled
from tests.fakes.golden import NOW
from tests.fakes.kept import BEHIND, watched
from tests.web.snapshots import tasks


def _ids(shown: object) -> list[str]:
    return [task["id"] for task in shown]  # type: ignore[attr-defined]


def test_first_the_headline_then_trouble_then_the_rest() -> None:
    """The rest is in order of registration."""
    shown = listing(tasks(12), {})
    assert [task["service"] for task in shown.cards] == [
        "kaspa-node",
        "kasia-indexer",
        "lonely",
        "failed-job",
    ]
    assert [task["service"] for task in shown.rows[:2]] == ["explorer-db", "k-indexer"]


def test_from_seven_on_they_are_rows() -> None:
    """Six cards can be looked over; of more only those that need somebody are cards."""
    quiet = [task for task in tasks(60) if not troubled(task)]
    for count in (1, 6):
        assert len(listing(quiet[:count], {}).cards) == count
        assert not listing(quiet[:count], {}).rows
    assert len(listing(quiet[:7], {}).cards) == 1
    assert len(listing(quiet[:7], {}).rows) == 6
    many = listing([task for task in tasks(100) if troubled(task)][:20], {})
    assert (len(many.cards), len(many.rows)) == (6, 14)


def test_many_tasks_are_rows_with_trouble_on_top() -> None:
    """A wall of cards helps nobody: a few in full, the rest a line each."""
    shown = listing(tasks(100), {})
    assert len(shown.cards) == CARDS_OF_MANY
    trouble = [troubled(task) for task in shown.rows]
    assert trouble == sorted(trouble, reverse=True)


@given(st.integers(0, 700), st.text(max_size=4) | st.sampled_from(["1", "2", "3", "99999"]))
def test_pages_show_every_task_once(count: int, page: str) -> None:
    """Going from page to page one meets each task, whatever number is asked for."""
    known = tasks(count)
    met, number = [], "1"
    for _ in range(10):
        shown = listing(known, {"page": number})
        met += _ids(shown.rows)
        if shown.after is None:
            break
        number = str(shown.after)
    assert sorted(met + _ids(shown.cards)) == sorted(_ids(known))
    assert len(listing(known, {"page": page}).rows) <= ROWS


def test_page_zero_is_the_first() -> None:
    """It had no rows."""
    known = tasks(ROWS + 50)
    assert listing(known, {"page": "0"}).rows == listing(known, {}).rows


def test_a_filter_takes_name_type_and_state() -> None:
    """Any part of a name or a type, whatever the case; a state by its group."""
    known = tasks(12)
    assert {task["type"] for task in listing(known, {"q": "NODE sync"}).cards} == {"node-sync"}
    assert listing(known, {"q": "nothing like it"}).found == 0
    assert all(troubled(task) for task in listing(known, {"state": "attention"}).cards)
    ended = listing(known, {"state": "ended"}).cards
    assert {task["status"] for task in ended} == {"complete", "error", "cancelled"}
    assert listing(known, {"state": "no such state"}).found == len(known)


def test_what_is_kept_watch_on_has_not_ended_for_its_reader() -> None:
    """Complete and watched, be it paused, is a group of its own; every task is in one at most."""
    known = [watched("on"), watched("paused", watch="paused"), *tasks(12)]
    assert _ids(listing(known, {"state": "watched"}).cards) == ["on", "paused"]
    assert not {"on", "paused"} & set(_ids(listing(known, {"state": "ended"}).cards))
    groups = [listing(known, {"state": key}) for key in ("running", "waiting", "watched", "ended")]
    assert sum(each.found for each in groups) == len(known)


def test_a_slim_task_shows_the_same_row() -> None:
    """What is left out is not missed by what a row shows."""
    for task in tasks(12):
        whole, short = view(task, NOW), view(slim(task), NOW)
        for key in ("icon", "tone", "name", "state", "percent", "left", "bar", "value"):
            assert whole[key] == short[key], (task["service"], key)


def test_what_is_watched_and_in_trouble_is_a_card_before_what_is_well() -> None:
    """It rises to the cards, is found by the filter, and its row can say what it is."""
    many = [watched(f"w{n}") for n in range(20)]
    many[15] = watched("w15", **BEHIND)
    shown = listing(many, {})
    assert [task["id"] for task in shown.cards] == ["w15"]
    assert [task["id"] for task in listing(many, {"state": "attention"}).cards] == ["w15"]
    assert state(slim(many[15])) == "Behind"
    assert state(slim(many[0])) == "In sync"
