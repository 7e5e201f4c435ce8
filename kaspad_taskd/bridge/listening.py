"""Taking the bridge's port and token, before its libraries are loaded: nobody is refused."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kaspad_taskd import words
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.bridge.holder import holder
from kaspad_taskd.bridge.keys import CannotOpenError, Keys, open_keys
from kaspad_taskd.config.settings import Address, Bridge

BACKLOG: Final = 1024
TRIES: Final = 20
"""Ports that are tried where any will do: free on one address of a host, taken on the next."""
SEND_BUFFER: Final = 1 << 18
"""Bytes that the kernel keeps for a client: what lies there is not counted as its arrears."""


class NotListeningError(CannotOpenError):
    """Its address is not to be had now; that may change by itself.

    Attributes:
        code: `bridge-taken` or `bridge-not-listening`, as warnings are called.
        params: what its sentence needs.
    """

    def __init__(self, code: str, params: Mapping[str, str | int]) -> None:
        said = (words.maybe(f"warning.{code}.{part}", **params) for part in ("note", "cure"))
        super().__init__(" ".join(each for each in said if each))
        self.code = code
        self.params = params


@frozen
class Opened:
    """A door that has its address: who connects waits in the kernel until it is served.

    Attributes:
        sockets: they listen.
        address: where, with the port that was found.
        keys: what a change needs.
    """

    sockets: tuple[socket.socket, ...]
    address: Address
    keys: Keys

    @property
    def token(self) -> str:
        """What a change needs."""
        return self.keys.token

    @property
    def token_file(self) -> Path:
        """Where the token stands."""
        return self.keys.token_file

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.address}/"

    def close(self) -> None:
        """Listen no more."""
        for each in self.sockets:
            each.close()


def open_door(settings: Bridge, state: Path) -> Opened:
    """Return the bridge's door; the token is made beside the state where there is none. Blocks.

    Raises:
        NotListeningError: the address is taken, or not there.
        CannotOpenError: its token cannot be used; with what to do about it.
    """
    assert settings.listen is not None
    keys = open_keys(settings.token_file, state)
    sockets = listen(settings.listen)
    address = Address(settings.listen.host, sockets[0].getsockname()[1])
    return Opened(tuple(sockets), address, keys)


def listen(address: Address) -> list[socket.socket]:
    """Return sockets that listen on all addresses of a host.

    Raises:
        NotListeningError: the name is unknown, the port taken or not ours.
    """
    for tries in reversed(range(1 if address.port else TRIES)):
        try:
            return _listening_on_all(address.host, address.port or 0)
        except OSError as fault:
            if not tries or fault.errno != errno.EADDRINUSE:
                raise _not_listening(address, fault) from fault
    raise AssertionError


def _listening_on_all(host: str, port: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    try:
        for family, where in _resolved(host, port):
            made.append(_listening(family, (where[0], port, *where[2:])))
            port = port or made[0].getsockname()[1]
    except OSError:
        for each in made:
            each.close()
        raise
    return made


def _resolved(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    # as bytes, a name without accents needs no table of all the alphabets (a MiB)
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, where) for family, _, _, _, where in found))


def _listening(family: int, where: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(where)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _not_listening(address: Address, fault: OSError) -> NotListeningError:
    params: dict[str, str | int] = {"address": str(address), "port": address.port or 0}
    if fault.errno != errno.EADDRINUSE:
        problem = str(fault.strerror or fault)
        return NotListeningError("bridge-not-listening", {**params, "problem": problem})
    who = holder(address.port or 0)
    return NotListeningError("bridge-taken", {**params, "holder": who} if who else params)
