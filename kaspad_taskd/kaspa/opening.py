"""From a URL to a client of a node: gRPC or wRPC, whichever the URL says."""

from __future__ import annotations

from kaspad_taskd.kaspa.client import NodeClient
from kaspad_taskd.kaspa.connect import Allow, parse_url
from kaspad_taskd.kaspa.exchange import Exchange

TIMEOUT = 4.0
"""Seconds that one question may take, unless the caller says otherwise."""


def open_node(
    url: str, allow: Allow | None = None, timeout: float = TIMEOUT, header: float | None = None
) -> NodeClient:
    """Return a client for the node; it connects with the first question.

    Args:
        url: grpc://host:port, or ws:// and wss:// for wRPC JSON.
        allow: checked with each address that is connected to; None allows all.
        timeout: deadline of one question in seconds, connecting included.
        header: deadline of the question for a block, for who cannot do without; at most `timeout`.

    Raises:
        ValueError: the URL has a fault.
        ImportError: the library for this transport is not installed.
    """
    address = parse_url(url)
    if address.scheme == "grpc":
        from kaspad_taskd.kaspa.grpc import GrpcWire

        return Exchange(lambda: GrpcWire(address, allow), timeout, header)
    from kaspad_taskd.kaspa.wrpc import WrpcWire

    return Exchange(lambda: WrpcWire(address, allow), timeout, header)
