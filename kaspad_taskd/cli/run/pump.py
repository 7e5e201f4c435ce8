"""Bytes from the command to where they would have gone without us, all of them, as they come.

A stream has a thread of its own: one whose reader is slow holds up no other. What is told of them
is taken from a tap beside the way, which holds little; what it cannot hold goes by.
"""

from __future__ import annotations

import _thread
import os
import select
from collections import deque
from errno import EINVAL, EIO
from time import monotonic, sleep

from kaspad_taskd.cli.run.descriptors import widen

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.descriptors import Stream
    from kaspad_taskd.cli.run.sieve import Sieve

CHUNK = 1 << 18
HELD = 65536
"""Bytes that a tap holds until they are taken; beyond, whole chunks go by."""
LAST = 4096
"""Bytes of a stream's end that are kept."""
HELD_MS = 1000
"""Milliseconds of silence after which what may be the begin of an answer is passed on."""
_WINDOW = 0.25  # seconds
_FLOOD = 1 << 20  # bytes of a window, beyond which the kernel moves the rest of it by itself
_GATHERS = 1 << 18  # bytes; who moves fewer of a flood waits until there is more
_GATHERED = 50e-6  # seconds: less than that takes a flood to fill a pipe of ours


class Tap:
    """What of a stream is to be read: chunks, and None where some have gone by."""

    def __init__(self) -> None:
        self.chunks: deque[bytes | None] = deque()
        self.last = b""
        self.lines_gone = 0
        self.counts = False  # the lines of what goes by are counted
        self.sieve: Sieve | None = None  # of a tool that is asked
        self._put = self._taken = 0  # bytes; each is changed by one thread alone
        self._skips = False

    def put(self, data: bytes) -> None:
        """Take note of a chunk that has been passed on."""
        size = len(data)
        self.last = data[-LAST:] if size >= LAST else (self.last + data)[-LAST:]
        if self._put - self._taken >= HELD:
            self.lines_gone += data.count(b"\n") if self.counts else 0
            self.gone()
            return
        self._put += size
        self._skips = False
        self.chunks.append(data)

    def gone(self) -> None:
        """Take note that bytes went by."""
        if not self._skips:
            self._skips = True
            self.chunks.append(None)

    def take(self) -> bytes | None:
        """Return the next chunk, None where some went by; raises IndexError: there is none."""
        data = self.chunks.popleft()
        self._taken += len(data or b"")
        return data


class Pump:
    """One stream's way; it begins at once, in a thread of its own.

    Attributes:
        tap: what may be read of it.
        open: the stream has not ended.
        moved: chunks that have been passed on.
        whole: all of it has to come by the tap, however much there is.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.tap = Tap()
        self.open = True
        self.moved = 0
        self.whole = True
        self._stop, self._wake = os.pipe()
        self._stopping = False
        self._ended = _thread.allocate_lock()
        self._poll = select.poll()
        self._poll.register(stream.source, select.POLLIN)
        self._poll.register(self._stop, select.POLLIN)
        self._splices = not stream.terminal and hasattr(os, "splice")
        self._until, self._much = 0.0, 0

    def start(self) -> None:
        """Begin."""
        self._ended.acquire()
        _thread.start_new_thread(self._run, ())

    def stop(self) -> None:
        """Let it end when what has come is passed on, the stream open or not."""
        self._stopping = True
        os.write(self._wake, b".")

    def join(self, timeout: float) -> bool:
        """Return whether it has ended, after so many seconds at most."""
        if not self._ended.acquire(timeout=timeout):
            return False
        self._ended.release()
        return True

    def reopen(self) -> None:
        """Begin anew in another process, which has none of our threads."""
        self.__init__(self.stream)  # type: ignore[misc]
        self.whole = False

    def close(self) -> None:
        """Let go of what it needed, once it has ended."""
        os.close(self._stop)
        os.close(self._wake)

    def _run(self) -> None:
        try:
            self.pass_on()
        finally:
            self._ended.release()

    def pass_on(self) -> None:
        """Pass on what comes, until the stream ends or nothing is there and it is to stop."""
        source = self.stream.source
        while self.open:
            try:
                if self._spliced():
                    continue
                data = os.read(source, CHUNK)
            except BlockingIOError:
                if not self._waited():
                    return
                continue
            except OSError as error:  # a terminal says so that nobody has it any more
                if error.errno != EIO:
                    raise
                data = b""
            if data:
                self._give(data)
                continue
            if self.tap.sieve is not None:
                self._write(self.tap.sieve.end())
            if self.open:
                self._close()

    def _waited(self) -> bool:
        """Wait for more; returns False: nothing is there, and it is to stop."""
        sieve = self.tap.sieve
        if self._stopping:
            if sieve is not None and self.open:
                self._write(sieve.end())
            return False
        if not self._poll.poll(HELD_MS if sieve is not None and sieve.held else None) and sieve:
            self._write(sieve.let_go())
        return True

    def _give(self, data: bytes) -> None:
        self.tap.put(data)
        self._much += len(data)
        self._write(data if self.tap.sieve is None else self.tap.sieve.feed(data))
        self.moved += 1

    def _write(self, data: bytes) -> None:
        left: bytes | memoryview = data
        while left:
            try:
                done = os.write(self.stream.sink, left)
            except BlockingIOError:  # somebody who has it too made it so
                _until_writable(self.stream.sink)
            except OSError:  # nobody reads any more: the command will learn of it, as without us
                self._close()
                return
            else:
                left = memoryview(left)[done:] if done < len(left) else b""

    def _spliced(self) -> bool:
        """Let the kernel move what comes, where there is so much that nobody could read it."""
        if self.whole or self.tap.sieve or not self._splices or self._much < _FLOOD:
            return False
        now = monotonic()
        if now >= self._until:
            self._until, self._much = now + _WINDOW, 0
            widen(self.stream.sink)
            return False
        try:
            moved = os.splice(self.stream.source, self.stream.sink, 1 << 20, flags=_NONBLOCK)
        except BlockingIOError:
            if not _is_readable(self.stream.source):
                raise
            _until_writable(self.stream.sink)
            return True
        except OSError as error:
            if error.errno == EINVAL:  # no place for it: a file that is only added to
                self._splices = False
                return False
            self._close()
            return True
        if moved:
            self.moved += 1
            self.tap.gone()
            if moved < _GATHERS:  # a step for each page would cost both sides their time
                sleep(_GATHERED)
        else:
            self._close()
        return True

    def _close(self) -> None:
        self.open = False
        os.close(self.stream.source)


def leave_to_heir(pumps: Sequence[Pump]) -> None:
    """Let another process pass on what comes from those whom the command has left behind.

    As without us, it has ended, and they go on writing to where it did.
    """
    left = [pump for pump in pumps if pump.open]
    if not left:
        return
    try:
        if os.fork():
            return
    except OSError:  # they will be told that nobody reads
        return
    try:
        _inherit(left)
    finally:
        os._exit(0)


def _inherit(pumps: Sequence[Pump]) -> None:
    import signal

    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)  # it ends when they do
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    kept = {each for pump in pumps for each in (pump.stream.source, pump.stream.sink)}
    for descriptor in set(range(max(kept) + 64)) - kept:
        try:
            os.close(descriptor)
        except OSError:
            pass
    for pump in pumps:
        pump.reopen()
        pump.start()
    for pump in pumps:
        pump.join(-1)


_NONBLOCK = 2  # SPLICE_F_NONBLOCK of <fcntl.h>


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _until_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
