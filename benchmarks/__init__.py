"""Measurements: ours and others in turn, in one run (docs/performance.md)."""
