"""Tasks of one service are told apart, wherever they are named."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli import checkup_tasks, listing, live
from kaspad_taskd.web.overview import overview
from kaspad_taskd.web.story import story
from kaspad_taskd.words.apart import column, owners, shared, told_apart
from kaspad_taskd.words.plain import width
from kaspad_taskd.words.status_line import status_line
from kaspad_taskd.words.task import name
from tests.cli.test_looks import written
from tests.fakes.golden import NOW, golden_task

ONE = {**golden_task("kasia-indexer"), "id": "indexer-sync-kasia-main", "service": "kasia"}
TWO = {**golden_task("kasia-indexer"), "id": "indexer-sync-kasia-test", "service": "kasia"}
OTHER = golden_task("kaspa-node")
TASKS = [ONE, TWO, OTHER]


def event(seq: int, task: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {"taskId": task["id"], "service": task["service"], "timestamp": None, **more}
    return {"seq": seq, "event": "sync:paused", "data": data}


def test_the_id_is_beside_the_name_where_it_is_needed() -> None:
    """And nowhere else."""
    assert [name(task) for task in told_apart(TASKS)] == [
        "kasia (indexer-sync-kasia-main)",
        "kasia (indexer-sync-kasia-test)",
        "kaspa-node",
    ]
    assert told_apart([ONE, OTHER]) == [ONE, OTHER]


def test_every_place_tells_them_apart() -> None:
    """Lists of every width, sentences, `watch`, `doctor`, systemd's line, the page, its events."""
    said = [
        *(written(listing._narrow(TASKS, cells, NOW)) for cells in (40, 60, 80)),
        written(listing._wide(TASKS, 120, NOW)),
        written(live.body(TASKS, 80, 30, NOW)),
    ]
    for text in said:
        assert "ia-main" in text, text
        assert "ia-test" in text, text
    both = [
        written(listing.troubles(TASKS, 200, NOW, None)),
        status_line(TASKS),
        "\n".join(each.text for each in checkup_tasks.tasks(TASKS, NOW)),
        " ".join(one["name"] for one in story([event(1, ONE)], TASKS)) + TWO["id"],
        " ".join(one["name"] for one in story([event(1, ONE), event(2, TWO)])),
    ]
    for text in both:
        assert ONE["id"] in text, text
        assert TWO["id"] in text, text
    known = told_apart(TASKS)
    assert ONE["id"] in overview(known, NOW, "here")["attention"]


def test_a_switch_is_of_its_service() -> None:
    """The node that brought it about makes no second task of the service, and lends it no id."""
    switched = event(3, OTHER, service="kasia", switch={"id": "s", "state": "done"})
    assert shared(owners([event(1, ONE), switched])) == set()
    assert [one["name"] for one in story([switched], TASKS)] == ["kasia"]


@given(
    st.lists(st.text("ab-", min_size=1, max_size=30), max_size=6, unique=True),
    st.integers(8, 40),
)
def test_a_column_is_of_one_width(names: list[str], cells: int) -> None:
    """Whatever the names are; and what fits is whole."""
    shown = column(names, cells)
    assert all(width(text) == cells for text in shown)
    assert all(
        text.strip() == name for text, name in zip(shown, names, strict=True) if len(name) <= cells
    )


def test_names_that_differ_in_their_ends_differ_in_a_column() -> None:
    """Or in their middles."""
    assert column(["node-sync-kaspa-node", "node-sync-kaspa-node-2"], 14) == [
        "…nc-kaspa-node",
        "…-kaspa-node-2",
    ]
    assert column(["short", "node-sync-kaspa-node"], 14) == ["short         ", "node-sync-kas…"]
    ends = column([f"a-long-name-{x}-of-a-thing" for x in "12"], 14)
    assert len(set(ends)) == 2
