"""What a reader of tables asks for, without anything to read."""

from __future__ import annotations

from kaspad_taskd.base.forms import Key, form_of
from kaspad_taskd.base.tables import Table


def test_a_key_is_noted_as_it_is_asked_for() -> None:
    """With its bounds, words and default; in the spelling of JSON."""

    def read(table: Table) -> None:
        table.string("some_name", pattern=r"[a-z]+", must="must be small letters")
        table.integer("count", 3, 1, 9)
        table.duration("max_lag", 60.0, 1.0, 600.0)

    assert form_of(read).keys == {
        "someName": Key("string", True, (), "[a-z]+", "must be small letters"),
        "count": Key("integer", False, (), None, "", 1, 9, 3),
        "maxLag": Key("duration", False, (), None, "", 1.0, 600.0),
    }


def test_what_depends_on_others_is_found_and_not_required() -> None:
    """A key that is read in place of another, or beside one of the words of a third."""

    def read(table: Table) -> None:
        if table.peek("url") is not None:
            table.string("url")
        else:
            table.string("host")
        if table.string("flavor", "plain", choices=("plain", "rich")) == "rich":
            table.integer("depth")
        table.string("always")

    keys = form_of(read).keys
    assert keys.keys() == {"url", "host", "flavor", "depth", "always"}
    assert [name for name, key in keys.items() if key.required] == ["always"]


def test_what_only_a_file_may_hold_is_left_out() -> None:
    """At the top and below; a table that is forbidden as a whole says so."""

    def read(table: Table) -> None:
        inner = table.table("inner")
        inner.string("seen")
        if inner.string("file", None) is not None:
            inner.fault("file", "may only stand in a file", kind="forbidden")

    def nothing(table: Table) -> None:
        table.fault("", "can only stand in a file", kind="forbidden")

    inner = form_of(read).keys["inner"].form
    assert inner is not None
    assert inner.keys.keys() == {"seen"}
    assert form_of(nothing).forbidden == {""}
