"""kaspad-taskctl: what the daemon watches, in a terminal."""

from __future__ import annotations


def main() -> int:
    """Run kaspad-taskctl with the process's arguments; returns its exit code."""
    try:
        from kaspad_taskd.cli.main import run

        return run()
    except KeyboardInterrupt:  # before or after the verb itself
        return 130
