"""The local node, asked as its own task asks it: is it ready, and does it have these blocks?"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from kaspad_taskd.base.descriptors import is_own_limit, limit
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Json, Observation, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import Facts, SwitchReason
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.connect import BORSH_PORTS, DEFAULT_PORTS, addresses, host_port
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.probes import Probe, open_probe
from kaspad_taskd.switching.declared import LOOPBACK
from kaspad_taskd.switching.hands import Bad, Good, Result

_log = logging.getLogger(__name__)

MakeProbe: TypeAlias = Callable[[Definition], Probe | None]
TIMEOUT: Final = 5.0
"""Seconds that one question may take."""
LOOKS: Final = 3
"""Looks at a node that is not ready, before it counts as such."""
APART: Final = 2.0
"""Seconds between them."""
PROVING: Final = 20
"""Looks after which a node that always says it is ready, and never proves it, is not."""
CHECKPOINTS: Final = ("block_checkpoint", "vcp_checkpoint")
"""Of simply-kaspa-indexer's table `vars`: where it goes on (facts of its versions 1 and 2)."""
_ADDRESS: Final = re.compile(r"wss?://[^\s\"'<>,;]+")
_USUAL: Final = {"grpc": DEFAULT_PORTS["grpc"], "wss": DEFAULT_PORTS["wss"], "ws": 80}
"""Ports of a URL without one; that of a `ws` is any WebSocket's, perhaps no node's."""
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_QUERY: Final = "SELECT key, value FROM vars WHERE key = ANY($1::text[])"
_NO_TABLE: Final = "42P01"


async def ready(declared: SwitchedService, max_lag: str, looks: int = LOOKS) -> Result:
    """Ask whether the node is in sync and on the service's network, by the rules of `node-sync`.

    Looks that say so have to prove it together, as for its task: one falls into the pause between
    two passes. With `looks` 1 a single one is believed, for what only hints at a switch.
    """
    checker = {"url": declared.node, "network": declared.network, "maxLag": max_lag}
    definition = Definition("switch", "node-sync", "switch", timeout=TIMEOUT, checker=checker)
    memory: Mapping[str, Json] = {}
    missed = 0
    for _ in range(PROVING):
        seen = await look(definition, open_probe, memory)
        result = _judge(seen, declared)
        proven = isinstance(seen, Reading) and (seen.settled or looks == 1)
        if isinstance(result, Bad):
            missed += 1
        if proven if isinstance(result, Good) else _decides(result, missed, looks):
            return result
        memory = seen.memory if isinstance(seen, Reading) else {}
        await asyncio.sleep(APART)
    return Bad(SwitchReason.NODE_NOT_SYNCED, dict(result.facts))


def _decides(result: Bad, missed: int, looks: int) -> bool:
    return missed >= looks or result.reason is SwitchReason.NODE_WRONG_NETWORK


async def look(
    definition: Definition, make: MakeProbe, memory: Mapping[str, Json] | None = None
) -> Observation | None:
    """Take one look with a probe of its own; None: there is no answer, whatever the cause.

    That we may open no more files is told as such: it is nobody's but ours.
    """
    probe: Probe | None = None
    try:
        probe = make(definition)
        async with asyncio.timeout(definition.timeout):
            return None if probe is None else await probe.observe(memory or {})
    except TimeoutError:
        return None
    except Exception as error:
        if is_own_limit(error):
            return Unreachable(Reason.OWN_LIMIT, {"limit": limit()})
        _log.warning("the checker of %s failed", definition.id, exc_info=True)
        return None
    finally:
        if probe is not None:
            await probe.close()


def _judge(seen: Observation | None, declared: SwitchedService) -> Result:
    facts = {"address": declared.node, "network": declared.network}
    if isinstance(seen, Reading):
        return Good(facts) if seen.complete else Bad(SwitchReason.NODE_NOT_SYNCED, facts)
    if isinstance(seen, Refused) and seen.reason is Reason.WRONG_NETWORK:
        found = str(seen.params.get("network", "another network"))
        return Bad(SwitchReason.NODE_WRONG_NETWORK, {**facts, "found": found})
    if isinstance(seen, Unreachable) and seen.reason is Reason.OWN_LIMIT:
        return own_limit()
    return Bad(SwitchReason.NODE_UNREACHABLE, facts)


def own_limit() -> Bad:
    """What it means that we may open no more files: nobody was asked."""
    return Bad(SwitchReason.OWN_LIMIT, {"limit": limit()})


async def endpoints_open(values: Mapping[str, str], looks: int = LOOKS) -> Result:
    """Open each WebSocket that a variable names; no value is told, only names and addresses.

    One that neither opens nor refuses is tried `looks` times: a busy node is not a closed one.
    """
    ports = []
    for variable, value in values.items():
        for url in _ADDRESS.findall(value):
            host, port = place(url)
            try:
                opens = await _opens_in_time(url, looks)
            except _NoFileError:
                return own_limit()
            if not opens:
                address = host_port(host, port)
                facts: Facts = {"variable": variable, "address": address, "port": port}
                near = port in BORSH_PORTS and host in LOOPBACK
                reason = SwitchReason.BORSH_CLOSED if near else SwitchReason.ENDPOINT_CLOSED
                return Bad(reason, facts)
            ports.append(str(port))
    return Good({"ports": ", ".join(ports)} if ports else {})


def place(url: str) -> tuple[str, int]:
    """Return host and port of a URL, as far as it may be told; port 0 where it is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "?", parts.port or _USUAL[parts.scheme]
    except ValueError:
        return "?", 0


async def _opens_in_time(url: str, looks: int) -> bool:
    for _ in range(looks):
        with contextlib.suppress(TimeoutError):
            return await _opens(url)
    return False


class _NoFileError(Exception):
    """We may open no more files."""


async def _opens(url: str) -> bool:
    import aiohttp  # not before somebody needs it: it is half of the daemon's memory

    from kaspad_taskd.kaspa.resolver import Resolver

    async def refuse(*_: object) -> None:
        raise aiohttp.ClientError("sent elsewhere")

    watch = aiohttp.TraceConfig()
    watch.on_request_redirect.append(refuse)
    connector = aiohttp.TCPConnector(resolver=Resolver(_every))
    session = aiohttp.ClientSession(connector=connector, trust_env=False, trace_configs=[watch])
    try:
        async with asyncio.timeout(TIMEOUT), session:
            ws = await session.ws_connect(url, autoclose=False)
            ws._response.close()  # whoever hangs up does not wait for the other side
    except TimeoutError:
        raise
    except NodeError as error:
        if error.reason is Reason.TIMEOUT:
            raise TimeoutError from None
        if error.reason is Reason.OWN_LIMIT:
            raise _NoFileError from None
        return False
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if is_own_limit(error):
            raise _NoFileError from None
        return False
    return True


async def _every(host: str, port: int) -> list[str]:
    return await addresses(host, port, None)


async def checkpoints_there(declared: SwitchedService, databases: Mapping[str, Path]) -> Result:
    """Look whether the node has the blocks that simply-kaspa-indexer goes on from."""
    if declared.dsn is None:
        return Good()
    from kaspad_taskd.probes.migrations.postgres import PostgresError  # few hosts need it

    try:
        wanted = await _checkpoints(declared.dsn, databases)
    except (PostgresError, ImportError, TimeoutError) as error:
        if isinstance(error, PostgresError) and error.observation.reason is Reason.OWN_LIMIT:
            return own_limit()
        return Bad(SwitchReason.CHECKPOINT_UNKNOWN, {"database": declared.dsn})
    for name, block in wanted:
        if not _HASH.fullmatch(block):
            return Bad(SwitchReason.CHECKPOINT_UNKNOWN, {"database": declared.dsn})
        try:
            there = await _has(declared.node, block)
        except (NodeError, OSError) as error:  # the wire is loaded when it is needed: a file, too
            if is_own_limit(error) or getattr(error, "reason", None) is Reason.OWN_LIMIT:
                return own_limit()
            return Bad(SwitchReason.NODE_UNREACHABLE, {"address": declared.node})
        if not there:
            return Bad(SwitchReason.CHECKPOINT_MISSING, {"name": name})
    return Good()


async def _checkpoints(name: str, files: Mapping[str, Path]) -> Sequence[tuple[str, str]]:
    """What is on record, a hash each; nothing of a database that is new."""
    from kaspad_taskd.probes.migrations.postgres import Database, PostgresError

    database = Database(name, files, TIMEOUT)
    try:
        async with asyncio.timeout(TIMEOUT * 2), database.transaction() as connection:
            rows = await connection.fetch(_QUERY, list(CHECKPOINTS))
    except PostgresError as error:
        if error.state == _NO_TABLE:
            return []
        raise
    finally:
        database.drop()
    return [(str(row["key"]), str(row["value"])) for row in rows]


async def _has(url: str, block: str) -> bool:
    node = open_node(url, None, TIMEOUT, header=TIMEOUT)
    try:
        return await node.block_header(block) is not None
    finally:
        await node.close()
