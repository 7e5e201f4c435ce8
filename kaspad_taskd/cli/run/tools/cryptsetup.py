"""cryptsetup: `reencrypt --progress-json`.

Measured with 2.6.1 on Debian 12 and 2.7.5 on 13. All values of its JSON are strings. It tells once
a zone (1 GiB) is written: its first line may say that nothing is done when nearly all is. Without
the option there is nothing on a pipe; on a terminal a row with a percentage. A signal ends it with
exit code 1.
"""

from __future__ import annotations

import re

from kaspad_taskd.cli.run.tools.common import Known, Rows, number, parsed
from kaspad_taskd.cli.run.tools.options import has, verb
from kaspad_taskd.cli.run.tools.tool import Reading

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaspad_taskd.cli.run.tools.tool import Reader

_ROW = re.compile(r"Progress: +(\d{1,3}\.\d)%, ETA .*")
_REENCRYPT = ("reencrypt",)


class _Reader(Rows):
    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__()
        self.begun = False

    def parse(self, stream: int, piece: str) -> Reading | None:
        row = _ROW.fullmatch(piece)
        if row:
            self.begun = True
            return Reading(number(row[1]), 100, "percent")
        self.begun = self.begun or piece == "Reencryption interrupted."
        found = parsed(piece)
        if found is None or "device_bytes" not in found:
            return None
        done, total = (_of(found.get(key)) for key in ("device_bytes", "device_size"))
        self.begun = self.begun or done is not None
        return None if done is None else Reading(done, total)


def _of(value: object) -> float | None:
    return number(value) if isinstance(value, str) else None


class _Cryptsetup(Known):
    name = "cryptsetup"
    programs = ("cryptsetup",)
    versions = ("2.6.1", "2.7.5")
    reads = _Reader

    def rerun(self, code: int, reader: Reader, argv: Sequence[str]) -> str | None:
        """LUKS2 keeps in its header how far it is."""
        begun = code < 0 or getattr(reader, "begun", False)
        goes_on = begun and verb(argv, _REENCRYPT) is not None
        return "run.rerun.resume-reencrypt" if goes_on else None

    def offer(self, argv: Sequence[str]) -> str | None:
        """Only what goes over the whole device has any."""
        if verb(argv, _REENCRYPT) is None or has(argv, "--progress-json"):
            return None
        return "--progress-json --progress-frequency 1"


TOOL = _Cryptsetup()
