"""The endpoint file of a service: which node it uses, as variables that its unit loads.

Root's helper writes it, the daemon only reads it: the first line says which side it is for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.model import Moment
from kaspad_taskd.core.switch import Side

LARGEST: Final = 1024 * 1024
_HEAD: Final = re.compile(r"# kaspad-taskd: (\S+) uses the (local|public) node\.")
_NOTE: Final = "# Written by kaspad-taskd-switch from the settings; what you change here is lost."
_SPECIAL: Final = re.compile(r'(["\\`$])')
_ESCAPED: Final = r"\\\1"


@frozen
class Pointing:
    """Where an endpoint file points.

    Attributes:
        side: None where the file cannot be read or understood.
        since: when it was put there, ms since 1970 UTC; None where there is no file.
        fresh: whether it is as the settings are now.
    """

    side: Side | None
    since: Moment | None = None
    fresh: bool = True


def variables(declared: SwitchedService, side: Side) -> Mapping[str, str]:
    """Return the variables that point a service to a side."""
    return declared.env if side is Side.LOCAL else declared.public_env


def render(service: str, side: Side, values: Mapping[str, str]) -> str:
    """Return the file: every value is one quoted line, as systemd.exec(5) reads it."""
    lines = [f"# kaspad-taskd: {service} uses the {side} node.", _NOTE]
    lines += [f'{name}="{_SPECIAL.sub(_ESCAPED, value)}"' for name, value in values.items()]
    return "\n".join(lines) + "\n"


class Endpoints:
    """The endpoint files of one daemon.

    Args:
        directory: where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, service: str) -> Path:
        """The file of a service; it need not exist."""
        return self._directory / f"{service}.env"

    def note(self, service: str) -> Path:
        """What root's helper has seen of a service at its switch; it need not exist."""
        return self._directory / f"{service}.seen.json"

    def read(self, service: str, declared: SwitchedService) -> Pointing:
        """Return where the file points; without one the unit's own value, the public node's."""
        try:
            with self.path(service).open(encoding="utf-8") as file:
                text = file.read(LARGEST)
                # ctime: from the moment of its rename, its content was written before
                since = int(os.fstat(file.fileno()).st_ctime * 1000)
        except FileNotFoundError:
            return Pointing(Side.PUBLIC)
        except (OSError, ValueError):
            return Pointing(None)
        head = _HEAD.match(text)
        if head is None or head[1] != service:
            return Pointing(None, since)
        side = Side(head[2])
        return Pointing(side, since, text == render(service, side, variables(declared, side)))
