"""The daemon with its endpoint files where ENDPOINTS says: `python -m tests.fakes.switching_taskd`.

The system's place for them is root's, and no test's. What answers has to go on for a second only;
with HASTY set, a node proves itself in as long.
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
from kaspad_taskd.kaspa.sync import settling
from kaspad_taskd.switching import node, verify


def elsewhere(options: argparse.Namespace) -> Places:
    return replace(places_of(options), endpoints=Path(os.environ["ENDPOINTS"]))


if __name__ == "__main__":
    vars(program)["places_of"] = elsewhere
    vars(verify).update(SETTLE=1.0, EVERY=0.5)
    if "HASTY" in os.environ:
        vars(settling).update(SPAN_S=1.0)
        vars(node).update(APART=0.3)
    sys.exit(program.main())
