"""Taking the bridge's port and token."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.bridge import listening
from kaspad_taskd.bridge.access import CannotOpenError
from kaspad_taskd.bridge.listening import listen, open_door
from kaspad_taskd.config.settings import Address, Bridge


def test_a_port_that_is_taken_is_a_sentence() -> None:
    """With who has it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotOpenError, match=rf"127\.0\.0\.1:{port}.*ss -ltnp.*--bridge"):
            listen(Address("127.0.0.1", port))


def test_a_host_that_is_none_is_a_sentence() -> None:
    """An address that is not ours, a name that nobody knows."""
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(CannotOpenError, match="--bridge HOST:PORT"):
            listen(Address(host, 0))


def test_localhost_is_all_of_its_addresses() -> None:
    """On one port."""
    sockets = listen(Address("localhost", 0))
    assert len({each.getsockname()[1] for each in sockets}) == 1
    for each in sockets:
        each.close()


def test_any_port_is_one_that_is_free_on_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is free on the first and taken on the second is not the end."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports, bound = [taken.getsockname()[1]], listening._listening

        def unlucky(family: int, where: tuple[Any, ...]) -> socket.socket:
            return bound(family, (where[0], where[1] or (ports.pop() if ports else 0), *where[2:]))

        places = [(socket.AF_INET, (host, 0)) for host in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(listening, "_resolved", lambda *_: places)
        monkeypatch.setattr(listening, "_listening", unlucky)
        sockets = listen(Address("localhost", 0))
        assert not ports
        assert len({each.getsockname()[1] for each in sockets}) == 1
        for each in sockets:
            each.close()


def test_who_connects_early_waits(tmp_path: Path) -> None:
    """A door that is open takes connections before anything serves them."""
    opened = open_door(Bridge(Address("127.0.0.1", 0)), tmp_path)
    assert opened.url == f"http://127.0.0.1:{opened.address.port}/"
    with socket.create_connection(("127.0.0.1", opened.address.port or 0), 60):
        pass
    assert opened.token_file.read_text().strip() == opened.token
    opened.close()
