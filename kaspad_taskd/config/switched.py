"""`[services.NAME]` of the settings: a service that can be switched between public and local node.

Root's oneshot acts on these values, so each is held to what it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import MISSING, Table
from kaspad_taskd.base.values import quote

NETWORK: Final = re.compile(r"mainnet|testnet-[0-9]{1,4}|devnet|simnet")
NETWORK_WORDS: Final = 'must be "mainnet", "testnet-10", "devnet" or "simnet"'
_UNIT: Final = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,246}\.service")
_OWN: Final = re.compile(r"kaspad-taskd(?:-switch@.*)?\.service")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LOADER: Final = ("LD_", "DOCKER_", "COMPOSE_", "PYTHON")
_FORBIDDEN: Final = frozenset({"PATH", "HOME", "IFS", "BASH_ENV", "ENV", "NODE_OPTIONS"})
"""Variables that are more than an endpoint; root runs compose with these values as well."""
_COMPOSE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PROJECT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_PROJECT_WORDS: Final = "must be lower case letters, digits, _ or -, as compose wants it"
_TASK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


STAY: Final = "stay"
PUBLIC: Final = "public"
"""What a service does while its local node is lost or behind."""
FALLBACK_AFTER: Final = 1.0, 7 * 86_400.0
RETURN_AFTER: Final = 1.0, 30 * 86_400.0
"""Seconds that may be asked for."""
MOST_FLIPS: Final = 48


@frozen
class Unit:
    """A systemd unit."""

    name: str


@frozen
class Compose:
    """A service of a compose project."""

    project: str
    file: Path
    service: str


@frozen
class VerifyTask:
    """Good when the checker of a task answers within so many seconds."""

    task: str
    within: float


@frozen
class VerifyHttp:
    """Good when a GET of the URL is answered with 2xx within so many seconds."""

    url: str
    within: float


Verify: TypeAlias = VerifyTask | VerifyHttp


@frozen
class SwitchedService:
    """How a service is switched.

    Attributes:
        runs_as: what is restarted.
        node: the local node, `grpc://host:port`.
        network: the network it must be on.
        env: variables that point the service at the local node.
        public_env: the same for the public one; without a variable the unit's own value holds.
        verify: how success is seen; None: the unit stays active for 30 s.
        dsn: the name, in [databases], of simply-kaspa-indexer's database, whose checkpoint blocks
            the local node must have; None leaves that unchecked.
        fallback: "public": it goes there while the local node is lost or behind; "stay": it stays.
        fallback_after: seconds for which that has to last.
        return_after: seconds for which the node has to be in sync without a break, to come back.
        flips: of these switches in any 24 hours, the most; the last leads to the public node.
        auto: whether anybody but people switches it.
    """

    runs_as: Unit | Compose
    node: str
    network: str
    env: Mapping[str, str]
    public_env: Mapping[str, str]
    verify: Verify | None = None
    dsn: str | None = None
    fallback: str = STAY
    fallback_after: float = 600.0
    return_after: float = 1800.0
    flips: int = 4
    auto: bool = True


def doubts(services: Mapping[str, SwitchedService]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is accepted of services, and hardly meant: the key, its parts, and a sentence.

    Two services of one unit, or of one container, restart each other; our own unit, ourselves. And
    a fallback that nobody but people may begin.
    """
    seen: dict[str, str] = {}
    for name, service in services.items():
        runs_as = service.runs_as
        key = "unit" if isinstance(runs_as, Unit) else "compose"
        if isinstance(runs_as, Unit):
            shown, what = runs_as.name, runs_as.name
        else:
            shown = f"{runs_as.service} of {runs_as.project}"
            what = f"{runs_as.project}/{runs_as.service}"
        other = seen.setdefault(what, name)
        if other != name:
            says = f"{shown} is that of [services.{other}] too: a switch of one restarts the other"
            yield ("services", name, key), says
        if _OWN.fullmatch(what):
            says = (
                f"{shown} is kaspad-taskd's own: a switch would restart it in the middle of itself"
            )
            yield ("services", name, key), says
        if service.fallback == PUBLIC and not service.auto:
            says = "does nothing with auto = false: people alone switch this service"
            yield ("services", name, "fallback"), says


def read_service(table: Table) -> SwitchedService:
    """Return what a table says; it is to be used only where no fault was noted."""
    if table.peek("compose") is not None and table.peek("verify") is None:
        why = "is needed with `compose`: nobody sees whether a container stays up"
        table.fault("verify", why, MISSING)
    return SwitchedService(
        runs_as=_runs_as(table),
        node=_node(table),
        network=table.string("network", "mainnet", pattern=NETWORK, must=NETWORK_WORDS),
        env=_variables(table, "env", required=True),
        public_env=_variables(table, "public_env", required=False),
        verify=_verify(table),
        dsn=table.string("dsn", None, pattern=_TASK, must="must be the NAME of [databases.NAME]"),
        fallback=table.string("fallback", STAY, choices=(STAY, PUBLIC)),
        fallback_after=table.duration("fallback_after", 600.0, *FALLBACK_AFTER),
        return_after=table.duration("return_after", 1800.0, *RETURN_AFTER),
        flips=table.integer("flips", 4, minimum=1, maximum=MOST_FLIPS),
        auto=table.boolean("auto", True),
    )


def _runs_as(table: Table) -> Unit | Compose:
    if table.peek("compose") is None:
        must = 'must be a unit like "kasia-indexer.service" (or give `compose`)'
        return Unit(table.string("unit", pattern=_UNIT, must=must))
    if table.peek("unit") is not None:
        table.fault("unit", "give `unit` or `compose`, not both")
        table.string("unit", None)
    compose = table.table("compose")
    project = compose.string("project", pattern=_PROJECT, must=_PROJECT_WORDS)
    must = "must be letters, digits, . _ or -"
    service = compose.string("service", pattern=_COMPOSE_NAME, must=must)
    file = compose.string("file", pattern=r"/.*", must="must be an absolute path")
    return Compose(project, Path(file), service)


def _node(table: Table) -> str:
    text = table.string("node")
    try:
        parts = urlsplit(text)
        good = parts.scheme == "grpc" and parts.hostname and not parts.path.strip("/")
        host, port = parts.hostname or "", parts.port or 16110
    except ValueError:
        good, host, port = "", "", 0
    if not good or parts.username is not None or parts.query or parts.fragment:
        table.fault("node", 'must be like "grpc://localhost:16110"')
    return f"grpc://[{host}]:{port}" if ":" in host else f"grpc://{host}:{port}"


def _variables(table: Table, key: str, *, required: bool) -> Mapping[str, str]:
    found = table.texts(key) if required else table.texts(key, {})
    if required and not found:
        table.fault(key, 'name a variable: {NODE_URL = "ws://127.0.0.1:17110"}', MISSING)
    for name, value in found.items():
        table.fault_each(key, _wrong_with(name, value), name)
    return found


def _wrong_with(name: str, value: str) -> Iterator[str]:
    if not _VARIABLE.fullmatch(name):
        yield f"{quote(name)} is no name of an environment variable"
    elif name in _FORBIDDEN or name.startswith(_LOADER):
        yield f"{name} changes how programs run, not which node they use"
    if not value.isprintable():
        yield f"{quote(name)} must be one line of printable characters"


def _verify(table: Table) -> Verify | None:
    if table.peek("verify") is None:
        return None
    verify = table.table("verify")
    within = verify.duration("within", 120.0, 1.0, 3600.0)
    task = verify.string("task", None, pattern=_TASK, must="must be the id of a task")
    must = "must be an http:// or https:// URL without user or password"
    url = verify.string("http", None, pattern=r"https?://[^\s@]+", must=must)
    given = [key for key in ("task", "http") if verify.peek(key) is not None]
    if len(given) != 1:
        verify.fault("", "give `task` or `http`, one of them", "invalid" if given else MISSING)
    return VerifyHttp(url, within) if url is not None else VerifyTask(task or "", within)
