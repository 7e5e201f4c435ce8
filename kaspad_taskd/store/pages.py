"""The pages of a database file, read without SQLite: of one that it refuses or cannot open.

What is read here is the public file format (https://www.sqlite.org/fileformat2.html): pages, a
write-ahead log with images of them, and records in their cells. A page or cell that makes no sense
is passed over and counted; nothing here raises for what a file holds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from kaspad_taskd.base.frozen import frozen

Value: TypeAlias = int | float | str | bytes | None

PAGE = 4096
"""Bytes of a page: every state of ours has such."""
LOG = "-wal"
"""What the name of a file's write-ahead log ends with."""
_MAGIC = b"SQLite format 3\x00"
_LOG_MAGIC = 0x377F0682, 0x377F0683  # words of its checksums are little, or big endian
_LOG_HEADER, _FRAME = 32, 24
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER = 0x0D, 0x0A, 0x02
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # bytes of a number, by its serial type


@frozen
class Record:
    """A row as it stands in a cell: its rowid (None in an index) and its values."""

    rowid: int | None
    values: tuple[Value, ...]


class Log:
    """A write-ahead log: the images of pages that it adds to its file.

    Each frame is judged by itself, with the checksum that the one before it has, so one damaged
    frame costs no other. SQLite stops at the first and forgets what was committed behind it.

    Attributes:
        good: numbers of the frames that are sound, from 1.
        committed: number of the last sound frame that ends a transaction, 0 for none.
        broken: whether SQLite would forget something that was committed.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.good: list[int] = []
        self.committed = 0
        self._last = (len(content) - _LOG_HEADER) // (_FRAME + PAGE)
        headed = self._read_header() or self._guess_header()
        for number in range(1, self._last + 1) if headed else ():
            self._judge(number)
        within = sum(number <= self.committed for number in self.good)
        self.broken = self.committed > 0 and (not self._headed or within != self.committed)

    def _read_header(self) -> bool:
        head = self._content[:_LOG_HEADER]
        self._headed = False
        if len(head) < _LOG_HEADER:
            return False
        magic, _, size = struct.unpack(">III", head[:12])
        self._order = "<" if magic == _LOG_MAGIC[0] else ">"
        self._salts = head[16:24]
        sound = self._sum(head[:24], (0, 0)) == struct.unpack(">II", head[24:])
        self._headed = magic in _LOG_MAGIC and size == PAGE and sound
        return self._headed

    def _guess_header(self) -> bool:
        """What a damaged header said, by the first two frames that fit each other."""
        for number in range(2, self._last + 1):
            at = self._at(number)
            self._salts = self._content[at + 8 : at + 16]
            before = at - PAGE - _FRAME
            if self._content[before + 8 : before + 16] != self._salts:
                continue
            for self._order in ("<", ">"):
                if self._is_sound(number):
                    return True
        return False

    def _at(self, number: int) -> int:
        return _LOG_HEADER + (number - 1) * (_FRAME + PAGE)

    def _judge(self, number: int) -> None:
        at, content = self._at(number), self._content
        if content[at + 8 : at + 16] != self._salts:
            return  # of an earlier round of the log
        if self._is_sound(number):
            self.good.append(number)
            if content[at + 4 : at + 8] != b"\x00\x00\x00\x00":
                self.committed = number

    def _is_sound(self, number: int) -> bool:
        at, content = self._at(number), self._content
        before = content[24:32] if number == 1 else content[at - PAGE - 8 : at - PAGE]
        seed: tuple[int, int] = struct.unpack(">II", before)
        covered = content[at : at + 8] + content[at + _FRAME : at + _FRAME + PAGE]
        return self._sum(covered, seed) == struct.unpack(">II", content[at + 16 : at + 24])

    def _sum(self, data: bytes, seed: tuple[int, int]) -> tuple[int, int]:
        first, second = seed
        pairs = iter(struct.unpack(f"{self._order}{len(data) // 4}I", data))
        for one, two in zip(pairs, pairs, strict=True):
            first = (first + one + second) & 0xFFFFFFFF
            second = (second + two + first) & 0xFFFFFFFF
        return first, second

    def images(self) -> Iterator[tuple[int, bytes]]:
        """The number and the content of each page that was committed, oldest first."""
        for number in self.good:
            if number <= self.committed:
                at = self._at(number)
                (page,) = struct.unpack(">I", self._content[at : at + 4])
                yield page, self._content[at + _FRAME : at + _FRAME + PAGE]


class Pages:
    """The newest committed image of every page of a file and its log."""

    def __init__(self, content: bytes, log: bytes) -> None:
        self._pages = {
            at // PAGE + 1: content[at : at + PAGE]
            for at in range(0, len(content) - PAGE + 1, PAGE)
        }
        self._pages.update(image for image in Log(log).images() if image[0] > 0)
        self.senseless = 0

    @classmethod
    def of(cls, path: Path) -> Pages:
        """Read a file and the log beside it, if there is one.

        Raises:
            OSError: one of them cannot be read.
        """
        content, log = path.read_bytes(), b""
        if content[18:20] != b"\x01\x01":  # else the log is a stranger's: see drop_stray_log
            beside = path.with_name(path.name + "-wal")
            log = beside.read_bytes() if beside.exists() else b""
        return cls(content, log)

    def content(self) -> bytes:
        """All of it as one file that needs no log."""
        blank = bytes(PAGE)
        last = max(self._pages, default=0)
        whole = bytearray().join(self._pages.get(number, blank) for number in range(1, last + 1))
        if whole[:16] == _MAGIC:
            whole[18:20] = b"\x01\x01"
        return bytes(whole)

    def records(self) -> Iterator[list[Record]]:
        """The rows that can be read, page by page: those of one are of one table or index.

        `senseless` counts the cells that cannot be. Pages that the file itself calls free are left
        out: what they hold was deleted.
        """
        free = self._free()
        for number in sorted(self._pages):
            if number not in free:
                yield list(self._cells(number))

    def _free(self) -> set[int]:
        """The freelist, as far as it can be followed."""
        first = self._pages.get(1, b"")
        found: set[int] = set()
        if first[:16] != _MAGIC:
            return found
        (trunk,) = struct.unpack(">I", first[32:36])
        while trunk in self._pages and trunk not in found and trunk != 1:
            page = self._pages[trunk]
            following, count = struct.unpack(">II", page[:8])
            if count > PAGE // 4 - 2:
                break  # that is no trunk: what it would call free may be live
            found.add(trunk)
            found.update(struct.unpack(f">{count}I", page[8 : 8 + 4 * count]))
            trunk = following
        return found

    def _cells(self, number: int) -> Iterator[Record]:
        page = self._pages[number]
        head = 100 if number == 1 else 0
        kind = page[head]
        if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER):
            return
        (count,) = struct.unpack(">H", page[head + 3 : head + 5])
        start = head + (12 if kind == _INDEX_INNER else 8)
        if start + 2 * count > PAGE:
            self.senseless += 1
            return
        for at in struct.unpack(f">{count}H", page[start : start + 2 * count]):
            try:
                yield self._cell(page, at, kind)
            except (IndexError, ValueError, struct.error):  # UnicodeDecodeError is a ValueError
                self.senseless += 1

    def _cell(self, page: bytes, at: int, kind: int) -> Record:
        if kind == _INDEX_INNER:
            at += 4
        size, at = _varint(page, at)
        rowid: int | None = None
        if kind == _TABLE_LEAF:
            rowid, at = _varint(page, at)
        largest = PAGE - 35 if kind == _TABLE_LEAF else (PAGE - 12) * 64 // 255 - 23
        if size <= largest:
            return Record(rowid, _values(_exactly(page, at, size)))
        least = (PAGE - 12) * 32 // 255 - 23
        local = least + (size - least) % (PAGE - 4)
        local = local if local <= largest else least
        (following,) = struct.unpack(">I", _exactly(page, at + local, 4))
        return Record(rowid, _values(page[at : at + local] + self._rest(following, size - local)))

    def _rest(self, number: int, size: int) -> bytes:
        """What a row has on pages of its own."""
        parts: list[bytes] = []
        while size > 0:
            page = self._pages.get(number)
            if page is None or len(parts) > len(self._pages):
                raise ValueError("it goes on nowhere")
            (number,) = struct.unpack(">I", page[:4])
            parts.append(page[4 : 4 + min(size, PAGE - 4)])
            size -= PAGE - 4
        return b"".join(parts)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        byte = data[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def _exactly(data: bytes, at: int, size: int) -> bytes:
    part = data[at : at + size]
    if len(part) != size:
        raise ValueError("it ends beyond its page")
    return part


def _values(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError("it does not end where it should")
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind >= 12:
        size = (kind - 12) // 2
        part = _exactly(payload, at, size)
        return part.decode() if kind % 2 else part, at + size
    size = _SIZES[kind]
    part = _exactly(payload, at, size)
    if kind == 7:
        (real,) = struct.unpack(">d", part)
        return float(real), at + size
    if kind in (8, 9):
        return kind - 8, at
    return (int.from_bytes(part, "big", signed=True) if kind else None), at + size
