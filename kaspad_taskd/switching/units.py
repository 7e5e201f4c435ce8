"""systemd, asked and told by `systemctl`: units looked at, root's helper started and awaited."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from kaspad_taskd.base.descriptors import why
from kaspad_taskd.base.processes import end_group
from kaspad_taskd.core.switch import Facts, Side, SwitchReason
from kaspad_taskd.switching.codes import SAID, Exit, helper_unit
from kaspad_taskd.switching.hands import Bad, Good, Result

ASK: Final = 5.0
"""Seconds that a question may take: it is answered from memory."""
ASKS: Final = 2
"""How often it is asked while no answer comes in time: a busy host is not one without systemd."""
HELPER: Final = 170.0
"""Seconds that the helper may take: its unit is ended after 150, and killed 10 s later."""
LOOK: Final = 0.1
"""Seconds between two looks at the endpoint file while the helper works."""
FREE: Final = 0.5
"""Seconds between two looks at a helper that is waited for."""
NO_DIRECTORY: Final = 238
"""systemd could not make StateDirectory= (systemd.exec(5), "Process Exit Codes")."""
NOT_BEGUN: Final = range(200, 246)
"""systemd could not begin the helper: its program is not there, its sandbox cannot be made."""
MOST: Final = 64 * 1024
_HELD: Final = ("PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


Stamp: TypeAlias = tuple[int, int] | None


class NoSystemd(Exception):
    """systemd does not answer; the text is its own, one line."""


class Systemd:
    """The system's, or the user's own.

    Args:
        user: whether it is the user's.
        program: what is run.
    """

    def __init__(self, *, user: bool, program: str = "systemctl") -> None:
        self.user = user
        self._command = [program, *(["--user"] if user else []), "--no-pager"]

    async def show(self, unit: str, *names: str) -> Mapping[str, str]:
        """Return properties of a unit, "" for those that it lacks; of an unknown unit too.

        One that has several values has each on a line of its own.

        Raises:
            NoSystemd: there is no answer.
        """
        code, out, said = await self._ask("show", f"--property={','.join(names)}", "--", unit)
        if code != 0:
            raise NoSystemd(said.strip().splitlines()[-1][:200] if said.strip() else f"exit {code}")
        return _properties(out, names)

    async def show_all(self, units: Sequence[str], *names: str) -> Mapping[str, Mapping[str, str]]:
        """Return the same of several units, by one question.

        Raises:
            NoSystemd: there is no answer.
        """
        code, out, said = await self._ask("show", f"--property={','.join(names)}", "--", *units)
        parts = out.strip("\n").split("\n\n")
        if code != 0 or len(parts) != len(units):
            raise NoSystemd(said.strip().splitlines()[-1][:200] if said.strip() else f"exit {code}")
        return {unit: _properties(part, names) for unit, part in zip(units, parts, strict=True)}

    async def helper(
        self, service: str, side: Side, file: Path, facts: Facts, wrote: Callable[[], None]
    ) -> Result:
        """Run root's helper, after any that still works for the other side.

        Args:
            service: whose.
            side: where it shall point.
            file: the endpoint file.
            facts: for the sentences of what goes wrong.
            wrote: called when the file is seen to be new.
        """
        unit = helper_unit(service, side)
        known = {**facts, "helper": unit, "file": str(file), "directory": str(file.parent)}
        try:
            if not await self._free(helper_unit(service, side.other)):
                return Bad(SwitchReason.RESTART_TIMEOUT, known)
            before = stamp(file)
            watching = asyncio.ensure_future(_watch(file, before, wrote))
            try:
                command = ("--no-ask-password", "start", "--", unit)
                code, _, said = await self._run(HELPER, *command)
            finally:
                watching.cancel()
            if not watching.done() and stamp(file) != before:  # it was quicker than our looks
                wrote()
            return Good(facts) if code == 0 else await self._understand(unit, said, known)
        except TimeoutError:
            return Bad(SwitchReason.RESTART_TIMEOUT, known)
        except NoSystemd as error:
            return Bad(SwitchReason.NO_SYSTEMD, {**known, "detail": str(error)}, touched=False)

    async def busy(self, service: str) -> bool:
        """Whether a helper of a service is at work.

        Raises:
            NoSystemd: there is no answer.
        """
        return any([await self._works(helper_unit(service, side)) for side in Side])

    async def _works(self, unit: str) -> bool:
        state = (await self.show(unit, "ActiveState"))["ActiveState"]
        return state in ("activating", "deactivating")

    async def _free(self, unit: str) -> bool:
        """Wait until a helper that an earlier daemon or switch started is over."""
        for _ in range(int(HELPER / FREE)):
            if not await self._works(unit):
                return True
            await asyncio.sleep(FREE)
        return False

    async def _understand(self, unit: str, said: str, facts: Facts) -> Bad:
        """What it means that the helper's start ended with a no (facts of systemd 252 and 257)."""
        if "nteractive authentication required" in said or "Access denied" in said:
            return Bad(SwitchReason.NO_RIGHTS, facts, touched=False)
        if "polkit.service" in said:
            return Bad(SwitchReason.NO_POLKIT, facts, touched=False)
        if "not found" in said:
            return Bad(SwitchReason.HELPER_MISSING, facts, touched=False)
        if "Job for" not in said and "attempted too often" not in said:
            detail = said.strip().splitlines()[0][:200] if said.strip() else "no word"
            begun = "Failed to connect" not in said  # a lost connection does not stop the helper
            return Bad(SwitchReason.NO_SYSTEMD, {**facts, "detail": detail}, touched=begun)
        try:
            found = await self.show(unit, "Result", "ExecMainStatus")
        except NoSystemd as error:
            return Bad(SwitchReason.NO_SYSTEMD, {**facts, "detail": str(error)})
        if found["Result"] == "timeout":
            return Bad(SwitchReason.RESTART_TIMEOUT, facts)
        return ended(found["ExecMainStatus"], facts)

    async def _ask(self, *words: str) -> tuple[int, str, str]:
        for _ in range(ASKS):
            with contextlib.suppress(TimeoutError):
                return await self._run(ASK, *words)
        raise NoSystemd(f"no answer within {ASK:.0f} s, twice")

    async def _run(self, limit: float, *words: str) -> tuple[int, str, str]:
        """Run systemctl; returns its exit code and what it said.

        Raises:
            TimeoutError: it did not end in time; what it had systemd do goes on.
            NoSystemd: it cannot be run.
        """
        environment = {name: os.environ[name] for name in _HELD if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=MOST,
                env={**environment, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
            )
        except OSError as error:
            raise NoSystemd(f"systemctl cannot be run: {why(error)}") from None
        try:
            async with asyncio.timeout(limit):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                end_group(process.pid)
                await process.wait()
        return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _properties(out: str, names: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for line in out.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return {name: "\n".join(found.get(name, [])) for name in names}


def ended(status: str, facts: Facts) -> Bad:
    """What the helper's exit code means; one that it does not know itself: it may be half done."""
    code = int(status) if status.isdecimal() else 0
    if code in (Exit.UNWRITABLE, NO_DIRECTORY):
        return Bad(SwitchReason.ENDPOINT_UNWRITABLE, facts, touched=False)
    if code in SAID:
        detail = SAID[Exit(code)]
        return Bad(SwitchReason.SETTINGS_REFUSED, {**facts, "detail": detail}, touched=False)
    if code in NOT_BEGUN:
        return Bad(SwitchReason.HELPER_MISSING, facts, touched=False)
    return Bad(SwitchReason.RESTART_FAILED, facts)


async def _watch(file: Path, before: Stamp, wrote: Callable[[], None]) -> None:
    """Call `wrote` once the file is another one, or has other content."""
    while stamp(file) == before:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(LOOK)
    wrote()


def stamp(file: Path) -> Stamp:
    """What changes whenever a file is written anew; None: it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
