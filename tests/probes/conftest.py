"""A real PostgreSQL for the tests that need one, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.postgres import Postgres, binary


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if binary("initdb") is None or binary("postgres") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Postgres()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()
