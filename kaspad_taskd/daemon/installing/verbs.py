"""`kaspad-taskd install-service` and `uninstall-service`: what they say, and in which order."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from kaspad_taskd.daemon.installing.ground import doubt
from kaspad_taskd.daemon.installing.hands import BESIDE, OTHERS, SERVICE, Hands, alone, overridden
from kaspad_taskd.daemon.installing.pieces import ETC, RULES, UNITS, pieces, shipped
from kaspad_taskd.daemon.installing.plan import Plan, to_install, to_remove
from kaspad_taskd.daemon.installing.program import (
    NAME,
    Program,
    fingerprint,
    look_over,
    missing_extras,
    need_host,
    running,
)
from kaspad_taskd.daemon.installing.record import Record, file_of, load, save
from kaspad_taskd.daemon.installing.refusal import Refusal
from kaspad_taskd.version import __version__

OK, REFUSED = 0, 1


def install(options: argparse.Namespace, hands: Hands | None = None, owner: int = 0) -> int:
    """Make the program of a prefix a service of this host; returns the exit code.

    Args:
        options: `prefix`, `dry_run`, `root`, `handed`.
        hands: what does it.
        owner: whose the files have to be.
    """
    hands = hands or Hands(options.root)
    os.umask(0o022)
    try:
        _need_root(options, owner)
        need_host(hands.root)
        _hand_over(options, hands, owner)
        program = running(options.prefix)
        look_over(program, hands.root, owner)
        return _install(program, options, hands, owner)
    except Refusal as refusal:
        return _refused(refusal)
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}")


def _refused(why: object) -> int:
    print(f"{NAME}: {why}", file=sys.stderr)
    return REFUSED


def _need_root(options: argparse.Namespace, owner: int) -> None:
    if os.geteuid() != owner and not options.dry_run:
        raise Refusal(f"only root can do that: sudo {sys.argv[0]} {options.verb}")


def _hand_over(options: argparse.Namespace, hands: Hands, owner: int) -> None:
    """Let the program of the prefix that is named do it, if it is not this one.

    Raises:
        Refusal: it is not to be run as root.
    """
    prefix: Path | None = options.prefix
    if prefix is None or options.handed or prefix.resolve() == Path(sys.prefix).resolve():
        return
    python, program = prefix / "bin/python3", prefix / "bin" / NAME
    if not (python.exists() and program.exists()):
        return
    if why := doubt([prefix], owner, hands.root):
        raise Refusal(why)
    more = ["--dry-run"] if options.dry_run else []
    words = [str(program), options.verb, "--prefix", str(prefix), "--handed", *more]
    os.execv(python, [str(python), *words])  # noqa: S606 - both were looked over


def _install(program: Program, options: argparse.Namespace, hands: Hands, owner: int) -> int:
    file = file_of(hands.root)
    record = load(file) or Record()
    wanted = pieces(shipped(), program.prefix)
    found = hands.found({*(piece.path for piece in wanted), *record.files})
    plan = to_install(wanted, record.files, found)
    made = hands.missing(step.path for step in plan.steps)
    _look_over_places(plan, hands, owner)
    if options.dry_run:
        _say(plan, hands, would=True)
        return OK
    hands.make_directories(hands.missing([str(Path("/") / file.relative_to(hands.root))]))
    with alone(file.parent):
        now = replace(
            record,
            prefix=str(program.prefix),
            version=__version__,
            directories=tuple(dict.fromkeys((*record.directories, *made))),
        )
        changed = bool(plan.steps) or not record.finished or record.fingerprint != fingerprint()
        if changed:
            save(file, replace(now, files=plan.before, finished=False))
        hands.make_directories(made)
        for step in plan.steps:
            hands.do(step)
        now = replace(now, files=plan.after)
        _bring_up(now, file, hands, changed=changed)
    _say(plan, hands)
    _conclude(program, hands, changed=changed)
    return OK


def _bring_up(now: Record, file: Path, hands: Hands, *, changed: bool) -> None:
    """Make user and directories; the service is enabled and started once, and renewed later."""
    hands.prepare()
    if not changed:
        return
    if now.enabled:
        hands.renew()
    else:
        hands.enable()
    save(file, replace(now, enabled=True, finished=True, fingerprint=fingerprint()))


def _look_over_places(plan: Plan, hands: Hands, owner: int) -> None:
    """Hold that what systemd and polkit will read is root's alone to write, too.

    Raises:
        Refusal: with the directory and the cure.
    """
    for place in sorted({hands.at(step.path).parent for step in plan.steps}):
        there = next(each for each in (place, *place.parents) if each.exists())
        also = _polkitd() if place == hands.at(RULES) else None
        if why := doubt([there], owner, hands.root, below=False, also=also):
            raise Refusal(why)


def _polkitd() -> int | None:
    """Who decides by the rules, and owns their directory on Debian 12."""
    try:
        return pwd.getpwnam("polkitd").pw_uid
    except KeyError:
        return None


def _say(plan: Plan, hands: Hands, *, would: bool = False) -> None:
    for step in plan.steps:
        print(f"{'would be ' if would else ''}{step.act.value}: {step.path}")
    for path, source in plan.left:
        ours = f" (ours: {source})" if source else ""
        print(f"left: {path}, which somebody changed or made{ours}")
    for path in overridden(hands, plan.after):
        print(f"left: {path}, which systemd takes instead of ours: rm it, if it is an old one")
    if would and not plan.steps:
        print("nothing would be changed")


def _conclude(program: Program, hands: Hands, *, changed: bool) -> None:
    at = f"{NAME} {__version__} of {program.prefix}"
    print(f"{at} is a service: {SERVICE}" if changed else f"{at} is a service: nothing to change")
    for name in missing_extras():
        print(f"to watch migrations: {program.prefix}/bin/pip install {name}")
    if hands.masked:
        print(f"it is masked, and so not started: systemctl unmask {SERVICE}")
    if hands.runs and shutil.which("pkcheck") is None:
        print("to switch services: install polkit")


def uninstall(options: argparse.Namespace, hands: Hands | None = None, owner: int = 0) -> int:
    """Take away what the list says was made, and nothing else; returns the exit code.

    Args:
        options: `dry_run`, `root`.
        hands: what does it.
        owner: whose the list has to be.
    """
    hands = hands or Hands(options.root)
    file = file_of(hands.root)
    try:
        _need_root(options, owner)
        record = load(file)
        if record is None:
            print("nothing is here that install-service made")
            return OK
        if why := doubt([file], owner, hands.root):
            raise Refusal(why)
        return _uninstall(record, file, hands, dry=options.dry_run)
    except Refusal as refusal:
        return _refused(refusal)
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}")


def _uninstall(record: Record, file: Path, hands: Hands, *, dry: bool) -> int:
    found = hands.found(record.files)
    plan = to_remove(record.files, found)
    if dry:
        _say(plan, hands, would=True)
        return OK
    with alone(file.parent):
        save(file, replace(record, finished=False, enabled=False))
        hands.end(_ours(found))
        for step in plan.steps:
            hands.do(step)
        hands.remove_directories(record.directories)
        hands.forget()
        # kept over a stop for the socket's sake, as the unit says
        shutil.rmtree(hands.at(f"/run/{NAME}"), ignore_errors=True)
        file.unlink()
    hands.remove_directories(
        [*record.directories, str(Path("/") / file.parent.relative_to(hands.root))]
    )
    _say(plan, hands)
    print(f"kept: {ETC}, /var/lib/{NAME}*, the users {NAME}*; and {record.prefix}")
    return OK


def _ours(found: Iterable[str]) -> Sequence[str]:
    """The units among them that run or may be enabled; a changed one is ended, too."""
    names = {Path(path).name for path in found if path.startswith(f"{UNITS}/")}
    return [name for name in (SERVICE, *BESIDE, *OTHERS) if name in names]
