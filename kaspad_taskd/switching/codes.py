"""How root's helper ends, for those who started it: its exit codes and names."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from kaspad_taskd.core.switch import Side

PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.")
"""What stands for itself in the name of a systemd unit's instance."""


class Exit(IntEnum):
    """Exit codes, of sysexits(3) where one fits. All but the last touch nothing."""

    DONE = 0
    BAD_NAME = 64
    UNDECLARED = 67
    UNWRITABLE = 73
    UNTRUSTED = 77
    BAD_SETTINGS = 78
    NOT_RESTARTED = 75


SAID: Final = {
    Exit.BAD_NAME: "its name is not SERVICE:local or SERVICE:public",
    Exit.UNDECLARED: "they do not declare this service",
    Exit.UNTRUSTED: "somebody other than their owner can write them",
    Exit.BAD_SETTINGS: "they have a fault",
}
"""Why the helper did not use the settings."""


def instance(service: str, side: Side) -> str:
    """Return what the helper is told: `SERVICE:local`."""
    return f"{service}:{side}"


def helper_unit(service: str, side: Side) -> str:
    """Return the name of the unit that runs the helper, as `systemd-escape --template=` makes it.

    A service's name begins with a letter or digit and has no slash, so escaping is this much.
    """
    name = instance(service, side)
    escaped = "".join(each if each in PLAIN else f"\\x{ord(each):02x}" for each in name)
    return f"kaspad-taskd-switch@{escaped}.service"
