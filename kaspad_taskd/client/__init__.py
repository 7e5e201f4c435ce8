"""Clients of kaspad-taskd, for the terminal and for other people's programs.

`Client` (blocking.py, over wire.py) asks, and iterates over events while it runs. They speak the
contract, as any stranger could, and need the standard library alone.

Example:
    >>> from kaspad_taskd.client import Client, Refused, Unreachable
    >>> with Client() as taskd:
    ...     for task in taskd.call("getAllTasks"):
    ...         print(task["service"], task["status"], task["progress"])
    ...     for event in taskd.events():
    ...         print(event["seq"], event["event"], event["data"]["service"])
"""

from __future__ import annotations

from kaspad_taskd.client.blocking import PATIENCE, Client, Subscription
from kaspad_taskd.client.faults import Refused
from kaspad_taskd.client.wire import READERS_SOCKET, SYSTEM_SOCKET, Unreachable, candidates

__all__ = [
    "PATIENCE",
    "READERS_SOCKET",
    "SYSTEM_SOCKET",
    "Client",
    "Refused",
    "Subscription",
    "Unreachable",
    "candidates",
]
