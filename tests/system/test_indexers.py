"""Indexers followed through the real daemon and all of its doors, killed in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.doors import opened
from tests.fakes.indexers import BEHIND, Kasia, KWebserver, ScoredNode, SimplyKaspa, Twin
from tests.fakes.website import Reply

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
PACE = 'interval = "250ms"\ntimeout = "3s"\n'


@dataclass
class Case:
    """Indexers of a flavour: all their programs, and the checker that names them."""

    twins: tuple[Twin, ...]
    checker: str
    hints: tuple[str, ...] = ()

    async def enter(self, state: str) -> None:
        for twin in self.twins:
            await twin.enter(state)

    def hinted(self, hints: list[dict[str, Any]]) -> bool:
        return tuple(each["code"] for each in hints) == self.hints

    def half(self) -> None:
        for twin in self.twins:
            twin.behind = BEHIND // 2


class Generic(Twin):
    """Any program that tells its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.replies = {"/status": lambda _: Reply({"at": BEHIND - self.behind, "of": BEHIND - 3})}


async def simply_kaspa(_stack: AsyncExitStack) -> Case:
    twin = SimplyKaspa()
    await twin.reserve()
    return Case((twin,), f'url = "{twin.url}"')


async def kasia(stack: AsyncExitStack) -> Case:
    node = await stack.enter_async_context(ScoredNode())
    twin = Kasia(node)
    await twin.reserve()
    return Case((twin,), f'url = "{twin.url}"\nnode = "{node.url}"', ("history-unknown",))


async def k_indexer(_stack: AsyncExitStack) -> Case:
    web, source = KWebserver(), SimplyKaspa(vcp=False)
    await web.reserve()
    await source.reserve()
    return Case((web, source), f'url = "{web.url}"\nsource = "{source.url}"')


async def generic(_stack: AsyncExitStack) -> Case:
    twin = Generic()
    await twin.reserve()
    return Case(
        (twin,), f'url = "{twin.url}/status"\ndone = "at"\ntotal = "of"\nflavor = "generic"'
    )


FLAVOURS: dict[str, Callable[[AsyncExitStack], Any]] = {
    "simply-kaspa": simply_kaspa, "kasia": kasia, "k-indexer": k_indexer, "generic": generic,
}  # fmt: skip


@asynccontextmanager
async def case_of(flavor: str) -> AsyncIterator[Case]:
    async with AsyncExitStack() as stack:
        case = await FLAVOURS[flavor](stack)
        for twin in case.twins:
            stack.push_async_callback(twin.stop)
        yield case


@pytest.mark.parametrize("flavor", FLAVOURS)
async def test_an_indexer_from_absent_to_complete(flavor: str, tmp_path: Path) -> None:
    """Absent, moving, killed, half, gone for a while, complete: every door tells the same."""
    async with case_of(flavor) as case, opened(tmp_path) as doors:
        name = f"{flavor}-indexer"
        doors.taskd.define(
            "it",
            f'type = "indexer-sync"\nservice = "{name}"\n{PACE}[checker]\n{case.checker}\n',
        )
        await doors.start()
        absent = await doors.shown("it", health="unreachable", reason="refused")
        assert (absent["progress"], absent["config"]["flavor"]) == (0, flavor)
        await case.enter("catching-up")
        begun = await doors.shown(
            "it", health="ok", status="in-progress", progress=0, hints=case.hinted
        )
        await doors.again(case.half)
        half = await doors.shown("it", health="ok", status="in-progress", progress=50)
        assert (half["attempt"], half["epoch"]["number"]) == (1, begun["epoch"]["number"])
        await case.enter("start")  # it restarts: the place that was reached stays
        await doors.shown("it", health="unreachable", reason="refused", progress=50)
        await case.enter("synced")
        done = await doors.shown("it", status="complete", progress=100)
        assert done["attempt"] == 1
        assert "secret" not in repr(done) + doors.taskd.said()
        await doors.taskd.end()


async def test_an_indexer_that_waits_for_another(tmp_path: Path) -> None:
    """Registered over the API; a kill costs neither the place nor what is waited for."""
    async with case_of("simply-kaspa") as first, case_of("kasia") as second:
        (ski,), (ksi,) = first.twins, second.twins
        async with opened(tmp_path) as doors:
            line = await doors.start()
            pace = {"checkInterval": 250, "timeout": "3s"}
            one = await line.call(
                "registerIndexerSyncTask",
                service="simply-kaspa-indexer",
                indexerUrl=ski.url,
                **pace,
            )
            node = second.checker.rpartition('node = "')[2].rstrip('"')
            two = await line.call(
                "registerIndexerSyncTask",
                service="kasia-indexer",
                indexerUrl=ksi.url,
                node=node,
                after=[one["taskId"]],
                **pace,
            )
            await ksi.enter("synced")
            await doors.shown(one["taskId"], reason="refused")
            await doors.shown(two["taskId"], status="pending", waitingFor=[one["taskId"]])
            await doors.again()
            await doors.shown(two["taskId"], status="pending", waitingFor=[one["taskId"]])
            await ski.enter("synced")
            await doors.shown(one["taskId"], status="complete")
            done = await doors.shown(two["taskId"], status="complete")
            assert done["metadata"]["history"] == "unknown"
            await doors.taskd.end()
