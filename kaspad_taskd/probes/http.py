"""One HTTP client for every probe: bounded in size and time, no redirects, a kept connection.

Only addresses that the task may ask are connected to, whatever a name resolves to. Nothing of an
answer stands in an error: its words are ours.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from kaspad_taskd.base.descriptors import is_own_limit
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.connect import (
    NO_TLS,
    addresses,
    connect_error,
    distrust,
    host_port,
    own_limit,
)
from kaspad_taskd.kaspa.resolver import Resolver
from kaspad_taskd.probes.answers import Answer, HttpError, bad_answer, check_status
from kaspad_taskd.probes.probe_type import Allow
from kaspad_taskd.probes.urls import Url

MAX_ANSWER: Final = 1024 * 1024
"""Bytes of one answer (contract section 5)."""
MAX_HEADER: Final = 8192
"""Bytes of a file whose content is sent."""
MAX_CA: Final = 1024 * 1024
"""Bytes of a file with certificates: all that a system trusts are a quarter of it."""
KEPT: Final = 90.0
"""Seconds that an idle connection is kept: looks are mostly 10 s apart, a minute at most."""
_LET_GO: Final = errno.ECONNRESET, errno.EPIPE


class HttpClient:
    """Asks one service, over a connection that is opened when needed and kept.

    Args:
        allow: checked with each address that is connected to; None allows all.
        timeout: seconds that one question may take, connecting included.
        headers: by name, the file whose content is sent.
        ca: the file with the certificates that are trusted, instead of the system's; it is read
            with the first question, and again after a certificate that was not trusted.
    """

    def __init__(
        self,
        allow: Allow | None,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        ca: str | None = None,
    ) -> None:
        self._allow = allow
        self._timeout = timeout
        self._files = headers or {}
        self._ca = ca
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: Url) -> Answer:
        """Return the answer.

        Raises:
            HttpError: there is none that can be used.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(url)
        except TimeoutError:
            raise HttpError(Reason.TIMEOUT, {"seconds": self._timeout}) from None
        except NodeError as error:
            raise HttpError(error.reason, error.params) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                await self.close()  # so that a new `ca` is taken up
            raise explain(error, url) from None

    async def close(self) -> None:
        """Let the connection go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, url: Url) -> Answer:
        if _is_address(url.host):  # a name is checked by the resolver
            await addresses(url.host, url.port, self._allow)
        headers = await asyncio.to_thread(read_files, self._files) if self._files else None
        try:
            return await self._ask(url, headers)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientOSError) and error.errno not in _LET_GO:
                raise
            return await self._ask(url, headers)  # the kept connection was let go meanwhile

    async def _ask(self, url: Url, headers: Mapping[str, str] | None) -> Answer:
        session = self._session or await self._open()
        async with session.get(
            URL(str(url), encoded=True), headers=headers, allow_redirects=False
        ) as response:
            check_status(response.status, "WWW-Authenticate" in response.headers)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise bad_answer("it is compressed, which nobody asked for")
            return Answer(response.status, await _read(response.content))

    async def _find(self, host: str, port: int) -> list[str]:
        return await addresses(host, port, self._allow)

    async def _open(self) -> aiohttp.ClientSession:
        trusted = True if self._ca is None else await asyncio.to_thread(trust, Path(self._ca))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=trusted,
                resolver=Resolver(self._find),
                use_dns_cache=False,
                keepalive_timeout=KEPT,
                limit=2,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )
        return self._session


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _read(content: aiohttp.StreamReader) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in content.iter_any():
        size += len(part)
        if size > MAX_ANSWER:
            raise bad_answer("it is larger than 1 MiB")
        parts.append(part)
    return b"".join(parts)


def read_files(files: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the values that their files hold; blocking.

    Raises:
        HttpError: a file cannot be read, or holds no header.
    """
    return {name: _value(Path(file)) for name, file in files.items()}


def _value(file: Path) -> str:
    try:
        with file.open("rb") as source:
            value = source.read(MAX_HEADER + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        if is_own_limit(error):
            raise _own_limit() from None
        value = ""
    if not value or len(value) > MAX_HEADER or not value.isprintable():
        raise HttpError(Reason.CREDENTIALS, {"file": str(file)})
    return value


def trust(file: Path) -> ssl.SSLContext:
    """Return a context that trusts a PEM file's certificates, a server's own too; blocking.

    Raises:
        HttpError: it cannot be read, or holds none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with file.open(encoding="ascii") as source:
            context.load_verify_locations(cadata=source.read(MAX_CA))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if is_own_limit(error):
            raise _own_limit() from None
        raise HttpError(Reason.CREDENTIALS, {"certificates": str(file)}) from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def explain(error: Exception, url: Url) -> HttpError:
    """Return what a failed question means."""
    if isinstance(error, HttpError):
        return error
    if is_own_limit(error):
        return _own_limit()
    address = host_port(*url.place)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return bad_answer(distrust(error.certificate_error))
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return bad_answer(NO_TLS)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return HttpError(Reason.STREAM_CLOSED, {"address": address})
    if isinstance(error, OSError):
        return _connecting(error, address)
    return bad_answer("it is no HTTP")


def _own_limit() -> HttpError:
    found = own_limit()
    return HttpError(found.reason, found.params)


def _connecting(error: OSError, address: str) -> HttpError:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    found = connect_error(cause, address)
    return HttpError(found.reason, found.params)
