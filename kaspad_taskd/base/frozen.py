"""What holds some fields, is compared by them and never changes: quick to make, as a class too.

`@frozen` is `@dataclass(frozen=True, slots=True)`. That one writes and compiles six functions for
each class, and with some two hundred classes this was half of the daemon's start. Here the standard
library finds the fields and makes the slots; of the functions `__init__` alone is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import replace as replace
else:

    def replace(thing, /, **changes):
        """Return the same with other fields: as the standard library's, in a third of the time."""
        return thing.__replace__(**changes)


MANY: Final = 4
"""Fields from which on it is quicker to change a thing's class twice than to go round its guard."""

T = TypeVar("T")
Fields: TypeAlias = Sequence[Field[Any]]
Methods: TypeAlias = dict[str, Callable[..., Any]]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class of its fields, as `dataclass(frozen=True, slots=True)` does.

    The standard library's `fields`, `replace` and `asdict` take it as they take their own. What the
    class says itself of its comparison or its text stays.

    Raises:
        TypeError: a field is no plain parameter: `init=False` or `kw_only=True`.
    """
    said = set(cls.__dict__)
    slotted: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    found = fields(slotted)
    for each in found:
        if not each.init or each.kw_only:
            raise TypeError(f"{cls.__qualname__}.{each.name} must be a plain parameter")
    made = _heir(slotted) if len(found) >= MANY and cls.__bases__ == (object,) else slotted
    methods = {"__init__": _compiled(made, slotted, found), **_shared(found), **_REFUSING}
    for name, method in methods.items():
        if name not in said:
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _heir(slotted: Any) -> Any:
    """A class of the same slots: its things refuse to be changed, those of its parent do not."""
    copied = ("__module__", "__qualname__", "__doc__")
    return type(slotted.__name__, (slotted,), {"__slots__": ()} | {
        name: getattr(slotted, name) for name in copied
    })  # fmt: skip


def _compiled(cls: Any, slotted: Any, found: Fields) -> Callable[..., None]:
    """Write `__init__`: it puts each parameter into its slot, past the refusal to be changed.

    A thing whose class is an heir is one of the parent meanwhile, which any assignment may fill;
    of others each slot is set by itself, which takes six times as many instructions.
    """
    opened = slotted is not cls
    scope: dict[str, Any] = {"NOT_GIVEN": MISSING, "BECOME": _BECOME, "OPEN": slotted, "DONE": cls}
    parameters, lines = ["self"], [" BECOME(self, OPEN)\n"] if opened else []
    for each in found:
        name = taken = each.name
        if not opened:
            scope[f"set_{name}"] = getattr(cls, name).__set__
        if each.default is not MISSING:
            scope[f"default_{name}"] = each.default
            parameters.append(f"{name}=default_{name}")
        elif each.default_factory is not MISSING:
            scope[f"make_{name}"] = each.default_factory
            parameters.append(f"{name}=NOT_GIVEN")
            taken = f"make_{name}() if {name} is NOT_GIVEN else {name}"
        else:
            parameters.append(name)
        lines.append(f" self.{name} = {taken}\n" if opened else f" set_{name}(self, {taken})\n")
    if opened:
        lines.append(" self.__class__ = DONE\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    body = "".join(lines) or " pass\n"
    exec(f"def __init__({', '.join(parameters)}):\n{body}", scope)  # noqa: S102 - names alone
    made: Callable[..., None] = scope["__init__"]
    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    made.__annotations__ = {each.name: each.type for each in found} | {"return": None}
    return made


def _shared(found: Fields) -> Methods:
    """What the same functions do for every class."""
    held = _reader([each.name for each in found])
    compared = _reader([each.name for each in found if each.compare])
    names = [each.name for each in found if each.repr]
    places = {each.name: place for place, each in enumerate(found)}

    def equal(self: object, other: object) -> bool:
        same = other.__class__ is self.__class__
        return compared(self) == compared(other) if same else NotImplemented

    def hashed(self: object) -> int:
        return hash(compared(self))

    def shown(self: object) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({said})"

    def apart(self: object) -> tuple[type, tuple[Any, ...]]:
        """For `copy` and `pickle`."""
        return type(self), held(self)

    def replaced(self: object, /, **changes: Any) -> Any:
        """For `replace`, and `copy.replace` from 3.13 on."""
        values = list(held(self))
        for name, value in changes.items():
            if name not in places:
                raise TypeError(f"{type(self).__qualname__} has no field {name!r}")
            values[places[name]] = value
        return type(self)(*values)

    return {
        "__eq__": equal, "__hash__": hashed, "__repr__": shown, "__reduce__": apart,
        "__replace__": replaced,
    }  # fmt: skip


def _reader(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_BECOME = object.__dict__["__class__"].__set__
_REFUSING: Methods = {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
