"""The daemon whose bridge waits at a stop until all is taken (python -m tests.fakes.slow_goodbye).

Half a second is enough for a browser, and not for a test on a machine that stands still now and
then.
"""

from __future__ import annotations

import sys

from kaspad_taskd.__main__ import main
from kaspad_taskd.bridge.sockets import Sockets
from tests.fakes.patience import PATIENCE

_drained = Sockets.drained


async def drained(sockets: Sockets, _deadline: float) -> None:
    await _drained(sockets, PATIENCE)


if __name__ == "__main__":
    setattr(Sockets, "drained", drained)  # noqa: B010 - no attribute of ours by type
    sys.exit(main())
