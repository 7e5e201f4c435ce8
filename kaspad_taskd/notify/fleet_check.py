"""Whether the engine of a fleet lets the notifier read it, for `--check`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.asking import Asking
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.settings import unprotected
from kaspad_taskd.notify.settings import Source
from kaspad_taskd.words import say

_ANY = "any"
"""A host whose keys are asked for; none need be there."""


def judged(source: Source) -> Iterator[tuple[str, str]]:
    """Yield "good", "doubt" or "fault" of the engine, and a sentence. Blocks."""
    clear = unprotected(source.settings.engine)
    if clear and source.login.password is not None:
        yield "doubt", say("notifier.check.clear", place=clear)
    found = asyncio.run(_asked(source))
    if isinstance(found, str):
        yield "good", say("notifier.check.fleet", place=found)
    else:
        yield "doubt" if found.kind is Kind.GONE else "fault", str(found)


async def _asked(source: Source) -> Trouble | str:
    """The first server that answers, or why none does."""
    trouble: Trouble | None = None
    for server in source.settings.engine.servers:
        asking = Asking(source.settings.engine, source.login, server)
        try:
            await asking.open()
            await asking.ask("SCAN", 0, "MATCH", f"{keys.PREFIX}{{*}}:{keys.META}", "COUNT", 10)
            await asking.ask("XREVRANGE", keys.key(_ANY, keys.NOW), "+", "-", "COUNT", 1)
        except Trouble as fault:
            trouble = fault
            if fault.kind is Kind.MOVED:  # of a cluster: it may be read
                return asking.place
            if fault.kind is not Kind.GONE:
                break
        else:
            return asking.place
        finally:
            await asking.close()
    assert trouble is not None  # there is a server at least, or no settings
    return trouble
