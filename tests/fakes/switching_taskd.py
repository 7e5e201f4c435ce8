"""The daemon with its endpoint files where ENDPOINTS says: `python -m tests.fakes.switching_taskd`.

The system's place for them is root's, and no test's.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from kaspad_taskd import __main__ as program
from kaspad_taskd.config.places import Places, find_places


def elsewhere(*given: Any, **more: Any) -> Places:
    return replace(find_places(*given, **more), endpoints=Path(os.environ["ENDPOINTS"]))


if __name__ == "__main__":
    vars(program)["find_places"] = elsewhere
    sys.exit(program.main())
