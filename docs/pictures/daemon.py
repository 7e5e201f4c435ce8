"""kaspad-taskd as on a host called node-1: nobody's own name gets into a picture."""

from __future__ import annotations

import socket
import sys

from kaspad_taskd.__main__ import main

NAME = "node-1"

if __name__ == "__main__":
    socket.gethostname = lambda: NAME
    sys.exit(main())
