"""For the tests of the store: a busy disk is not what they try."""

from __future__ import annotations

import pytest

from kaspad_taskd.store import sqlite
from tests.fakes.patience import PATIENCE


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CLOSE_PATIENCE", PATIENCE)
    monkeypatch.setattr(sqlite, "READ_PATIENCE", PATIENCE)
