"""Exit codes of kaspad-taskd (contract, section 1)."""

from __future__ import annotations

OK, CRASHED, BAD_SETTINGS = 0, 1, 78
