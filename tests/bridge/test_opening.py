"""The bridge without its address: it waits for it, says so, and serves when it is there."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from kaspad_taskd.bridge import opening
from kaspad_taskd.bridge.access import CannotOpenError
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.holder import holder
from kaspad_taskd.bridge.opening import AGAIN_S, RETRY_S, BridgeDoor, own
from kaspad_taskd.config.settings import Address, Bridge
from tests.api.house import api_house
from tests.fakes.patience import PATIENCE

ELSEWHERE = "192.0.2.1"
"""An address that no host has (RFC 5737)."""


@pytest.mark.looptime
async def test_a_port_that_becomes_free_is_served(tmp_path: Path) -> None:
    """Tried every 30 s; told of once, not at each try."""
    async with api_house(tmp_path) as house:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            settings = Bridge(Address("127.0.0.1", port))
            warnings = house.engine.warnings
            door = BridgeDoor(settings, tmp_path, warnings=warnings)
            serving = asyncio.create_task(door.serve(own(house.api, house.methods, Counts())))
            await asyncio.sleep(3 * RETRY_S + 1)
            (told,) = warnings.open()
            assert told.code == "bridge-taken"
            assert told.params["address"] == f"127.0.0.1:{port}"
            assert door.info()["problem"] == door.problem
            assert not door.info()["listening"]
        await asyncio.sleep(RETRY_S)
        await house.settle()
        assert warnings.open() == []
        info = door.info()
        assert (info["listening"], info["problem"], info["cure"]) == (True, None, None)
        assert info["url"] == f"http://127.0.0.1:{port}/"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await asyncio.wait_for(serving, PATIENCE)
        await door.stop("signal")


@pytest.mark.looptime
async def test_libraries_that_cannot_be_loaded_are_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a minute; who comes meanwhile is told, a warning stands until they are there again."""
    tried: list[float] = []
    loop = asyncio.get_running_loop()
    load = opening._load

    def fail() -> None:
        tried.append(loop.time())
        raise ImportError("No module named 'socketio'")

    monkeypatch.setattr(opening, "_load", fail)
    async with api_house(tmp_path) as house:
        warnings = house.engine.warnings
        door = BridgeDoor(Bridge(Address("127.0.0.1", 0)), tmp_path, warnings=warnings)
        serving = asyncio.create_task(door.serve(own(house.api, house.methods, Counts())))
        await asyncio.sleep(100)
        assert tried == []
        assert door._opened is not None
        port = door._opened.address.port
        assert port
        for _ in range(3):
            assert b"restart it" in await asked(port)
        assert len(tried) == 1
        assert [each.code for each in warnings.open()] == ["bridge-not-loaded"]
        await asyncio.sleep(AGAIN_S)
        assert b"503" in (await asked(port)).splitlines()[0]
        assert len(tried) == 2
        monkeypatch.setattr(opening, "_load", load)
        await asyncio.sleep(AGAIN_S)
        assert (await asked(port)).startswith(b"HTTP/1.1 200 ")
        await house.settle()
        assert warnings.open() == []
        await asyncio.wait_for(serving, PATIENCE)
        await door.stop("signal")


async def asked(port: int | None) -> bytes:
    """The answer of whoever listens there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("host", [ELSEWHERE, "no-such-host.invalid"])
async def test_an_address_that_is_not_there_yet_is_waited_for(host: str, tmp_path: Path) -> None:
    """The network may come up later, and its name server too."""
    door = BridgeDoor(Bridge(Address(host, 3080)), tmp_path)
    assert door.trouble is not None
    assert door.trouble[0] == "bridge-not-listening"
    assert f"cannot listen on {host}:3080" in (door.problem or "")
    assert "30 s" in (door.cure or "")
    await door.stop("signal")


async def test_a_stop_while_it_waits_is_a_stop(tmp_path: Path) -> None:
    """Nothing listens afterwards, whatever becomes free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        door = BridgeDoor(Bridge(Address("127.0.0.1", port)), tmp_path)
        await door.stop("signal")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


def test_a_token_that_cannot_be_used_opens_no_door(tmp_path: Path) -> None:
    """That is a fault in the configuration, whoever has the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(CannotOpenError, match="cannot use the token"):
            BridgeDoor(Bridge(listen, token_file=Path("/nowhere/token")), tmp_path)


def test_who_has_a_port_is_told_as_far_as_it_is_known(tmp_path: Path) -> None:
    """His program where we may see it, else his user; nobody is nobody."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "(pid " in (holder(port) or "")
        (tmp_path / "net").mkdir()
        table = Path("/proc/net/tcp").read_text()
        (tmp_path / "net" / "tcp").write_text(table)
        assert (holder(port, tmp_path) or "").startswith("a program of user ")
    assert holder(port) is None
