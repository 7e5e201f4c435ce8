"""URLs as checkers name them, and the files whose content is sent as headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import SplitResult, urlsplit

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Table
from kaspad_taskd.base.values import quote
from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.connect import host_port
from kaspad_taskd.probes.probe_type import FILES_ONLY, Checker, read_files_only

PORTS: Final = {"http": 80, "https": 443}
HEADER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
OURS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"}
)
"""Headers that the client sets itself."""
MAX_BODY: Final = 16_384
"""Characters that are posted."""
_OURS: Final = "kaspad-taskd"
_OUR_SOCKETS: Final = frozenset({"rpc.sock", "watch.sock"})
_PEM: Final = r"/.*", "must be the absolute path of a PEM file"
_VISIBLE: Final = re.compile(r"[!-~]+")


@frozen
class Url:
    """An http or https URL; `rest` is its path with its query, beginning with a slash, or ""."""

    scheme: str
    host: str
    port: int
    rest: str = ""

    @property
    def base(self) -> str:
        """It without path and query: what is asked, without what might be secret."""
        return f"{self.scheme}://{host_port(self.host, self.port)}"

    @property
    def path(self) -> str:
        """Its path, without the query and without a slash at its end."""
        return self.rest.partition("?")[0].rstrip("/")

    @property
    def place(self) -> tuple[str, int]:
        """Host and port that are connected to."""
        return self.host, self.port

    def __str__(self) -> str:
        return self.base + self.rest


def parse_url(text: str) -> Url:
    """Return what a URL names.

    Raises:
        ValueError: what is wrong with it and what it must be, as a sentence.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{quote(text)} is no URL like http://localhost:8500") from None
    _check(parts, text)
    if port == 0:
        raise ValueError("port 0 is none; it must be 1 to 65535")
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if rest.startswith("?"):
        rest = f"/{rest}"
    return Url(parts.scheme, parts.hostname or "", port or PORTS[parts.scheme], rest)


def _check(parts: SplitResult, text: str) -> None:
    if parts.scheme not in PORTS:
        raise ValueError(f"scheme {quote(parts.scheme)} is unknown; use http:// or https://")
    if not parts.hostname:
        raise ValueError("the host is missing; it must be like http://localhost:8500")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user or password may stand in it; send a header from a file (headers)")
    if parts.fragment:
        raise ValueError("nothing may follow a #; leave it out")
    if not _VISIBLE.fullmatch(text):
        raise ValueError("has spaces or letters beyond ASCII; write them as %20 and so on")


def read_url(table: Table, key: str) -> Url | None:
    """Return the URL at a key, None where it is faulty, which is noted."""
    text = table.string(key, maximum=2048)
    try:
        return parse_url(text) if text else None
    except ValueError as fault:
        table.fault(key, str(fault))
        return None


def read_headers(table: Table) -> Mapping[str, str]:
    """Return `headers`: names, and the absolute path of the file that holds the value of each.

    Over an API they are forbidden: they would send any file that the daemon can read.
    """
    headers = table.texts("headers", {})
    if headers and table.style == "json":
        table.fault("headers", FILES_ONLY, kind="forbidden")
    for name, file in headers.items():
        table.fault_each("headers", _wrong_with(name, file), name)
    return headers


def _wrong_with(name: str, file: str) -> Iterator[str]:
    if not HEADER.fullmatch(name) or name.lower() in OURS:
        yield f"{quote(name)} is no name of a header that can be sent"
    if not file.startswith("/"):
        yield f"{quote(name)} must name a file by its absolute path"


def read_ca(table: Table) -> str | None:
    """Return `ca`: the absolute path of the PEM file with the certificates that are trusted.

    Over an API it is forbidden, as every path that is opened for whoever names it.
    """
    return read_files_only(table, "ca", *_PEM)


def read_client_cert(table: Table, url: Url | None) -> str | None:
    """Return `client_cert`: the absolute path of the PEM file with our certificate and its key.

    Over an API it is forbidden, as `ca` is.
    """
    key = "client_cert"
    file = read_files_only(table, key, *_PEM)
    if file is None or table.style == "json":
        return file
    if url is not None and url.scheme != "https":
        table.fault(key, "needs an https:// url; plain HTTP shows no certificate")
    return file


def read_unix_socket(table: Table, url: Url | None) -> str | None:
    """Return `unix_socket`: the absolute path of the socket that is asked in the URL's place.

    Over an API it is forbidden: many a local service trusts whoever reaches its socket.
    """
    key = "unix_socket"
    path = read_files_only(table, key, r"/[^\0]*", "must be the absolute path of a Unix socket")
    if path is None or table.style == "json":
        return path
    if PurePosixPath(path).name in _OUR_SOCKETS and PurePosixPath(path).parent.name == _OURS:
        table.fault(key, "is kaspad-taskd's own, which no task may ask; use kaspad-taskctl")
    elif url is not None and url.scheme != "http":
        table.fault(key, "needs an http:// url, like http://localhost/status")
    return path


def read_body(table: Table) -> str | None:
    """Return `body`: what is posted; without it the question is a GET.

    Over an API it is forbidden: a POST may change what it asks.
    """
    return read_files_only(table, "body", maximum=MAX_BODY)


def checker_of(
    config: Mapping[str, Json],
    headers: Mapping[str, str],
    *urls: Url | None,
    unix_socket: str | None = None,
) -> Checker:
    """Return a checker without what was not given; the first URL is what is asked.

    With a Unix socket no address is connected to.
    """
    kept = {key: value for key, value in config.items() if value is not None}
    if headers:
        kept["headers"] = dict(headers)
    first = urls[0] if urls else None
    base = first.base if first is not None and unix_socket is None else f"unix:{unix_socket}:"
    endpoint = None if first is None else base + first.path
    asked = () if unix_socket is not None else urls
    return Checker(kept, endpoint, tuple(url.place for url in asked if url is not None))
