"""The daemon with a package's definitions where VENDOR says: `-m tests.fakes.layered_taskd`.

The system's place for them is the package's, and no test's.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from kaspad_taskd import __main__ as program
from kaspad_taskd.config.places import Places
from kaspad_taskd.daemon.arguments import places_of


def layered(options: argparse.Namespace) -> Places:
    return replace(places_of(options), vendor_tasks=Path(os.environ["VENDOR"]))


if __name__ == "__main__":
    vars(program)["places_of"] = layered
    sys.exit(program.main())
