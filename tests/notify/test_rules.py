"""What is told to whom and when."""

from __future__ import annotations

from kaspad_taskd.notify.model import Kind
from tests.notify.told import BASE, HOUR, MINUTE, Told, health


def test_a_trouble_is_told_once_it_has_lasted_and_its_end_once_that_has() -> None:
    told = Told().hear(health("unreachable", BASE))
    assert told.at(BASE + 5 * MINUTE - 1) == []
    (message,) = told.at(BASE + 6 * MINUTE)
    assert (message.kind, message.id, message.rule) == (Kind.TROUBLE, "5eed-1", "phone")
    told.hear(health("ok", BASE + 60 * MINUTE))
    (message,) = told.at(BASE + 66 * MINUTE)
    (item,) = message.items
    assert item.kind is Kind.RECOVERED
    assert (item.began, item.ended) == (BASE, BASE + 60 * MINUTE)


def test_a_shorter_trouble_is_never_told() -> None:
    told = Told().hear(health("stalled", BASE), health("ok", BASE + 5 * MINUTE - 1))
    assert told.at(BASE + 24 * HOUR) == []
