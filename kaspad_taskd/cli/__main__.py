"""`python -m kaspad_taskd.cli` is kaspad-taskctl."""

from __future__ import annotations

import sys

from kaspad_taskd.cli import main

sys.exit(main())
