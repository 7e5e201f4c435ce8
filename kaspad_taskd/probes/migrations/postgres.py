"""One kept, read-only connection to a PostgreSQL server, and what its errors mean.

The DSN is read from its file at each connect, so that a changed password is taken up; nothing of
it stands in an error. asyncpg is imported when a definition needs it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from kaspad_taskd.base.descriptors import is_own_limit
from kaspad_taskd.base.tables import REQUIRED, Table
from kaspad_taskd.core.observation import Hint, Refused, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError, clean
from kaspad_taskd.kaspa.connect import addresses, connect_error, distrust, own_limit
from kaspad_taskd.kaspa.race import open_socket
from kaspad_taskd.probes.migrations.frames import Frames

if TYPE_CHECKING:
    import asyncpg

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What the settings may call a database."""
MAX_DSN: Final = 4096
LOCK_MS: Final = 250
"""What a question of ours waits for a lock: it must never queue in front of the migration."""
_FILES: Final = "sslrootcert", "sslcert", "sslkey", "passfile"
"""Parameters of a DSN that name files: asyncpg's errors do not tell which one is missing."""
NO_RIGHT: Final = "42501"
"""SQLSTATE: insufficient_privilege. A GRANT mends it."""
NEEDS_GRANT: Final = "permission-missing"
"""The hint for that."""
_REASONS: Final = {
    "53100": Reason.DISK_FULL,
    "53300": Reason.BUSY,
    "57014": Reason.TIMEOUT,
    "57P01": Reason.STOPPING,
    "57P02": Reason.STOPPING,
    "57P03": Reason.NOT_READY,
}
_STATE: Final = re.compile("[0-9A-Z]{5}")
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_POOLER: Final = {
    "unsupported startup parameter": "unsupported startup parameter, says a pooler (pgbouncer)",
    "no such database": "a pooler (pgbouncer) has no such database",
    "no such user": "a pooler (pgbouncer) has no such user",
    'database "': "a pooler (pgbouncer) does not find its database at the server",
    "query_wait_timeout": "a pooler (pgbouncer) gets no session of the server",
    "server login": "a pooler (pgbouncer) cannot log in at the server",
    "no more connections": "a pooler (pgbouncer) takes no more clients",
}
"""How pgbouncer's refusals begin, all of 08P01; PostgreSQL has codes of their own for them."""
_REJECTED: Final = "password authentication failed", "SASL authentication failed"
"""Of these, what is said of a wrong role or password."""
_SHARED: Final = frozenset({"26000", "42P05"})
"""A prepared statement is gone, or another client's: a pooler has given us another session."""
_DETAILS: Final = {
    "08P01": "the connection is refused as pgbouncer refuses one; ask the server itself",
    "25006": "the query wants to write",
    "26000": "a pooler (pgbouncer, pool_mode = transaction) changes sessions; ask the server",
    "3D000": "it has no database of that name",
    "42P05": "a pooler (pgbouncer, pool_mode = transaction) changes sessions; ask the server",
    "42703": "its version table has other columns",
    "42883": "its version table has other columns",
}


@cache
def _library() -> Any:
    """Import asyncpg, and have its connections end at the first bytes that are no message."""
    import asyncpg

    protocol: Any = asyncpg.protocol

    class Guarded(protocol.Protocol):  # type: ignore[misc]
        """The library's, given sound messages alone; it looks its own up by this name."""

        def connection_made(self, transport: Any) -> None:
            self._line, self._frames = transport, Frames()
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if self._frames.sound(data):
                super().data_received(data)
            else:
                self._line.abort()

    protocol.Protocol = Guarded
    return asyncpg


class PostgresError(Exception):
    """There is no answer that can be used; `observation` says why."""

    def __init__(self, observation: Unreachable | Refused, state: str | None = None) -> None:
        super().__init__(str(observation.reason))
        self.observation = observation
        self.state = state


def no_right(hint: Hint, what: str = "the version table") -> PostgresError:
    """Return the error of what our role may not read; the hint has the role, as `user`."""
    params: dict[str, Scalar] = {"user": hint.params["user"], "object": what}
    return PostgresError(Unreachable(Reason.CREDENTIALS, params, (hint,)), NO_RIGHT)


def read_dsn(table: Table, needed: bool = True) -> str | None:
    """Return `dsn`: which of the settings' databases; None where there is none, or a faulty one."""
    default = REQUIRED if needed else None
    return table.string("dsn", default, pattern=NAME, must="must name one of [databases.NAME]")


class Database:
    """A database that the settings name.

    Args:
        name: its name there, as `name`.
        files: the file that holds the DSN, by name; as the settings are now.
        timeout: seconds that a look may take: a statement gets nine tenths of it.

    Raises:
        ImportError: asyncpg is not installed.
    """

    def __init__(self, name: str, files: Mapping[str, Path], timeout: float) -> None:
        self._connect_to = _library().connect
        self.name = name
        self._files = files
        self._timeout = timeout * 0.9
        self._connection: asyncpg.Connection[Any] | None = None
        self.user = ""
        self.pooled = False
        """A pooler stands between: what was set at the start of the connection is not believed."""

    @property
    def _limits(self) -> dict[str, str]:
        """What no question of ours may take longer than, in ms."""
        return {"statement_timeout": str(int(self._timeout * 1000)), "lock_timeout": str(LOCK_MS)}

    @property
    def version(self) -> int:
        """The major version of the server that we are connected to."""
        return 0 if self._connection is None else self._connection.get_server_version().major

    async def connect(self) -> None:
        """Connect, unless a connection is kept that still stands.

        Raises:
            PostgresError: that was not possible.
        """
        if self._connection is not None and not self._connection.is_closed():
            return
        dsn = await asyncio.to_thread(self._read)
        self.user = urlsplit(dsn).username or ""
        racing: Any = _Racing(self._timeout / _hosts(dsn))
        try:
            self._connection = await self._connect_to(
                dsn,
                loop=racing,
                timeout=self._timeout,
                command_timeout=self._timeout,
                statement_cache_size=0 if self.pooled else 100,
                server_settings={
                    "application_name": "kaspad-taskd",
                    "default_transaction_read_only": "on",
                    **self._limits,
                    "idle_in_transaction_session_timeout": "60000",
                    "jit": "off",
                },
            )
        except Exception as error:
            if getattr(error, "sqlstate", None) == NO_RIGHT:
                raise self._no_way_in(dsn) from None
            raise self._explain(error) from None

    def _no_way_in(self, dsn: str) -> PostgresError:
        """The role may not connect to this database, which a GRANT mends."""
        name = unquote(urlsplit(dsn).path[1:]) or self.user
        shown = name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
        hint = Hint(NEEDS_GRANT, {"user": self.user, "database": clean(shown, 140)})
        return no_right(hint, "the database")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """Open a read-only transaction for some questions.

        Raises:
            PostgresError: there is no answer. The connection is kept where the server said no.
        """
        await self.connect()
        connection = self._connection
        assert connection is not None
        try:
            async with connection.transaction(readonly=True):
                if self.pooled:
                    await connection.execute(
                        "; ".join(f"SET LOCAL {key} = {ms}" for key, ms in self._limits.items())
                    )
                yield connection
        except Exception as error:
            state = getattr(error, "sqlstate", None)
            if state in _SHARED:
                self.pooled = True
            if state is None or state in _SHARED:
                self.drop()
            raise self._explain(error) from None
        except BaseException:  # cut: what the server was asked is not known any more
            self.drop()
            raise

    def drop(self) -> None:
        """Let the connection go at once."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _read(self) -> str:
        """Return the DSN. Blocks."""
        try:
            with self._files[self.name].open(encoding="utf-8") as file:
                dsn = file.read(MAX_DSN).strip()
            parts = urlsplit(dsn)
        except KeyError:
            raise self._unusable("not named in the settings", {"unnamed": self.name}) from None
        except (OSError, ValueError) as error:
            if is_own_limit(error):
                raise PostgresError(_own_limit()) from None
            raise self._unusable("its dsn_file cannot be read") from None
        if parts.scheme not in ("postgresql", "postgres") or "\n" in dsn:
            raise self._unusable("its dsn_file holds no single line postgresql://...")
        for key, value in parse_qsl(parts.query):
            if key in _FILES and not os.access(value, os.R_OK):
                raise self._unusable(f"the {key} that its DSN names cannot be read")
        return dsn

    def _unusable(self, problem: str, cure: Mapping[str, Scalar] | None = None) -> PostgresError:
        params: dict[str, Scalar] = {"database": self.name, "problem": problem}
        hints = (Hint("credentials", cure or {"database": self.name}),)
        return PostgresError(Unreachable(Reason.CREDENTIALS, params, hints))

    def _explain(self, error: Exception) -> PostgresError:
        """What an error of the library, the system or the server means."""
        if isinstance(error, PostgresError):
            return error
        state = getattr(error, "sqlstate", None)
        if state == NO_RIGHT:
            return no_right(Hint(NEEDS_GRANT, {"user": self.user}))
        if isinstance(state, str):
            return PostgresError(_said(state, self.user, str(error)), state)
        return PostgresError(self._broken(error))

    def _broken(self, error: Exception) -> Unreachable:
        address: dict[str, Scalar] = {"address": f"postgresql:{self.name}"}
        if is_own_limit(error):
            return _own_limit()
        if isinstance(error, TimeoutError):
            return Unreachable(Reason.TIMEOUT, {"seconds": self._timeout})
        if isinstance(error, ssl.SSLError):
            return _unusable(_tls(error))
        if isinstance(error, socket.gaierror):
            return Unreachable(Reason.NAME_UNKNOWN, address)
        if isinstance(error, FileNotFoundError):
            return Unreachable(Reason.REFUSED, address)
        if "SSL" in str(error)[:200]:
            return _unusable("it offers no TLS, which sslmode demands")
        if isinstance(error, OSError) and error.errno is not None:
            return Unreachable(connect_error(error, "").reason, address)
        if type(error).__name__ == "ClientConfigurationError":
            return _unusable("its dsn_file has a fault")
        return Unreachable(Reason.STREAM_CLOSED, address)


class _Racing:
    """The running loop for asyncpg, whose connections go to the first address that takes them.

    asyncpg takes the hosts of a DSN in turn, as it should; `share` is what each may take, in s.
    """

    def __init__(self, share: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._share = share

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, host: str, port: int, **more: Any) -> Any:
        """As the loop's own, of which asyncpg uses this much."""
        async with asyncio.timeout(self._share):
            sock = await open_socket(await _found(host, port), port)
        if more.get("ssl") is not None:
            more.setdefault("server_hostname", host)
        try:
            return await self._loop.create_connection(factory, sock=sock, **more)
        except BaseException:
            sock.close()
            raise


async def _found(host: str, port: int) -> list[str]:
    """The host's addresses, or an OSError, which lets asyncpg go on to the next host."""
    try:
        return await addresses(host, port, None)
    except NodeError as error:
        if error.reason is Reason.TIMEOUT:
            raise TimeoutError from None
        if error.reason is Reason.OWN_LIMIT:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE)) from None
        raise socket.gaierror(socket.EAI_NONAME, "unknown") from None


def _own_limit() -> Unreachable:
    found = own_limit()
    return Unreachable(found.reason, found.params)


def _hosts(dsn: str) -> int:
    """How many hosts a DSN names, one at least."""
    parts = urlsplit(dsn)
    query = [value for key, value in parse_qsl(parts.query) if key == "host"]
    return max(text.count(",") for text in (parts.netloc.rpartition("@")[2], *query)) + 1


def _said(state: str, user: str, text: str) -> Unreachable | Refused:
    """What the server's own error code means; its text tells a pooler's apart, and is not shown."""
    if state == "08P01" and text.startswith(_REJECTED):
        state = "28P01"
    if "statement pooling mode" in text:
        return _unusable("a pooler (pgbouncer, pool_mode = statement) stands before it")
    if state == "08P01":
        for begin, detail in _POOLER.items():
            if text.startswith(begin):
                return _unusable(f"{detail}; ask the server itself")
    if state.startswith("28"):
        return Refused(Reason.CREDENTIALS, {"user": user}, (Hint("credentials", {"user": user}),))
    if state in _REASONS:
        return Unreachable(_REASONS[state])
    if state.startswith("08") and state not in _DETAILS:
        return Unreachable(Reason.STREAM_CLOSED)
    told = f" (SQLSTATE {state})" if _STATE.fullmatch(state) else ""
    return _unusable(_DETAILS.get(state, f"the server refuses the query{told}"))


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return distrust(error)
    return "it has no TLS that is understood, or the DSN's sslrootcert holds no certificate"


def _unusable(detail: str) -> Unreachable:
    return Unreachable(Reason.BAD_ANSWER, {"detail": detail})
