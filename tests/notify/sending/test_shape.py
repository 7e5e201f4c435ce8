"""What a message looks like to each of those who take it."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.model import Item, Kind, Message
from kaspad_taskd.notify.sending import shape

ITEM = Item(
    Kind.TROUBLE, "task:node", "Node", "behind", MappingProxyType({"lag": 840.0}), 0, None, 7, True
)
MESSAGE = Message("5f-1", "phone", 1_795_000_000_123, Kind.TROUBLE, (ITEM,), "Node is behind",
                  "Node: behind by 14 min.", "https://h/task/node")  # fmt: skip


def test_the_text_ends_with_the_link_and_the_id() -> None:
    """Who gets a message twice can tell by it."""
    assert shape.text(MESSAGE) == "Node: behind by 14 min.\n\nhttps://h/task/node\n[5f-1]"
    assert shape.text(replace(MESSAGE, link=None)) == "Node: behind by 14 min.\n\n[5f-1]"


@given(st.text(max_size=1200), st.text(max_size=300), st.one_of(st.none(), st.just("https://h/t")))
def test_a_title_is_one_line_and_a_text_has_fewer_than_1000_characters(
    text: str, title: str, link: str | None
) -> None:
    """An empty text is the title's: Apprise refuses a message without one."""
    message = replace(MESSAGE, text=text, title=title or "x", link=link)
    assert len(shape.title(message)) <= 120
    assert len(shape.title(message).splitlines()) <= 1
    assert len(shape.text(message)) < 1000
    assert shape.text(message).endswith("[5f-1]")
    assert json.loads(shape.as_json(message, "h"))["text"] == text


def test_what_is_cut_is_cut_by_whole_lines() -> None:
    lines = "\n".join(f"line {n}" for n in range(300))
    told = shape.text(replace(MESSAGE, text=lines)).splitlines()
    assert told[-4:] == ["…", "", "https://h/task/node", "[5f-1]"]
    assert told[-5] in lines.splitlines()


def test_json_has_all_that_there_is_to_know() -> None:
    told = json.loads(shape.as_json(replace(MESSAGE, items=(ITEM,) * 130), "vm"))
    assert told.pop("items")[0] == {
        "kind": "trouble", "of": "task:node", "name": "Node", "code": "behind",
        "params": {"lag": 840.0}, "began": "1970-01-01T00:00:00.000Z", "ended": None,
        "count": 7, "again": True, "host": None,
    }  # fmt: skip
    assert told == {
        "id": "5f-1", "rule": "phone", "kind": "trouble", "title": "Node is behind",
        "text": "Node: behind by 14 min.", "link": "https://h/task/node", "host": "vm",
        "at": "2026-11-18T11:06:40.123Z", "more": 30,
    }  # fmt: skip


def test_json_counts_what_the_message_itself_left_out() -> None:
    told = json.loads(shape.as_json(replace(MESSAGE, items=(ITEM,) * 130, more=50), "vm"))
    assert (len(told["items"]), told["more"]) == (100, 80)


def test_apprise_has_a_word_for_each_kind() -> None:
    assert set(shape.TYPES) == set(Kind)
    assert set(shape.TYPES.values()) == {"failure", "warning", "info", "success"}
