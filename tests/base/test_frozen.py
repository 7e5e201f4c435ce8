"""`@frozen` is the standard library's frozen dataclass with slots, held beside it."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import (
    FrozenInstanceError,
    asdict,
    astuple,
    dataclass,
    field,
    fields,
    is_dataclass,
    replace,
)
from typing import Any, ClassVar, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.frozen import replace as quick


def _made(decorator: Callable[[type], type]) -> Any:
    class Point:
        """A point."""

        KINDS: ClassVar[int] = 2
        x: int
        y: float = 0.5
        tags: dict[str, int] = field(default_factory=dict)
        seen: tuple[str, ...] = field(default=(), compare=False)
        secret: str = field(default="", repr=False)

        @property
        def sum(self) -> float:
            """Of both."""
            return self.x + self.y

    return decorator(Point)


OURS, THEIRS = _made(frozen), _made(dataclass(frozen=True, slots=True))
BOTH = pytest.mark.parametrize("point", [OURS, THEIRS])


@frozen
class Wide:
    """Has as many fields as are filled in another way, named as nothing of ours may be."""

    made: int
    open: int = 2
    done: int = 3
    become: int = 4
    NAME: int = 5
    slotted: int = 6


@frozen
class Sized:
    """Has a size."""

    size: int


@frozen
class Named(Sized):
    """Has a name too."""

    name: str = "none"

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("a size is not negative")


@frozen
class Silent:
    """Says nothing."""

    def __str__(self) -> str:
        return "-"

    def __repr__(self) -> str:
        return "its own"


ARGUMENTS = st.fixed_dictionaries(
    {"x": st.integers(0, 2)},
    optional={
        "y": st.floats(0, 1),
        "seen": st.sampled_from([(), ("a",)]),
        "secret": st.sampled_from(["", "s"]),
        "tags": st.sampled_from([{}, {"a": 1}]),
    },
)


@given(one=ARGUMENTS, other=ARGUMENTS)
def test_it_is_compared_and_shown_as_theirs(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever is given."""
    assert (OURS(**one) == OURS(**other)) is (THEIRS(**one) == THEIRS(**other))
    assert repr(OURS(**one)) == repr(THEIRS(**one))
    assert asdict(OURS(**one)) == asdict(THEIRS(**one))
    assert astuple(replace(OURS(**one), x=9)) == astuple(replace(THEIRS(**one), x=9))


@pytest.mark.parametrize(("kind", "field"), [(OURS, "x"), (Wide, "made"), (Sized, "size")])
def test_it_never_changes(kind: Any, field: str) -> None:
    """Neither a field nor another name can be set or deleted, of many fields or one."""
    one = kind(1)
    for name in (field, "other"):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, 2)
        with pytest.raises(FrozenInstanceError):
            delattr(one, name)
    assert not hasattr(one, "__dict__")
    assert getattr(one, field) == 1
    assert type(one) is kind


def test_a_field_may_have_any_name() -> None:
    """Nothing that fills it stands in its way."""
    assert astuple(Wide(1)) == (1, 2, 3, 4, 5, 6)
    assert astuple(quick(Wide(1), done=9, open=8)) == (1, 8, 9, 4, 5, 6)


@BOTH
def test_what_is_missing_or_unknown_is_an_error(point: Any) -> None:
    """As with any function."""
    for arguments in ({}, {"x": 1, "z": 2}):
        with pytest.raises(TypeError):
            point(**arguments)
    with pytest.raises(TypeError):
        replace(point(1), z=2)


@BOTH
def test_what_it_is_made_of_can_be_read(point: Any) -> None:
    """By the tools that read dataclasses, signatures and hints."""
    made: Any = point  # what is_dataclass says of it narrows its type
    assert is_dataclass(made)
    assert [each.name for each in fields(point)] == ["x", "y", "tags", "seen", "secret"]
    assert list(inspect.signature(point).parameters) == ["x", "y", "tags", "seen", "secret"]
    assert get_type_hints(point.__init__)["x"] is int
    assert point.__doc__ == "A point."
    assert point.KINDS == 2
    match point(3, 4.0):
        case object(x=x, sum=total):
            assert (x, total) == (3, 7.0)
    assert point.__match_args__ == ("x", "y", "tags", "seen", "secret")


@BOTH
def test_a_default_is_made_anew_for_each(point: Any) -> None:
    """Nobody shares a dictionary with another, unless it was given."""
    assert point(1).tags is not point(1).tags
    given_one: dict[str, int] = {}
    assert point(1, tags=given_one).tags is given_one


def test_hash_and_equality_go_together() -> None:
    """It is a key; a subclass and another class are something else."""
    assert hash(Sized(1)) == hash(Sized(1))
    assert {Sized(1): "a"}[Sized(1)] == "a"
    assert Named(1) != Sized(1)
    tuple_of_it: object = (1,)
    assert Sized(1) != tuple_of_it
    assert hash(Silent()) == hash(Silent())
    with pytest.raises(TypeError):
        hash(OURS(1))  # it holds a dictionary


def test_it_can_be_a_subclass() -> None:
    """The fields of the first come first; what a class says of itself stays."""
    named = Named(3, name="a")
    assert (named.size, named.name) == (3, "a")
    assert repr(named) == "Named(size=3, name='a')"
    assert (repr(Silent()), str(Silent())) == ("its own", "-")
    with pytest.raises(ValueError, match="not negative"):
        Named(-1)


def test_it_can_be_copied_and_pickled() -> None:
    """Although nobody may set its fields."""
    for one in (Named(1, name="b"), Wide(1)):
        assert copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    "odd", [field(default=0, init=False), field(default=0, kw_only=True)], ids=["init", "kw_only"]
)
def test_a_field_that_is_no_plain_parameter_is_refused(odd: Any) -> None:
    """When the class is made: what would be left out silently is said."""

    class Odd:
        size: int = odd

    with pytest.raises(TypeError, match=r"Odd\.size must be a plain parameter"):
        frozen(Odd)


@BOTH
def test_replaced_with_other_fields_as_the_standard_library_does(point: Any) -> None:
    """What is not named stays; the thing itself does too; an unknown field is a TypeError."""
    one = point(1, 2.5, {"a": 1}, ("s",), "x")
    if point is OURS:
        assert point.__replace__.__module__ == frozen.__module__
        assert quick(one, y=3.5, seen=()) == replace(one, y=3.5, seen=())
        assert quick(one).seen == ("s",)
    assert (one.y, replace(one, y=3.5).y) == (2.5, 3.5)
    with pytest.raises(TypeError):
        (quick if point is OURS else replace)(one, z=1)


def test_replacing_runs_what_a_class_checks_of_itself() -> None:
    """As it does when it is made."""
    with pytest.raises(ValueError, match="negative"):
        quick(Named(3), size=-1)
