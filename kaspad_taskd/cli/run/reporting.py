"""The run as a task: a thread that reads what the tap holds, and tells it once a second at most.

Nothing waits for it, whatever becomes of the daemon, but the end, for 200 ms.
"""

from __future__ import annotations

import _thread
from time import monotonic

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from kaspad_taskd.cli.run.following import End, Following
    from kaspad_taskd.cli.run.pump import Tap
    from kaspad_taskd.cli.run.wish import Wish

GRACE = 0.2
"""Seconds after the command's end for which the daemon is waited for."""
OURSELVES = 10.0
"""Seconds for which our own modules may be read from a slow disk."""
PACE = 1.0
"""Seconds between two reports, and between two tries."""
TICK = 0.25
"""Seconds between two looks at what the command says, while it says anything."""


class Reporting:
    """Tells of a run.

    Args:
        wish: how it is to be told.
        pid: of the command.
        began: when it did, s since 1970 UTC.
        taps: what is to be read of its streams, by number.
    """

    def __init__(self, wish: Wish, pid: int, began: float, taps: dict[int, Tap]) -> None:
        self._wish = wish
        self._pid = pid
        self._began = began
        self._taps = taps
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._ready = _thread.allocate_lock()
        self._ready.acquire()
        self._ended: End | None = None
        self.following: Following | None = None

    def start(self) -> None:
        """Begin, beside the command."""
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no thread is left: nothing is told of it
            self._ready.release()
            self._done.release()

    def end(self, code: int, took: float, stopped: int | None) -> None:
        """Tell how it ended; what cannot be told in time is left for the next client.

        Args:
            code: its exit code, or -n.
            took: seconds.
            stopped: the signal that went through us, if one did.
        """
        self._ended = ended = (code, took, stopped)
        self._wake.release()
        self._ready.acquire(timeout=OURSELVES)
        self._done.acquire(timeout=GRACE)
        if self.following is not None and not self.following.told:
            self.following.leave(ended)

    def _run(self) -> None:
        try:
            from kaspad_taskd.cli.run.following import Following

            try:
                self.following = Following(self._wish, self._pid, self._began, self._taps)
            finally:
                self._ready.release()
            self._follow(self.following)
        except Exception:  # whatever is wrong here is no harm to the command
            return
        finally:
            self._done.release()

    def _follow(self, following: Following) -> None:
        due = 0.0
        while self._ended is None:
            came = following.read()
            now = monotonic()
            if now >= due and following.tell(now):
                due = now + PACE
            self._wake.acquire(timeout=TICK if came else PACE)
        following.read(last=True)
        following.finish(self._ended)
