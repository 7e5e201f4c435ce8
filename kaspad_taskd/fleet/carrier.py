"""Redis or Valkey, as a relay speaks to it: blocking, each wait with an end, nothing tried again.

The library would hide that a server was away (its own tries again), and with it that the server
came back with less; so its tries are off, and who uses this reads back what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.utils import HIREDIS_AVAILABLE

from kaspad_taskd.fleet.faults import Kind, Trouble, trouble_of
from kaspad_taskd.fleet.settings import Engine, Login, Server

PATIENCE: Final = 5.0
"""Seconds for an answer, and for a connection."""
LIBRARY: Final = f"redis-py {redis.__version__} " + (
    "with hiredis" if HIREDIS_AVAILABLE else "without hiredis"
)
"""What it is, and which parser reads for it: a hiredis that is too old it leaves out, silently."""

Command: TypeAlias = tuple[str | bytes | int, ...]
"""A command and its arguments."""
Answer: TypeAlias = Any
"""What the server said to one; an exception where it refused it."""
Entry: TypeAlias = tuple[str, dict[str, str]]
"""An entry of a stream: its id and fields."""


def options(engine: Engine, login: Login, server: Server, patience: float = PATIENCE) -> Any:
    """Return how redis-py is told to connect, the blocking side and the asyncio side alike.

    `retry` is not among it: each side has its own class.
    """
    place: dict[str, object] = (
        {"unix_socket_path": server.path}
        if server.path
        else {"host": server.host, "port": server.port, "socket_keepalive": True}
    )
    if engine.tls and not server.path:
        files = {
            "ssl_ca_certs": engine.ca_file,
            "ssl_certfile": engine.cert_file,
            "ssl_keyfile": engine.key_file,
        }
        place |= {"ssl": True, "ssl_check_hostname": True}
        place |= {key: str(file) for key, file in files.items() if file is not None}
    return {
        **place,
        "db": engine.database,
        "username": login.user,
        "password": login.password,
        "socket_timeout": patience,
        "socket_connect_timeout": PATIENCE,
        "health_check_interval": 0,
    }


class Carrier:
    """One connection to the server that has what is asked for. Not for several threads.

    In a cluster that is the master of the host's slot: whoever else is asked says where it is. Of a
    pair it is the one that can be written to.

    Args:
        engine: where it may be.
        login: as whom.
    """

    def __init__(self, engine: Engine, login: Login) -> None:
        self._engine = engine
        self._login = login
        self._turn = 0
        self._server = engine.servers[0]
        self._client: redis.Redis | None = None

    @property
    def place(self) -> str:
        """The server, in words."""
        return str(self._server)

    @property
    def address(self) -> str:
        """Its host, where it has one."""
        return self._server.host

    @property
    def servers(self) -> int:
        """How many may be tried, one after the other."""
        return len(self._engine.servers)

    def table(self, key: str) -> dict[str, str]:
        """Return a hash. Raises Trouble, as all of these."""
        found = self._ask(("HGETALL", key))
        return {_text(name): _text(value) for name, value in found.items()}

    def newest(self, key: str, count: int = 1) -> list[Entry]:
        """Return the newest entries of a stream, the newest first."""
        return [_entry(each) for each in self._ask(("XREVRANGE", key, "+", "-", "COUNT", count))]

    def between(self, key: str, first: int, last: int) -> list[Entry]:
        """Return the entries of a stream from one number to another, the newest first."""
        found = self._ask(("XREVRANGE", key, f"{last}-0", f"{first}-0"))
        return [_entry(each) for each in found]

    def ends(self, key: str) -> tuple[Entry | None, int]:
        """Return the oldest entry of a stream that is there, and how many are."""
        try:
            info: Any = self._open().xinfo_stream(key)
        except Exception as error:
            raise self._failed(error) from None
        first = info["first-entry"]
        return (None if first is None else _entry(first)), int(info["length"])

    def write(self, commands: Sequence[Command]) -> list[Answer]:
        """Do all of it in one transaction; return the answers, refusals among them.

        Raises:
            Trouble: nothing was done, or where it is GONE perhaps all of it.
        """
        try:
            pipeline: Any = self._open().pipeline(transaction=True)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Answer] = pipeline.execute(raise_on_error=False)
        except Exception as error:
            raise self._failed(error) from None
        return answers

    def close(self) -> None:
        """Let the connection go; the next question makes another."""
        client, self._client = self._client, None
        if client is not None:
            client.connection_pool.disconnect()

    def _ask(self, command: Command) -> Answer:
        try:
            client: Any = self._open()
            return client.execute_command(*command)
        except Exception as error:
            raise self._failed(error) from None

    def _open(self) -> redis.Redis:
        if self._client is None:
            told = options(self._engine, self._login, self._server)
            self._client = redis.Redis(retry=Retry(NoBackoff(), 0), **told)
        return self._client

    def _failed(self, error: Exception) -> Trouble:
        """Let go of the connection, and choose the server that is tried next."""
        trouble = trouble_of(error, self.place)
        self.close()
        if trouble.target is not None:
            host, port = trouble.target
            self._server = replace(self._server, path="", host=host or self.address, port=port)
        elif trouble.kind in (Kind.GONE, Kind.READ_ONLY, Kind.TLS):
            self._turn += 1
            self._server = self._engine.servers[self._turn % self.servers]
        return trouble


def _entry(found: Any) -> Entry:
    entry, fields = found
    return _text(entry), {_text(name): _text(value) for name, value in (fields or {}).items()}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
