"""`definitions`: the files and their faults; one of them shown, masked, unmasked."""

from __future__ import annotations

import os
import shlex

from kaspad_taskd.cli import admin, masks
from kaspad_taskd.cli.complaints import tell
from kaspad_taskd.cli.faults import FAILED, Fault, UsageFault, first_of
from kaspad_taskd.cli.listing import own_files
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.placing import content
from kaspad_taskd.client import Refused
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run

_SUFFIX = ".toml"


def run(run: Run) -> int:
    """List them, or do something with those that are named."""
    action, names = run.options.action, run.options.names
    if action is None:
        return admin.listing(run)
    if not names:
        raise UsageFault(say("error.name-needed", action=action), f"{PROG} definitions --help")
    return _Named(run, action).run(names)


class _Named:
    """What is done with definitions, one after the other: what fails does not keep the others."""

    def __init__(self, run: Run, action: str) -> None:
        self._run = run
        self._action = action
        self._listed: Sequence[Mapping[str, Any]] = run.call("listDefinitions")
        self._done: list[dict[str, Any]] = []

    def run(self, names: Sequence[str]) -> int:
        """Do it; return the exit code."""
        code = 0
        for name in names:
            try:
                self._one(name)
            except (Refused, Fault) as fault:
                if len(names) == 1:
                    raise
                code = FAILED
                tell(self._run, fault, name, among=True)
        self._take_over()
        return code

    def _one(self, name: str) -> None:
        found = self._found(name)
        if self._action == "show":
            self._show(found)
        else:
            self._change(found)

    def _found(self, name: str) -> Mapping[str, Any]:
        """The definition of this id, file, or service with one task."""
        for one in self._listed:
            if one.get("id") is not None and one["id"] in (name, name.removesuffix(_SUFFIX)):
                return one
        try:
            tasks = self._run.call("getTasksByService", {"service": name})
        except Refused as fault:
            if fault.reason != "invalid-params":  # no service either
                raise
            tasks = []
        ids = [task["id"] for task in tasks]
        if len(ids) > 1:
            raise Fault("ambiguous", task=name, names=", ".join(ids))
        found = next((one for one in self._listed if one.get("id") in ids), None)
        if found is not None:
            return found
        known = [str(one["id"]) for one in self._listed if one.get("id")]
        raise Fault("no-definition", name=name, names=first_of(known))

    # -- show

    def _show(self, found: Mapping[str, Any]) -> None:
        text = None if found["state"] == "masked" or not found["file"] else self._text(found)
        if self._run.options.json:
            self._run.print_json({**found, "text": text})
            return
        head = admin.definitions([found], self._run.screen.width)
        file = [] if text is None else [f"# {safe(found['file'], 4096)}", *text.splitlines()]
        self._run.screen.show([*head, *([(line, "")] for line in file)])

    def _text(self, found: Mapping[str, Any]) -> str:
        path = str(found["file"])
        try:
            return content(path).decode("utf-8", "replace")
        except PermissionError:
            raise Fault("definition-closed", file=path, sudo=self._sudo(found)) from None
        except OSError as error:
            raise Fault("bad-file", file=path, detail=error.strerror or str(error)) from None

    # -- mask, unmask

    def _change(self, found: Mapping[str, Any]) -> None:
        name, directory = str(found["id"]), self._directory()
        if "/" in name or name.startswith("."):
            raise Fault("no-definition", name=name, names=None)
        file = f"{directory}/{name}{_SUFFIX}"
        try:
            changed = self._changed(found, directory, name)
        except PermissionError:
            raise Fault("mask-forbidden", directory=directory, sudo=self._sudo(found)) from None
        except OSError as error:
            why = error.strerror or str(error)
            raise Fault("mask-failed", file=file, why=why) from None
        key = "done" if changed else "already"
        self._done.append({"id": name, "file": file, "changed": changed})
        if not self._run.options.json:
            self._run.screen.say(say(f"definition.{key}.{self._action}", id=name, file=file))

    def _changed(self, found: Mapping[str, Any], directory: str, name: str) -> bool:
        if self._action == "unmask":
            changed = masks.unmask(directory, name + _SUFFIX)
            if not changed and found["state"] == "masked" and os.path.lexists(str(found["file"])):
                raise Fault("mask-other", file=found["file"])
            return changed
        if found["origin"] == "api":
            raise Fault("mask-registered", id=name)
        return masks.mask(directory, name + _SUFFIX)

    def _directory(self) -> str:
        """Where a mask counts: the higher of the daemon's directories."""
        return own_files(self._run.call("getInfo"))

    def _sudo(self, found: Mapping[str, Any]) -> str:
        socket = self._run.options.socket
        where = ["--socket", socket] if socket else []
        words = ["sudo", PROG, "definitions", self._action, str(found["id"]), *where]
        return shlex.join(words)

    def _take_over(self) -> None:
        """Let the daemon read its files again, and say what has come of it."""
        if not self._done:
            return
        answer = self._run.call("reload")
        if self._run.options.json:
            for one in self._done:
                self._run.print_json({**one, "reload": answer})
        elif any(answer.get(key) for key in ("added", "changed", "removed", "faults")):
            admin.reloaded(self._run, answer)
