"""One daemon per state: a lock file beside it, held as long as the store is open."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from kaspad_taskd.store.fault import StoreError, UnwritableError, is_unwritable


class HeldError(StoreError):
    """Another daemon has the lock.

    Attributes:
        owner: its process, as it wrote it, or "unknown".
    """

    def __init__(self, owner: str, place: Path) -> None:
        super().__init__(
            f"another kaspad-taskd (process {owner}) uses {place}: "
            "stop it, or give this one a --state-dir of its own"
        )
        self.owner = owner


class Lock:
    """The lock beside a state file. The kernel lets it go when the process ends, however it does.

    The file stays: removing it would let two daemons lock two files of one name.

    Attributes:
        known: whether the file was there before, so a store has been here.
    """

    def __init__(self, state: Path) -> None:
        self._path = state.with_name(f"{state.name}.lock")
        self._name = str(self._path)
        self._handle: int | None = None
        self.known = False

    def take(self) -> None:
        """Take the lock, at once or not at all; who holds it as a reader lets go at no time.

        Raises:
            HeldError: another daemon has the lock.
            UnwritableError: the directory is not writable.
            StoreError: the directory is missing.
        """
        self.known = self._path.exists()
        handle = self._open()
        held = self._holds(handle)
        if not held:
            self._hold(handle)
        with suppress(OSError):  # a full disk takes the lock, and not our number
            self._sign(handle)
        if held:
            os.close(handle)

    def look(self) -> None:
        """Where it cannot be taken for writing: hold it as a reader of its file, if there is one.

        Raises:
            HeldError: another daemon has the lock.
        """
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return  # nobody can have it, or nobody can know
        self.known = True
        if self._holds(handle):
            os.close(handle)
        else:
            self._hold(handle)

    def _holds(self, handle: int) -> bool:
        """Whether the file open there is held already; claimed once more, it would be refused."""
        return self._handle is not None and os.path.sameopenfile(handle, self._handle)

    def _hold(self, handle: int) -> None:
        """Claim the file open there in the place of what was held, which is let go only then."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
            os.close(handle)
            raise HeldError(owner or "unknown", self._path.parent) from None
        self.release()
        self._handle = handle

    def keep(self) -> bool:
        """See that the lock is still at its name; where it was removed, make and take it again.

        Returns:
            Whether it is ours: not where another file is there now, or somebody else was quicker.

        Raises:
            OSError: it cannot be made.
        """
        assert self._handle is not None
        try:
            own, there = os.fstat(self._handle), os.stat(self._name)  # noqa: PTH116 - µs count
            return (own.st_ino, own.st_dev) == (there.st_ino, there.st_dev)
        except FileNotFoundError:
            pass
        try:
            fresh = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(fresh, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileExistsError, BlockingIOError):
            return False
        self._sign(fresh)
        os.close(self._handle)
        self._handle = fresh
        return True

    @staticmethod
    def _sign(handle: int) -> None:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def _open(self) -> int:
        where = self._path.parent
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            raise StoreError(
                f"{where} does not exist: make it, or give another --state-dir"
            ) from None
        except OSError as error:
            kind = UnwritableError if is_unwritable(error) else StoreError
            raise kind(
                f"cannot write in {where} ({error.strerror}): make it writable for the daemon's "
                "user, or give another --state-dir"
            ) from None

    def release(self) -> None:
        """Let the lock go; a second time does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
