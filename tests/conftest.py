"""For all tests."""

from __future__ import annotations

import asyncio

# Else looptime asks for a loop in the first sync test (before 3.14), and nobody closes it.
asyncio.set_event_loop(None)
