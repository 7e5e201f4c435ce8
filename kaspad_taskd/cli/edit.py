"""`edit`: a definition's file in the caller's editor, checked before it takes its place.

All of it is done with the caller's rights; the daemon only says where the files are, and reloads.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

from kaspad_taskd.cli import admin
from kaspad_taskd.cli.dry import tell
from kaspad_taskd.cli.faults import Fault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.placing import may_place, place, read
from kaspad_taskd.cli.proposed import judge
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kaspad_taskd.cli.main import Run

_EDITORS = ("sensible-editor", "editor", "nano", "vi")
"""Where neither $VISUAL nor $EDITOR says which."""


def run(run: Run) -> int:
    """Edit the file of a task's definition, then reload."""
    info = run.call("getInfo")
    found = _definition(run, run.options.task)
    task_id, source = str(found["id"]), str(found["file"])
    target = _target(found, info)
    may_place(target, task_id)
    before = read(source)
    overtaken = read(target) if os.path.exists(target) else None  # noqa: PTH110 - costs start time
    text = _edited(run, info, task_id, before, target)
    if text is None:
        run.screen.say(say("edit.same"))
        return 0
    now = read(target) if os.path.exists(target) else None  # noqa: PTH110
    if now != overtaken:
        raise Fault("edit-overtaken", file=target, kept=_keep(task_id, text))
    place(target, text)
    if not run.options.json:
        run.screen.say(say("edit.written", file=safe(target, 4096)))
    return admin.reload(run)


def _definition(run: Run, name: str) -> Mapping[str, Any]:
    """The definition of a task, in a file that can be edited.

    Raises:
        Fault: `no-task`, `edit-registered`, `edit-masked`.
    """
    listed = {one["id"]: one for one in run.call("listDefinitions")}
    found = listed.get(name) or listed.get(find(run, name)["id"])
    if found is None or found.get("origin") == "api":
        raise Fault("edit-registered", id=name if found is None else found["id"])
    if found.get("state") == "masked":
        raise Fault("edit-masked", id=found["id"], file=found["file"])
    if os.path.basename(str(found["file"])) != f"{found['id']}.toml":  # noqa: PTH119
        raise Fault("bad-file", file=found["file"], detail=say("edit.no-file"))
    one: Mapping[str, Any] = found
    return one


def _target(found: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    """Where the edited text belongs: a vendor's file is replaced by one of the administrator's."""
    if found["origin"] == "vendor":
        return f"{info['definitionDirs'][-1]}/{found['id']}.toml"
    return os.path.realpath(str(found["file"]))


def _edited(
    run: Run, info: Mapping[str, Any], task_id: str, before: bytes, target: str
) -> bytes | None:
    """Return what the caller made of a text, sound; None where nothing was changed.

    Raises:
        Fault: `edit-no-editor`, `edit-aborted`, `edit-faulty`, `unchecked`.
    """
    made = tempfile.mkdtemp(prefix="kaspad-taskctl-")
    copy = f"{made}/{task_id}.toml"
    try:
        with open(copy, "xb") as file:  # noqa: PTH123 - pathlib costs start time
            file.write(before)
        while True:
            _open(copy, task_id)
            text = read(copy)
            if text == before:
                return None
            answer = judge(info, file=copy)
            tell([say("dry.warning", what=safe(each)) for each in answer["warnings"]], run)
            if not answer["faults"]:
                return text
            tell([f"{task_id}.toml: {safe(each)}" for each in answer["faults"]], run)
            if not _again():
                raise Fault("edit-faulty", file=target, kept=_keep(task_id, text))
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _open(copy: str, task_id: str) -> None:
    """Let the caller edit a file."""
    from subprocess import Popen

    command = _editor(task_id)
    try:
        editor = Popen([*command, copy])
    except OSError as error:
        raise Fault(
            "edit-no-editor", id=task_id, detail=f"{command[0]}: {error.strerror}"
        ) from None
    while True:
        try:
            code = editor.wait()
        except KeyboardInterrupt:  # it is the editor's
            continue
        break
    if code:
        raise Fault("edit-aborted", editor=command[0], status=code)


def _editor(task_id: str) -> list[str]:
    from shlex import split

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    try:
        command = split(named) if named else [next(filter(shutil.which, _EDITORS))]
    except ValueError as error:
        raise Fault("edit-no-editor", id=task_id, detail=f"{named}: {error}") from None
    except StopIteration:
        command = []
    if not command:
        raise Fault("edit-no-editor", id=task_id)
    return command


def _again() -> bool:
    """Whether the caller wants to mend it; nobody is asked where nobody sits."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(say("edit.again") + " ")
    sys.stderr.flush()
    try:
        said = sys.stdin.readline()
    except KeyboardInterrupt:  # what was typed is kept all the same
        return False
    return bool(said) and said.strip().lower() not in ("n", "no")


def _keep(task_id: str, text: bytes) -> str:
    """Keep what was typed; returns where."""
    handle, path = tempfile.mkstemp(prefix=f"{task_id}-", suffix=".toml")
    with open(handle, "wb") as file:  # noqa: PTH123 - as above
        file.write(text)
    return path
