"""The public node, looked at before a service goes there: does it answer, is it in sync?

As far as it can be told. What the addresses in `public_env` speak decides: a gRPC or wRPC JSON port
is asked like the local node, and proves that it goes on; of one that takes Borsh alone it is known
that it takes a connection, and what the same node's JSON port says, where there is one. Without an
address there the service finds a node by itself, and nobody here knows which.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.fallback import PublicLook, PublicState
from kaspad_taskd.core.switch import SwitchReason
from kaspad_taskd.kaspa.connect import BORSH_PORTS, host_port, parse_url
from kaspad_taskd.switching import node
from kaspad_taskd.switching.hands import Bad

LIMIT: Final = 90.0
"""Seconds that a look may take in all."""
_URL: Final = re.compile(r"(?:grpc|wss?)://[^\s\"'<>,;]+")
_JSON: Final = 1000
"""How far kaspad's JSON port is above its Borsh port."""
_STATES: Final = {
    SwitchReason.NODE_NOT_SYNCED: PublicState.NOT_SYNCED,
    SwitchReason.NODE_WRONG_NETWORK: PublicState.WRONG_NETWORK,
    SwitchReason.OWN_LIMIT: PublicState.OWN_LIMIT,
}


async def look(declared: SwitchedService, max_lag: str) -> PublicLook:
    """Look at each address in `public_env`; the worst decides. Takes LIMIT s at most."""
    urls = list(dict.fromkeys(_urls(declared)))
    if not urls:
        return PublicLook(PublicState.UNKNOWN)
    try:
        async with asyncio.timeout(LIMIT):
            found = await asyncio.gather(*(_look(declared, url, max_lag) for url in urls))
    except TimeoutError:
        return PublicLook(PublicState.SILENT, {"address": _shown(urls[0])})
    ranked = list(PublicState)
    return max(found, key=lambda each: ranked.index(each.state))


def _urls(declared: SwitchedService) -> Iterator[str]:
    for value in declared.public_env.values():
        yield from _URL.findall(value)


async def _look(declared: SwitchedService, url: str, max_lag: str) -> PublicLook:
    """What one address says; its WebSocket has to open, too."""
    facts = {"address": _shown(url), "network": declared.network}
    grpc = url.startswith("grpc:")
    if not grpc:
        opens = await node.endpoints_open({"public": url})
        if isinstance(opens, Bad):
            limit = opens.reason is SwitchReason.OWN_LIMIT
            state = PublicState.OWN_LIMIT if limit else PublicState.SILENT
            return PublicLook(state, {**facts, **(opens.facts if limit else {})})
    asked = askable(url)
    if asked is None:
        return PublicLook(PublicState.OPEN, facts)
    result = await node.ready(replace(declared, node=asked), max_lag)
    if not isinstance(result, Bad):
        return PublicLook(PublicState.GOOD, facts)
    silent = PublicState.SILENT if grpc else PublicState.OPEN  # it speaks another protocol
    known = {key: value for key, value in result.facts.items() if key in ("found", "limit")}
    return PublicLook(_STATES.get(result.reason, silent), {**facts, **known})


def askable(url: str) -> str | None:
    """Return the URL at which a node can be asked that services reach at `url`, or None.

    That of JSON where `url` is known to be Borsh's, by kaspad's ports or by the path that public
    nodes give it.
    """
    try:
        parts = urlsplit(url)
        if parts.port in BORSH_PORTS:
            host = host_port(parts.hostname or "", parts.port + _JSON)
            url = urlunsplit(parts._replace(netloc=host))
        elif parts.path.rstrip("/").endswith("/borsh"):
            path = parts.path.rstrip("/").removesuffix("borsh") + "json"
            url = urlunsplit(parts._replace(path=path))
        parse_url(url)
    except ValueError:
        return None
    return url


def _shown(url: str) -> str:
    """Host and port: what a value of a variable may be told of."""
    host, port = node.place(url)
    return host_port(host, port) if port else "?"
