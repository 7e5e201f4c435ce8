"""Hands that are made when they are first needed do all that hands do."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from kaspad_taskd.switching.hands import Hands
from kaspad_taskd.switching.later import HandsLater

METHODS = {
    name: each for name, each in vars(Hands).items() if inspect.isfunction(each) and name[0] != "_"
}


class Recorded:
    """Hands that say what they were asked."""

    def __getattr__(self, name: str) -> Any:
        def now(*given: object) -> tuple[str, tuple[object, ...]]:
            return name, given

        async def soon(*given: object) -> tuple[str, tuple[object, ...]]:
            return now(*given)

        return soon if inspect.iscoroutinefunction(METHODS[name]) else now


@pytest.mark.parametrize("name", METHODS)
async def test_each_question_is_asked_of_the_hands(name: str) -> None:
    """As it came, and the hands are made for the first one alone."""
    made: list[Any] = []

    def make() -> Any:
        made.append(Recorded())
        return made[-1]

    later: Any = HandsLater(make)
    assert made == []
    given = [object() for _ in list(inspect.signature(METHODS[name]).parameters)[1:]]
    for _ in range(2):
        answer = getattr(later, name)(*given)
        said = await answer if inspect.isawaitable(answer) else answer
        assert said == (name, tuple(given))
    assert len(made) == 1
