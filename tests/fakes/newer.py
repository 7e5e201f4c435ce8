"""The daemon, as if it were of a later version: `python -m tests.fakes.newer`."""

from __future__ import annotations

import sys

import kaspad_taskd.version

kaspad_taskd.version.__version__ = "99.1.0"

from kaspad_taskd.__main__ import main  # noqa: E402 - it has its version by now

if __name__ == "__main__":
    sys.exit(main())
