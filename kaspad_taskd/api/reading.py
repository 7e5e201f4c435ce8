"""The methods for those who only read: what changes nothing, under the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from kaspad_taskd import words
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Method
from kaspad_taskd.base.frozen import frozen

FAMILIES = ("get", "list")
"""How the names of methods that only tell begin."""
OTHERS = frozenset({"explainTask", "subscribe", "unsubscribe", "ping", "rpc.discover"})
"""Those that are called otherwise."""


@frozen
class _Shut(Method):
    """A method that is there and says no, whatever its parameters are."""

    def bind(self, _args: Sequence[Any], _kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse.

        Raises:
            ApiError: forbidden, always.
        """
        raise ApiError.of("forbidden", words.say("answer.only-reading", method=self.name))


def may_read(method: Method) -> bool:
    """Whether a method is for those who only read: it is one of these, and changes nothing."""
    return not method.changes and (method.name.startswith(FAMILIES) or method.name in OTHERS)


def for_readers(methods: Mapping[str, Method]) -> dict[str, Method]:
    """Return the same methods, of which those that are not for readers say `forbidden`."""
    return {name: each if may_read(each) else _shut(each) for name, each in methods.items()}


def _shut(method: Method) -> Method:
    return _Shut(**{each.name: getattr(method, each.name) for each in fields(Method)})
