"""Which runs of a relay were this host's: whoever else writes under its name is another relay."""

from __future__ import annotations

import json
import logging
import secrets
from pathlib import Path
from typing import Final

from kaspad_taskd.base.files import write_atomically

NAME: Final = "relay.json"
KEPT: Final = 5
"""Runs that are known: one may have ended before it wrote anything."""

log = logging.getLogger(__name__)


class Runs:
    """The runs of a directory: this one's name, and those before.

    Args:
        directory: of the state.

    Attributes:
        run: of this relay, random.
        own: that, and those before.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self.run: Final = secrets.token_hex(8)
        before = self._read()
        self.own: Final = frozenset((self.run, *before))
        self._kept = [self.run, *before][:KEPT]

    def _read(self) -> list[str]:
        try:
            runs = json.loads(self._path.read_text())["runs"]
            return [str(each) for each in runs][:KEPT]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
            log.warning("%s cannot be read: whether others write is looked at: %s", NAME, fault)
            return []

    def keep(self) -> None:
        """Write it down, before anything is written elsewhere. Blocks."""
        text = json.dumps({"runs": self._kept}) + "\n"
        try:
            write_atomically(self._path, text.encode())
        except OSError as fault:
            log.warning("%s cannot be written: %s", self._path, fault)
