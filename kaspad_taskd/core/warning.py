"""What people must have seen once, though it is long over: a state repaired, a history lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.observation import Scalar

WARNINGS_KEPT = 256
"""The newest warnings are kept; how many are open at once is bounded by the causes that exist."""


@frozen
class StandingWarning:
    """A warning that stays until somebody acknowledges it.

    Attributes:
        id: counted from 1; given once.
        at: when it was first so, ms since 1970 UTC.
        code: its cause, a word of the contract; `words` has its sentence and its cure.
        params: what the sentences are filled with. With `code` they say whether it is the same.
        acknowledged: when somebody had seen it, or None.
    """

    id: int
    at: Moment
    code: str
    params: Mapping[str, Scalar] = field(default_factory=dict)
    acknowledged: Moment | None = None

    @property
    def open(self) -> bool:
        """Whether it still has to be seen."""
        return self.acknowledged is None

    def same(self, code: str, params: Mapping[str, Scalar]) -> bool:
        """Whether this already says what `code` and `params` would."""
        return self.code == code and dict(self.params) == dict(params)
