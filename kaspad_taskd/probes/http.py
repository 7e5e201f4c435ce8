"""One HTTP client for every probe: bounded in size and time, no redirects, a kept connection.

Only addresses that the task may ask are connected to, whatever a name resolves to. Nothing of an
answer stands in an error: its words are ours.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
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
from kaspad_taskd.probes.answers import (
    NOT_READY,
    Answer,
    HttpError,
    bad_answer,
    check_status,
    of_connection,
)
from kaspad_taskd.probes.local import LocalSocket
from kaspad_taskd.probes.probe_type import Allow
from kaspad_taskd.probes.unpacked import MAX_ANSWER, unpacked
from kaspad_taskd.probes.urls import Url

MAX_HEADER: Final = 8192
"""Bytes of a file whose content is sent."""
MAX_CA: Final = 1024 * 1024
"""Bytes of a file with certificates: all that a system trusts are a quarter of it."""
KEPT: Final = 90.0
"""Seconds that an idle connection is kept: looks are mostly 10 s apart, a minute at most."""
HTTP2: Final = "it speaks HTTP/2 alone, and is asked over HTTP/1.1"
_SETTINGS: Final = re.compile(r"b['\"]\\x00\\x00(\\x..|.)\\x04(\\x00){5}")
"""How a server of HTTP/2 begins, as aiohttp's error shows it."""
_WANTS_CERTIFICATE: Final = (
    "CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA",
    "ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_REVOKED",
)  # fmt: skip
"""Of a server's alerts, by OpenSSL's names."""
FORBIDDEN: Final = 403
_LITTLE: Final = 1024
"""Bytes of a refusal that are read."""
_LET_GO: Final = errno.ECONNRESET, errno.EPIPE


class HttpClient:
    """Asks one service, over a connection that is opened when needed and kept.

    Args:
        allow: checked with each address that is connected to; None allows all.
        timeout: seconds that one question may take, connecting included.
        headers: by name, the file whose content is sent.
        ca: the file with the certificates that are trusted, instead of the system's; it is read
            with the first question, and again after a certificate that was not trusted.
        cert: the PEM file with the certificate that we show, and its key; it is read as `ca` is.
        local: the Unix socket that is connected to, whatever host the URL names.
    """

    def __init__(
        self,
        allow: Allow | None,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        ca: str | None = None,
        cert: str | None = None,
        local: LocalSocket | None = None,
    ) -> None:
        self._allow = allow
        self._timeout = timeout
        self._files = headers or {}
        self._ca = ca
        self._cert = cert
        self._local = local
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: Url, body: bytes | None = None) -> Answer:
        """Return the answer; with a body, which is JSON as a rule, it is a POST.

        Raises:
            HttpError: there is none that can be used.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(url, body)
        except TimeoutError:
            raise HttpError(Reason.TIMEOUT, {"seconds": self._timeout}) from None
        except NodeError as error:
            raise of_connection(error) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if _is_tls(error):
                await self.close()  # so that a new `ca` or `cert` is taken up
            if self._local is not None and is_closed(error):
                raise self._local.refused() from None
            raise explain(error, self._address(url)) from None

    async def close(self) -> None:
        """Let the connection go."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._local is not None:
            self._local.let_go()

    def _address(self, url: Url) -> str:
        return host_port(*url.place) if self._local is None else f"unix:{self._local.path}"

    async def _get(self, url: Url, body: bytes | None) -> Answer:
        if self._local is not None:
            if await asyncio.to_thread(self._local.hold) and self._session is not None:
                await self._session.close()
                self._session = None
        elif _is_address(url.host):  # a name is checked by the resolver
            await addresses(url.host, url.port, self._allow)
        headers = await asyncio.to_thread(read_files, self._files) if self._files else None
        try:
            return await self._ask(url, headers, body)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientOSError) and error.errno not in _LET_GO:
                raise
            return await self._ask(url, headers, body)  # the kept connection was let go meanwhile

    async def _ask(self, url: Url, headers: Mapping[str, str] | None, body: bytes | None) -> Answer:
        session = self._session or await self._open()
        if body is not None:
            headers = {"Content-Type": "application/json", **_lower(headers or {})}
        async with session.request(
            "GET" if body is None else "POST",
            URL(str(url), encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
        ) as response:
            challenge = "WWW-Authenticate" in response.headers
            if response.status == FORBIDDEN and not challenge and await _wants_http2(response):
                raise bad_answer(HTTP2)
            check_status(response.status, challenge)
            return Answer(response.status, await _body(response))

    async def _find(self, host: str, port: int) -> list[str]:
        return await addresses(host, port, self._allow)

    async def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=await self._connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )
        return self._session

    async def _connector(self) -> aiohttp.BaseConnector:
        if self._local is not None:
            return aiohttp.UnixConnector(self._local.place, keepalive_timeout=KEPT, limit=2)
        trusted: ssl.SSLContext | bool = True
        if self._ca is not None or self._cert is not None:
            trusted = await asyncio.to_thread(tls, self._ca, self._cert)
        return aiohttp.TCPConnector(
            ssl=trusted,
            resolver=Resolver(self._find),
            use_dns_cache=False,
            keepalive_timeout=KEPT,
            limit=2,
        )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, with our own name of the one that may replace ours."""
    ours = "Content-Type"
    return {ours if name.lower() == ours.lower() else name: headers[name] for name in headers}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _wants_http2(response: aiohttp.ClientResponse) -> bool:
    """Whether a refusal is node's: "Missing ALPN Protocol, expected `h2` to be available"."""
    if response.version != aiohttp.HttpVersion10:
        return False
    return b"ALPN Protocol, expected `h2`" in await response.content.read(_LITTLE)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked; of a service that is not ready one that cannot be tells nothing."""
    packed = response.headers.get("Content-Encoding", "identity")
    body = await _read(response.content)
    try:
        return await unpacked(body, packed)
    except HttpError:
        if response.status in NOT_READY:
            return b""
        raise


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
            raise of_connection(own_limit()) from None
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
            raise of_connection(own_limit()) from None
        raise HttpError(Reason.CREDENTIALS, {"certificates": str(file)}) from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def tls(ca: str | None, cert: str | None) -> ssl.SSLContext:
    """Return a context that trusts `ca`, or what the system does, and shows `cert`; blocking.

    Raises:
        HttpError: one of the files cannot be used.
    """
    context = ssl.create_default_context() if ca is None else trust(Path(ca))
    if cert is not None:
        try:
            context.load_cert_chain(cert, password=lambda: b"")  # else a terminal would be asked
        except (OSError, ValueError) as error:
            if is_own_limit(error):
                raise of_connection(own_limit()) from None
            raise HttpError(Reason.CREDENTIALS, {"client": cert}) from None
    return context


def _is_tls(error: Exception) -> bool:
    """Whether it was TLS that failed; what comes after the handshake is a cause alone."""
    causes = (error, error.__cause__, getattr(error, "os_error", None))
    return any(isinstance(each, ssl.SSLError | aiohttp.ClientSSLError) for each in causes)


def is_closed(error: Exception) -> bool:
    """Whether the system does not let us in there."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return isinstance(cause, PermissionError)


def explain(error: Exception, address: str) -> HttpError:
    """Return what a failed question means; `address` is what was asked."""
    if isinstance(error, HttpError):
        return error
    if is_own_limit(error):
        return of_connection(own_limit())
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return bad_answer(distrust(error.certificate_error))
    if _is_tls(error):
        return bad_answer(_alert(error))
    if isinstance(error, aiohttp.ClientResponseError) and _SETTINGS.search(error.message):
        return bad_answer(HTTP2)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return HttpError(Reason.STREAM_CLOSED, {"address": address})
    if isinstance(error, OSError):
        return _connecting(error, address)
    return bad_answer("it is no HTTP")


def _alert(error: Exception) -> str:
    """What is wrong with a TLS that failed, as the server said it."""
    text = str(error)
    if any(each in text for each in _WANTS_CERTIFICATE):
        return "it wants another client certificate than it got (client_cert), or any"
    if "ALERT_HANDSHAKE_FAILURE" in text:
        return "it refuses our TLS; it may want a client certificate (client_cert)"
    return HTTP2 if "NO_APPLICATION_PROTOCOL" in text else NO_TLS


def _connecting(error: OSError, address: str) -> HttpError:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return of_connection(connect_error(cause, address))
