"""What requests are answered with: pages, values, files, packed where who asks takes that.

A large answer goes out in pieces, with others served in between.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from aiohttp import web

from kaspad_taskd.base import jsontext

Json: TypeAlias = Any

PACKED_FROM: Final = 1024
"""Bytes from which an answer is compressed."""
PIECE: Final = 1 << 17
"""Bytes that are handed to the system at once: of 20 MB, which are the metrics of 10,000 tasks, the
loop would stand still for 30 ms."""


class Packed:
    """A file of the page, with its tag; packed once."""

    def __init__(self, data: bytes, kind: str) -> None:
        self._data = data
        self._packed = gzip.compress(data, mtime=0) if len(data) >= PACKED_FROM else None
        self._kind = kind
        self._tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'

    def response(self, request: web.Request) -> web.Response:
        """Return it, or that the client has it already."""
        headers = {"ETag": self._tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if self._tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = self._kind
        if self._packed is not None and takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=self._packed, headers=headers)
        return web.Response(body=self._data, headers=headers)


def takes_gzip(request: web.Request) -> bool:
    """Whether who asks takes what is compressed."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


def answer(
    data: bytes | Sequence[bytes], headers: Mapping[str, str], status: int = 200
) -> web.Response:
    """Return the response with this body; one that is made in pieces is not put together."""
    parts = (data,) if isinstance(data, bytes) else data
    size = sum(map(len, parts))
    if size <= PIECE:
        return web.Response(body=b"".join(parts), status=status, headers=headers)
    length = {"Content-Length": str(size)}
    return web.Response(body=_pieces(parts), status=status, headers={**headers, **length})


async def _pieces(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        for start in range(0, len(part), PIECE):
            yield part[start : start + PIECE]
            await asyncio.sleep(0)


def as_html(request: web.Request, text: str, status: int = 200) -> web.Response:
    """Return a page; 401: it asks for the token."""
    data = text.encode(errors="replace")
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if len(data) >= PACKED_FROM and takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data, compresslevel=5, mtime=0)
    return answer(data, headers, status)


def as_text(status: int, text: str) -> web.Response:
    """Return a line of text."""
    return web.Response(text=f"{text}\n", status=status)


def as_json(value: Json, status: int = 200) -> web.Response:
    """Return a value for programs."""
    body = jsontext.dumps(value)
    return web.Response(body=body, status=status, content_type="application/json")


def see_other(where: str) -> web.Response:
    """Return where to go on, by GET."""
    return web.Response(status=303, headers={"Location": where})
