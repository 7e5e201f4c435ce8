"""A real notify socket, as systemd has one: datagrams in, words out."""

from __future__ import annotations

import socket
from pathlib import Path


class NotifySocket:
    """Listens where NOTIFY_SOCKET says, on a path or, with a leading `@`, an abstract name."""

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address.replace("@", "\0", 1))
        self._socket.setblocking(False)

    def messages(self) -> list[list[str]]:
        """Return what has arrived: the lines of each datagram, which must be UTF-8."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(65536).decode().split("\n"))
            except BlockingIOError:
                return found

    def words(self) -> list[str]:
        """Return all lines that have arrived."""
        return [word for message in self.messages() for word in message]

    def __enter__(self) -> NotifySocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
