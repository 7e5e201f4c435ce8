"""Lanes for pytest's workers: a worker has one to its end, then the next one that is left."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.lab import lanes


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # it tells no types
    """Who runs what next."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # lanes.begin has ordered them
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return lanes.lane(nodeid)
