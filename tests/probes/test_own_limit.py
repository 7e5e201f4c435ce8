"""That we may open no more files is called our own limit, whoever would have been asked."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.base.descriptors import is_own_limit
from kaspad_taskd.core.observation import Observation, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.engine.monitor import own_limit, own_limit_or
from kaspad_taskd.probes import Means
from tests.fakes.house import definition, house
from tests.fakes.no_files import no_files
from tests.probes.looks import Looking, made

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "grpc": ("node-sync", {"url": "grpc://127.0.0.1:1"}),
    "grpc by name": ("node-sync", {"url": "grpc://node.invalid:1"}),
    "wrpc": ("node-sync", {"url": "ws://127.0.0.1:1"}),
    "wrpc by name": ("node-sync", {"url": "ws://node.invalid:1"}),
    "http": ("http-json", {"url": "http://127.0.0.1:1/", "progress": "p"}),
    "http by name": ("http-json", {"url": "http://service.invalid/", "progress": "p"}),
    "https": ("http-json", {"url": "https://127.0.0.1:1/", "progress": "p"}),
    "an indexer": ("indexer-sync", {"url": "http://127.0.0.1:1", "flavor": "simply-kaspa"}),
    "a command": ("command", {"command": [sys.executable, "-c", "pass"]}),
    "a database": ("database-migration", {"dsn": "db", "tool": "alembic", "version": "abc"}),
}


async def _seen(probe: Looking) -> Observation:
    """What the engine makes of a look."""
    try:
        return own_limit_or(await probe.observe({}))
    except OSError as error:
        if not is_own_limit(error):
            raise
        return own_limit()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_look_without_a_file_tells_nothing_of_the_service(
    kind: str, tmp_path: Path
) -> None:
    """The reason is own-limit: neither the network nor the service, nor a fault of the checker."""
    dsn = tmp_path / "dsn"
    dsn.write_text("postgresql://me@127.0.0.1:1/db")
    probe = made(*KINDS[kind], Means(databases={"db": dsn}))
    await asyncio.to_thread(int)  # its thread is there
    with no_files():
        seen = await _seen(probe)
    await probe.close()
    assert isinstance(seen, Unreachable)
    assert seen.reason is Reason.OWN_LIMIT, seen
    assert [hint.code for hint in seen.hints] == ["own-limit"]


@pytest.mark.parametrize("files", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_look_with_too_few_files_blames_nobody(
    kind: str, files: int, tmp_path: Path
) -> None:
    """Wherever in a look they run out, neither the network nor the service is accused."""
    dsn = tmp_path / "dsn"
    dsn.write_text("postgresql://me@127.0.0.1:1/db")
    probe = made(*KINDS[kind], Means(databases={"db": dsn}))
    await asyncio.to_thread(int)
    with no_files(but=files):
        seen = await _seen(probe)
    await probe.close()
    if isinstance(seen, Unreachable):
        assert seen.reason in (Reason.OWN_LIMIT, Reason.REFUSED, Reason.NAME_UNKNOWN), seen


@pytest.mark.parametrize("key", ["headers", "ca"])
async def test_a_file_that_a_look_needs_and_cannot_open(key: str, tmp_path: Path) -> None:
    """Secrets and certificates are not blamed."""
    file = tmp_path / "given"
    file.write_text("x")
    given = {"headers": {"X-Key": str(file)}, "ca": str(file)}[key]
    config = {"url": "http://127.0.0.1:1/", "progress": "p", key: given}
    probe = made("http-json", config)
    await asyncio.to_thread(int)
    with no_files():
        seen = await probe.observe({})
    assert isinstance(seen, Unreachable)
    assert seen.reason is Reason.OWN_LIMIT


@pytest.mark.looptime
async def test_a_probe_that_meets_the_limit_is_no_fault_of_the_checker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No incident, no traceback; the task tells whose limit it is, and what to do."""
    async with house() as built:
        built.probe("work").default = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        await built.roster.register(definition())
        await asyncio.sleep(1)
        task = built.task("work")
        assert task.reason is Reason.OWN_LIMIT
        assert not caplog.records


def test_what_proves_something_of_the_service_stands() -> None:
    """Though there is no file at the moment, who refuses has refused."""
    refused, read = Unreachable(Reason.REFUSED), Reading()
    with no_files():
        assert own_limit_or(refused) is refused
        assert own_limit_or(read) is read
        assert own_limit_or(Unreachable(Reason.NAME_UNKNOWN)).reason is Reason.OWN_LIMIT
    lost = Unreachable(Reason.NAME_UNKNOWN)
    assert own_limit_or(lost) is lost


def test_the_limit_is_known_below_what_libraries_make_of_it() -> None:
    """As a cause, as the context, as a text; and nothing else is taken for it."""
    own = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    wrapped = RuntimeError("cannot connect")
    wrapped.__cause__ = own
    assert is_own_limit(own)
    assert is_own_limit(OSError(errno.ENFILE, "x"))
    assert is_own_limit(wrapped)
    assert is_own_limit(OSError(f"Multiple exceptions: {own}, {own}"))
    assert not is_own_limit(ConnectionRefusedError(errno.ECONNREFUSED, "x"))
    assert not is_own_limit(socket.gaierror(socket.EAI_NONAME, "x"))
    assert not is_own_limit(None)
