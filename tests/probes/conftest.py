"""Real PostgreSQL servers for the tests that need one, each started once; no hurry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.node_packages import Missing
from tests.fakes.postgres import Postgres, serving
from tests.fakes.postgres_versions import programs, wanted
from tests.fakes.unhurried import unhurried
from tests.probes.migrations.databases import Place, placed

__all__ = ["unhurried"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each server's version: what is wanted is known when the options are."""
    if "postgres" in metafunc.fixturenames:
        metafunc.parametrize(
            "postgres", wanted(), ids="postgres-{}".format, indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    try:
        found = programs(request.param)
    except Missing as why:
        pytest.skip(str(why))
    with serving(found) as server:
        yield server


@pytest.fixture
async def place(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Place]:
    async with placed(postgres, tmp_path / "explorer.dsn") as place:
        yield place
