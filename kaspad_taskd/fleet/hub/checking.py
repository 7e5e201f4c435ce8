"""`kaspad-taskd-hub --check`: whether the servers let a hub read, and its token can be used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kaspad_taskd.bridge.keys import weakness
from kaspad_taskd.fleet import carrier, keys
from kaspad_taskd.fleet.asking import Asking
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.settings import Settings, unprotected

OK, BAD = 0, 78
_DOUBT: Final = (Kind.GONE, Kind.READ_ONLY)
"""What may be over when the hub is started, and is no fault of the settings."""


async def check(path: Path, settings: Settings) -> int:
    """Ask each server, write nothing; say what is found. Returns the exit code."""
    clear, token_file = unprotected(settings.engine), settings.hub.door.token_file
    if clear and settings.hub.login.password is not None:
        print(f"{path}, redis.tls: the password goes in clear to {clear}: set tls = true")
    if token_file is not None and (weak := token(token_file)) is not None:
        print(f"{path}, hub.token_file: {weak}")
        return BAD
    troubles = [await asked(settings, place) for place in range(len(settings.engine.servers))]
    found = [each for each in troubles if each is not None]
    for trouble in found:
        print(trouble)
    if len(found) < len(troubles):
        at = settings.engine.servers[troubles.index(None)]
        print(f"{path}: good; the fleet is read from {at}, by {carrier.LIBRARY}")
    return OK if all(each.kind in _DOUBT for each in found) else BAD


def token(file: Path) -> str | None:
    """Return what speaks against a file with a token; None: nothing does. Blocks."""
    try:
        file.read_text()
    except (OSError, UnicodeDecodeError) as fault:
        return f"{file} cannot be read: {getattr(fault, 'strerror', None) or 'it is no text'}"
    return weakness(file)


async def asked(settings: Settings, place: int) -> Trouble | None:
    """Return why a server of the settings cannot be read, by its place there; None: it can."""
    asking = Asking(settings.engine, settings.hub.login, settings.engine.servers[place])
    try:
        await asking.open()
        await asking.ask("SCAN", 0, "MATCH", f"{keys.PREFIX}{{*}}:{keys.META}", "COUNT", 1)
        await asking.ask("XREVRANGE", keys.key("none", keys.NOW), "+", "-", "COUNT", 1)
    except Trouble as trouble:
        return None if trouble.kind is Kind.MOVED else trouble
    finally:
        await asking.close()
    return None
