"""`notify.toml`: who is told what, and by which way; every fault with file, key or line, and cure.

The addresses are secrets: they stand in files of their own (kaspad_taskd/notify/secrets.py), and no
sentence of here has one.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import MISSING, Fault, Table
from kaspad_taskd.config.reading import read_toml, shown
from kaspad_taskd.notify.addresses import http_parts
from kaspad_taskd.notify.model import How, Kind, Quiet, Rule, Target
from kaspad_taskd.notify.secrets import one_line, urls_of

if TYPE_CHECKING:
    from kaspad_taskd.fleet.settings import Login
    from kaspad_taskd.fleet.settings import Settings as FleetSettings

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_WORDS: Final = (
    "must be letters, digits, . _ or -, beginning with a letter or digit, 64 at most"
)
WAYS: Final = ("url_file", "webhook_file", "command")
MAX_TO: Final = 50
NEVER: Final = "never"
DAY: Final = 86_400.0
AFTER: Final = (0.0, 7 * DAY)
"""Bounds in seconds, as the following."""
REPEAT: Final = (60.0, 365 * DAY)
GATHER: Final = (0.0, 3600.0)
BEAT: Final = (30.0, DAY)
_BEAT_EVERY: Final = 300.0
_DEFAULT: Final = Rule("")
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")
_PATTERN: Final = re.compile(r"[A-Za-z0-9._*-]{1,100}")


@frozen
class Heartbeat:
    """A dead man's switch elsewhere, asked while the daemon answers.

    Attributes:
        target: how it is called, and its URL.
        every: seconds.
    """

    target: Target
    every: float = _BEAT_EVERY


@frozen
class Source:
    """A fleet that is followed in place of this host's daemon.

    Attributes:
        settings: what `fleet.toml` says.
        login: as whom the engine is read.
    """

    settings: FleetSettings
    login: Login


@frozen
class Settings:
    """What `notify.toml` and the files that it names say.

    Attributes:
        rules: one for each `[[to]]`.
        targets: where the messages of a rule go; several of one rule.
        heartbeat: None for none.
        page_url: where people reach the status page, without a slash at its end, or None.
        host: how this host is called in messages.
        fleet: what is followed in place of this host's daemon, None for that.
    """

    rules: tuple[Rule, ...]
    targets: tuple[Target, ...]
    heartbeat: Heartbeat | None = None
    page_url: str | None = None
    host: str = ""
    fleet: Source | None = None

    def targets_of(self, rule: str) -> tuple[Target, ...]:
        """Return where the messages of a rule go."""
        return tuple(target for target in self.targets if target.rule == rule)

    def places(self, rule: str | None = None) -> dict[str, Target]:
        """Return the targets of a rule, or all, by their *places*, the keys of the outbox.

        A place is the rule's name and which of its targets it is: a comment more in a file of URLs
        changes none, and what waits for the second URL goes to what is the second one then.
        """
        return {
            f"{each.name}/{at}": target
            for each in self.rules
            if rule in (None, each.name)
            for at, target in enumerate(self.targets_of(each.name))
        }


def load(path: Path) -> Settings | list[Fault]:
    """Return the settings of a file, or all that is wrong with it and those it names. Blocks."""
    settings, faults = examined(path)
    return faults or settings


def examined(path: Path) -> tuple[Settings, list[Fault]]:
    """Return what could be read of a file, whatever else is wrong, and all that is. Blocks."""
    data = read_toml(path)
    return (Settings((), ()), [data]) if isinstance(data, Fault) else _parsed(data, shown(path))


def parse(data: object, file: str) -> Settings | list[Fault]:
    """Return the settings of a table that stands in `file`, or all that is wrong. Blocks."""
    settings, faults = _parsed(data, file)
    return faults or settings


def _parsed(data: object, file: str) -> tuple[Settings, list[Fault]]:
    faults: list[Fault] = []
    table = Table(data, faults, file=file)
    rows = table.rows("to")
    if len(rows) > MAX_TO:
        table.fault("to", f"{len(rows)} of [[to]]; {MAX_TO} is the most")
    read = [_to(row) for row in rows[:MAX_TO]]
    _hold_apart(table, [rule.name for rule, _ in read])
    settings = Settings(
        rules=tuple(rule for rule, _ in read),
        targets=tuple(target for _, targets in read for target in targets),
        heartbeat=_heartbeat(table.table("heartbeat")) if "heartbeat" in _keys(data) else None,
        page_url=_page_url(table),
        host=table.string("host", socket.gethostname() or "localhost", maximum=253),
        fleet=_fleet(table.table("fleet"), file) if "fleet" in _keys(data) else None,
    )
    if "fleet" not in _keys(data):
        _no_hosts(table, [rule for rule, _ in read])
    if not rows and settings.heartbeat is None:
        table.fault("to", "is not there, so nobody would be told: add a [[to]]", MISSING)
    table.done()
    return settings, faults


def _keys(data: object) -> frozenset[str]:
    return frozenset(data) if isinstance(data, dict) else frozenset()


def _hold_apart(table: Table, names: list[str]) -> None:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    says = 'the name "{}" stands twice; give each [[to]] its own'
    table.fault_each("to", map(says.format, twice))


def _to(row: Table) -> tuple[Rule, tuple[Target, ...]]:
    name = row.string("name", pattern=NAME, must=NAME_WORDS)
    rule = Rule(
        name=name,
        on=_on(row),
        tasks=_names(row, "tasks", "id of a task or name of a service"),
        after=row.duration("after", _DEFAULT.after, *AFTER),
        repeat=_repeat(row),
        gather=row.duration("gather", _DEFAULT.gather, *GATHER),
        quiet=_quiet(row),
        hosts=_names(row, "hosts", "name of a host"),
    )
    return rule, _targets(row, name)


def _on(row: Table) -> frozenset[Kind]:
    kinds = [str(kind) for kind in Kind]
    given = row.strings("on", tuple(kinds))
    says = f'"{{:.40}}" is none of {", ".join(kinds)}'
    row.fault_each("on", (says.format(each) for each in given if each not in kinds))
    if not given:
        row.fault("on", "is empty, so nobody would be told; leave it out for all")
    return frozenset(Kind(each) for each in given if each in kinds)


def _names(row: Table, key: str, what: str) -> tuple[str, ...]:
    """Return patterns of names; `what` says of what they are, in the singular."""
    given = row.strings(key, ("*",))
    says = f'"{{:.40}}" is no {what}, which may have a *'
    row.fault_each(key, (says.format(each) for each in given if not _PATTERN.fullmatch(each)))
    if not given:
        row.fault(key, 'is empty, so nobody would be told; leave it out for all, or ["*"]')
    return given


def _no_hosts(table: Table, rules: list[Rule]) -> None:
    named = [rule.name for rule in rules if rule.hosts != ("*",)]
    says = 'hosts of "{}" are those of a fleet; there is no [fleet]'
    table.fault_each("to", map(says.format, named))


def _fleet(table: Table, file: str) -> Source | None:
    """What is read in place of a daemon: the servers of `fleet.toml`, as the hub or somebody."""
    try:  # who follows one daemon needs none of it
        from kaspad_taskd.fleet.settings import USER, Login, Part
        from kaspad_taskd.fleet.settings import load as load_fleet
    except ImportError:
        table.fault("", "needs what reads a fleet: apt install kaspad-taskd-fleet")
        return None
    place = _file(table, "config") or Path(file).absolute().with_name("fleet.toml")
    user = table.string("user", None, pattern=USER, must="must be a name without blanks")
    secret = _file(table, "password_file")
    found = load_fleet(place, Part.HUB if secret is None else None)
    if isinstance(found, list):
        table.faults.extend(found)
        if secret is None:
            table.fault("password_file", "may name a file that this program may read", MISSING)
        return None
    if secret is None:
        if user is not None:
            table.fault("password_file", f'is required: a file with the password of "{user}"')
        return Source(found, found.hub.login)
    password, faults = one_line(secret)
    table.faults.extend(faults)
    if user is None:
        table.fault("user", "is required beside password_file", MISSING)
    return Source(found, Login(user, password))


def _repeat(row: Table) -> float | None:
    if row.peek("repeat") == NEVER:
        row.raw("repeat")
        return None
    return row.duration("repeat", _DEFAULT.repeat or DAY, *REPEAT)


def _quiet(row: Table) -> Quiet | None:
    words = 'must be two times of the day like "23:00-07:00"'
    text = row.string("quiet", None, pattern=_SPAN, must=words)
    if text is None or (found := _SPAN.fullmatch(text)) is None:
        return None
    hour, minute, last_hour, last_minute = map(int, found.groups())
    begins, ends = hour * 60 + minute, last_hour * 60 + last_minute
    if begins == ends:
        row.fault("quiet", f"{words}, and not end where it begins; leave it out for none")
        return None
    return Quiet(begins, ends)


def _targets(row: Table, name: str) -> tuple[Target, ...]:
    given = [way for way in WAYS if row.peek(way) is not None]
    if len(given) != 1:
        said = f"has {' and '.join(given)}; keep one of them" if given else f"needs one of {_ALL}"
        row.fault("", said)
    urls = _file(row, "url_file")
    webhook = _file(row, "webhook_file")
    key = _file(row, "key_file")
    command = row.strings("command", ())
    if key is not None and webhook is None:
        row.fault("key_file", "signs a webhook; there is no webhook_file")
    if "command" in given:
        _check_command(row, command)
        return (Target(name, name, How.COMMAND, command=command),)
    if webhook is not None:
        return _webhook(row, name, webhook, key)
    return _apprise(row, name, urls) if urls is not None else ()


_ALL: Final = f"{', '.join(WAYS[:-1])} or {WAYS[-1]}"


def _file(row: Table, key: str) -> Path | None:
    text = row.string(key, None)
    if text is None:
        return None
    if not text.startswith("/"):
        row.fault(key, "must be an absolute path")
        return None
    return Path(text)


def _check_command(row: Table, command: tuple[str, ...]) -> None:
    if not command or not command[0].startswith("/"):
        row.fault("command", 'must begin with the absolute path of a program: ["/usr/bin/..."]')


def _apprise(row: Table, name: str, file: Path) -> tuple[Target, ...]:
    urls, faults = urls_of(file)
    row.faults.extend(faults)
    return tuple(
        Target(name, f"{name}, line {line} ({_scheme(url)})", How.APPRISE, url=url)
        for line, url in urls
    )


def _webhook(row: Table, name: str, file: Path, key_file: Path | None) -> tuple[Target, ...]:
    url, faults = one_line(file, "http")
    row.faults.extend(faults)
    key = ""
    if key_file is not None:
        key, faults = one_line(key_file)
        row.faults.extend(faults)
    return (Target(name, f"{name} (webhook)", How.WEBHOOK, url=url, key=key),)


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _heartbeat(table: Table) -> Heartbeat:
    file = _file(table, "url_file")
    url = ""
    if file is not None:
        url, faults = one_line(file, "http")
        table.faults.extend(faults)
    elif table.peek("url_file") is None:
        table.fault("url_file", "is required: a file with the URL that is asked", MISSING)
    every = table.duration("every", _BEAT_EVERY, *BEAT)
    return Heartbeat(Target("", "heartbeat", How.WEBHOOK, url=url), every)


def _page_url(table: Table) -> str | None:
    text = table.string("page_url", None)
    if text is None:
        return None
    parts = http_parts(text)
    if parts is None or parts.username is not None or parts.query or parts.fragment:
        table.fault("page_url", 'must be the address of the status page: "https://HOST/taskd"')
    return text.rstrip("/")
