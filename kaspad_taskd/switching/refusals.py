"""Why a switch is not begun."""

from __future__ import annotations

from kaspad_taskd.core.switch import Switch


class Undeclared(Exception):
    """The settings name no such service."""


class Busy(Exception):
    """A switch of this service is under way, and cannot be turned round."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(f"{switch.service} is being switched to the {switch.to} node")
        self.switch = switch


class AlreadyThere(Exception):
    """The service uses that node, as the settings say it, and nothing says that it fails there."""
