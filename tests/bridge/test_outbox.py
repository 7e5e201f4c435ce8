"""What a browser has still to take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.bridge.outbox import LIMIT, PATIENCE, Outbox
from kaspad_taskd.bridge.packets import Message, event


class Transport:
    """Takes what is written, at once or (`stuck`) not at all."""

    def __init__(self) -> None:
        self.data = b""
        self.stuck = False
        self.kept = 0

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.data += data
        self.kept += len(data) if self.stuck else 0

    def get_write_buffer_size(self) -> int:
        return self.kept


def told(size: int = 100) -> Message:
    return event("x", "y" * size)


@pytest.fixture
async def line() -> tuple[Outbox, Any]:
    """An outbox on a WebSocket, its writer waiting."""
    box, transport = Outbox(), Transport()
    box.transport, box.upgraded = transport, lambda: True  # type: ignore[assignment]
    waiting = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    return box, transport


async def test_an_idle_websocket_is_written_to_without_a_hop(line: tuple[Outbox, Any]) -> None:
    """Before any other task has run."""
    box, transport = line
    message = told()
    box.tell(message)
    assert transport.data == message.frame
    assert box.empty()


async def test_nothing_overtakes_what_is_queued(line: tuple[Outbox, Any]) -> None:
    """While the writer has something in hand, the rest queues behind it, in order."""
    box, transport = line
    first, second = told(1), told(2)
    await box.put(first.carrier)
    box.tell(second)
    assert transport.data == b""
    await asyncio.sleep(0)  # the writer takes the first
    assert await box.get() is second.carrier


async def test_a_polling_client_gets_packets_from_the_queue() -> None:
    """And they are counted until they are handed out."""
    box = Outbox()
    message = told()
    box.tell(message)
    assert box.behind == len(message.carrier.encode())
    assert await box.get() is message.carrier
    assert box.behind == 0


async def test_a_browser_a_mebibyte_behind_is_lost(line: tuple[Outbox, Any]) -> None:
    """Not one byte before, and not by what it asked for itself."""
    box, transport = line
    lost: list[int] = []
    box.lost = lambda: lost.append(box.behind)
    transport.stuck = True
    box.answer_all([told(2 * LIMIT)])
    box.tell(told(LIMIT - 200))
    assert lost == []
    box.tell(told(400))
    assert len(lost) == 1


async def test_a_polling_client_that_vanished_is_lost() -> None:
    """Its queue does not grow on."""
    box = Outbox()
    lost: list[bool] = []
    box.lost = lambda: lost.append(True)
    while not lost:
        box.tell(told(10_000))
    assert box.behind <= LIMIT + 20_000


async def test_twenty_seconds_behind_are_noticed(
    line: tuple[Outbox, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that takes nothing; one that takes everything late is never overdue."""
    box, transport = line
    now = [0.0]
    monkeypatch.setattr("kaspad_taskd.bridge.outbox.monotonic", lambda: now[0])
    transport.stuck = True
    box.tell(told())
    assert not box.overdue()
    now[0] = PATIENCE - 1
    transport.kept = 0
    box.tell(told())  # the first is taken, this one not yet
    assert not box.overdue()
    now[0] = 2 * PATIENCE - 2
    assert not box.overdue()
    now[0] = 2 * PATIENCE
    assert box.overdue()
