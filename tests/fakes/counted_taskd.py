"""The daemon, which says at its end what it has loaded: `-m tests.fakes.counted_taskd`.

A file that COUNTED names has the modules, one a line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kaspad_taskd import __main__ as program

if __name__ == "__main__":
    code = program.main()
    loaded = sorted(name for name in sys.modules if sys.modules.get(name))
    Path(os.environ["COUNTED"]).write_text("\n".join(loaded))
    sys.exit(code)
