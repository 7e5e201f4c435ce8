"""Whether what was killed was killed for want of memory, as our control group counts it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen

OWN: Final = Path("/proc/self/cgroup")
GROUPS: Final = Path("/sys/fs/cgroup")
_UNLIMITED: Final = 1 << 60
"""Bytes from which a limit is none: the first kind of groups has a number for that."""


@frozen
class Group:
    """The control group that we, and the commands of tasks, are in.

    Attributes:
        kills: file that counts, in a line `oom_kill N`, what the kernel has killed in it.
        limit: file with the bytes it may have, or `max`.
    """

    kills: Path
    limit: Path

    def killed(self) -> int | None:
        """How many processes of it the kernel has killed for want of memory; None: not told."""
        try:
            lines = self.kills.read_text().splitlines()
            return next((int(line[9:]) for line in lines if line.startswith("oom_kill ")), None)
        except (OSError, ValueError):
            return None

    def most(self) -> int | None:
        """The bytes that it may have; None: no limit, or not told."""
        try:
            found = int(self.limit.read_text())
        except (OSError, ValueError):  # `max`
            return None
        return found if found < _UNLIMITED else None


def own_group(own: Path = OWN, groups: Path = GROUPS) -> Group | None:
    """Return the group that counts memory, of either kind; None where there is none."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        number, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        place = groups / path.strip("/")
        if number == "0" and (place / "memory.events").exists():
            return Group(place / "memory.events", place / "memory.max")
        place = groups / "memory" / path.strip("/")
        if "memory" in kinds.split(",") and (place / "memory.oom_control").exists():
            return Group(place / "memory.oom_control", place / "memory.limit_in_bytes")
    return None


@frozen
class Watch:
    """What was counted before a program began; see `watch`."""

    group: Group | None
    before: int | None

    def starved(self, code: int) -> bool | None:
        """Whether a program that ended so (below 0: by a signal) wanted memory; None: perhaps."""
        if code != -signal.SIGKILL:
            return False
        now = None if self.group is None else self.group.killed()
        return None if now is None or self.before is None else now > self.before


def watch() -> Watch:
    """Begin to watch: before a program that may be killed is started."""
    group = own_group()
    return Watch(group, None if group is None else group.killed())
