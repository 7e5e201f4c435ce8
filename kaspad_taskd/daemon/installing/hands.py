"""What `install-service` does to a host: files, links, directories, and words to systemd."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kaspad_taskd.base.files import sync_directory, write_atomically
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.daemon.installing.pieces import CONFS, ETC, UNITS
from kaspad_taskd.daemon.installing.plan import DIRECTORY, Piece, Step, file_digest, link_digest
from kaspad_taskd.daemon.installing.refusal import Refusal

SERVICE: Final = "kaspad-taskd.service"
BESIDE: Final = ("kaspad-taskd-notify.service", "kaspad-taskd-relay.service")
"""Run beside it as soon as there is a notify.toml, a fleet.toml."""
HUB: Final = "kaspad-taskd-hub.service"
OTHERS: Final = ("kaspad-taskd.socket", "kaspad-taskd-backup.timer", HUB)
"""Units that are off until somebody enables them."""
STRANGE: Final = "neither file nor link nor directory"
PATIENCE: Final = 240.0
"""Seconds that systemd may take: a unit's start and its stop are 90 s each at most."""


@frozen
class Hands:
    """The host whose root is `root`; where that is not /, nothing of it runs."""

    root: Path = Path("/")

    @property
    def runs(self) -> bool:
        """Whether this is the host that runs."""
        return self.root == Path("/")

    def at(self, path: str) -> Path:
        """Where a path of the host is."""
        return self.root / path.lstrip("/")

    def found(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the digest of each path where something is.

        Raises:
            OSError: one of them cannot be read.
        """
        digests = {path: _digest(self.at(path)) for path in paths}
        return {path: digest for path, digest in digests.items() if digest is not None}

    def missing(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return the directories that have to be made for these paths, outermost first."""
        wanted = {str(each) for path in paths for each in Path(path).parents}
        return tuple(sorted(each for each in wanted if not self.at(each).exists()))

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories that anybody may read and root alone write, outermost first.

        Raises:
            OSError: one could not be made.
        """
        for path in paths:
            place = self.at(path)
            if not place.exists():
                place.mkdir()
                place.chmod(0o755)

    def do(self, step: Step) -> None:
        """Take one step: what is there afterwards is the old or the new, whole.

        Raises:
            OSError: it could not be done.
        """
        place = self.at(step.path)
        if step.piece is None:
            place.unlink(missing_ok=True)
            sync_directory(place.parent)
        else:
            _put(place, step.piece)

    def remove_directories(self, paths: Iterable[str]) -> None:
        """Remove those that are empty, innermost first; the settings' stay."""
        for path in sorted(paths, reverse=True):
            place = self.at(path)
            if path.startswith(ETC) or not place.is_dir() or any(place.iterdir()):
                continue
            place.rmdir()

    def prepare(self) -> None:
        """Make user, groups and directories, as the files of sysusers and tmpfiles say.

        Raises:
            Refusal: it was not done.
        """
        elsewhere = [] if self.runs else [f"--root={self.root}"]
        self.run("systemd-sysusers", *elsewhere, *CONFS)
        self.run("systemd-tmpfiles", *elsewhere, "--create", *CONFS)

    @property
    def masked(self) -> bool:
        """Whether an administrator wants no such service."""
        mask = self.at(f"/etc/systemd/system/{SERVICE}")
        return mask.is_symlink() and str(mask.readlink()) == "/dev/null"

    def enable(self) -> None:
        """Enable and start the service, unless it is masked.

        Raises:
            Refusal: it was not done, or the service did not start.
        """
        if self.runs:
            self.run("systemctl", "daemon-reload")
        if self.masked:
            return
        if self.runs:
            self.run("systemctl", "enable", "--now", SERVICE, *BESIDE)
        else:
            self.run("systemctl", f"--root={self.root}", "enable", SERVICE, *BESIDE)

    def renew(self) -> None:
        """Let a service that runs do so with its new files.

        Raises:
            Refusal: it did not start again.
        """
        if self.runs:
            self.run("systemctl", "daemon-reload")
            self.run("systemctl", "try-restart", SERVICE, *BESIDE, HUB)

    def end(self, units: Iterable[str]) -> None:
        """Stop and disable these units, the sockets before what they start.

        Raises:
            Refusal: one of them still runs.
        """
        for unit in sorted(units, key=lambda each: each.endswith(".service")):
            if self.runs:
                self.run("systemctl", "disable", "--now", unit)
            else:
                self.run("systemctl", f"--root={self.root}", "disable", unit)

    def forget(self) -> None:
        """Let systemd know that the units are gone.

        Raises:
            Refusal: it does not answer.
        """
        if self.runs:
            self.run("systemctl", "daemon-reload")

    def run(self, *words: str) -> None:
        """Run a program of the system.

        Raises:
            Refusal: it failed; what it said is in the sentence.
        """
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True, errors="replace", timeout=PATIENCE, check=False,
                env={**os.environ, "LC_ALL": "C"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Refusal(f"{' '.join(words)}: not over after {PATIENCE:g} s") from None
        except OSError as error:
            raise Refusal(f"{words[0]} cannot be run: {error.strerror}") from None
        if done.returncode:
            raise Refusal(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")


def _digest(place: Path) -> str | None:
    if place.is_symlink():
        return link_digest(str(place.readlink()))
    if place.is_dir():
        return DIRECTORY
    if place.is_file():
        return file_digest(place.read_bytes())
    return STRANGE if place.exists() else None


def _put(place: Path, piece: Piece) -> None:
    if piece.data is not None:
        write_atomically(place, piece.data, 0o755 if piece.executable else 0o644)
    elif piece.target is None:
        if not place.is_dir():  # made already, perhaps, for what is in it
            place.mkdir(mode=0o755)
    else:
        fresh = place.with_name(f".{place.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(piece.target)
        fresh.rename(place)
        sync_directory(place.parent)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a directory against another run of either verb; it is there.

    Raises:
        Refusal: another one is at work.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal("another install-service or uninstall-service is at work") from None
        yield
    finally:
        os.close(handle)


def overridden(hands: Hands, made: Mapping[str, object]) -> list[str]:
    """Return files that systemd takes in place of units of ours: somebody's own of that name."""
    names = [Path(path).name for path in made if path.startswith(f"{UNITS}/")]
    found = [f"/etc/systemd/system/{name}" for name in names]
    return [path for path in found if hands.at(path).is_file()]  # a mask leads to /dev/null
