"""What would keep the daemon from starting on this host, looked for without starting it.

For `kaspad-taskctl doctor` where no daemon answers: schema of the state, rights of the daemon's
user, port of the page. Nothing is written, and SQLite is not asked: as root it would leave files
beside the state that the daemon could not use.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kaspad_taskd import words
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.bridge.listening import NotListeningError, listen
from kaspad_taskd.config.drop_ins import settings_files
from kaspad_taskd.config.places import NAME, Places
from kaspad_taskd.config.settings import Address, Settings, look_over
from kaspad_taskd.store import schema

GOOD: Final = "good"
WARNING: Final = "warning"
FAULT: Final = "fault"
_READ, _WRITE, _ENTER = 4, 2, 1


@frozen
class User:
    """Who the daemon would be: its name, number and groups."""

    name: str
    uid: int
    groups: frozenset[int]

    def may(self, path: Path, bits: int) -> bool:
        """Whether the modes let it read (4), write (2), enter (1) what is there; ACLs are not seen.

        Raises:
            OSError: it is not there, or not shown to us.
        """
        if self.uid == 0:
            return True
        found = path.stat()
        mode = found.st_mode
        if found.st_uid == self.uid:
            mode >>= 6
        elif found.st_gid in self.groups:
            mode >>= 3
        return mode & bits == bits


def preflight(places: Places, listen_on: Address | str | None) -> int:
    """Say as JSON, a list of `{check, level, text, cure}`, what was found; 1: it cannot start."""
    found = list(look(places, listen_on, the_user()))
    print(json.dumps(found))
    return 1 if any(each["level"] == FAULT for each in found) else 0


def the_user() -> User:
    """Return the service's user where we are root and there is one, else who asks."""
    uid = os.geteuid()
    try:
        found = pwd.getpwnam(NAME) if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        return User("root" if uid == 0 else str(uid), uid, frozenset(os.getgroups()))
    groups = os.getgrouplist(found.pw_name, found.pw_gid)
    return User(found.pw_name, found.pw_uid, frozenset(groups))


def look(
    places: Places, listen_on: Address | str | None, user: User
) -> Iterator[dict[str, str | None]]:
    """Yield what was found; of settings with faults `--check` tells."""
    settings, faults = look_over(places)
    sound = settings if not faults else None
    yield from _state(places.state / "state.db")
    yield from _rights(places, sound, user)
    if sound is not None:
        where = listen_on or sound.bridge.listen
        if isinstance(where, Address) and where.port:
            yield _port(where)


def _found(level: str, check: str, key: str, **known: Any) -> dict[str, str | None]:
    text = words.maybe(f"doctor.{key}.what", **known) or words.say(f"doctor.{key}", **known)
    cure = words.maybe(f"doctor.{key}.cure", **known)
    return {"check": words.say(f"doctor.{check}"), "level": level, "text": text, "cure": cure}


def _state(path: Path) -> Iterator[dict[str, str | None]]:
    try:
        found = schema.version_of(path)
    except FileNotFoundError:
        return
    except OSError:
        yield _found(WARNING, "schema", "rights-unseen", path=path)
        return
    if found is not None and found > len(schema.STEPS):
        yield _found(FAULT, "schema", "schema-newer", problem=schema.newer(found, path))
    elif found is not None:
        yield _found(GOOD, "schema", "schema-good", path=path, schema=found)


@frozen
class _Need:
    """What its user has to be able to do with a path.

    Attributes:
        path: of a file or directory.
        bits: which of reading, writing, entering.
        level: of what is missing.
        cure: what the sentence of the cure needs.
        must_be: whether it has to be there.
    """

    path: Path
    bits: int
    level: str
    cure: dict[str, Path]
    must_be: bool = False


def _needs(places: Places, settings: Settings | None) -> Iterator[_Need]:
    state, all_of_it = places.state, _READ | _WRITE | _ENTER
    drop_ins = places.drop_ins
    yield _Need(drop_ins, _READ | _ENTER, FAULT, {"place": drop_ins})
    for file in settings_files(places)[0]:
        yield _Need(file, _READ, FAULT, {"file": file}, places.told)
    yield _Need(places.admin_tasks, _READ | _ENTER, WARNING, {"place": places.admin_tasks})
    yield _Need(state, all_of_it, FAULT, {"own": state})
    yield _Need(state / "state.db", _READ | _WRITE, FAULT, {"own": state / "state.db*"})
    yield _Need(places.runtime, all_of_it, FAULT, {"own": places.runtime})
    if settings is not None:
        token = settings.bridge.token_file
        if token is not None and settings.bridge.listen is not None:
            yield _Need(token, _READ, FAULT, {"file": token}, must_be=True)
        for file in settings.databases.values():
            yield _Need(file, _READ, WARNING, {"file": file}, must_be=True)


def _rights(
    places: Places, settings: Settings | None, user: User
) -> Iterator[dict[str, str | None]]:
    found = [each for need in _needs(places, settings) for each in _missing(need, user)]
    yield from found or [_found(GOOD, "rights", "rights-good", user=user.name)]


def _missing(need: _Need, user: User) -> Iterator[dict[str, str | None]]:
    """What is missing of a need, the first of it; directories that systemd makes may be."""
    for place, bits in (
        *((each, _ENTER) for each in reversed(need.path.parents)),
        (need.path, need.bits),
    ):
        try:
            lacks = not user.may(place, bits)
        except FileNotFoundError:
            if need.must_be:
                yield _found(need.level, "rights", "file-missing", path=need.path)
            return
        except OSError:
            yield _found(WARNING, "rights", "rights-unseen", path=place)
            return
        if lacks:
            yield _lacking(need, place, bits, user)
            return


def _lacking(need: _Need, place: Path, bits: int, user: User) -> dict[str, str | None]:
    do = "doctor.may.enter"
    if bits & (_READ | _WRITE):
        do = "doctor.may.write" if bits & _WRITE else "doctor.may.read"
    cure = need.cure if place == need.path else {"place": place}
    if place.name == "secrets" and place.parent.name == NAME:
        cure = {"secrets": place}
    known = {"user": user.name, "do": words.say(do), "path": place, **cure}
    return _found(need.level, "rights", "rights-missing", **known)


def _port(where: Address) -> dict[str, str | None]:
    """Whether the page's port is free: where it is not, the daemon goes on without the page."""
    try:
        for each in listen(where):
            each.close()
    except NotListeningError as taken:
        texts = [words.maybe(f"warning.{taken.code}.{part}", **taken.params)
                 for part in ("note", "cure")]  # fmt: skip
        return {"check": words.say("doctor.port"), "level": WARNING, "text": texts[0],
                "cure": texts[1]}  # fmt: skip
    return _found(GOOD, "port", "port-free", address=where)
