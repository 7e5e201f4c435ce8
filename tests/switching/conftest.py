"""No deadline of the program is reached by chance."""

from __future__ import annotations

from tests.fakes.unhurried import unhurried

__all__ = ["unhurried"]
