"""Bodies that come compressed though nobody asked for it: unpacked, as far as one may be long."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from kaspad_taskd.probes.answers import IN_LOOP, HttpError, bad_answer

MAX_ANSWER: Final = 1024 * 1024
"""Bytes of one answer, as it came and unpacked (contract section 5)."""
_PACKED: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Content-Encoding, and what zlib calls it."""
_RAW: Final = -15
"""A deflate without the head that it should have, as many a server sends it."""
_MEMBERS: Final = 64
"""Parts of one gzip, each of which may be empty."""


async def unpacked(body: bytes, encoding: str) -> bytes:
    """Return a body unpacked; what is larger than little in a thread.

    Raises:
        HttpError: it is packed otherwise, broken, or longer than an answer may be.
    """
    kind = encoding.strip().lower()
    if kind in ("identity", ""):
        return body
    if kind not in _PACKED:
        raise bad_answer("it is compressed in a way that nobody asked for; gzip can be read")
    form = _RAW if kind == "deflate" and not _has_head(body) else _PACKED[kind]
    if len(body) * 16 <= IN_LOOP:
        return _unpack(body, form)
    return await asyncio.to_thread(_unpack, body, form)


def _has_head(body: bytes) -> bool:
    """Whether it begins as zlib's format does (RFC 1950)."""
    return len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2]) % 31


def _unpack(body: bytes, form: int) -> bytes:
    """Every step is bounded by what is left of MAX_ANSWER, so that nothing small becomes huge."""
    found, rest = b"", body
    for _ in range(_MEMBERS):
        one = zlib.decompressobj(form)
        try:
            found += one.decompress(rest, MAX_ANSWER + 1 - len(found))
        except zlib.error:
            raise _broken() from None
        if len(found) > MAX_ANSWER:
            raise bad_answer("it is larger than 1 MiB")
        if not one.eof:
            raise _broken()
        rest = one.unused_data
        if not rest.strip(b"\0"):
            return found
    raise _broken()


def _broken() -> HttpError:
    return bad_answer("it says that it is compressed, and is not, or not to its end")
